"""What a function sees around it: the module's names, imports and constants."""

import ast
import builtins
import math
import typing
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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
    lines: Mapping[str, int]  # imported name -> last line of its import
    top: bool = True  # the function stands in the module itself, not in a class or function
    starred: bool = False  # a star import may bind any name

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


def around(tree: ast.Module, enclosing: Sequence[Definition]) -> Surroundings:
    """The surroundings of a function inside these definitions, outermost first."""
    bound = Counter(_bound(tree))
    functions = [node for node in enclosing if isinstance(node, _FUNCTIONS)]
    inner = {name for function in functions for name in _inside(function)}
    globals_ = {
        name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names
    }
    once = {name for name, count in bound.items() if count == 1} - inner - globals_
    imports, lines, starred = _imports(tree)
    star_names = frozenset().union(*(_STARS.get(module, frozenset()) for module in starred))
    return Surroundings(
        bound=frozenset(bound) | inner | globals_ | star_names,
        imports={name: origin for name, origin in imports.items() if name in once},
        constants={n: shape for n, shape in _constants(tree) if n in once},
        used=frozenset(_identifiers(tree)),
        lines=lines,
        top=not enclosing,
        starred=not starred <= _STARS.keys(),
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


def _imports(tree: ast.Module) -> tuple[dict[str, str], dict[str, int], set[str]]:
    """Top-level imports: what each name is, the line it ends on, and the starred modules."""
    found: dict[str, str] = {}
    lines: dict[str, int] = {}
    starred: set[str] = set()
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
    for inner in ast.walk(tree):
        if isinstance(inner, ast.ImportFrom) and any(one.name == "*" for one in inner.names):
            starred.add(inner.module or "")
    return found, lines, starred


def _constants(tree: ast.Module) -> Iterator[tuple[str, Shape]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                yield name, Shape.of(type(value).__name__)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=value)):
                yield name, Shape.of(type(value).__name__)
            case _:
                pass


def _identifiers(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
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
    yield from _bound(tree)
