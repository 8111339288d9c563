"""The static check of a change, before any of its code is run."""

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from perftrace.errors import StaleError
from perftrace.model import Candidate
from perftrace.optimizer import patch
from perftrace.optimizer.pure_names import PURE_MODULES, only_computes

SYNTAX = "syntax"  # the finding that no code can be run at all
LARGEST_TABLE = 50  # elements of a new literal
LARGEST_TEXT = 2048  # characters of a new literal

_FORBIDDEN = frozenset(
    {"exec", "eval", "compile", "open", "__import__", "globals", "locals", "vars", "setattr"}
    | {"delattr", "input", "breakpoint", "exit", "quit"}
)
_SPEAKING = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print"}
)
_MAKERS = frozenset(
    {"frozenset", "tuple", "set", "re.compile", "str.maketrans", "dict.fromkeys", "range"}
)
_CACHES = frozenset({"cache", "lru_cache", "cached_property"})
_MUTATING = frozenset(
    {"append", "add", "extend", "update", "setdefault", "insert", "pop", "clear", "remove"}
)
_BROAD = frozenset({"Exception", "BaseException"})
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
type Def = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a change that breaks a rule, or that the user should look at."""

    rule: str
    message: str
    hard: bool = True  # the change is rejected


@dataclass(frozen=True)
class _Change:
    """A change taken apart: the function before and after, and what was added around it."""

    name: str
    old: Def
    new: Def
    others_equal: bool
    added: tuple[ast.stmt, ...]  # new statements of the module
    imports: Mapping[str, str]  # by their names there: modules that may have effects

    @property
    def helpers(self) -> list[Def]:
        """New functions."""
        return [one for one in self.added if isinstance(one, _DEFINITIONS)]

    def code(self) -> Iterator[ast.AST]:
        """Every node of the new function and of what was added."""
        for part in (self.new, *self.added):
            yield from ast.walk(part)


def check(candidate: Candidate) -> list[Finding]:
    """What is wrong with a change, by looking at it alone; empty if nothing is.

    A `keeps-state` finding isn't hard: whether caches are allowed is for the user to say.
    """
    try:
        ast.parse(candidate.source, candidate.function.file)
    except SyntaxError as error:
        text = f"The new source is not valid Python: {error.msg} (line {error.lineno})."
        return [Finding(SYNTAX, text)]
    except ValueError as error:
        return [Finding(SYNTAX, f"The new source is not valid Python: {error}.")]
    change = _take_apart(candidate)
    if change is None:
        return [Finding("signature", f"{candidate.function.qualname} is not in the new source.")]
    return [finding for rule in _RULES for finding in rule(change)]


def added_names(candidate: Candidate) -> frozenset[str]:
    """The names that a change adds to its module."""
    change = _take_apart(candidate)
    return frozenset(filter(None, map(_bound, change.added))) if change else frozenset()


def added(candidate: Candidate) -> tuple[ast.stmt, ...]:
    """The statements that a change adds to its module."""
    change = _take_apart(candidate)
    return change.added if change else ()


def _take_apart(candidate: Candidate) -> _Change | None:
    function = candidate.function
    try:
        before = patch.place_of(candidate.original, function.qualname, function.line)
        line = patch.line_of(candidate.source, function.qualname, before.ordinal)
        after = patch.place_of(candidate.source, function.qualname, line)
    except StaleError:
        return None
    old, new = patch.without(candidate.original, before), patch.without(candidate.source, after)
    kept, added = patch.split(old, new)
    return _Change(
        name=function.name,
        old=before.node,
        new=after.node,
        others_equal=kept,
        added=tuple(added),
        imports=dict(_effectful(patch.tree_of(candidate.original))),
    )


def _effectful(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] not in PURE_MODULES:
                    yield (alias.asname or alias.name).partition(".")[0], alias.name


# --- rules ----------------------------------------------------------------------------------


ALLOWED = "beside the function, only imports, helpers and constants made of literals may be added."


def _only_the_function(change: _Change) -> Iterator[Finding]:
    if not change.others_equal:
        yield Finding("outside", f"Code outside {change.name} was changed or removed.")
    for node in change.added:
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        name = _bound(node)
        if name is None:
            yield Finding("outside", f"Line {node.lineno} is new: {ALLOWED}")
        elif not name.startswith("_") or name.startswith("__"):
            yield Finding("outside", f"{name} is new and not private.")
    known = {one.name for one in ast.walk(change.old) if isinstance(one, ast.ClassDef)}
    for one in change.code():
        if isinstance(one, ast.ClassDef) and one.name not in known:
            yield Finding("outside", f"A new class was added: {one.name}.")


def _bound(node: ast.stmt) -> str | None:
    """The name of a new constant or helper; None for any other statement."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_constant(value):
            return name
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return name if _is_constant(value) else None
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name
        case _:
            return None


