"""Questions to servers that speak OpenAI's chat API: theirs, vLLM, Ollama, llama.cpp and others.

By their SDK; `--base-url` says where a server of one's own is.
"""

from typing import TYPE_CHECKING, Any

from perftrace.errors import CannotError
from perftrace.optimizer.models.asking import Answer, NoAnswer, Question, Reply, Usage, Why

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

RETRIES = 4
TIMEOUT_S = 300.0
LOCAL_KEY = "none"  # the SDK wants one; servers of one's own mostly don't
CODES = {
    "invalid_api_key": Why.KEY,
    "insufficient_quota": Why.CREDIT,
    "billing_hard_limit_reached": Why.CREDIT,
    "model_not_found": Why.MODEL,
    "context_length_exceeded": Why.TOO_LONG,
    "content_policy_violation": Why.REFUSED,
    "rate_limit_exceeded": Why.LIMITED,
}
STATUSES = {
    401: Why.KEY,
    402: Why.CREDIT,
    403: Why.FORBIDDEN,
    404: Why.MODEL,
    413: Why.TOO_LONG,
    429: Why.LIMITED,
}
WORDS = {"context": Why.TOO_LONG, "too long": Why.TOO_LONG, "quota": Why.CREDIT}
STOPS = {"length": Why.CUT, "content_filter": Why.REFUSED}


class OpenAI:
    """One model."""

    name = "openai"

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        retries: int = RETRIES,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """The key is taken from `OPENAI_API_KEY`; with a base URL there need be none.

        Raises:
            CannotError: the SDK is not installed, or there is no key.
        """
        try:
            import openai  # noqa: PLC0415 - takes a second: only where it is used
        except ImportError as error:
            raise CannotError(
                "engine-sdk", "The engine openai needs its SDK: pip install 'openai>=3,<4'"
            ) from error
        self.model = model
        self._sdk = openai
        options: dict[str, Any] = {"max_retries": retries, "timeout": timeout_s}
        try:
            self._client = openai.OpenAI(base_url=base_url, **options)
        except openai.OpenAIError as error:
            if base_url is None:
                raise CannotError("engine-key", f"The engine openai has no key: {error}") from error
            self._client = openai.OpenAI(base_url=base_url, api_key=LOCAL_KEY, **options)

    def ask(self, question: Question) -> Reply:
        """The answer, or why there is none."""
        try:
            made = self._client.chat.completions.create(
                model=self.model,
                max_completion_tokens=question.max_tokens,
                messages=_messages(question),
            )
            return _reply(made)
        except self._sdk.APIStatusError as error:
            return _refused(error)
        except self._sdk.APIConnectionError as error:
            return NoAnswer(Why.UNREACHABLE, str(error))
        except self._sdk.OpenAIError as error:
            return NoAnswer(Why.BROKEN, str(error))
        except Exception as error:  # noqa: BLE001 - an answer that makes no sense, in any way
            return NoAnswer(Why.BROKEN, f"{type(error).__name__}: {error}")


def _messages(question: Question) -> Any:
    first, *rest = question.turns
    opening = {"role": "user", "content": f"{question.context}\n\n{first.text}"}
    system = {"role": "system", "content": question.system}
    return [system, opening, *({"role": turn.role, "content": turn.text} for turn in rest)]


def _reply(made: "ChatCompletion") -> Reply:
    usage = _usage(made.usage)
    choice = made.choices[0]
    if choice.message.refusal:
        return NoAnswer(Why.REFUSED, choice.message.refusal, usage)
    if choice.finish_reason in STOPS:
        return NoAnswer(STOPS[choice.finish_reason], usage=usage)
    text = choice.message.content or ""
    return Answer(text, usage) if text.strip() else NoAnswer(Why.EMPTY, usage=usage)


def _usage(used: Any) -> Usage:
    if used is None:  # not every server counts
        return Usage()
    details = getattr(used, "prompt_tokens_details", None)
    cached = (getattr(details, "cached_tokens", 0) or 0) if details else 0
    return Usage((used.prompt_tokens or 0) - cached, used.completion_tokens or 0, cached)


def _refused(error: Any) -> NoAnswer:
    """Why, by what the server says; its own words with it."""
    body: Any = error.body
    code = str(body.get("code") or body.get("type")) if isinstance(body, dict) else ""
    said = str(body.get("message") or error.message) if isinstance(body, dict) else error.message
    if code in CODES:
        return NoAnswer(CODES[code], said)
    for words, why in WORDS.items():
        if words in said.lower() and error.status_code in (400, 429):
            return NoAnswer(why, said)
    fallback = Why.SERVER if error.status_code >= 500 else Why.BROKEN
    return NoAnswer(STATUSES.get(error.status_code, fallback), said)
