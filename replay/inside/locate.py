"""Finds the raw function of a target: the one whose arguments were recorded."""

import gc
import os
import warnings
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from .program import Program, mangled

DESCRIPTORS = (staticmethod, classmethod, property, cached_property, MethodType)
LAYERS = 64  # of decorators looked through


class NotFound(LookupError):  # noqa: N818 - the text is what the user reads
    """The function is not there, and why."""


class Code:
    """Which code objects are meant: file, qualified name and first line."""

    def __init__(self, file: str, qualname: str, line: int) -> None:
        self._file = os.path.realpath(file)
        self.qualname = qualname
        self.line = line

    def matches(self, code: CodeType) -> bool:
        """Whether it is the one."""
        return (
            code.co_firstlineno == self.line
            and code.co_qualname == self.qualname
            and _real(code.co_filename) == self._file
        )

    def is_in_file(self, code: CodeType) -> bool:
        """Whether another code object comes from the same file."""
        return _real(code.co_filename) == self._file


class Finder:
    """Finds functions in the program, which may be overlaid."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._lines: dict[str, dict[str, list[int]]] = {}

    def code(self, file: str, qualname: str, line: int, ordinal: int) -> Code:
        """The code that a recorded line and ordinal mean in the file as it is now.

        Raises:
            NotFound: the file has no such definition.
        """
        lines = self._definitions(file, qualname)
        if line in lines and self._program.overlay.text(file) is None:
            return Code(file, qualname, line)
        if ordinal >= len(lines):
            raise NotFound(f"function {qualname} no longer exists in {file}")
        return Code(file, qualname, lines[ordinal])

    def function(self, code: Code, module: ModuleType, *, decorated: bool) -> Callable[..., object]:
        """The function with this code; `decorated`: what its innermost decorator made of it.

        Raises:
            NotFound: no function of the program has this code.
        """
        if "<locals>" in code.qualname:
            raise NotFound("defined inside a function; only its callers can replay it")
        named = _by_name(module, code.qualname)
        for found, path in _layers(named):
            if isinstance(found, FunctionType) and code.matches(found.__code__):
                return _through(path) if decorated and path else found
        found = _by_scan(code)
        outermost = [named] if callable(named) else []
        return _through(outermost) if decorated and outermost else found

    def _definitions(self, file: str, qualname: str) -> list[int]:
        if file not in self._lines:
            try:
                self._lines[file] = definitions(self._program.overlay.source(file), file)
            except (OSError, SyntaxError, ValueError) as error:
                raise NotFound(f"{file} cannot be read: {error}") from None
        return self._lines[file].get(qualname, [])


def definitions(text: str, file: str) -> dict[str, list[int]]:
    """By qualified name, the first lines of its definitions in their order.

    Raises:
        SyntaxError: the text is not Python of this version.
        ValueError: it holds null bytes.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the program's own, shown when it is imported
        code = compile(text, file, "exec", dont_inherit=True)
    lines: dict[str, list[int]] = {}
    for inner in sorted(_inside(code), key=lambda code: code.co_firstlineno):
        lines.setdefault(inner.co_qualname, []).append(inner.co_firstlineno)
    return lines


def _inside(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inside(constant)


@lru_cache(maxsize=4096)
def _real(path: str) -> str:
    return os.path.realpath(path)


def _by_name(module: ModuleType, qualname: str) -> Any:
    """What the qualified name leads to, descriptors as they stand in the class; None: nothing."""
    found: Any = module
    for part in qualname.split("."):
        namespace = getattr(found, "__dict__", None)
        if namespace is None:
            return None
        found = namespace.get(mangled(part, found))
    return found


def _layers(outermost: Any) -> Iterator[tuple[Any, list[Any]]]:
    """An object and what it wraps, nearest first, each with the layers around it."""
    waiting: list[tuple[Any, list[Any]]] = [(outermost, [])]
    seen: set[int] = set()
    for _ in range(LAYERS):
        if not waiting:
            return
        found, path = waiting.pop(0)
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found, path
        waiting += [(inner, [*path, found]) for inner in _wrapped(found)]


def _wrapped(layer: Any) -> Iterator[Any]:
    """What a decorator's result may wrap."""
    if isinstance(layer, property):
        yield from (part for part in (layer.fget, layer.fset, layer.fdel) if part)
    elif isinstance(layer, (staticmethod, classmethod, MethodType)):
        yield layer.__func__
    elif isinstance(layer, cached_property):
        yield layer.func
    elif not isinstance(layer, (type, ModuleType)):
        namespace = getattr(layer, "__dict__", {})
        if "__wrapped__" in namespace:
            yield namespace["__wrapped__"]
        yield from (held for held in namespace.values() if callable(held))
        for cell in getattr(layer, "__closure__", None) or ():
            try:
                held = cell.cell_contents
            except ValueError:  # empty
                continue
            if callable(held):
                yield held


def _through(path: list[Any]) -> Callable[..., object]:
    """What takes the function's own arguments: its innermost decorator's result."""
    made: Callable[..., object] = path[-1]
    while isinstance(made, DESCRIPTORS):
        inner = next(_wrapped(made), None)
        if inner is None:
            break
        made = inner
    return made


def _by_scan(code: Code) -> FunctionType:
    """The function that no name leads to: a decorator hid it."""
    found: dict[int, FunctionType] = {}
    for candidate in gc.get_objects():
        if type(candidate) is FunctionType and code.matches(candidate.__code__):
            found.setdefault(id(candidate.__code__), candidate)
    if len(found) > 1:
        raise NotFound(f"several functions {code.qualname} begin on line {code.line}")
    if not found:
        raise NotFound(f"function {code.qualname} is not defined when its module is imported")
    return next(iter(found.values()))
