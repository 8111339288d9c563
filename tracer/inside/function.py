"""A watched function and its pending calls: what is needed to take a call's values off a frame."""

import builtins
import sys

from ...snapshot import TooBig, Unencodable, encode, immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType

# Programs patch `len` or `id`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

SMALLEST_CAP = 8 << 10  # bytes of one value; the first call of every function gets this much
LARGEST_CAP = 1 << 20
STEP = 8
MOST_ITEMS = 64  # kept of what a generator yields

STAR, DOUBLE_STAR = 0x04, 0x08
GENERATOR, COROUTINE, ITERABLE_COROUTINE, ASYNC_GENERATOR = 0x20, 0x80, 0x100, 0x200

FRESH_LOCALS = sys.version_info >= (3, 13)  # f_locals is a view, not a dict kept on the frame
SHOWS_LOCALS = frozenset({"locals", "vars", "dir", "eval", "exec", "f_locals"})

_get_trace = sys.gettrace


class Watched:
    """A function of the user's code: one per code object."""

    __slots__ = (
        "bill", "cap", "captured", "code", "cost", "depth", "failures", "identity", "kind",
        "missed", "module", "names", "number", "parameters", "pending", "private", "recursive",
    )  # fmt: skip

    def __init__(
        self, code: "CodeType", number: int, identity: tuple[str, str, int], module: str
    ) -> None:
        self.code = code  # kept alive, so that its id stays its own
        self.number = number
        self.identity = identity  # file, qualified name, first line
        self.module = module
        self.kind = kind_of(code)
        self.parameters = parameters_of(code)
        self.names = [name for name, _ in self.parameters]
        # Before 3.13 a function's `locals()` is the very dict that reading f_locals refreshes.
        self.private = FRESH_LOCALS or SHOWS_LOCALS.isdisjoint(code.co_names)
        self.recursive = code.co_name in code.co_names or code.co_name in code.co_freevars
        self.cap = SMALLEST_CAP
        self.captured = 0
        self.failures = 0
        self.cost = 0  # ns of CPU time for a capture: a moving average
        self.bill = 0  # of the capture going on
        self.pending = 0  # calls whose end is awaited
        self.missed = 0  # events of other calls meanwhile
        self.depth = 0  # starts less returns among them

    def too_big(self) -> None:
        """A value did not fit: allow more the next time, after a rest."""
        self.failures += 1
        if self.cap < LARGEST_CAP:
            self.cap = min(self.cap * STEP, LARGEST_CAP)
            self.bill *= STEP // 2


class Pending:
    """A call that began and whose end is awaited."""

    __slots__ = (
        "back", "back_at", "call", "clock_ns", "frame_id", "function", "inside_ns", "items",
        "marks", "room", "thread", "whole",
    )  # fmt: skip

    def __init__(self, function: Watched, frame: "FrameType", call: int, thread: int) -> None:
        back = frame.f_back
        self.function = function
        self.frame_id = id(frame)
        self.call = call
        self.thread = thread
        self.back = id(back)
        self.back_at = back.f_lasti if back is not None else 0
        self.marks: list[tuple[int, int] | None] = []
        self.whole = True  # the arguments were recorded
        self.items: list[bytes] = []
        self.room = function.cap
        self.clock_ns = 0  # when its body began
        self.inside_ns = 0  # what the recorder had used of the thread's time by then


class Snapshot:
    """A value's bytes, or the reason why there are none."""

    __slots__ = ("blob", "missing", "opaque")

    def __init__(self, blob: bytes | None, opaque: int, missing: str | None) -> None:
        self.blob = blob
        self.opaque = opaque
        self.missing = missing


def arguments(pending: Pending, frame: "FrameType") -> Snapshot:
    """The arguments of a call that is about to run; what can change is marked for `after`."""
    function = pending.function
    values = _locals(function, frame)
    pending.marks = [None if immutable(value) else (id(value), id(type(value))) for value in values]
    try:
        blob, opaque = encode(values, function.cap)
    except TooBig:
        function.too_big()
        pending.whole = False
        return Snapshot(None, 0, _larger(pending.room))
    except Unencodable as error:
        function.failures += 1
        pending.whole = False
        return Snapshot(None, 0, str(error))
    return Snapshot(blob, opaque, None)


def outcome(pending: Pending, frame: "FrameType", payload: object, *, after: bool) -> Snapshot:
    """The payload and, where it may be had, the arguments as the call leaves them."""
    function = pending.function
    if not pending.whole:
        return Snapshot(None, 0, "its arguments were not recorded")
    left = _after(pending, frame) if after else None
    room = pending.room + sum(map(len, pending.items))
    try:
        try:
            blob, opaque = encode([payload, left], room)
        except (TooBig, Unencodable):
            if left is None:
                raise
            blob, opaque = encode([payload, None], room)
    except TooBig:
        function.too_big()
        return Snapshot(None, 0, _larger(pending.room))
    except Unencodable as error:
        function.failures += 1
        return Snapshot(None, 0, str(error))
    function.failures = 0
    return Snapshot(blob, opaque, None)


def item(pending: Pending, value: object) -> bytes | None:
    """What a generator yields, in bytes; None: enough of them are kept."""
    used = sum(map(len, pending.items))
    if len(pending.items) == MOST_ITEMS:
        return None
    try:
        blob, _ = encode(value, pending.room - used)
    except (TooBig, Unencodable):
        return None
    return blob if used + len(blob) <= pending.room else None


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


def _locals(function: Watched, frame: "FrameType") -> list[object]:
    found = frame.f_locals
    values = [found[name] for name in function.names]
    if not FRESH_LOCALS:
        found.clear()  # the dict stays on the frame and would keep the arguments alive
    return values


def _after(pending: Pending, frame: "FrameType") -> list[object] | None:
    marks = pending.marks
    if not any(marks):
        return [None] * len(marks)
    function = pending.function
    if not function.private or not (FRESH_LOCALS or _get_trace() is None):
        return None
    found = frame.f_locals
    try:
        values = [
            found[name] if mark else None for name, mark in zip(function.names, marks, strict=True)
        ]
    except KeyError:  # deleted by the body
        return None
    finally:
        if not FRESH_LOCALS:
            found.clear()
    same = all(
        mark is None or mark == (id(value), id(type(value)))
        for value, mark in zip(values, marks, strict=True)
    )
    return values if same else None


def _larger(cap: int) -> str:
    return f"larger than {cap >> 10} KB"
