"""Providers that other packages bring, as entry points of the group `perftrace.engines`.

An entry point is called with the model's name and a base URL (both may be empty) and gives an
object with `name`, `model` and `ask`, as `asking.Provider` has them.
"""

from importlib.metadata import EntryPoint, entry_points

from perftrace.errors import CannotError
from perftrace.optimizer.models.asking import Answer, NoAnswer, Provider, Question, Reply, Why

GROUP = "perftrace.engines"


def names() -> tuple[str, ...]:
    """The engines that are installed."""
    return tuple(sorted({one.name for one in entry_points(group=GROUP)}))


def make(name: str, model: str, base_url: str) -> Provider:
    """An engine that is installed.

    Raises:
        CannotError: it can't be imported, or does not take the model.
    """
    [entry, *_] = entry_points(group=GROUP, name=name)
    try:
        made = entry.load()(model, base_url)
        return Other(name, str(made.model), made)
    except Exception as error:
        raise CannotError("engine-other", f"{_place(entry)} fails: {_said(error)}") from error


class Other:
    """A provider that nobody here wrote: what it raises and what is no reply is no answer."""

    def __init__(self, name: str, model: str, provider: Provider) -> None:
        """The name is the entry point's."""
        self.name = name
        self.model = model
        self._provider = provider

    def ask(self, question: Question) -> Reply:
        """The answer, or why there is none."""
        try:
            reply: object = self._provider.ask(question)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on
            return NoAnswer(Why.BROKEN, _said(error))
        match reply:
            case NoAnswer():
                return reply
            case Answer(text=str(text)):
                return reply if text.strip() else NoAnswer(Why.EMPTY, usage=reply.usage)
            case Answer(text=other) | other:
                kind = type(other).__qualname__
                return NoAnswer(Why.BROKEN, f"{self.name} gave {kind}, no Answer with a text")


def _place(entry: EntryPoint) -> str:
    return f"The engine {entry.name} ({entry.value})"


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