def _is_constant(node: ast.expr) -> bool:
    """Whether it is made of literals and a few calls that have no effects."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and ast.unparse(inner.func).lstrip("_") not in _MAKERS:
            return False
        if isinstance(inner, ast.Lambda | ast.Await | ast.Yield | ast.NamedExpr):
            return False
    return True


def _imports(change: _Change) -> Iterator[Finding]:
    known = {ast.dump(one) for one in ast.walk(change.old) if isinstance(one, _IMPORTS)}
    for node in change.code():
        if not isinstance(node, _IMPORTS) or ast.dump(node) in known:
            continue
        named = [one.name for one in node.names]
        modules = [node.module or "."] if isinstance(node, ast.ImportFrom) else named
        relative = isinstance(node, ast.ImportFrom) and node.level > 0
        impure = [one for one in modules if one.partition(".")[0] not in PURE_MODULES]
        if impure or relative or "*" in named:
            yield Finding("import", f"A new import: `{ast.unparse(node)}`.")


_IMPORTS = (ast.Import, ast.ImportFrom)


# What an operator does, as a function: `map(found.__getitem__, names)`.
_OPERATORS = frozenset({"__getitem__", "__contains__", "__len__"})


def _introspection(change: _Change) -> Iterator[Finding]:
    old, new = _touched(ast.walk(change.old)), _touched(change.code())
    for name, count in sorted((new - old).items()):
        dunder = name.startswith("__") and name.endswith("__")
        if name in _FORBIDDEN or dunder:
            yield Finding("introspection", f"`{name}` is used {count} more time(s) than before.")
        elif name in old or name not in change.imports:
            continue
        elif not only_computes(name, change.imports[name], change.code()):
            yield Finding("effects", f"`{name}` is used, which the original does not use.")


def _touched(nodes: Iterator[ast.AST]) -> Counter[str]:
    """The names and attributes that occur, also as strings for `getattr` and the like."""
    found: Counter[str] = Counter()
    for node in nodes:
        match node:
            case ast.Name(id=name):
                found[name] += 1
            case ast.Attribute(attr=name) if name.startswith("__") and name not in _OPERATORS:
                found[name] += 1
            case ast.Constant(value=str(name)) if name.startswith("__"):
                found[name] += 1
            case ast.Call(func=ast.Name(id="getattr"), args=[_, name, *_]):
                found["__getattr__"] += not isinstance(name, ast.Constant)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                found.update(f"__{name}__" for name in names)
            case _:
                pass
    return found


def _signature(change: _Change) -> Iterator[Finding]:
    old, new = change.old, change.new
    if type(old) is not type(new):
        yield Finding("signature", f"{change.name} was made async or plain.")
    if ast.dump(old.args) != ast.dump(new.args) or _dump(old.returns) != _dump(new.returns):
        yield Finding("signature", f"The signature of {change.name} was changed.")
    if _yields(old) != _yields(new):
        yield Finding("signature", f"{change.name} was made a generator, or none any more.")
    before = [ast.dump(one) for one in old.decorator_list]
    extra = [one for one in new.decorator_list if ast.dump(one) not in before]
    left = [one for one in new.decorator_list if ast.dump(one) in before]
    if [ast.dump(one) for one in left] != before or any(not _is_cache(one) for one in extra):
        yield Finding("signature", f"The decorators of {change.name} were changed.")


def _dump(node: ast.AST | None) -> str:
    return "" if node is None else ast.dump(node)


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of inner functions."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _own(child)


def _yields(function: Def) -> bool:
    return any(isinstance(one, ast.Yield | ast.YieldFrom) for one in _own(function))


def _is_cache(node: ast.expr) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    return ast.unparse(called).rpartition(".")[2].lstrip("_") in _CACHES


def _state(change: _Change) -> Iterator[Finding]:
    """New memory that outlives a call."""
    kept = [one for one in change.new.decorator_list if _is_cache(one)]
    kept += [one for helper in change.helpers for one in helper.decorator_list if _is_cache(one)]
    known = {ast.dump(one) for one in change.old.decorator_list}
    if any(ast.dump(one) not in known for one in kept):
        yield Finding("keeps-state", "It keeps results between calls (a cache).", hard=False)
    new = {name for node in change.added if (name := _bound(node)) is not None}
    owners = new | {change.name}
    for node in change.code():
        owner = _changed(node)
        if owner in owners:
            yield Finding("keeps-state", f"It keeps state between calls in `{owner}`.", hard=False)
            return


def _changed(node: ast.AST) -> str | None:
    """The name of an object that a node changes in place."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            return name
        case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
            return name if method in _MUTATING else None
        case _:
            return None


