"""What a function puts into the containers that its names stand for."""

from collections.abc import Mapping

import libcst as cst

from perftrace.optimizer.analysis import tables
from perftrace.optimizer.analysis.scope import Scope

UNKNOWN = cst.Pass()  # stands for a use that may put anything into the container
_CHANGING = frozenset().union(*tables.MUTATORS.values())
_READING = frozenset(tables.STR_METHODS).union(*tables.METHODS.values())
_READERS = (  # what looks at an object and does not keep it
    *(cst.Comparison, cst.ComparisonTarget, cst.BinaryOperation, cst.UnaryOperation),
    *(cst.Return, cst.Expr, cst.If, cst.While, cst.Assert, cst.Index, cst.SubscriptElement),
    cst.FormattedStringExpression,
)


def contents(scope: Scope) -> Mapping[str, list[cst.CSTNode]]:
    """For each name, the calls and assignments that put something into its object."""
    found: dict[str, list[cst.CSTNode]] = {}
    for name, loads in scope.loads.items():
        uses = [use for load in loads if (use := _use(scope, load)) is not None]
        if name in scope.captured or escapes(scope, name):
            uses.append(UNKNOWN)
        if uses:
            found[name] = uses
    return found


def escapes(scope: Scope, name: str) -> bool:
    """Whether the name's object may get a second name, or be seen by other code."""
    return name in scope.captured or any(leaks(scope, load) for load in scope.loads.get(name, ()))


def leaks(scope: Scope, load: cst.CSTNode) -> bool:
    """Whether this mention of an object lets others keep it (`return` ends the function)."""
    parent = scope.parents[load]
    above = scope.parents.get(parent)
    match parent:
        case cst.Attribute():
            called = isinstance(above, cst.Call) and above.func is parent
            leaking = not called or parent.attr.value not in _CHANGING | _READING
        case cst.For(iter=place) | cst.CompFor(iter=place) | cst.IfExp(test=place):
            leaking = place is not load
        case cst.AugAssign(target=place) | cst.Subscript(value=place):
            leaking = place is not load
        case cst.Arg():
            leaking = not _harmless(above)
        case cst.BooleanOperation():
            leaking = not isinstance(above, cst.If | cst.While | cst.BooleanOperation)
        case cst.Element():
            leaking = _kept(scope, parent)
        case _:
            leaking = not isinstance(parent, _READERS)
    return leaking


def reads_only(scope: Scope, node: cst.CSTNode) -> bool:
    """Whether this mention only looks at an object: neither changes it nor lets others keep it."""
    return not leaks(scope, node) and not changes(scope, node)


def changes(scope: Scope, node: cst.CSTNode) -> bool:
    """Whether this mention of an object changes it in place."""
    return _use(scope, node) is not None


def _kept(scope: Scope, element: cst.CSTNode) -> bool:
    """Whether a display that holds the object is anything but returned."""
    node = scope.parents[element]
    while isinstance(node, cst.Tuple | cst.List | cst.Element):
        node = scope.parents[node]
    return not isinstance(node, cst.Return)


def _harmless(call: cst.CSTNode | None) -> bool:
    """Whether a call keeps no reference to its arguments themselves."""
    if not isinstance(call, cst.Call):
        return False
    if isinstance(call.func, cst.Name):  # a shadowing definition is met by the purity check
        return call.func.value in tables.FUNCTIONS and call.func.value not in _MEMBERS
    method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    return method in {"join", "extend", "update"}


_MEMBERS = frozenset({"min", "max", "reversed", "enumerate", "zip"})  # may give an argument back


def _use(scope: Scope, load: cst.CSTNode) -> cst.CSTNode | None:
    """What a mention of a name does to what the object holds; None for nothing."""
    parent = scope.parents[load]
    above = scope.parents.get(parent)
    if isinstance(parent, cst.Attribute) and isinstance(above, cst.Call) and above.func is parent:
        return above if parent.attr.value in _CHANGING else None
    if isinstance(parent, cst.Subscript) and parent.value is load:
        if isinstance(above, cst.AssignTarget):
            assign = scope.parents[above]
            single = isinstance(assign, cst.Assign) and len(assign.targets) == 1
            return assign if single and _indexed(parent) else UNKNOWN
        if isinstance(above, cst.Del):
            return UNKNOWN
        return above if isinstance(above, cst.AugAssign) and above.target is parent else None
    return None


def _indexed(node: cst.Subscript) -> bool:
    return len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index)


def stored(assign: cst.Assign) -> tuple[cst.BaseExpression, cst.BaseExpression]:
    """Key and value of `name[key] = value`."""
    target = assign.targets[0].target
    assert isinstance(target, cst.Subscript)
    index = target.slice[0].slice
    assert isinstance(index, cst.Index)
    return index.value, assign.value


def path(target: cst.CSTNode | None, name: cst.CSTNode) -> list[int] | None:
    """The indexes that lead to a name in a target; None if a starred part is in the way."""
    if target is name:
        return []
    if isinstance(target, cst.Tuple | cst.List):
        if any(isinstance(element, cst.StarredElement) for element in target.elements):
            return None
        for index, element in enumerate(target.elements):
            rest = path(element.value, name)
            if rest is not None:
                return [index, *rest]
    return None
