"""Whose time a sample is: each is charged to the nearest function of the user's code.

Time in callees that are not the user's (the standard library, C, installed packages) and in
lambdas and comprehensions is charged to the function whose source holds or calls them: that is
the time a change to that function can save. Each sample is charged once, so shares add up to 1.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MODULE = "<module>"


class Frame(NamedTuple):
    """A function on a sampled stack."""

    file: str
    qualname: str
    line: int
    user: bool

    @property
    def anonymous(self) -> bool:
        """Whether it is a lambda, comprehension or generator expression: part of another."""
        return self.qualname.endswith(">") and self.qualname != MODULE

    @property
    def enclosing(self) -> str:
        """The qualified name of the function whose source it is part of; empty at module level."""
        parts = self.qualname.split(".<locals>.")
        while parts and parts[-1].startswith("<"):
            parts.pop()
        return ".<locals>.".join(parts)


@dataclass(slots=True)
class Tally:
    """Samples by user function."""

    total: int = 0  # with user code on the stack
    outside: int = 0  # without: the interpreter's start, libraries' own threads
    hot: Counter[Frame] = field(default_factory=Counter)  # charged to it
    own: Counter[Frame] = field(default_factory=Counter)  # in its own code
    inclusive: Counter[Frame] = field(default_factory=Counter)  # anywhere on the stack
    callers: defaultdict[Frame, Counter[Frame]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    recursive: set[Frame] = field(default_factory=set)  # more than once on a stack


def attribute(stacks: Iterable[tuple[Sequence[Frame], int]]) -> Tally:
    """Charge sampled stacks, outermost frame first, to functions."""
    tally = Tally()
    for frames, count in stacks:
        owners = _owners(frames)
        if not owners:
            tally.outside += count
            continue
        tally.total += count
        tally.hot[owners[-1]] += count
        if frames[-1].user:
            tally.own[owners[-1]] += count
        for function, caller in _callers(owners).items():
            tally.inclusive[function] += count
            if caller is not None:
                tally.callers[function][caller] += count
        tally.recursive.update(_repeated(frames))
    return tally


def _repeated(frames: Sequence[Frame]) -> Iterator[Frame]:
    seen: set[Frame] = set()
    for frame in frames:
        if frame in seen:
            yield frame
        seen.add(frame)


def _owners(frames: Sequence[Frame]) -> list[Frame]:
    """The user's functions on a stack, each anonymous frame replaced by its owner."""
    owners: list[Frame] = []
    for frame in frames:
        if frame.user:
            owners.append(_owner(frame, owners) if frame.anonymous else frame)
    return owners


def _owner(frame: Frame, below: Sequence[Frame]) -> Frame:
    """The function whose source holds the frame, if it still runs; else the nearest below."""
    name = frame.enclosing
    for other in reversed(below):
        if other.qualname == name and other.file == frame.file:
            return other
    return below[-1] if below else frame


def _callers(owners: Sequence[Frame]) -> dict[Frame, Frame | None]:
    """Each function once, with the function that called it; recursion is no caller."""
    callers: dict[Frame, Frame | None] = {}
    caller: Frame | None = None
    previous: Frame | None = None
    for owner in owners:
        if owner != previous:
            caller, previous = previous, owner
        callers[owner] = caller
    return callers
