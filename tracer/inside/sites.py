"""What byte code shows: how a call opens a file, and what a function loads by name.

`sys.monitoring` tells a call's first argument alone. The byte code just before a call shows the
arguments that are constants, which a file's mode mostly is; a function that opens files for others
has it in a variable of that name.
"""

import builtins
import sys

from .function import FRESH_LOCALS, SHOWS_LOCALS
from .private import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType

# Programs patch `len`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

MODE = frozenset("rwaxbt+U")
WRITING = frozenset("wax+")
WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
VARIABLES = ("mode", "flags")  # in which such functions have it

_get_trace = sys.gettrace


def _opcodes_of_calls() -> tuple[int, int, int, int]:
    """LOAD_CONST, CALL, what gives a call its keywords, and a call with keywords: as compiled."""
    plain = compile("f('r', 'w')", "", "eval").co_code
    at = next(
        at
        for at in range(0, len(plain) - 4, 2)
        if plain[at] == plain[at + 2] and plain[at + 1 : at + 4 : 2] == b"\0\1"
    )
    named = compile("f('r', k='w')", "", "eval").co_code
    return plain[at], plain[at + 4], named[at + 4], named[at + 6]


def _opcodes_of_names() -> tuple[int, int]:
    """LOAD_GLOBAL and LOAD_ATTR."""
    code = compile("lambda: a.b", "", "eval").co_consts[0].co_code
    return code[2], next(code[at] for at in range(4, len(code), 2) if code[at])


LOAD_CONST, CALL, KEYWORDS, CALL_KEYWORDS = _opcodes_of_calls()
LOAD_GLOBAL, LOAD_ATTR = _opcodes_of_names()


def loaded(code: "CodeType") -> "Iterator[list[str]]":
    """The dotted names that the code loads, such as `["os", "environ", "get"]`."""
    raw, names = code.co_code, code.co_names
    dotted: list[str] = []
    for at in range(0, len(raw), 2):
        number = raw[at + 1] >> 1
        if raw[at] == LOAD_ATTR and dotted and number < len(names):
            dotted.append(names[number])
        elif raw[at]:  # no inline cache
            if dotted:
                yield dotted
            dotted = [names[number]] if raw[at] == LOAD_GLOBAL and number < len(names) else []


def opened_to(code: "CodeType", offset: int, frame: "FrameType") -> bool | None:
    """Whether the call there opens a file to write; None: that can't be seen."""
    known = _constants(code, offset)
    if known is None:
        return _by_variable(frame)
    constants, whole = known
    for value in constants:
        written = _writes(value)
        if written is not None:
            return written
    return False if whole else _by_variable(frame)


def _constants(code: "CodeType", offset: int) -> tuple[list[object], bool] | None:
    """The constants right before a call, and whether they are all arguments but the first."""
    raw = code.co_code
    if raw[offset] not in (CALL, CALL_KEYWORDS) or len(code.co_consts) > 256:
        return None
    wanted = raw[offset + 1] - 1
    at = offset - 2
    if raw[at] == KEYWORDS if KEYWORDS != LOAD_CONST else raw[offset] == CALL_KEYWORDS:
        at -= 2
    found: list[object] = []
    while len(found) < wanted and at >= 0 and raw[at] == LOAD_CONST:
        found.append(code.co_consts[raw[at + 1]])
        at -= 2
    return found, len(found) >= wanted


def _by_variable(frame: "FrameType") -> bool | None:
    code = frame.f_code
    if not code.co_flags & 1 or not (FRESH_LOCALS or _get_trace() is None):
        return None
    if not FRESH_LOCALS and not SHOWS_LOCALS.isdisjoint(code.co_names):
        return None
    for name in VARIABLES:
        if name in code.co_varnames:
            found = frame.f_locals
            value = found.get(name)
            if not FRESH_LOCALS:
                found.clear()  # the dict stays on the frame and would keep its values alive
            return bool(value & WRITING_FLAGS) if type(value) is int else _writes(value)
    return None


def _writes(value: object) -> bool | None:
    """Whether a mode is one to write with; None: it is no mode."""
    if type(value) is str and value and MODE.issuperset(value):
        return not WRITING.isdisjoint(value)
    return None