def _signals(change: _Change) -> Iterator[Finding]:
    """Raising, asserting, logging and warning are part of the behaviour."""
    old, new = _spoken(ast.walk(change.old)), _spoken(change.code())
    for kind, count in sorted((old - new).items()):
        yield Finding("signals", f"{count} `{kind}` less than before.")


def _spoken(nodes: Iterator[ast.AST]) -> Counter[str]:
    found: Counter[str] = Counter()
    for node in nodes:
        match node:
            case ast.Raise():
                found["raise"] += 1
            case ast.Assert():
                found["assert"] += 1
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _SPEAKING:
                found[name] += 1
            case _:
                pass
    return found


def _broad_except(change: _Change) -> Iterator[Finding]:
    old = sum(map(_is_broad, ast.walk(change.old)))
    if sum(map(_is_broad, change.code())) > old:
        yield Finding("broad-except", "A new `except` catches every exception.")


def _is_broad(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
        return True
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(one is None or ast.unparse(one) in _BROAD for one in caught)


def _tables(change: _Change) -> Iterator[Finding]:
    known = {ast.dump(one) for one in ast.walk(change.old) if isinstance(one, ast.expr)}
    for node in change.code():
        if _size(node) and ast.dump(node) not in known:
            yield Finding("table", "A new literal is so large that it could hold the answers.")
            return


def _size(node: ast.AST) -> bool:
    match node:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            large = len(parts) > LARGEST_TABLE
        case ast.Dict(values=parts):
            large = len(parts) > LARGEST_TABLE
        case ast.Constant(value=str() | bytes() as value):
            large = len(value) > LARGEST_TEXT
        case ast.Constant(value=int() as value):
            large = value.bit_length() > 8 * LARGEST_TABLE
        case _:
            large = False
    return large or (
        isinstance(node, ast.Dict | ast.List) and len(ast.unparse(node)) > LARGEST_TEXT
    )


def _bounds(change: _Change) -> Iterator[Finding]:
    old, new = _loop_constants(ast.walk(change.old)), _loop_constants(change.code())
    gone, came = old - new, new - old
    if gone and came and min(came) < max(gone):
        message = f"A loop bound went from {max(gone)} to {min(came)}."
        yield Finding("bound", message, hard=False)


def _loop_constants(nodes: Iterator[ast.AST]) -> Counter[int]:
    heads: list[ast.AST] = []
    for node in nodes:
        if isinstance(node, ast.For | ast.comprehension):
            heads.append(node.iter)
        elif isinstance(node, ast.While):
            heads.append(node.test)
    parts = (one for head in heads for one in ast.walk(head) if isinstance(one, ast.Constant))
    return Counter(one.value for one in parts if type(one.value) is int)


_RULES: tuple[Callable[[_Change], Iterator[Finding]], ...] = (
    _only_the_function,
    _signature,
    _imports,
    _introspection,
    _state,
    _signals,
    _broad_except,
    _tables,
    _bounds,
)
