"""Questions to Anthropic's models, by their own SDK: one at a time, or many as a batch."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from perftrace.errors import CannotError
from perftrace.optimizer.models.asking import Answer, NoAnswer, Question, Reply, Usage, Why
from perftrace.optimizer.models.batches import Pending

if TYPE_CHECKING:
    import anthropic

MODEL = "claude-sonnet-5-5"
RETRIES = 4  # of what may pass: limits, overload, failures of the server and the connection
TIMEOUT_S = 300.0
CACHED = {"type": "ephemeral"}
# Why there is no answer, by the type that the service gives an error.
TYPES = {
    "authentication_error": Why.KEY,
    "billing_error": Why.CREDIT,
    "permission_error": Why.FORBIDDEN,
    "not_found_error": Why.MODEL,
    "request_too_large": Why.TOO_LONG,
    "rate_limit_error": Why.LIMITED,
    "overloaded_error": Why.SERVER,
    "api_error": Why.SERVER,
    "timeout_error": Why.SERVER,
}
STATUSES = {
    401: Why.KEY,
    402: Why.CREDIT,
    403: Why.FORBIDDEN,
    404: Why.MODEL,
    413: Why.TOO_LONG,
    429: Why.LIMITED,
}
# Words by which a request that is refused as malformed can be told to be one of these.
WORDS = {"credit balance": Why.CREDIT, "too long": Why.TOO_LONG, "context": Why.TOO_LONG}
STOPS = {
    "refusal": Why.REFUSED,
    "max_tokens": Why.CUT,
    "model_context_window_exceeded": Why.TOO_LONG,
}


class Anthropic:
    """One model."""

    name = "anthropic"

    def __init__(
        self,
        model: str = MODEL,
        *,
        base_url: str | None = None,
        retries: int = RETRIES,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """The key is taken from where the SDK looks for it: `ANTHROPIC_API_KEY` before all.

        Raises:
            CannotError: the SDK is not installed, or what it knows of a key can't be used.
        """
        try:
            import anthropic  # noqa: PLC0415 - takes a second: only where it is used
        except ImportError as error:
            raise CannotError(
                "engine-sdk",
                "The engine anthropic needs its SDK: pip install 'anthropic>=2,<3'",
            ) from error
        self.model = model
        self._sdk = anthropic
        try:
            self._client = anthropic.Anthropic(
                base_url=base_url, max_retries=retries, timeout=timeout_s
            )
        except anthropic.AnthropicError as error:
            raise CannotError("engine-key", f"The engine anthropic has no key: {error}") from error

    def ask(self, question: Question) -> Reply:
        """The answer, or why there is none."""
        return self._told(lambda: self._streamed(question))

    def send(self, questions: Mapping[str, Question]) -> str | NoAnswer:
        """Send questions, each by an identity of its own, as one batch: its id."""
        requests: Any = [
            {"custom_id": identity, "params": self._parameters(question)}
            for identity, question in questions.items()
        ]
        return self._told(lambda: self._client.messages.batches.create(requests=requests).id)

    def fetch(self, batch: str) -> Mapping[str, Reply] | Pending | NoAnswer:
        """What became of each question of a batch, by identity, once all are done."""
        return self._told(lambda: self._fetched(batch))

    def _streamed(self, question: Question) -> Reply:
        with self._client.messages.stream(**self._parameters(question)) as stream:
            return _reply(stream.get_final_message())

    def _parameters(self, question: Question) -> dict[str, Any]:
        return {
            "model": self.model,
            "max_tokens": question.max_tokens,
            "system": [{"type": "text", "text": question.system, "cache_control": CACHED}],
            "messages": _messages(question),
        }

    def _fetched(self, batch: str) -> Mapping[str, Reply] | Pending:
        found = self._client.messages.batches.retrieve(batch)
        if found.processing_status != "ended":
            return Pending(str(found.processing_status).replace("_", " "))
        return {
            row.custom_id: _result(row.result)
            for row in self._client.messages.batches.results(batch)
        }

    def _told[T](self, call: Callable[[], T]) -> T | NoAnswer:
        """What a call of the SDK gives, or why there is nothing."""
        try:
            return call()
        except self._sdk.APIStatusError as error:
            return _refused(error)
        except self._sdk.APIConnectionError as error:
            return NoAnswer(Why.UNREACHABLE, str(error))
        except self._sdk.AnthropicError as error:
            return NoAnswer(Why.BROKEN, str(error))
        except TypeError as error:  # the SDK's own way to say that there is no key
            return NoAnswer(Why.KEY, str(error))
        except Exception as error:  # noqa: BLE001 - a stream that makes no sense, in any way
            return NoAnswer(Why.BROKEN, f"{type(error).__name__}: {error}")


def _messages(question: Question) -> Any:
    """The conversation; its first turn begins with what is the same for many questions."""
    first, *rest = question.turns
    context = {"type": "text", "text": question.context, "cache_control": CACHED}
    opening = {"role": "user", "content": [context, {"type": "text", "text": first.text}]}
    return [opening, *({"role": turn.role, "content": turn.text} for turn in rest)]


def _reply(message: "anthropic.types.Message") -> Reply:
    used = message.usage
    usage = Usage(
        input=used.input_tokens or 0,
        output=used.output_tokens or 0,
        cache_read=used.cache_read_input_tokens or 0,
        cache_written=used.cache_creation_input_tokens or 0,
    )
    text = "".join(block.text for block in message.content if block.type == "text")
    if message.stop_reason in STOPS:
        return NoAnswer(STOPS[message.stop_reason], usage=usage)
    if not text.strip():
        return NoAnswer(Why.EMPTY, usage=usage)
    return Answer(text, usage)


def _result(result: "anthropic.types.messages.MessageBatchResult") -> Reply:
    """What became of one question of a batch."""
    match result.type:
        case "succeeded":
            return _reply(result.message)
        case "errored":
            told = result.error.error
            return NoAnswer(TYPES.get(told.type, Why.BROKEN), told.message)
        case _:  # canceled or expired
            return NoAnswer(Why.SERVER, f"it {result.type}")


def _refused(error: "anthropic.APIStatusError") -> NoAnswer:
    """Why, by what the service says; its own words with it."""
    body: Any = error.body
    told = body.get("error") if isinstance(body, dict) else None
    kind = str(told.get("type")) if isinstance(told, dict) else ""
    said = str(told.get("message")) if isinstance(told, dict) else error.message
    for words, why in WORDS.items():
        if words in said.lower() and error.status_code == 400:
            return NoAnswer(why, said)
    fallback = Why.SERVER if error.status_code >= 500 else Why.BROKEN
    return NoAnswer(TYPES.get(kind) or STATUSES.get(error.status_code, fallback), said)
