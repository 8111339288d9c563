"""Classes whose `__init__` only keeps what it is given: a call of the class makes the very object.

Read from the source, so that a test says `Basket(owner="Ann")` where it would have to say
`restore(Basket, owner="Ann", items=[])`, without anything being run to find out.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType

from perftrace.values import DictNode, ListNode, Node, SetNode

# A class with one of these may keep something else than its `__init__` says.
OTHER_WAYS = frozenset({"__new__", "__setattr__", "__getattribute__", "__init_subclass__"})
type Fixed = str | bytes | int | float | type | None  # an atom, or the type of an empty container
EMPTY: Mapping[type, type] = {list: ListNode, dict: DictNode, set: SetNode}
EMPTY_NAMES = {kind.__name__: kind for kind in EMPTY}


@dataclass(frozen=True, slots=True)
class Construction:
    """What a call of a class makes."""

    parameters: Mapping[str, str]  # of its `__init__`, and the attribute that keeps each
    fixed: Mapping[str, Fixed]  # the other attributes, and what each is at first

    def fits(self, attributes: Mapping[str, Node]) -> bool:
        """Whether an object with these attributes is as a call would make it."""
        kept = set(self.parameters.values())
        return kept | self.fixed.keys() == attributes.keys() and all(
            _is(attributes[name], value) for name, value in self.fixed.items()
        )


def construction(node: ast.ClassDef) -> Construction | None:
    """How a class is made; None where its `__init__` does more, or another class has a say."""
    plain = not (node.decorator_list or node.keywords)
    if not plain or any(not _is_object(base) for base in node.bases):
        return None
    methods = {one.name: one for one in node.body if isinstance(one, ast.FunctionDef)}
    init = methods.get("__init__")
    if init is None or init.decorator_list or OTHER_WAYS & methods.keys():
        return None
    return _kept(init, _class_names(node.body))


def _kept(init: ast.FunctionDef, taken: frozenset[str]) -> Construction | None:
    arguments = init.args
    if arguments.posonlyargs or arguments.vararg or arguments.kwarg or not arguments.args:
        return None
    if EMPTY_NAMES.keys() & {one.arg for one in (*arguments.args, *arguments.kwonlyargs)}:
        return None
    me, *names = (one.arg for one in (*arguments.args, *arguments.kwonlyargs))
    parameters: dict[str, str] = {}
    fixed: dict[str, Fixed] = {}
    for attribute, value in _assignments(init.body, me):
        if attribute in (*taken, *parameters.values(), *fixed):
            return None
        match value:
            case ast.Name(id=name) if name in names and name not in parameters:
                parameters[name] = attribute
            case _:
                found = _fixed(value)
                if isinstance(found, EllipsisType):
                    return None
                fixed[attribute] = found
    return Construction(parameters, fixed) if parameters.keys() == set(names) else None


def _assignments(body: Sequence[ast.stmt], me: str) -> Iterator[tuple[str, ast.expr | None]]:
    """`self.name = value`; a statement of another kind is an attribute that can't be told."""
    for number, statement in enumerate(body):
        match statement:
            case ast.Expr(value=ast.Constant(value=str())) if not number:
                pass
            case (
                ast.Assign(targets=[ast.Attribute(value=ast.Name(id=name), attr=attribute)])
                | ast.AnnAssign(target=ast.Attribute(value=ast.Name(id=name), attr=attribute))
            ) if name == me:
                private = attribute.startswith("__") and not attribute.endswith("__")
                yield attribute, None if private else statement.value
            case _:
                yield "", None


def _fixed(value: ast.expr | None) -> Fixed | EllipsisType:
    """What an expression always is; `...`: that can't be told."""
    match value:
        case ast.Constant(value=str() | bytes() | int() | float() | None as constant):
            return constant
        case ast.List(elts=[]):
            return list
        case ast.Dict(keys=[]):
            return dict
        case ast.Call(func=ast.Name(id=name), args=[], keywords=[]) if name in EMPTY_NAMES:
            return EMPTY_NAMES[name]
        case _:
            return ...


def _is(node: Node, value: Fixed) -> bool:
    if isinstance(value, type):
        return isinstance(node, EMPTY[value]) and not node.items  # type: ignore[union-attr]
    return type(node) is type(value) and repr(node) == repr(value)


def _is_atom(value: ast.expr | None) -> bool:
    return value is None or isinstance(value, ast.Constant)


def _is_object(base: ast.expr) -> bool:
    return isinstance(base, ast.Name) and base.id == "object"


def _class_names(body: Sequence[ast.stmt]) -> frozenset[str]:
    """What the class itself holds: a property of that name would decide what an attribute is."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    names = {one.name for one in body if isinstance(one, functions)}
    for one in body:
        if isinstance(one, ast.Assign | ast.AnnAssign) and not _is_atom(one.value):
            targets = one.targets if isinstance(one, ast.Assign) else [one.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(names - {"__slots__"})
