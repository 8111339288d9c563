"""The real SDKs against a server on loopback: answers, and all the ways in which there is none."""

from collections.abc import Callable
from pathlib import Path

import pytest
from model_server import Behaviour, Fails, ModelServer, Raw, Says

from perftrace.errors import CannotError
from perftrace.optimizer.models.anthropic import Anthropic
from perftrace.optimizer.models.asking import Answer, NoAnswer, Provider, Question, Turn, Usage, Why
from perftrace.optimizer.models.openai import OpenAI

pytest.importorskip("anthropic", reason="the SDK anthropic is not installed")
pytest.importorskip("openai", reason="the SDK openai is not installed")

QUESTION = Question("be quick", "the function f", (Turn("user", "make it faster"),), 1000)


def anthropic(url: str, retries: int = 1) -> Provider:
    return Anthropic("claude-test", base_url=url, retries=retries, timeout_s=5)


def openai(url: str, retries: int = 1) -> Provider:
    return OpenAI("gpt-test", base_url=f"{url}/v1", retries=retries, timeout_s=5)


MAKERS = {"anthropic": anthropic, "openai": openai}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    for name in ("ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[[str], Provider]:
    return MAKERS[request.param]


def asked(
    make: Callable[[str], Provider], *behaviours: Behaviour
) -> tuple[Answer | NoAnswer, ModelServer]:
    with ModelServer(behaviours).running() as server:
        return make(server.url).ask(QUESTION), server


def test_an_answer_comes_with_what_it_cost() -> None:
    found, server = asked(anthropic, Says("faster so", cached=30))
    assert found == Answer("faster so", Usage(100, 40, cache_read=30))
    [request] = server.requests
    assert request["model"] == "claude-test"
    assert request["max_tokens"] == 1000
    assert request["system"][0]["text"] == "be quick"
    assert request["system"][0]["cache_control"] == {"type": "ephemeral"}
    context, turn = request["messages"][0]["content"]
    assert context == {
        "type": "text",
        "text": "the function f",
        "cache_control": {"type": "ephemeral"},
    }
    assert turn["text"] == "make it faster"
    sent = {name.lower(): value for name, value in server.headers[0].items()}
    assert "test-key" in {sent.get("x-api-key"), sent.get("authorization", "")[7:]}, sent


def test_an_openai_answer_comes_with_what_it_cost() -> None:
    found, server = asked(openai, Says("faster so", cached=30))
    assert found == Answer("faster so", Usage(120, 40, cache_read=30))
    [request] = server.requests
    assert [message["role"] for message in request["messages"]] == ["system", "user"]
    assert request["messages"][1]["content"] == "the function f\n\nmake it faster"


def test_a_conversation_goes_on(make: Callable[[str], Provider]) -> None:
    with ModelServer([Says("first"), Says("second")]).running() as server:
        provider = make(server.url)
        provider.ask(QUESTION)
        provider.ask(QUESTION.followed("first", "again"))
    roles = [message["role"] for message in server.requests[1]["messages"]]
    assert roles[-3:] == ["user", "assistant", "user"]
    assert server.requests[1]["messages"][-2]["content"] == "first"
    assert server.questions()[1] == "again"


@pytest.mark.parametrize(
    "failure",
    [
        Fails(429, "rate_limit_error"),
        Fails(529, "overloaded_error"),
        Fails(500, "api_error"),
        Fails(503, body=b"<html>down</html>"),
    ],
    ids=str,
)
def test_what_may_pass_is_tried_again(make: Callable[[str], Provider], failure: Behaviour) -> None:
    found, server = asked(make, failure, Says("then"))
    assert isinstance(found, Answer)
    assert found.text == "then"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (Fails(401, "authentication_error"), Why.KEY),
        (Fails(402, "billing_error"), Why.CREDIT),
        (Fails(400, "invalid_request_error", "Your credit balance is too low"), Why.CREDIT),
        (Fails(403, "permission_error"), Why.FORBIDDEN),
        (Fails(404, "not_found_error", "model: claude-test"), Why.MODEL),
        (Fails(413, "request_too_large"), Why.TOO_LONG),
        (Fails(400, "invalid_request_error", "prompt is too long: 300000"), Why.TOO_LONG),
        (Fails(429, "rate_limit_error"), Why.LIMITED),
        (Fails(529, "overloaded_error"), Why.SERVER),
        (Fails(500, body=b"not JSON"), Why.SERVER),
        (Fails(418, "tea"), Why.BROKEN),
        (Says("", stop="refusal"), Why.REFUSED),
        (Says("half of", stop="max_tokens"), Why.CUT),
        (Says("x", stop="model_context_window_exceeded"), Why.TOO_LONG),
        (Says(""), Why.EMPTY),
        (Says("  \n"), Why.EMPTY),
        (Says("some text that ends early", cut=True), Why.UNREACHABLE),
        (Raw(b"{"), Why.BROKEN),
        (Raw(b"event: message_start\ndata: {]\n\n", "text/event-stream"), Why.BROKEN),
        (
            Raw(
                b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error",'
                b' "message": "busy"}}\n\n',
                "text/event-stream",
            ),
            Why.SERVER,
        ),
        (Raw(b"", "text/event-stream"), Why.BROKEN),
        (Raw(b"[1, 2]"), Why.BROKEN),
        (Raw(b'{"type": "message", "content": 7}'), Why.BROKEN),
    ],
    ids=str,
)
def test_without_an_answer_anthropic_says_why(failure: Behaviour, why: Why) -> None:
    found, _ = asked(anthropic, failure)
    assert isinstance(found, NoAnswer), found
    assert found.why in {why, Why.BROKEN} if why is Why.UNREACHABLE else found.why is why, found


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (Fails(401, "invalid_api_key"), Why.KEY),
        (Fails(429, "insufficient_quota"), Why.CREDIT),
        (Fails(403, "forbidden"), Why.FORBIDDEN),
        (Fails(404, "model_not_found"), Why.MODEL),
        (Fails(400, "context_length_exceeded"), Why.TOO_LONG),
        (Fails(400, "", "the request exceeds the available context size"), Why.TOO_LONG),
        (Fails(429, "rate_limit_exceeded"), Why.LIMITED),
        (Fails(500, body=b"not JSON"), Why.SERVER),
        (Fails(418, "tea"), Why.BROKEN),
        (Says("", stop="content_filter"), Why.REFUSED),
        (Says("half of", stop="length"), Why.CUT),
        (Says(""), Why.EMPTY),
        (Says("some text that ends early", cut=True), Why.UNREACHABLE),
        (Raw(b"{"), Why.BROKEN),
        (Raw(b"[1, 2]"), Why.BROKEN),
        (Raw(b'{"choices": []}'), Why.BROKEN),
        (Raw(b"<html>a portal</html>", "text/html"), Why.BROKEN),
    ],
    ids=str,
)
def test_without_an_answer_openai_says_why(failure: Behaviour, why: Why) -> None:
    found, _ = asked(openai, failure)
    assert isinstance(found, NoAnswer), found
    assert found.why in {why, Why.BROKEN} if why is Why.UNREACHABLE else found.why is why, found


def test_a_server_that_is_not_there_can_not_be_reached(make: Callable[[str], Provider]) -> None:
    found = make("http://127.0.0.1:9").ask(QUESTION)
    assert isinstance(found, NoAnswer)
    assert found.why is Why.UNREACHABLE


def test_without_a_key_there_is_one_clear_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    found = anthropic("http://127.0.0.1:9").ask(QUESTION)
    assert isinstance(found, NoAnswer)
    assert found.why is Why.KEY
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", "/nowhere")
    with pytest.raises(CannotError, match="has no key: Config file not found"):
        anthropic("http://127.0.0.1:9")
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(CannotError, match="has no key"):
        OpenAI("gpt-test")


def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    found, server = asked(openai, Says("yes"))
    assert isinstance(found, Answer)
    assert len(server.requests) == 1
