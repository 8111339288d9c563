"""The nouns: read this file and you know the program.

    record -> store -> rank -> replay -> generate -> verify -> measure -> choose -> write

A *call* is one execution of a *function* with the *values* it got and its *outcome*. A
*candidate* is a change to one function; a *verdict* says whether it keeps the recorded
behaviour, a *measurement* how fast it is. Results that can go wrong are sum types with the
reason inside.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self


class Kind(StrEnum):
    """What calling a function gives back."""

    FUNCTION = "function"
    GENERATOR = "generator"
    COROUTINE = "coroutine"
    ASYNC_GENERATOR = "async generator"


class Binding(StrEnum):
    """How a parameter takes its argument."""

    POSITIONAL = "positional"  # before `/`
    EITHER = "either"
    STAR = "star"  # *args
    KEYWORD = "keyword"  # after `*`
    DOUBLE_STAR = "doublestar"  # **kw


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; a call's arguments are recorded in this order."""

    name: str
    binding: Binding


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the user's program; its identity is file + qualified name + first line."""

    id: int
    file: str  # absolute path
    qualname: str
    line: int  # co_firstlineno: the first decorator's line where there is one
    module: str  # as imported; "__main__" for the script itself
    kind: Kind
    parameters: tuple[Parameter, ...]

    @property
    def nested(self) -> bool:
        """Whether it was defined inside another function, so no name leads to it."""
        return "<locals>" in self.qualname

    @property
    def name(self) -> str:
        """The last part of the qualified name."""
        return self.qualname.rpartition(".")[2]


# --- values -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recorded:
    """A value whose bytes are in the trace file (`docs/values.md`)."""

    digest: bytes  # keyed blake2b, 16 bytes: the content address
    size: int  # bytes, uncompressed
    opaque: int  # how many parts could not be recorded and stand in as placeholders


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A value that is not in the trace file, and why."""

    reason: str


type Value = Recorded | Unrecorded


class Ending(StrEnum):
    """How a call ended."""

    RETURNED = "returned"
    RAISED = "raised"
    YIELDED = "yielded"  # a generator: its items, then how it ended
    UNKNOWN = "unknown"  # not seen: an exception outside a window, or still running


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended and with what.

    The value holds a list `[payload, after]`: `payload` is the result, the exception, or for a
    generator `[items, ending, final]`; `after` is the list of arguments as the call left them
    (None where not recorded, see `docs/values.md`).
    """

    ending: Ending
    value: Value


@dataclass(frozen=True, slots=True)
class Effect:
    """What a call was seen to do outside its values."""

    kind: str  # a word of `perftrace/effects.py`
    detail: str  # path, address or name; empty where it was not seen
    count: int  # at least so often


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded call."""

    id: int
    function: Function
    process_id: int
    thread: int
    caller: Function | None  # nearest user function below it on the stack
    arguments: Value  # a list in the order of `function.parameters`
    outcome: Outcome
    started_ns: int  # monotonic
    duration_ns: int | None  # wall time less the recorder's own; None where not seen
    effects: tuple[Effect, ...] = ()


# --- ranking ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the program's samples, with its 95 % Wilson score interval (Wilson 1927)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class HotFunction:
    """A function's place in the hot path."""

    function: Function
    hot: Share  # addressable: own time plus callees that are not the user's code
    self_share: float  # own time
    inclusive: float
    calls: int | None  # estimated, or only known to be no fewer
    per_call_s: float | None  # median of the recorded durations
    recorded: int  # recorded calls
    replayable: int  # of those, with whole arguments and a reachable function
    via: tuple[tuple[Function, float], ...]  # callers and their share of its samples
    place: int | None = None  # in the ranking, from 1; None: nothing says how exact it is
    tied: bool = False  # others share the place
    calls_at_least: bool = False  # `calls` is no estimate


# --- candidates and verdicts --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """A change to one file that should make one function faster."""

    function: Function
    engine: str  # "rules", "anthropic", …
    steps: tuple[str, ...]  # rule names or model strategies, in order
    explanation: str  # plain words for the reader of the diff
    original: str  # whole source text of the file
    source: str  # whole source text with the change


@dataclass(frozen=True, slots=True)
class Witness:
    """The smallest call that shows a difference."""

    call_id: int | None  # None: it was generated
    call: str  # the call as text: "settle([('a', 1.5)])"
    where: str  # the path to the difference: "result['total']", "rows[0]", "exception.args[0]"
    expected: str
    got: str
    via: str = ""  # the caller it was replayed through, if not directly


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the calls of a verdict ran of the original; lines and branches are (run, of so many).

    A branch is one way on from a condition or a loop (`replay/inside/coverage.py`).
    """

    lines: tuple[int, int]
    branches: tuple[int, int]
    unreached: tuple[int, ...] = ()  # lines
    untaken: tuple[tuple[int, int], ...] = ()  # branches: from which line to which
    left_out: int = 0  # calls that were not watched: there was no time


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict rests on."""

    recorded: int  # recorded calls replayed
    direct: int  # of those, calls of the function itself
    indirect: int  # calls of callers that reached it
    dropped: tuple[tuple[str, int], ...] = ()  # calls left out: reason and count
    generated: int = 0  # calls with arguments like the recorded ones
    unused: int = 0  # generated calls left out: an operation fails, or they are not steady
    mistakes: tuple[int, int] | None = None  # small ones: so many noticed, of so many
    coverage: Coverage | None = None
    not_covered: str = ""  # why that could not be seen
    outside_calls: int = 0  # calls with arguments of other types than were recorded
    outside: tuple[str, ...] = ()  # what differs in those: "f(None): TypeError becomes KeyError"
    keeps_state: bool = False  # the change remembers something between calls
    tolerance: str = ""  # what floats in results may differ by; empty: nothing
    tests: int = 0  # of the project's own, seen to reach the function, that pass
    not_tested: str = ""  # why those that reach it were not used


