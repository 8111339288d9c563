"""Two versions of one function in one process: its code is exchanged between timed blocks.

The process has imported the new text. Each function object that has the new code can be given the
code that the old text compiles to: its globals, defaults and cells are the same, as a change adds
names to its module and takes none away. Where they are not, the versions can't take turns here.
"""

import builtins
import dis
import gc
import os
from collections.abc import Iterator
from types import CodeType, FunctionType

OPTIMIZED = 0x1  # of a code's flags: it is a function's, not a class body's or a module's
STAR, DOUBLE_STAR = 0x4, 0x8
SUSPENDS = 0x20 | 0x80 | 0x100 | 0x200  # a generator, a coroutine of either kind, or both
OLD, NEW = 0, 1


class Apart(Exception):  # noqa: N818 - an outcome
    """The versions can't take turns in one process, and why."""


class Versions:
    """The function objects whose code is exchanged, with the old and the new code of each."""

    def __init__(self, file: str, qualname: str, ordinal: int, texts: tuple[str, str]) -> None:
        """Find them; the new text is the one that was imported.

        Raises:
            Apart: there is none, or the old code can't run in its place.
        """
        paths = [path_to(text, file, qualname, ordinal) for text in texts]
        if len(paths[OLD]) != len(paths[NEW]):
            raise Apart("it is defined in another place")
        self._found: list[tuple[FunctionType, tuple[CodeType, CodeType]]] = []
        alive = list(_functions(os.path.realpath(file)))
        for old, new in zip(*paths, strict=True):
            mine = [one for one in alive if _is(one.__code__, new)]
            for function in mine:
                _require(function, old)
                self._found.append((function, (old, function.__code__)))
        if not self._found:
            raise Apart("no function has its code")

    def use(self, version: int) -> None:
        """Give each function the code of one version."""
        for function, codes in self._found:
            function.__code__ = codes[version]


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
    for found in gc.get_objects():
        if type(found) is FunctionType and os.path.realpath(found.__code__.co_filename) == file:
            yield found


def _is(code: CodeType, wanted: CodeType) -> bool:
    return (code.co_qualname, code.co_firstlineno) == (wanted.co_qualname, wanted.co_firstlineno)


def _require(function: FunctionType, old: CodeType) -> None:
    """Make sure that the old code can run as this function's.

    Raises:
        Apart: it needs other cells or parameters, or a global name that is not there.
    """
    new = function.__code__
    if old.co_freevars != new.co_freevars or _signature(old) != _signature(new):
        raise Apart("it has other parameters, or uses other variables of the functions around it")
    names = function.__globals__.keys() | vars(builtins).keys()
    missing = set(_globals(old)) - names - set(_globals(new))
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
