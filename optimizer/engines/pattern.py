"""What a change did to some statements, for other functions that have the same statements.

The statements are compared with their local names numbered in the order in which they occur, so
that `total` in one function and `n` in another are the same. Everything else is compared as it is:
literals, attributes, names of built-ins and of the module.
"""

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

LEAST = 6  # nodes of the old statements: less than that is in every function
MOST = 400
_BLOCKS = ("body", "orelse", "finalbody")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Statements, and what they become."""

    key: str  # the old statements, local names numbered
    count: int  # how many they are
    names: tuple[str, ...]  # those names, in order
    new: tuple[ast.stmt, ...]
    fresh: tuple[str, ...]  # names that only the new statements bind


@dataclass(frozen=True, slots=True)
class Match:
    """Where a function has the statements of a pattern."""

    first: ast.stmt
    last: ast.stmt
    names: tuple[str, ...]  # the function's names for the pattern's


def pattern_of(slow: str, fast: str) -> Pattern | None:
    """What a change did; None where it is not about statements, or about too few or many."""
    try:
        before, after = _function(slow), _function(fast)
    except SyntaxError:
        return None
    if before is None or after is None or ast.dump(before.args) != ast.dump(after.args):
        return None
    old, new = _changed(_body(before), _body(after))
    size = sum(1 for one in old for _ in ast.walk(one))
    if not old or not new or not LEAST <= size <= MOST:
        return None
    names, others = locals_of(before), locals_of(after)
    key, order = _numbered(old, names)
    fresh = {one.id for stmt in new for one in ast.walk(stmt) if isinstance(one, ast.Name)}
    return Pattern(key, len(old), order, tuple(new), tuple(sorted((fresh & others) - names)))


def matches(pattern: Pattern, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Match]:
    """Where the function has the pattern's statements."""
    names = locals_of(function)
    for block in _blocks(function):
        for start in range(len(block) - pattern.count + 1):
            window = block[start : start + pattern.count]
            key, order = _numbered(window, names)
            if key == pattern.key:
                yield Match(window[0], window[-1], order)


def rewritten(pattern: Pattern, match: Match, fresh: Callable[[str], str]) -> str:
    """The new statements with the names of the function they are for.

    Args:
        pattern: what the statements become.
        match: where they stand.
        fresh: a free name like the one given.
    """
    known = dict(zip(pattern.names, match.names, strict=True))
    known |= {name: fresh(name) for name in pattern.fresh}
    made = [copy.deepcopy(one) for one in pattern.new]
    for statement in made:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                node.id = known.get(node.id, node.id)
    return "\n".join(ast.unparse(one) for one in made)


def locals_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """The names that belong to a function: its parameters, and what it binds."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    found = {one.arg for one in [*every, arguments.vararg, arguments.kwarg] if one is not None}
    shared: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            shared.update(node.names)
    return found - shared


def _function(text: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    node = next(iter(ast.parse(text).body), None)
    return node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None


def _body(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    return function.body[1:] if ast.get_docstring(function) is not None else function.body


def _changed(
    old: Sequence[ast.stmt], new: Sequence[ast.stmt]
) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The statements that differ, as deep inside as only one block has any."""
    left, right = [ast.dump(one) for one in old], [ast.dump(one) for one in new]
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    end = 0
    while end < min(len(left), len(right)) - start and left[-1 - end] == right[-1 - end]:
        end += 1
    mine = list(old[start : len(old) - end])
    other = list(new[start : len(new) - end])
    if not mine and other and start < len(old):  # only inserted: together with what follows
        return [old[start]], [*other, old[start]]
    if len(mine) == len(other) == 1:
        inner = _inner(mine[0], other[0])
        if inner is not None:
            return _changed(*inner)
    return mine, other


def _inner(old: ast.stmt, new: ast.stmt) -> tuple[list[ast.stmt], list[ast.stmt]] | None:
    """The blocks of two statements that differ in one block only."""
    if type(old) is not type(new) or isinstance(old, ast.FunctionDef | ast.ClassDef):
        return None
    found = None
    for name, value in ast.iter_fields(old):
        other = getattr(new, name)
        if _dump(value) == _dump(other):
            continue
        if found is not None or name not in _BLOCKS or not value or not other:
            return None
        found = (value, other)
    return found


def _dump(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_dump, value))
    return ast.dump(value) if isinstance(value, ast.AST) else repr(value)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The blocks of statements in a function, those of functions inside it left out."""
    for name in (*_BLOCKS, "handlers", "cases"):
        inner = getattr(node, name, None)
        if not isinstance(inner, list) or not inner:
            continue
        if isinstance(inner[0], ast.stmt):
            yield inner
        for one in inner:
            if not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from _blocks(one)


def _numbered(statements: Sequence[ast.stmt], names: set[str]) -> tuple[str, tuple[str, ...]]:
    """The statements with local names numbered, and the names in that order."""
    order: dict[str, str] = {}
    made = ast.Module([copy.deepcopy(one) for one in statements], [])
    for node in ast.walk(made):
        if isinstance(node, ast.Name) and node.id in names:
            node.id = order.setdefault(node.id, f"#{len(order)}")
    return ast.dump(made), tuple(order)
