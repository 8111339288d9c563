"""What a function sees around it: the module's names, imports and constants."""

import ast
import builtins
import functools
import math
import typing
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import libcst as cst

from perftrace.optimizer.analysis.scope import Scope
from perftrace.optimizer.shapes import Shape

_STARS = {"math": frozenset(vars(math)), "typing": frozenset(typing.__all__)}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
type Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The names around one function."""

    bound: frozenset[str]  # by the module or an enclosing function: not built-ins
    imports: Mapping[str, str]  # local name -> "re" or "collections.deque"; bound nowhere else
    constants: Mapping[str, Shape]  # module names bound once, to an immutable literal
    used: frozenset[str]  # every identifier in the file
    lines: Mapping[str, int]  # name of an import or constant -> the last line of its statement
    top: bool = True  # the function stands in the module itself, not in a class or function
    starred: bool = False  # a star import may bind any name
    literals: Mapping[str, object] = field(default_factory=dict)  # those constants' values

    def shadows(self, name: str) -> bool:
        """Whether the name may be something else than the built-in."""
        return self.starred or name in self.bound or not hasattr(builtins, name)

    def origin(self, node: cst.CSTNode, scope: Scope) -> str | None:
        """The dotted name of what an expression surely is: "re.match", "collections.deque"."""
        if isinstance(node, cst.Attribute):
            owner = self.origin(node.value, scope)
            return f"{owner}.{node.attr.value}" if owner else None
        if isinstance(node, cst.Name) and node.value not in scope.bindings:
            return self.imports.get(node.value)
        return None

    def module(self, node: cst.CSTNode, scope: Scope) -> str | None:
        """The imported module that an expression surely is."""
        return self.origin(node, scope)


@dataclass(frozen=True, slots=True)
class _Module:
    """What is the same for all functions of a file."""

    bound: Counter[str]
    globals: frozenset[str]  # declared `global` in some function
    used: frozenset[str]
    imports: Mapping[str, str]
    lines: Mapping[str, int]
    starred: frozenset[str]


@functools.lru_cache(maxsize=4)
def _module(tree: ast.Module) -> _Module:
    imports, lines = _imports(tree)
    every = list(ast.walk(tree))
    declared = {name for node in every if isinstance(node, ast.Global) for name in node.names}
    starred = {
        node.module or ""
        for node in every
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    }
    return _Module(
        bound=Counter(_bound(tree)),
        globals=frozenset(declared),
        used=frozenset(_identifiers(every)) | frozenset(_bound(tree)),
        imports=imports,
        lines=lines,
        starred=frozenset(starred),
    )


def around(tree: ast.Module, enclosing: Sequence[Definition]) -> Surroundings:
    """The surroundings of a function inside these definitions, outermost first."""
    module = _module(tree)
    functions = [node for node in enclosing if isinstance(node, _FUNCTIONS)]
    inner = {name for function in functions for name in _inside(function)}
    once = {name for name, count in module.bound.items() if count == 1} - inner - module.globals
    constants = [one for one in _constants(tree) if one.name in once]
    star_names = frozenset().union(*(_STARS.get(one, frozenset()) for one in module.starred))
    return Surroundings(
        bound=frozenset(module.bound) | inner | module.globals | star_names,
        imports={name: origin for name, origin in module.imports.items() if name in once},
        constants={one.name: one.shape for one in constants},
        used=module.used,
        lines={**module.lines, **{one.name: one.line for one in constants}},
        top=not enclosing,
        starred=not module.starred <= _STARS.keys(),
        literals={one.name: one.value for one in constants},
    )


def _bound(tree: ast.AST) -> Iterator[str]:
    """The names that a module's or function's own statements bind, once per place."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
                continue
            case ast.ClassDef(name=name):
                yield name
                continue
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name.partition(".")[0] for alias in names)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name
            case _:
                pass
        yield from _bound(node)


def _inside(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    stars = [one for one in (arguments.vararg, arguments.kwarg) if one]
    yield from (one.arg for one in [*every, *stars])
    yield from _bound(function)


def _imports(tree: ast.Module) -> tuple[dict[str, str], dict[str, int]]:
    """Top-level imports: what each name is, and the line that its import ends on."""
    found: dict[str, str] = {}
    lines: dict[str, int] = {}
    for node in tree.body:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    name = alias.asname or alias.name.partition(".")[0]
                    found[name] = alias.name if alias.asname else name
                    lines[name] = node.end_lineno or node.lineno
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for alias in names:
                    name = alias.asname or alias.name
                    found[name] = f"{module}.{alias.name}"
                    lines[name] = node.end_lineno or node.lineno
            case _:
                pass
    return found, lines


@dataclass(frozen=True, slots=True)
class _Constant:
    """A module's name for a literal."""

    name: str
    value: object
    line: int

    @property
    def shape(self) -> Shape:
        return Shape.of(type(self.value).__name__)


def _constants(tree: ast.Module) -> Iterator[_Constant]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                yield _Constant(name, value, node.end_lineno or node.lineno)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=value)):
                yield _Constant(name, value, node.end_lineno or node.lineno)
            case _:
                pass


def _identifiers(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.alias(name=name, asname=other):
                yield (other or name).partition(".")[0]
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield from names
            case _:
                pass