@dataclass(frozen=True, slots=True)
class Accepted:
    """No difference was found and it is faster."""

    evidence: Evidence
    measurement: "Measurement"


@dataclass(frozen=True, slots=True)
class Rejected:
    """It behaves otherwise, breaks a rule, or is not faster."""

    reason: str
    witness: Witness | None = None
    measurement: "Measurement | None" = None


@dataclass(frozen=True, slots=True)
class Inconclusive:
    """Nothing can be said, and why."""

    reason: str


type Verdict = Accepted | Rejected | Inconclusive


@dataclass(frozen=True, slots=True)
class Measurement:
    """Old time over new time, from interleaved blocks in fresh processes.

    `ratio` is the typical per-process ratio, `low` and `high` its 95 % interval
    (`optimizer/interval.py`). Above 1 is faster. Where both versions took turns in one
    process, `apart` holds the same three figures from processes that ran one version each.
    """

    ratio: float
    low: float
    high: float
    pairs: int  # processes in which both took turns, or pairs of processes
    old_s: float  # seconds per call, median
    new_s: float
    clock: str  # "cpu" or "wall"
    apart: tuple[float, float, float] | None = None
    costs: "Costs | None" = None


@dataclass(frozen=True, slots=True)
class Costs:
    """What a change costs beside the recorded calls; pairs are (old, new).

    The names in `worse` and `refused` are those of the table in `optimizer/costs.py`.
    """

    growth: tuple[float, float, float] | None = None  # ratio, low and high at four times the size
    memory: tuple[float, float] | None = None  # bytes at the peak of the timed calls, with what
    # importing the module left behind
    import_s: tuple[float, float] | None = None  # CPU seconds to import the module
    notes: tuple[str, ...] = ()  # what was not measured, and why
    worse: tuple[str, ...] = ()  # what is worse beyond doubt
    refused: tuple[str, ...] = ()  # what is so much worse that the change is not accepted
    before: tuple[float, float, float] | None = None  # as `growth`, of the calls that were
    # enlarged, as they were recorded; where it is slower at four times their size


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one function: the chosen candidate and its verdict, or why there is none."""

    function: Function
    candidate: Candidate | None
    verdict: Verdict
    tried: tuple[tuple[Candidate, Verdict], ...] = field(default=())
    id: str = ""  # what `perftrace apply` takes; empty when nothing was accepted


@dataclass(frozen=True, slots=True)
class Run:
    """One `perftrace run`."""

    id: int
    command: tuple[str, ...]  # as typed after `perftrace run`'s own options
    form: str  # "script", "module", "command", or "process": one that was running
    cwd: Path
    root: Path  # user code lies under it
    python: Path
    python_version: str
    started: str  # ISO 8601, UTC
    wall_s: float
    cpu_s: float
    exit_code: int
    sampler: str  # "py-spy", "timing" or "none"
    interval_s: float
    samples: int
    sampler_note: str
    overhead: float = 0.0  # share of CPU time the recorder was allowed; 0: nothing was recorded

    @property
    def program(self) -> str:
        """What was recorded, as typed but without its arguments: they may hold anything."""
        what, *rest = self.command or ("",)
        if self.form == "module":
            return f"python -m {what}"
        if self.form == "command" and rest[:1] == ["-m"] and "python" in Path(what).name:
            return " ".join(["python", *rest[:2]])
        name = Path(what).name if Path(what).is_absolute() else Path(what).as_posix()
        return f"python {name}" if self.form == "script" else name

    @classmethod
    def unrecorded(cls, folder: Path, python: Path) -> Self:
        """A program in this folder, run by this interpreter, of which nothing was recorded."""
        return cls(
            id=0,
            command=(),
            form="script",
            cwd=folder,
            root=folder,
            python=python,
            python_version="",
            started="",
            wall_s=0.0,
            cpu_s=0.0,
            exit_code=0,
            sampler="none",
            interval_s=0.0,
            samples=0,
            sampler_note="",
        )


@dataclass(frozen=True, slots=True)
class Process:
    """One traced process of a run: what a worker needs to import the same program."""

    id: int
    run: Run
    pid: int
    path: tuple[str, ...]  # sys.path
    main_file: str | None
    main_module: str | None  # for `-m`
