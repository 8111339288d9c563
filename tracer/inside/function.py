"""A watched function: what is known of it, and how its captures went so far."""

import builtins
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType

# Programs patch `len` or `id`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

SMALLEST_CAP = 8 << 10  # bytes of one value; the first call gets this much if nobody wants more
LARGEST_CAP = 1 << 20
STEP = 8
PATIENCE_NS = 1_000_000  # of CPU time for a value, as long as it may have the smallest cap
MOST_PATIENCE_NS = 20_000_000
GROWTH = 4  # a guess at how much more a value costs that did not fit: seldom all of STEP
FIRST_SHOTS = 3
CALLERS = 24  # frames looked at for the nearest user function

STAR, DOUBLE_STAR = 0x04, 0x08
GENERATOR, COROUTINE, ITERABLE_COROUTINE, ASYNC_GENERATOR = 0x20, 0x80, 0x100, 0x200

FRESH_LOCALS = sys.version_info >= (3, 13)  # f_locals is a view, not a dict kept on the frame
SHOWS_LOCALS = frozenset({"locals", "vars", "dir", "eval", "exec", "f_locals"})


class Watched:
    """A function of the user's code: one per code object."""

    __slots__ = (
        "armed", "bill", "cap", "captured", "code", "cost", "depth", "events", "failures", "full",
        "growth", "identity", "kind", "missed", "module", "names", "near", "number", "parameters",
        "peeks", "pending", "private", "reads", "recursive", "seen", "settled", "shapes",
        "shots", "unseen", "whole",
    )  # fmt: skip

    def __init__(
        self,
        code: "CodeType",
        number: int,
        identity: tuple[str, str, int],
        module: object,
        cap: int = SMALLEST_CAP,
    ) -> None:
        self.code = code  # kept alive, so that its id stays its own
        self.number = number
        self.identity = identity  # file, qualified name, first line
        self.module = module if type(module) is str else ""  # a program may name it anything
        self.kind = kind_of(code)
        self.parameters = parameters_of(code)
        self.names = [name for name, _ in self.parameters]
        # Before 3.13 a function's `locals()` is the very dict that reading f_locals refreshes.
        self.private = FRESH_LOCALS or SHOWS_LOCALS.isdisjoint(code.co_names)
        self.recursive = code.co_name in code.co_names or code.co_name in code.co_freevars
        # What it may read beside its arguments; None: nobody looked yet.
        self.reads: tuple[tuple[str, str], ...] | None = None
        self.cap = cap
        self.near = False  # all its arguments lead to is too much: take what is near them
        self.captured = 0
        self.shots = FIRST_SHOTS  # calls to capture right after one another, while they are cheap
        self.failures = 0
        self.cost = 0  # ns of CPU time for a capture: a moving average
        self.bill = 0  # of the captures going on
        self.growth = 1  # how much more than on the bill the next capture may cost
        self.whole = 0  # calls recorded with arguments and outcome
        self.full = 0  # of those, the calls whose arguments are all there
        self.seen = 0  # how often it ran when the control thread looked: only to share the budget
        self.armed = 0  # the round in which its next call was asked for
        self.peeks = 0  # calls let go by since, for they looked like others that are recorded
        self.shapes: set[int] = set()  # of the calls that are recorded
        self.settled = 0  # captures whose bill is part of the cost
        self.events = 0  # those that its captures need now
        self.unseen = False  # its next start is to be noted: it is its first in this context
        self.pending = 0  # calls whose end is awaited
        self.missed = 0  # events of other calls meanwhile
        self.depth = 0  # starts less returns among them

    def too_big(self) -> None:
        """A value did not fit: allow more the next time, after a rest."""
        self.failures += 1
        if self.cap < LARGEST_CAP:
            self.cap = min(self.cap * STEP, LARGEST_CAP)
            self.growth = GROWTH


def patience_ns(cap: int) -> int:
    """How much CPU time a value of this cap may take: 8 KB of small objects take about 1 ms."""
    return min(PATIENCE_NS * cap // SMALLEST_CAP, MOST_PATIENCE_NS)


def caller(frame: "FrameType", functions: dict[int, Watched]) -> Watched | None:
    """The nearest watched function below the frame; the functions are by id of their code."""
    below = frame.f_back
    for _ in range(CALLERS):
        if below is None:
            return None
        function = functions.get(id(below.f_code))
        if function is not None:
            return function
        below = below.f_back
    return None


def kind_of(code: "CodeType") -> str:
    """The function's kind, in the words of `perftrace.model.Kind`."""
    flags = code.co_flags
    if flags & ASYNC_GENERATOR:
        return "async generator"
    if flags & (COROUTINE | ITERABLE_COROUTINE):
        return "coroutine"
    return "generator" if flags & GENERATOR else "function"


def parameters_of(code: "CodeType") -> tuple[tuple[str, str], ...]:
    """Name and binding of each parameter, in the order of the arguments."""
    plain, keyword = code.co_argcount, code.co_kwonlyargcount
    names = code.co_varnames
    rest = plain + keyword
    found = [
        (name, "positional" if index < code.co_posonlyargcount else "either")
        for index, name in enumerate(names[:plain])
    ]
    if code.co_flags & STAR:
        found.append((names[rest], "star"))
        rest += 1
    found += [(name, "keyword") for name in names[plain : plain + keyword]]
    if code.co_flags & DOUBLE_STAR:
        found.append((names[rest], "doublestar"))
    return tuple(found)
