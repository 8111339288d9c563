"""What is asked of a worker and what it answers: the nouns of replaying."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from perftrace.model import Ending, Kind, Parameter

MAX_ITEMS = 1000  # taken from a generator that was not recorded as left off


@dataclass(frozen=True, slots=True)
class Overlay:
    """Source texts that stand in for files: a candidate, without touching the user's tree."""

    # absolute path -> whole source text; None: as if there were no such file
    files: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """How a worker finds a function."""

    file: str
    qualname: str
    line: int  # where it was recorded; in an overlaid file only the ordinal counts
    module: str
    ordinal: int = 0  # among the definitions of this qualified name in the file
    decorated: bool = False  # the change put a decorator on it: call what the decorator made


@dataclass(frozen=True, slots=True)
class Request:
    """One call to make again; `perftrace.replay.recorded.request` makes it from a recorded call."""

    target: Target
    arguments: bytes
    kind: Kind
    parameters: tuple[Parameter, ...]
    pull: int = MAX_ITEMS  # items to take from a generator at most
    rest: str = "truncated"  # what a generator is that has more: "suspended" or "truncated"
    wall_s: float | None = None  # the time it may take; None: the session's limit


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a call did this time."""

    ending: Ending
    result: bytes  # `[payload, after]` as in docs/values.md; read it with perftrace.values alone
    cpu_ns: int
    wall_ns: int
    stdout: str
    stderr: str
    lines: frozenset[int] = frozenset()  # executed in the target (or in `reach`, if given)
    reached: int = 0  # how often the code of `reach` started
    implicit: bool = False  # an operation raised what ended it, rather than a `raise` statement
    own: bool = False  # that statement stands in the function's own file
    state: Mapping[str, bytes] | None = None  # what changed outside: name -> `[value, None]`
    suspended: int = 0  # how often a coroutine let others run
    alike: str = ""  # items of a generator that are an earlier one again, or were changed later


@dataclass(frozen=True, slots=True)
class NotReplayed:
    """Why a call could not be made again."""

    reason: str


type Reply = Replayed | NotReplayed


class How(StrEnum):
    """Which arguments are made of recorded ones."""

    LIKE = "like"  # other values of the same types
    OUTSIDE = "outside"  # of other types, empty, without a key
    GROWN = "grown"  # at four times their size


@dataclass(frozen=True, slots=True)
class Other:
    """An older version of a function of the overlaid file, to take turns with in one process."""

    target: Target
    source: str  # the whole text of its file


@dataclass(frozen=True, slots=True)
class Noticed:
    """What calls do with another code of a function."""

    calls: frozenset[int]  # the places of those that do something else
    spoilt: bool = False  # its state is not what it was: the worker is of no more use


@dataclass(frozen=True, slots=True)
class Prepared:
    """A block of calls is ready to be timed."""

    calls: int  # in one round
    apart: str = ""  # why the two versions can't take turns in this process; empty: they can


@dataclass(frozen=True, slots=True)
class Memory:
    """Of a worker, in bytes, as the system counts it."""

    before: int
    peak: int  # since then


@dataclass(frozen=True, slots=True)
class BlockTime:
    """The time of one block, measured from outside the worker where the system allows it."""

    cpu_ns: int
    wall_ns: int
    calls: int
    memory: Memory | None = None  # None: not looked at, or it can't be told
