"""Two versions of one function in one process: its code is exchanged between timed blocks.

The process has imported one text. Each function object that has its code can be given the code that
another text compiles to: its globals, defaults and cells are the same, as a change adds names to
its module and takes none away. Where they are not, the versions can't take turns here.
"""

import builtins
import dis
import gc
import os
import random
from collections.abc import Iterator
from types import CodeType, FunctionType

OPTIMIZED = 0x1  # of a code's flags: it is a function's, not a class body's or a module's
LARGEST_GAP = 8192  # bytes
STAR, DOUBLE_STAR = 0x4, 0x8
SUSPENDS = 0x20 | 0x80 | 0x100 | 0x200  # a generator, a coroutine of either kind, or both
OLD, NEW = 0, 1  # what takes turns in one process


class Apart(Exception):  # noqa: N818 - an outcome
    """The versions can't take turns in one process, and why."""


type Codes = list[CodeType]  # one for each function object


class Versions:
    """The function objects that have the code of one function, which other texts can replace."""

    def __init__(self, file: str, qualname: str, ordinal: int, text: str) -> None:
        """Find them; this is the text that was imported.

        Raises:
            Apart: there is none.
        """
        self._place = (file, qualname, ordinal)
        path = path_to(text, *self._place)
        self._depth = len(path)
        alive = list(_functions(os.path.realpath(file)))
        self._found = [
            (function, place)
            for place, code in enumerate(path)
            for function in alive
            if _is(function.__code__, code)
        ]
        if not self._found:
            raise Apart("no function has its code")
        self.own: Codes = [function.__code__ for function, _ in self._found]

    @property
    def lasting(self) -> bool:
        """Whether no call can make another function with its code: it is not defined in one."""
        return self._depth == 1

    def codes(self, text: str) -> Codes:
        """The code of each in another text.

        Raises:
            Apart: it can't run in its place.
        """
        path = path_to(text, *self._place)
        if len(path) != self._depth:
            raise Apart("it is defined in another place")
        for (function, place), own in zip(self._found, self.own, strict=True):
            _require(function, own, path[place])
        return [path[place] for _, place in self._found]

    def use(self, codes: Codes) -> None:
        """Give each function its code of one version."""
        for (function, _), code in zip(self._found, codes, strict=True):
            function.__code__ = code


def moved(codes: Codes, seed: int) -> tuple[Codes, list[bytearray]]:
    """Copies of the codes at other places in memory, and what keeps them apart.

    Where code lies is worth a per cent or two of its speed, and without this it would be the same
    two places in every process.
    """
    dice = random.Random(seed)  # noqa: S311 - no secret
    apart: list[bytearray] = []
    return [_copied(code, dice, apart) for code in codes], apart


def _copied(code: CodeType, dice: random.Random, apart: list[bytearray]) -> CodeType:
    apart.append(bytearray(dice.randrange(16, LARGEST_GAP)))
    constants = tuple(
        _copied(one, dice, apart) if isinstance(one, CodeType) else one for one in code.co_consts
    )
    return code.replace(co_consts=constants)


def path_to(text: str, file: str, qualname: str, ordinal: int) -> list[CodeType]:
    """The code of a function and of those that it is defined in, outermost first.

    Raises:
        Apart: there is no such function.
    """
    try:
        module = compile(text, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise Apart(f"it can't be compiled: {error}") from None
    found = [path for path in _paths(module, []) if path[-1].co_qualname == qualname]
    found.sort(key=lambda path: path[-1].co_firstlineno)
    if ordinal >= len(found):
        raise Apart("it is not defined there")
    return [code for code in found[ordinal] if code.co_flags & OPTIMIZED]


def _paths(code: CodeType, above: list[CodeType]) -> Iterator[list[CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            path = [*above, constant]
            yield path
            yield from _paths(constant, path)


def _functions(file: str) -> Iterator[FunctionType]:
    same: dict[str, bool] = {}
    for found in gc.get_objects():
        if type(found) is FunctionType:
            name = found.__code__.co_filename
            if name not in same:
                same[name] = os.path.realpath(name) == file
            if same[name]:
                yield found


def _is(code: CodeType, wanted: CodeType) -> bool:
    return (code.co_qualname, code.co_firstlineno) == (wanted.co_qualname, wanted.co_firstlineno)


def _require(function: FunctionType, own: CodeType, other: CodeType) -> None:
    """Make sure that the other code can run as this function's.

    Raises:
        Apart: it needs other cells or parameters, or a global name that is not there.
    """
    if other.co_freevars != own.co_freevars or _signature(other) != _signature(own):
        raise Apart("it has other parameters, or uses other variables of the functions around it")
    names = function.__globals__.keys() | vars(builtins).keys()
    missing = set(_globals(other)) - names - set(_globals(own))
    if missing:
        raise Apart(f"it needs {min(missing)}, which is not there")


def _signature(code: CodeType) -> tuple[object, ...]:
    flags = code.co_flags & (STAR | DOUBLE_STAR | SUSPENDS)
    named = code.co_argcount + code.co_kwonlyargcount
    named += bool(flags & STAR) + bool(flags & DOUBLE_STAR)
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount
    return *counts, flags, code.co_varnames[:named]


def _globals(code: CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _globals(constant)
