"""Which expressions cannot raise."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import libcst as cst

from perftrace.optimizer.analysis import tables
from perftrace.optimizer.analysis.contents import reads_only
from perftrace.optimizer.analysis.inference import Types
from perftrace.optimizer.analysis.purity import Purity, clauses
from perftrace.optimizer.analysis.scope import How, Scope
from perftrace.optimizer.analysis.tree import COMPREHENSIONS, Comprehension, text
from perftrace.optimizer.shapes import Shape, items_of

_EQUAL = (cst.Equal, cst.NotEqual)
_IDENTITY = (cst.Is, cst.IsNot)
_IN = (cst.In, cst.NotIn)


class Safety:
    """Judges the pure expressions of one function on the recorded types."""

    def __init__(self, scope: Scope, types: Types, purity: Purity) -> None:
        self._scope = scope
        self._types = types
        self._purity = purity

    def safe(self, node: cst.CSTNode) -> bool:
        """Whether it is pure and, on the recorded types, cannot raise."""
        return self._purity.pure(node) and self._cannot_raise(node)

    def _cannot_raise(self, node: cst.CSTNode) -> bool:
        rule = _SAFE.get(type(node))
        if rule is not None:
            return rule(self, node)
        return all(self._cannot_raise(one) for one in _operands(node))

    def _safe_binary(self, node: cst.BinaryOperation) -> bool:
        plain = isinstance(node.operator, cst.Add | cst.Subtract | cst.Multiply)
        return plain and self._cannot_raise(node.left) and self._cannot_raise(node.right)

    def _safe_subscript(self, node: cst.Subscript) -> bool:
        if isinstance(node.slice[0].slice, cst.Slice):
            return self._cannot_raise(node.value)
        return self._counts_through(node)

    def _counts_through(self, node: cst.Subscript) -> bool:
        """Whether it is `xs[i]` with `i` from `range(len(xs))`, where nothing changes `xs`."""
        match node:
            case cst.Subscript(
                value=cst.Name(value=owner),
                slice=[cst.SubscriptElement(slice=cst.Index(value=cst.Name(value=index)))],
            ):
                bindings = self._scope.bindings.get(index, [])
                counted = {f"range(len({owner}))", f"range(0, len({owner}))"}
                fixed = len(self._scope.bindings.get(owner, ())) == 1
                quiet = all(reads_only(self._scope, one) for one in self._scope.loads[owner])
                return (
                    (len(bindings), fixed, quiet) == (1, True, True)
                    and bindings[0].value is not None
                    and text(bindings[0].value) in counted
                )
            case _:
                return False

    def _safe_comprehension(self, node: Comprehension) -> bool:
        return all(self._cannot_raise(part) for part in _parts(node))

    def _safe_attribute(self, node: cst.Attribute) -> bool:
        return self._purity.pure(node)  # an attribute that every recorded object had as its own

    def _bound(self, node: cst.Name) -> bool:
        """Whether the name surely has a value: a parameter, a global, or set in the main block."""
        bindings = self._scope.bindings.get(node.value)
        if not bindings:
            return True
        if any(isinstance(self._scope.parents.get(one.node), cst.Del) for one in bindings):
            return False
        return any(
            one.how in {How.PARAMETER, How.ITERATED} or self._in_main(one.node) for one in bindings
        )

    def _in_main(self, node: cst.CSTNode) -> bool:
        statement = self._scope.statement_of(node)
        return self._scope.parents[statement] is self._scope.function.body

    def _safe_comparison(self, node: cst.Comparison) -> bool:
        operands = [node.left, *(one.comparator for one in node.comparisons)]
        if not all(self._cannot_raise(operand) for operand in operands):
            return False
        return all(
            isinstance(one.operator, (*_EQUAL, *_IDENTITY)) or self._safe_order(left, one)
            for left, one in zip(operands, node.comparisons, strict=False)
        )

    def _safe_order(self, left: cst.BaseExpression, target: cst.ComparisonTarget) -> bool:
        right = target.comparator
        if isinstance(target.operator, _IN):
            if self._types.known(right, "str"):
                return self._types.known(left, "str")
            return self._types.known(right, "list", "tuple") or self._purity.hashes(left)
        numbers = all(self._types.known(one, *tables.NUMBERS) for one in (left, right))
        return numbers or all(self._types.known(one, "str") for one in (left, right))

    def _safe_call(self, node: cst.Call) -> bool:
        given = [argument.value for argument in node.args]
        if not all(self._cannot_raise(one) for one in given if not isinstance(one, cst.Name)):
            return False
        if not all(self._bound(one) for one in given if isinstance(one, cst.Name)):
            return False
        named = self._types.builtin(node.func)
        shapes = [self._types.of(one) for one in given]
        if named is None:
            return self._safe_method(node, shapes)
        items = items_of(shapes[0]) if shapes else None
        test = _SAFE_WHEN.get(named)
        if named == "ord":
            return len(given) == 1 and _character(given[0])
        return named in tables.SAFE_FUNCTIONS or (test is not None and test(shapes, items))

    def _safe_method(self, node: cst.Call, shapes: Sequence[Shape | None]) -> bool:
        if not isinstance(node.func, cst.Attribute) or not self._cannot_raise(node.func.value):
            return False
        method = node.func.attr.value
        if self._types.known(node.func.value, "str") and method in tables.SAFE_STR_METHODS:
            if method in {"split", "rsplit", "partition", "rpartition"}:
                return not node.args or _filled_literal(node.args[0].value)
            if method == "join":
                items = items_of(shapes[0]) if shapes else None
                return items is not None and items.types <= {"str"}
            return all(shape is not None and shape.within({"str"}) for shape in shapes)
        views = {"keys", "values", "items", "copy", "get"}
        return self._types.known(node.func.value, "dict") and method in views


def _parts(node: Any) -> list[cst.CSTNode]:
    made = [node.key, node.value] if isinstance(node, cst.DictComp) else [node.elt]
    iters = [one.iter for one in clauses(node)]
    return made + iters + [cond.test for one in clauses(node) for cond in one.ifs]


def _operands(node: Any) -> Iterator[cst.CSTNode]:
    """The expressions that an operator, choice or display is made of."""
    for name in ("left", "right", "expression", "test", "body", "orelse"):
        inner = getattr(node, name, None)
        if isinstance(inner, cst.BaseExpression):
            yield inner
    for element in getattr(node, "elements", ()):
        yield from (getattr(element, part) for part in ("key", "value") if hasattr(element, part))
    for part in getattr(node, "parts", ()):
        if isinstance(part, cst.FormattedStringExpression):
            yield part.expression


def _character(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.SimpleString) and len(node.evaluated_value) == 1


def _filled_literal(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.SimpleString) and bool(node.evaluated_value)


def _numbers(shapes: Sequence[Shape | None], items: Shape | None) -> bool:
    del items
    return all(shape is not None and shape.within(tables.NUMBERS) for shape in shapes)


def _summable(shapes: Sequence[Shape | None], items: Shape | None) -> bool:
    del shapes
    return items is not None and (items.types <= {"int", "bool"} or items.types <= {"float"})


def _sortable(shapes: Sequence[Shape | None], items: Shape | None) -> bool:
    del shapes
    return items is not None and (items.ordered or items.types <= tables.NUMBERS)


def _settable(shapes: Sequence[Shape | None], items: Shape | None) -> bool:
    del shapes
    return items is not None and items.hashable


def _integers(shapes: Sequence[Shape | None], items: Shape | None) -> bool:
    del items
    return len(shapes) < 3 and all(one is not None and one.within({"int"}) for one in shapes)


def _smallest(shapes: Sequence[Shape | None], items: Shape | None) -> bool:
    return len(shapes) > 1 and _numbers(shapes, items)


_SAFE_WHEN: dict[str, Callable[[Sequence[Shape | None], Shape | None], bool]] = {
    "abs": _numbers,
    "sum": _summable,
    "sorted": _sortable,
    "set": _settable,
    "frozenset": _settable,
    "range": _integers,
    "min": _smallest,
    "max": _smallest,
}
_SAFE: dict[type[cst.CSTNode], Callable[[Safety, Any], bool]] = {
    cst.Name: Safety._bound,
    cst.Call: Safety._safe_call,
    cst.Comparison: Safety._safe_comparison,
    cst.BinaryOperation: Safety._safe_binary,
    cst.Subscript: Safety._safe_subscript,
    cst.Attribute: Safety._safe_attribute,
    **dict.fromkeys(COMPREHENSIONS, Safety._safe_comprehension),
}
