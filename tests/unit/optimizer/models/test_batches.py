"""Questions that go off together: kept until their answers came, never sent twice."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from model_server import Behaviour, Fails, ModelServer, Raw, Says

from perftrace.optimizer.models.anthropic import Anthropic
from perftrace.optimizer.models.asking import Answer, NoAnswer, Question, Reply, Turn, Usage, Why
from perftrace.optimizer.models.batches import Batches, Came, Pending
from perftrace.optimizer.models.ledger import Ledger, Limits, Price

COST = Usage(100, 40, 0, 50)
WAITS = NoAnswer(Why.WAITING)


def question(text: str) -> Question:
    return Question("system", "context", (Turn("user", text),), 1000)


class Service:
    """Takes batches, and gives back what it is told to."""

    name, model = "fake", "fake-1"

    def __init__(self) -> None:
        self.sent: list[Mapping[str, Question]] = []
        self.accepts: str | NoAnswer = "b1"
        self.has: Mapping[str, Reply] | Pending | NoAnswer = Pending("in progress")

    def send(self, questions: Mapping[str, Question]) -> str | NoAnswer:
        self.sent.append(dict(questions))
        return self.accepts

    def fetch(self, batch: str) -> Mapping[str, Reply] | Pending | NoAnswer:
        return self.has


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".perftrace" / "batches.jsonl"


def later(file: Path, service: Service) -> tuple[Batches, list[Came]]:
    """The next run, and what came for it."""
    batches = Batches(file, service)
    return batches, list(batches.fetch())


def sent(file: Path, service: Service, *texts: str) -> None:
    batches = Batches(file, service)
    for text in texts:
        assert batches.ask(question(text)) == WAITS
    assert batches.send() == service.accepts


def test_what_was_asked_goes_off_together_and_its_answers_come_later(
    file: Path, service: Service
) -> None:
    sent(file, service, "a", "b", "a")
    assert [one.turns[0].text for one in service.sent[0].values()] == ["a", "b"]
    batches, came = later(file, service)
    assert (came, batches.told) == ([], ["2 questions of batch b1 wait: in progress."])
    first, second = service.sent[0]
    service.has = {second: Answer("B", COST), first: NoAnswer(Why.SERVER, "it expired")}
    batches, came = later(file, service)
    assert came == [
        Came(
            "b1",
            (
                (question("a"), NoAnswer(Why.SERVER, "it expired")),
                (question("b"), Answer("B", COST)),
            ),
        )
    ]
    assert batches.told == ["2 answers of batch b1 came."]
    assert later(file, service)[1] == []
    assert file.read_text() == ""


def test_what_is_under_way_is_not_sent_again(file: Path, service: Service) -> None:
    sent(file, service, "a")
    batches, _ = later(file, service)
    assert batches.ask(question("a")) == WAITS
    assert batches.send() == ""
    batches.ask(question("b"))
    service.accepts = "b2"
    assert batches.send() == "b2"
    assert len(service.sent) == 2
    assert [one.id for one in later(file, service)[0].under_way] == ["b1", "b2"]


def test_a_batch_of_another_model_waits_for_it(file: Path, service: Service) -> None:
    sent(file, service, "a")
    other = Service()
    other.model = "fake-2"
    other.has = {}
    batches, came = later(file, other)
    assert (came, batches.told) == ([], [])
    batches.ask(question("a"))
    assert batches.send() == "b1"
    service.has = {next(iter(service.sent[0])): Answer("A")}
    assert len(later(file, service)[1]) == 1


def test_answers_that_were_not_kept_come_again(file: Path, service: Service) -> None:
    sent(file, service, "a")
    service.has = {next(iter(service.sent[0])): Answer("A")}
    next(Batches(file, service).fetch())  # the run ends here
    assert len(later(file, service)[1]) == 1


def test_a_batch_that_is_not_taken_is_asked_again(file: Path, service: Service) -> None:
    service.accepts = NoAnswer(Why.KEY, "x-api-key is wrong")
    batches = Batches(file, service)
    batches.ask(question("a"))
    assert batches.send() == ""
    assert batches.told == ["1 question could not be sent: no valid key: x-api-key is wrong"]
    assert not file.exists()
    assert later(file, service)[0].under_way == []


@pytest.mark.parametrize(
    ("why", "told", "left"),
    [
        (Why.UNREACHABLE, "Batch b1 can't be asked for: the provider can't be reached", 1),
        (Why.MODEL, "Batch b1 is gone: its questions are asked again.", 0),
    ],
)
def test_what_can_not_be_fetched_waits_unless_it_is_gone(
    file: Path, service: Service, why: Why, told: str, left: int
) -> None:
    sent(file, service, "a")
    service.has = NoAnswer(why)
    batches, came = later(file, service)
    assert (came, batches.told, len(batches.under_way)) == ([], [told], left)
    batches.ask(question("a"))
    assert bool(batches.new) == (not left)


def test_a_half_written_line_is_passed_over(file: Path, service: Service) -> None:
    sent(file, service, "a")
    for rest in ('{"id": "b2", "quest', "[1]", '{"id": 1, "questions": {"x": 3}}', "null"):
        file.write_text(f"{file.read_text()}{rest}\n")
    assert [one.id for one in later(file, service)[0].under_way] == ["b1"]


def test_half_the_price_is_counted_and_what_waits_is_reserved(file: Path, service: Service) -> None:
    batches = Batches(file, service)
    ledger = Ledger(batches, Limits(tokens=2100), Price(2, 10))
    assert ledger.ask(question("a")) == WAITS
    assert ledger.ask(question("b")) == WAITS
    third = ledger.ask(question("c"))
    assert isinstance(third, NoAnswer)
    assert third.why is Why.BUDGET
    assert (ledger.asked, len(batches.new)) == (0, 2)
    ledger.came(Answer("A", COST))
    assert ledger.cost == pytest.approx((100 * 2 + 50 * 1.25 * 2 + 40 * 10) / 2e6)
    assert (ledger.asked, ledger.usage) == (1, COST)


# --- by the SDK, against a server on loopback -------------------------------------------


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("anthropic", reason="the SDK anthropic is not installed")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")


def anthropic(server: ModelServer) -> Anthropic:
    return Anthropic("claude-test", base_url=server.url, retries=0, timeout_s=5)


@pytest.mark.usefixtures("key")
def test_the_service_takes_a_batch_and_gives_its_results() -> None:
    behaviours: list[Behaviour] = [
        *(Says("A", cached=30), Fails(0, "expired"), Fails(0, "overloaded_error", "busy")),
        *(Says("half", stop="max_tokens"), Says(""), Raw(b"")),
    ]
    asked = {f"q{n}": question(f"text {n}") for n in range(len(behaviours))}
    with ModelServer(behaviours).running() as server:
        provider = anthropic(server)
        number = provider.send(asked)
        assert number == "msgbatch_1"
        server.batch_state = "in_progress"
        assert provider.fetch(number) == Pending("in progress")
        server.batch_state = "ended"
        found = provider.fetch(number)
    assert isinstance(found, Mapping)
    assert found["q0"] == Answer("A", Usage(100, 40, 30))
    why = {name: one.why for name, one in found.items() if isinstance(one, NoAnswer)}
    assert why == {
        "q1": Why.SERVER,
        "q2": Why.SERVER,
        "q3": Why.CUT,
        "q4": Why.EMPTY,
        "q5": Why.SERVER,
    }
    [request, *_] = server.batches["msgbatch_1"]
    assert request["params"]["messages"][0]["content"][1]["text"] == "text 0"
    assert request["params"]["model"] == "claude-test"


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (Fails(401, "authentication_error"), Why.KEY),
        (Fails(404, "not_found_error"), Why.MODEL),
        (Fails(529, "overloaded_error"), Why.SERVER),
        (Fails(500, body=b"not JSON"), Why.SERVER),
    ],
    ids=str,
)
def test_a_service_that_refuses_says_why(failure: Fails, why: Why) -> None:
    with ModelServer([], refusing=failure).running() as server:
        for found in (anthropic(server).send({"q": question("a")}), anthropic(server).fetch("b")):
            assert isinstance(found, NoAnswer)
            assert found.why is why
