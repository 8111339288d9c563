"""Engines: each proposes candidates for one function."""

from collections.abc import Iterator
from typing import Protocol

from perftrace.model import Candidate, Function
from perftrace.optimizer.facts import Facts


class Engine(Protocol):
    """Proposes changes to one function; whether they are right and faster is judged elsewhere."""

    name: str

    def propose(self, function: Function, source: str, facts: Facts) -> Iterator[Candidate]:
        """Candidates for the function in this source text of its file, most promising first."""
        ...

    def refine(self, candidate: Candidate, facts: Facts) -> Iterator[Candidate]:
        """Candidates that take one more step from another candidate."""
        ...
