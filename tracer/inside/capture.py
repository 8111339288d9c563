"""Take a call's values off its frame: bounded, in bytes, without running any code of the user's."""

import builtins
import sys

from ...snapshot import TooBig, TooSlow, Unencodable, encode, immutable
from .function import FRESH_LOCALS, Watched, patience_ns
from .pending import Pending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

# Programs patch `len` or `id`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

MOST_ITEMS = 64  # kept of what a generator yields
NEAR = (12, 12, 12, 60)  # instances that are kept where all are too many, by turns
NEAR_CAP = 16 << 10
ALL = 16  # captures of such a function, of which the first two try to keep all
_SIZED = frozenset(map(id, (str, bytes, bytearray, list, tuple, dict, set, frozenset)))

_get_trace = sys.gettrace


class Snapshot:
    """A value's bytes, or the reason why there are none."""

    __slots__ = ("blob", "missing", "opaque")

    def __init__(self, blob: bytes | None, opaque: int, missing: str | None) -> None:
        self.blob = blob
        self.opaque = opaque
        self.missing = missing


def shape(function: Watched, frame: "FrameType") -> int:
    """What a call looks like: types of the arguments, and roughly how large they are."""
    known = []
    for value in _locals(function, frame):
        kind = type(value)
        if id(kind) in _SIZED:
            size = len(value).bit_length()  # type: ignore[arg-type]
        elif kind is int:
            size = value.bit_length() >> 2 if value > 0 else value == 0  # type: ignore[attr-defined, operator]
        else:
            size = value is True
        known.append((id(kind), size))
    return hash(tuple(known))


def arguments(pending: Pending, frame: "FrameType") -> Snapshot:
    """The arguments of a call that is about to run; what can change is marked for `after`."""
    function = pending.function
    values = _locals(function, frame)
    pending.marks = [None if immutable(value) else (id(value), id(type(value))) for value in values]
    if function.near and function.captured % ALL > 1:  # two of sixteen are full ones
        return _nearest(pending, values, f"larger than {pending.room >> 10} KB")
    try:
        blob, opaque = encode(values, function.cap, patience_ns(function.cap))
    except TooBig as error:
        function.too_big()
        return _nearest(pending, values, _too_much(error, pending.room))
    except Unencodable as error:
        function.failures += 1
        return _nearest(pending, values, str(error))
    return Snapshot(blob, opaque, None)


def _nearest(pending: Pending, values: list[object], reason: str) -> Snapshot:
    """What is near the arguments, where all they lead to is too much."""
    near = NEAR[pending.function.captured % len(NEAR)]
    try:
        blob, opaque = encode(values, NEAR_CAP, patience_ns(NEAR_CAP), near)
    except (TooBig, Unencodable):
        pending.function.near = pending.whole = False
        return Snapshot(None, 0, reason)
    pending.function.near = True  # from now on: larger ones cost more, and seldom fit
    if pending.function.captured:
        pending.function.growth = 1
    pending.near, pending.room, pending.gaps = near, NEAR_CAP, opaque > 0
    return Snapshot(blob, opaque, None)


def outcome(pending: Pending, frame: "FrameType", payload: object, *, after: bool) -> Snapshot:
    """The payload and, where it may be had, the arguments as the call leaves them."""
    function = pending.function
    if not pending.whole:
        return Snapshot(None, 0, "its arguments were not recorded")
    left = _after(pending, frame) if after else None
    room = pending.room + sum(map(len, pending.items))
    patience = patience_ns(pending.room)
    try:
        try:
            blob, opaque = encode([payload, left], room, patience, pending.near)
        except (TooBig, Unencodable):
            if left is None:
                raise
            blob, opaque = encode([payload, None], room, patience, pending.near)
    except TooBig as error:
        if pending.near:
            function.failures += 1  # more room is no help: it rests
        else:
            function.too_big()
        return Snapshot(None, 0, _too_much(error, pending.room))
    except Unencodable as error:
        function.failures += 1
        return Snapshot(None, 0, str(error))
    function.failures = 0
    function.whole += 1
    function.full += not pending.gaps
    return Snapshot(blob, opaque, None)


def item(pending: Pending, value: object) -> bytes | None:
    """What a generator yields, in bytes; None: enough of them are kept."""
    used = sum(map(len, pending.items))
    if len(pending.items) == MOST_ITEMS:
        return None
    try:
        blob, _ = encode(value, pending.room - used, patience_ns(pending.room), pending.near)
    except (TooBig, Unencodable):
        return None
    return blob if used + len(blob) <= pending.room else None


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


def _too_much(error: TooBig, cap: int) -> str:
    if isinstance(error, TooSlow):
        return f"takes longer than {patience_ns(cap) // 1_000_000} ms"
    return f"larger than {cap >> 10} KB"
