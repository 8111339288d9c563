"""How much slower a function may become before a check fails."""

from collections.abc import Mapping
from dataclasses import dataclass

from perftrace.locate import setting_of
from perftrace.model import Function, Measurement


@dataclass(frozen=True, slots=True)
class Limits:
    """Shares of the old time: 0.05 allows 5 % more."""

    usual: float
    functions: Mapping[str, str]  # of the settings: function -> "10%"

    def of(self, function: Function) -> float:
        """What is allowed for a function."""
        own = setting_of(function, self.functions)
        return share(own) if own else self.usual

    def exceeded(self, function: Function, found: Measurement) -> bool:
        """Whether the whole interval of old time over new lies below what is allowed."""
        return found.high < 1 / (1 + self.of(function))


def share(text: str) -> float:
    """The share that "5%" or ">5%" means.

    Raises:
        ValueError: it is neither.
    """
    number = text.replace(" ", "").removeprefix(">")
    if not number.endswith("%"):
        raise ValueError(text)
    found = float(number[:-1]) / 100
    if not 0 <= found < float("inf"):
        raise ValueError(text)
    return found


def percent(allowed: float) -> str:
    """A share for people."""
    return f"{100 * allowed:.10g}%"
