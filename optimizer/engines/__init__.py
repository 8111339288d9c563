"""Engines: each proposes candidates for one function."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from perftrace.model import Candidate, Function, Verdict
from perftrace.optimizer.facts import Facts


class Engine(Protocol):
    """Proposes changes to one function; whether they are right and faster is judged elsewhere."""

    name: str
    asks: bool  # others, so what it will propose can't be shown before
    patience: float  # seconds for one function; after that no new candidate is tried

    def preview(self, function: Function, source: str, facts: Facts) -> list[Candidate]:
        """The candidates that can be shown at once, at no cost."""
        ...

    def propose(self, function: Function, source: str, facts: Facts) -> Iterator[Candidate]:
        """Candidates for the function in this source text of its file, most promising first."""
        ...

    def refine(self, candidate: Candidate, facts: Facts) -> Iterator[Candidate]:
        """Candidates that take one more step from another candidate."""
        ...

    def told(self, candidate: Candidate, verdict: Verdict, ratio: float | None) -> None:
        """What became of a candidate; ratio: old time over new, where it was measured.

        It is said before the next candidate is asked for, and of other engines' candidates too.
        """
        ...


class Pool:
    """Several engines as one: none of them makes the outcome worse than the others alone."""

    def __init__(self, engines: Sequence[Engine]) -> None:
        """Asked in this order."""
        self.name = " and ".join(engine.name for engine in engines)
        self.asks = any(engine.asks for engine in engines)
        self.patience = max(engine.patience for engine in engines)
        self._engines = engines

    def preview(self, function: Function, source: str, facts: Facts) -> list[Candidate]:
        """What each of them can show."""
        return [one for each in self._engines for one in each.preview(function, source, facts)]

    def propose(self, function: Function, source: str, facts: Facts) -> Iterator[Candidate]:
        """The proposals of all, engine by engine."""
        for engine in self._engines:
            yield from engine.propose(function, source, facts)

    def refine(self, candidate: Candidate, facts: Facts) -> Iterator[Candidate]:
        """The further steps of all."""
        for engine in self._engines:
            yield from engine.refine(candidate, facts)

    def told(self, candidate: Candidate, verdict: Verdict, ratio: float | None) -> None:
        """All get to know."""
        for engine in self._engines:
            engine.told(candidate, verdict, ratio)
