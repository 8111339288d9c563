"""The parts that a module is made of, and which of them a function depends on."""

import ast
import symtable
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

# What such a statement does to the module can't be told from its text.
UNTOLD = frozenset({"exec", "eval", "globals", "setattr", "vars", "locals", "__import__"})
STAR = "*"
GUARD = "__name__"
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Uses:
    """What a piece of code may look up outside itself."""

    names: frozenset[str]  # of the module, or built in; not the code's own variables
    attributes: frozenset[str]

    def __or__(self, other: "Uses") -> "Uses":
        return Uses(self.names | other.names, self.attributes | other.attributes)


@dataclass(frozen=True, slots=True)
class Unit:
    """A statement of a module or of a class in it; a class is its head alone."""

    title: str  # as people are told of it: what it defines, or its first line
    text: str  # equal for equal code, whatever its comments and spacing
    binds: frozenset[str]  # names of the module or, in a class, attributes
    uses: Uses
    owner: str = ""  # the class that it stands in, by its name in the module
    is_definition: bool = True  # a function, class or import; else it may do anything
    is_value: bool = False  # an assignment: what it calls makes a value, as a rule
    touches: frozenset[str] = frozenset()  # names of what it may change


def uses_of(*nodes: ast.AST) -> Uses:
    """What these nodes may look up outside themselves, at any depth."""
    names: set[str] = set()
    attributes: set[str] = set()
    for node in nodes:
        names |= set(_looked_up(symtable.symtable(ast.unparse(node), "<unit>", "exec")))
        for one in ast.walk(node):
            match one:
                case ast.Attribute(attr=name):
                    attributes.add(name)
                case ast.Constant(value=str(name)) if name.isidentifier():
                    attributes.add(name)  # for `getattr` and the like
                case _:
                    pass
    return Uses(frozenset(names), frozenset(attributes))


def _looked_up(table: symtable.SymbolTable) -> Iterator[str]:
    outside = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_global() or (outside and symbol.is_referenced()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _looked_up(inner)


def units(tree: ast.Module) -> list[Unit]:
    """The module's statements and those of its classes, in their order; no docstrings."""
    found = list(_units(tree.body, "", ""))
    data = frozenset[str]().union(*(unit.binds for unit in found if not unit.is_definition))
    return [replace(one, touches=one.touches & data) if one.is_value else one for one in found]


def needed(everything: Sequence[Unit], start: Uses, classes: Set[str]) -> Mapping[str, list[str]]:
    """The units that code with these uses depends on, straight or through others: their texts.

    Beside them, of the given classes, whatever decides how instances behave: heads, fields and
    special methods. Names are followed to what binds them, attributes to members of that name.
    """
    found: dict[int, Unit] = {}
    uses = start
    while True:
        fresh = {
            number: unit
            for number, unit in enumerate(everything)
            if number not in found and _matters(unit, uses)
        }
        if not fresh:
            break
        found |= fresh
        for unit in fresh.values():
            uses |= unit.uses
    kept = [
        unit
        for number, unit in enumerate(everything)
        if number in found or (_name_of_class(unit) in classes and _shapes(unit))
    ]
    texts: dict[str, list[str]] = defaultdict(list)
    for unit in kept:
        texts[unit.title].append(unit.text)
    return texts


def classes_of(everything: Sequence[Unit]) -> frozenset[str]:
    """The names of the classes of a module."""
    return frozenset(filter(None, map(_name_of_class, everything)))


def _matters(unit: Unit, uses: Uses) -> bool:
    """Whether code with these uses depends on it."""
    if STAR in unit.binds or UNTOLD & unit.touches:
        return True
    if unit.owner:
        reached = not unit.binds.isdisjoint(uses.attributes)
        return reached or (unit.owner in uses.names and _shapes(unit))
    if not unit.binds.isdisjoint(uses.names):
        return True
    return not unit.touches.isdisjoint(uses.names)


def _shapes(unit: Unit) -> bool:
    """Whether it decides how a class's instances behave without being named."""
    return not (unit.owner and unit.is_definition) or any(map(_is_special, unit.binds))


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _name_of_class(unit: Unit) -> str:
    """The class whose head or member it is; empty for anything else."""
    if unit.owner:
        return unit.owner
    return unit.title if unit.text.startswith("class ") else ""


def _units(body: Sequence[ast.stmt], prefix: str, owner: str) -> Iterator[Unit]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                binds = frozenset({name, *_declared(node)})
                yield Unit(prefix + name, ast.dump(node), binds, uses_of(node), owner)
            case ast.ClassDef(name=name):
                head = [*node.bases, *(one.value for one in node.keywords), *node.decorator_list]
                text = f"class {', '.join(map(ast.dump, head))} {_keywords(node)}"
                yield Unit(prefix + name, text, frozenset({name}), uses_of(*head), owner)
                yield from _units(node.body, f"{prefix}{name}.", owner or name)
            case ast.Import() | ast.ImportFrom():
                yield from _imported(node, owner)
            case ast.Expr(value=ast.Constant()):
                pass
            case _:
                yield _statement(node, prefix, owner)


def _keywords(node: ast.ClassDef) -> str:
    return ", ".join(str(one.arg) for one in node.keywords)


def _declared(function: ast.AST) -> Iterator[str]:
    """The names of the module that a function gives values itself."""
    for node in ast.walk(function):
        if isinstance(node, ast.Global):
            yield from node.names


def _imported(node: ast.Import | ast.ImportFrom, owner: str) -> Iterator[Unit]:
    """A unit for each name: another one beside it changes nothing."""
    source = ""
    if isinstance(node, ast.ImportFrom):
        source = f"from {'.' * node.level}{node.module or ''} "
    future = source == "from __future__ "
    for alias in node.names:
        bound = STAR if future else alias.asname or alias.name.partition(".")[0]
        text = f"{source}import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
        yield Unit(text, text, frozenset({bound}), uses_of(), owner)


def _statement(node: ast.stmt, prefix: str, owner: str) -> Unit:
    """Anything else: what it binds and what it mentions."""
    uses = uses_of(node)
    binds = frozenset(_bound(node))
    value = isinstance(node, ast.Assign | ast.AnnAssign | ast.TypeAlias)
    title = prefix + ", ".join(sorted(binds)) if value else ast.unparse(node).partition("\n")[0]
    guard = isinstance(node, ast.If) and GUARD in uses_of(node.test).names
    calls = any(isinstance(one, ast.Call) for one in ast.walk(node))
    touches = uses.names if not guard and (calls or not value) else frozenset()
    text = ast.dump(node)
    return Unit(title, text, binds, uses, owner, False, value, touches)  # noqa: FBT003 - a row


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that a statement binds or deletes, at any depth of the module's own code."""
    for one in ast.walk(node):
        match one:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                yield name
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]
            case _:
                pass
