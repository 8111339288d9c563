"""Turn live values into bytes inside the user's process, running none of the user's code.

The C pickler does the walking; `reduce` decides for every value that is not a built-in container
or atom. A program may define any hook it likes (`__reduce__`, `__getstate__`, `__getattr__`,
`__class__`, a metaclass): none is ever called. The format is in `docs/values.md`.

Runs inside the user's program: standard library only, private builtins.
"""

from __future__ import annotations

import _pickle
import builtins
import sys
import types
from time import monotonic_ns, thread_time_ns

from . import naming, native  # noqa: TID252 - loaded as _perftrace.snapshot in the user's program
from .near import FAR, LeftOut, Neighbours, TooMany  # noqa: TID252
from .reduce import (  # noqa: TID252
    MODULE,
    fill,
    make,
    method,
    opaque,
    reduce,
    ref,
)

TYPE_CHECKING = False
if TYPE_CHECKING:  # the traced program must not import typing on our behalf
    from typing import Any

__all__ = [
    "TooBig",
    "TooSlow",
    "Unencodable",
    "encode",
    "fill",
    "immutable",
    "make",
    "method",
    "opaque",
    "ref",
]

# A program may patch `builtins.len`; functions defined below keep the real one.
globals()["__builtins__"] = dict(vars(builtins))

# The pickler looks the marks up under that name. Where this file was imported as part of
# `perftrace`, that package answers for `_perftrace` too.
_OWN = {"_perftrace": sys.modules[__package__], MODULE: sys.modules[__name__]}
for _name, _module in _OWN.items():
    sys.modules.setdefault(_name, _module)


class TooBig(Exception):  # noqa: N818 - an outcome, not a mistake
    """The value takes more bytes than allowed."""


class TooSlow(TooBig):
    """It takes more CPU time than allowed."""


class Unencodable(Exception):  # noqa: N818
    """The value can't be recorded; the text says why."""


# --- encoding ---------------------------------------------------------------------------------


def encode(value: object, cap: int, patience_ns: int = 0, near: int = 0) -> tuple[bytes, int]:
    """Bytes of at most about `cap` and the number of opaque parts.

    `near`: only so many instances, the nearest, are kept (0: all); others are opaque parts.

    Raises:
        TooBig: it takes more than `cap` bytes; found out early, before they are made.
        TooSlow: it takes about `patience_ns` of CPU time or more (0: that does not matter).
        Unencodable: it can't be recorded, and why.
    """
    _refuse_huge(value, cap)
    if naming.modules.get(MODULE) is not _OWN[MODULE]:
        naming.modules.update(_OWN)
    sink = _Sink(cap)
    pickler = _Pickler(sink, 5, buffer_callback=sink.admit)
    pickler.room = cap
    if patience_ns:
        pickler.end = thread_time_ns() + patience_ns
        pickler.look = monotonic_ns() + patience_ns
    try:
        if near:
            pickler.neighbours = Neighbours(value, near)
        pickler.dump(value)
    except TooMany:
        raise TooBig from None
    except (TooBig, Unencodable):
        raise
    except Exception as error:
        if _is_foreign(error):
            raise
        raise Unencodable(_explain(error)) from None
    return b"".join(sink.parts), pickler.opaque_parts


_SIZED = frozenset(map(id, (str, bytes, bytearray, list, tuple, dict, set, frozenset)))


def _refuse_huge(value: Any, cap: int) -> None:
    """Each item takes a byte or more, so the length alone can say that it is too big."""
    if id(type(value)) not in _SIZED:
        return
    if len(value) > cap:
        raise TooBig
    if type(value) is list:  # a list of arguments
        for item in value:
            if id(type(item)) in _SIZED and len(item) > cap:
                raise TooBig


class _Sink:
    """The file the pickler writes to; it refuses what goes past the cap."""

    __slots__ = ("_left", "parts")

    def __init__(self, cap: int) -> None:
        self._left = cap
        self.parts: list[bytes] = []

    def write(self, data: Any) -> None:
        if type(data) is not bytes:
            self.admit(data)
            data = bytes(data)
        self._left -= len(data)
        if self._left < 0:
            raise TooBig
        self.parts.append(data)

    def admit(self, data: Any) -> bool:
        """Whether a buffer goes into the bytes: always, if it fits."""
        if memoryview(data).nbytes > self._left:
            raise TooBig
        return True


_TRUSTED = frozenset(
    ("perftrace", "_perftrace", "pathlib", "uuid", "random", "logging", *native.TRUSTED_PACKAGES)
)
_traceback = BaseException.__dict__["__traceback__"].__get__


def _is_foreign(error: Exception) -> bool:
    """Whether it is the program's: raised by a signal handler or sent by another thread."""
    trace = _traceback(error)
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    name = trace.tb_frame.f_globals.get("__name__") if trace is not None else None
    if type(name) is not str or name.partition(".")[0] not in _TRUSTED:
        return True
    kind = type(error)
    made_in_python = naming.class_flags(kind) & 1 << 9 and kind is not _pickle.PicklingError
    return bool(made_in_python) and naming.text(kind).partition(".")[0] not in _TRUSTED


def _explain(error: Exception) -> str:
    if type(error) is RecursionError:
        return "nested too deeply"
    if type(error) is MemoryError:
        return "not enough memory to record it"
    if type(error) is RuntimeError:
        return f"changed while it was being recorded ({error})"
    return f"{type(error).__name__}: {error}"


class _Pickler(_pickle.Pickler):
    opaque_parts = 0
    room = 0
    neighbours: Neighbours | None = None
    end = 0  # of patience, by the thread's clock
    look = 0  # at that clock, when the cheaper one says this

    def reducer_override(self, value: Any) -> Any:
        if self.look and monotonic_ns() > self.look:
            left = self.end - thread_time_ns()
            if left <= 0:
                raise TooSlow
            self.look = monotonic_ns() + left  # others had the core
        reduced = reduce(value) if self.neighbours is None else self._near(value)
        if type(reduced) is str:
            reduced = opaque, (naming.text(type(value)), reduced, self.opaque_parts, False)
        elif type(reduced) is not tuple or reduced[0] is not opaque:
            self.room -= _least(reduced)
            if self.room < 0:
                raise TooBig
            return reduced
        self.opaque_parts += 1
        return reduced

    def _near(self, value: Any) -> Any:
        assert self.neighbours is not None
        if type(value) is LeftOut:
            return opaque, (value.type_name, FAR, self.opaque_parts, False)
        reduced = self.neighbours.take_apart(value)
        return FAR if reduced is None else reduced


def _least(reduced: Any) -> int:
    """How many bytes a reduction takes at least.

    The pickler hands over 64 KB at a time, so without this a value that is far too big would be
    found out late, and instances are the slowest of all to take apart.
    """
    if type(reduced) is not tuple or len(reduced) < 6:
        return 8
    attributes = reduced[2][0]
    return 24 + 4 * len(attributes) if type(attributes) is dict else 24


# --- what can't change --------------------------------------------------------------------------

_ATOMS = frozenset(
    map(
        id,
        (
            *(type(None), bool, int, float, complex, str, bytes, range),
            *(types.FunctionType, types.BuiltinFunctionType, types.ModuleType),
        ),
    )
)


def immutable(value: object, depth: int = 2) -> bool:
    """Whether nothing can change what is recorded of it: atoms, and small tuples of atoms."""
    if id(type(value)) in _ATOMS:
        return True
    if type(value) is not tuple or len(value) > 16 or not depth:
        return False
    return all(immutable(item, depth - 1) for item in value)
