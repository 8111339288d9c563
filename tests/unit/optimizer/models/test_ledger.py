"""What asking costs, and what is never asked twice."""

import json
import threading
from pathlib import Path

import pytest

from perftrace.errors import UsageError
from perftrace.optimizer.models.asking import (
    Answer,
    NoAnswer,
    Question,
    Reply,
    Turn,
    Usage,
    Why,
)
from perftrace.optimizer.models.ledger import Ledger, Limits, Price, price_of
from perftrace.optimizer.models.manual import Manual
from perftrace.optimizer.models.recording import Recording, last_model

ANSWER = Answer("so", Usage(1000, 200, 4000, 100))


class Fake:
    """Gives the same answer to all."""

    name, model = "fake", "fake-1"

    def __init__(self, reply: Reply = ANSWER) -> None:
        self.asked: list[Question] = []
        self._reply = reply

    def ask(self, question: Question) -> Reply:
        self.asked.append(question)
        return self._reply


def question(text: str = "faster", most: int = 1000) -> Question:
    return Question("system", "context", (Turn("user", text),), most)


def test_tokens_and_money_are_counted() -> None:
    ledger = Ledger(Fake(), price=Price(2, 10))
    assert ledger.ask(question()) == ANSWER
    ledger.ask(question())
    assert ledger.usage == Usage(2000, 400, 8000, 200)
    assert ledger.asked == 2
    assert ledger.cost == pytest.approx((2000 + 800 + 250) * 2e-6 + 400 * 10e-6)
    assert Ledger(Fake()).cost is None


def test_what_could_pass_a_limit_is_not_asked() -> None:
    provider = Fake()
    ledger = Ledger(provider, Limits(tokens=6500))
    assert ledger.ask(question()) == ANSWER  # 5,300 tokens of it
    found = ledger.ask(question(most=2000))
    assert isinstance(found, NoAnswer)
    assert found.why is Why.BUDGET
    dear = Ledger(Fake(), Limits(cost=0.001), Price(2, 10))
    refused = dear.ask(question())
    assert isinstance(refused, NoAnswer)
    assert refused.why is Why.BUDGET
    assert dear.asked == 0


def test_questions_under_way_count_against_the_limit() -> None:
    inside, go = threading.Event(), threading.Event()

    class Slow(Fake):
        def ask(self, question: Question) -> Reply:
            inside.set()
            go.wait(10)
            return super().ask(question)

    ledger = Ledger(Slow(), Limits(tokens=1500))
    thread = threading.Thread(target=ledger.ask, args=(question(),))
    thread.start()
    assert inside.wait(10)
    found = ledger.ask(question())
    go.set()
    thread.join()
    assert isinstance(found, NoAnswer)


def test_a_limit_in_money_needs_a_price() -> None:
    with pytest.raises(UsageError, match="No price is known for fake-1"):
        Ledger(Fake(), Limits(cost=1.0))


@pytest.mark.parametrize("why", [Why.KEY, Why.CREDIT, Why.MODEL])
def test_after_some_failures_nothing_is_asked_any_more(why: Why) -> None:
    provider = Fake(NoAnswer(why, "no"))
    ledger = Ledger(provider)
    assert [ledger.ask(question()).__class__ for _ in range(3)] == [NoAnswer] * 3
    assert len(provider.asked) == 1
    assert ledger.over == NoAnswer(why, "no")
    assert ledger.failed[why] == 1


def test_after_others_it_goes_on() -> None:
    provider = Fake(NoAnswer(Why.LIMITED, usage=Usage(5)))
    ledger = Ledger(provider)
    for _ in range(3):
        ledger.ask(question())
    assert len(provider.asked) == 3
    assert ledger.usage == Usage(15)


def test_prices_are_those_of_the_settings_first() -> None:
    assert price_of("claude-sonnet-5-5", {}) == Price(2, 10)
    assert price_of("claude-sonnet-5-5-20261001", {}) == Price(2, 10)
    assert price_of("claude-sonnet-5-5", {"claude-sonnet-5-5": "1.5/3"}) == Price(1.5, 3)
    assert price_of("my-model", {}) is None


def test_nothing_is_asked_twice_not_even_by_a_later_run(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "answers.jsonl"
    provider = Fake()
    recording = Recording(file, provider)
    assert recording.ask(question()) == ANSWER
    assert recording.ask(question()) == Answer("so")  # at no cost
    assert Recording(file, provider).ask(question()) == Answer("so")
    assert len(provider.asked) == 1
    Recording(file, provider).ask(question("other"))
    assert len(provider.asked) == 2
    assert last_model(file) == ("fake", "fake-1")
    row = json.loads(file.read_text().splitlines()[0])
    assert row["question"]["turns"] == [{"role": "user", "text": "faster"}]
    assert row["usage"]["output"] == 200


def test_without_a_provider_only_what_is_recorded_is_answered(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    Recording(file, Fake()).ask(question())
    alone = Recording(file, None, "fake", "fake-1")
    assert alone.ask(question()) == Answer("so")
    assert alone.replayed == 1
    found = alone.ask(question("new"))
    assert isinstance(found, NoAnswer)
    assert found.why is Why.MISSING
    other = Recording(file, None, "fake", "fake-2").ask(question())
    assert isinstance(other, NoAnswer)


def test_failures_are_not_kept_and_a_line_cut_off_is_asked_again(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    Recording(file, Fake(NoAnswer(Why.LIMITED))).ask(question())
    assert not file.exists()
    Recording(file, Fake()).ask(question())
    file.write_text(file.read_text()[:-30])
    provider = Fake()
    assert Recording(file, provider).ask(question()) == ANSWER
    assert len(provider.asked) == 1
    file.write_bytes(b"\xff\xfe\n[1]\n{}\n")
    assert last_model(file) == ("", "")


def test_a_person_answers_by_files(tmp_path: Path) -> None:
    manual = Manual(tmp_path / "questions")
    found = manual.ask(question())
    assert isinstance(found, NoAnswer)
    [asked] = (tmp_path / "questions").iterdir()
    assert "faster" in asked.read_text()
    assert str(manual.waiting[0]) in found.text
    manual.waiting[0].write_text("this way")
    assert Manual(tmp_path / "questions").ask(question()) == Answer("this way")
    manual.waiting[0].write_text(" \n")
    assert isinstance(manual.ask(question()), NoAnswer)


def test_what_was_measured_makes_no_other_question() -> None:
    first, again, other = (
        question(f"{text} of the original's time. Make it faster.")
        for text in ("It takes 1/1.53", "It takes 1/1.6", "It has 1/1.53")
    )
    assert first.identity("fake", "fake-1") == again.identity("fake", "fake-1")
    assert first.identity("fake", "fake-1") != other.identity("fake", "fake-1")
