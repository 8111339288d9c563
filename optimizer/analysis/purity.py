"""Which expressions change nothing, run built-in code only, and cannot raise."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import libcst as cst

from perftrace.optimizer.analysis import tables
from perftrace.optimizer.analysis.arithmetic import operated
from perftrace.optimizer.analysis.contents import reads_only
from perftrace.optimizer.analysis.scope import How, Scope
from perftrace.optimizer.analysis.surroundings import Surroundings
from perftrace.optimizer.analysis.tree import COMPREHENSIONS, Comprehension, text
from perftrace.optimizer.analysis.types import Types
from perftrace.optimizer.shapes import ATOMS, BUILTIN, ITERABLE, Shape, items_of

_SHALLOW = frozenset({"len", "isinstance", "bool", "list", "tuple", "range", "enumerate", "zip"})
_ATOMIC_NODES = (cst.Integer, cst.Float, cst.Imaginary, cst.SimpleString, cst.ConcatenatedString)
_KEYS = frozenset({"len", "abs", "str", "int", "repr"})  # harmless `key=` functions
_EQUAL = (cst.Equal, cst.NotEqual)
_IDENTITY = (cst.Is, cst.IsNot)
_IN = (cst.In, cst.NotIn)


class Purity:
    """Judges the expressions of one function. Whatever is unknown is impure."""

    def __init__(self, scope: Scope, around: Surroundings, types: Types) -> None:
        self._scope = scope
        self._around = around
        self._types = types

    def pure(self, node: cst.CSTNode) -> bool:
        """Whether evaluating it changes nothing and runs built-in code only."""
        if isinstance(node, (cst.Name, *_ATOMIC_NODES)):
            return True
        rule = _PURE.get(type(node))
        return rule is not None and rule(self, node)

    def safe(self, node: cst.CSTNode) -> bool:
        """Whether it is pure and, on the recorded types, cannot raise."""
        return self.pure(node) and self._cannot_raise(node)

    def hashes(self, node: cst.CSTNode) -> bool:
        """Whether the value is surely hashable by built-in code, whatever was assigned."""
        shape = self._types.of(node)
        return shape is not None and bool(shape.types) and shape.hashable

    def truthy(self, node: cst.CSTNode) -> bool:
        """Whether testing its truth runs built-in code only."""
        shape = self._types.of(node)
        return shape is not None and shape.types <= BUILTIN

    # --- pure -------------------------------------------------------------------------------

    def _builtin(self, node: cst.CSTNode) -> bool:
        shape = self._types.of(node)
        return shape is not None and (shape.builtin or _iterator_of_builtins(shape))

    def _all(self, nodes: Sequence[cst.CSTNode]) -> bool:
        return all(self.pure(node) for node in nodes)

    def _display(self, node: cst.Tuple | cst.List) -> bool:
        elements = node.elements
        return all(isinstance(one, cst.Element) and self.pure(one.value) for one in elements)

    def _set(self, node: cst.Set) -> bool:
        return all(
            isinstance(one, cst.Element) and self.pure(one.value) and self.hashes(one.value)
            for one in node.elements
        )

    def _dict(self, node: cst.Dict) -> bool:
        return all(
            isinstance(one, cst.DictElement)
            and self._all([one.key, one.value])
            and self.hashes(one.key)
            for one in node.elements
        )

    def _formatted(self, node: cst.FormattedString) -> bool:
        return all(
            isinstance(part, cst.FormattedStringText)
            or (isinstance(part, cst.FormattedStringExpression) and self._format_part(part))
            for part in node.parts
        )

    def _format_part(self, part: cst.FormattedStringExpression) -> bool:
        return (
            self.pure(part.expression)
            and part.format_spec is None
            and self._builtin(part.expression)
        )

    def _comparison(self, node: cst.Comparison) -> bool:
        operands = [node.left, *(one.comparator for one in node.comparisons)]
        if not self._all(operands):
            return False
        if all(isinstance(one.operator, _IDENTITY) for one in node.comparisons):
            return True
        return all(self._builtin(operand) for operand in operands)

    def _binary(self, node: cst.BinaryOperation) -> bool:
        if not all(self.pure(one) and self._builtin(one) for one in (node.left, node.right)):
            return False
        left, right = self._types.of(node.left), self._types.of(node.right)
        return operated(node.operator, left, right) is not None

    def _unary(self, node: cst.UnaryOperation) -> bool:
        if not self.pure(node.expression):
            return False
        if isinstance(node.operator, cst.Not):
            return self.truthy(node.expression)
        return self._types.known(node.expression, *tables.NUMBERS)

    def _boolean(self, node: cst.BooleanOperation) -> bool:
        return self._all([node.left, node.right]) and self.truthy(node.left)

    def _choice(self, node: cst.IfExp) -> bool:
        return self._all([node.test, node.body, node.orelse]) and self.truthy(node.test)

    def _attribute(self, node: cst.Attribute) -> bool:
        if self._around.origin(node, self._scope) in _PURE_ATTRIBUTES:
            return True
        owner, name = node.value, node.attr.value
        if isinstance(owner, cst.Name) and self._types.has_attribute(owner.value, name):
            return True
        shape = self._types.of(owner)
        return shape is not None and shape.field(name) is not None and self.pure(owner)

    def _subscript(self, node: cst.Subscript) -> bool:
        owner = self._types.of(node.value)
        if owner is None or not self.pure(node.value) or len(node.slice) != 1:
            return False
        index = node.slice[0].slice
        if isinstance(index, cst.Slice):
            bounds = [one for one in (index.lower, index.upper, index.step) if one is not None]
            numbers = all(self._types.known(one, "int", "bool", "NoneType") for one in bounds)
            return numbers and self._all(bounds) and owner.within({"list", "tuple", "str", "bytes"})
        if not isinstance(index, cst.Index) or not self.pure(index.value):
            return False
        if owner.within({"dict"}):
            keys = owner.items
            return self.hashes(index.value) and keys is not None and keys.hashable
        number = self._types.known(index.value, "int", "bool")
        return number and owner.within({"list", "tuple", "str", "bytes", "range"})

    def _comprehension(self, node: Comprehension) -> bool:
        if isinstance(node, cst.DictComp):
            if not (self._all([node.key, node.value]) and self.hashes(node.key)):
                return False
        elif not self.pure(node.elt) or (
            isinstance(node, cst.SetComp) and not self.hashes(node.elt)
        ):
            return False
        return all(
            one.asynchronous is None
            and self.pure(one.iter)
            and self.iterable(one.iter)
            and all(self.pure(cond.test) and self.truthy(cond.test) for cond in one.ifs)
            for one in clauses(node)
        )

    def iterable(self, node: cst.CSTNode) -> bool:
        """Whether iterating over the value runs built-in code only."""
        shape = self._types.of(node)
        return shape is not None and shape.types <= ITERABLE

    def _call(self, node: cst.Call) -> bool:
        given = [argument.value for argument in node.args if argument.keyword is None]
        if any(argument.star for argument in node.args) or not self._all(given):
            return False
        named = self._types.builtin(node.func)
        if named is not None:
            return named in tables.FUNCTIONS and self._keywords(node) and self._deep(named, given)
        if not isinstance(node.func, cst.Attribute) or len(given) != len(node.args):
            return False
        method = node.func.attr.value
        if self._around.module(node.func.value, self._scope) == "math":
            numbers = all(self._types.known(one, *tables.NUMBERS) for one in given)
            return method in tables.MATH and numbers
        return self._method(node.func, method, given)

    def _keywords(self, node: cst.Call) -> bool:
        for argument in node.args:
            if argument.keyword is None:
                continue
            name = argument.keyword.value
            if name == "key" and self._types.builtin(argument.value) in _KEYS:
                continue
            if name in {"reverse", "default", "start"} and self.pure(argument.value):
                continue
            return False
        return True

    def _deep(self, name: str, given: Sequence[cst.CSTNode]) -> bool:
        """Whether the arguments are built-in as deep as this function looks."""
        if name == "isinstance":
            return True
        shapes = [self._types.of(one) for one in given]
        if name in _SHALLOW:
            known = ITERABLE | ATOMS
            return all(shape is not None and shape.types <= known for shape in shapes)
        return all(self._builtin(one) for one in given)

    def _method(self, func: cst.Attribute, method: str, given: Sequence[cst.CSTNode]) -> bool:
        owner = self._types.of(func.value)
        if owner is None or not owner.types or not self.pure(func.value):
            return False
        if not owner.types <= BUILTIN or not all(self._builtin(one) for one in given):
            return False
        views = method in {"keys", "values", "items", "copy"}
        harmless = all(method in _harmless_methods(kind) for kind in owner.types - ATOMS)
        spoken = any(method in _harmless_methods(kind) for kind in owner.types)
        return harmless and spoken and (views or owner.builtin)

    # --- cannot raise -----------------------------------------------------------------------

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
        return self.pure(node)  # an attribute that every recorded object had as its own

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
            return self._types.known(right, "list", "tuple") or self.hashes(left)
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


def _harmless_methods(kind: str) -> Collection[str]:
    return tables.STR_METHODS if kind == "str" else tables.METHODS.get(kind, ())


def clauses(node: Comprehension) -> Iterator[cst.CompFor]:
    """The `for` clauses of a comprehension, outermost first."""
    clause: cst.CompFor | None = node.for_in
    while clause is not None:
        yield clause
        clause = clause.inner_for_in


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


def _iterator_of_builtins(shape: Shape) -> bool:
    items = items_of(shape)
    return shape.types <= ITERABLE and items is not None and items.builtin


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
_PURE_ATTRIBUTES = frozenset({"math.pi", "math.e", "math.inf", "math.nan", "math.tau"})
_PURE: dict[type[cst.CSTNode], Callable[[Purity, Any], bool]] = {
    cst.Tuple: Purity._display,
    cst.List: Purity._display,
    cst.Set: Purity._set,
    cst.Dict: Purity._dict,
    cst.FormattedString: Purity._formatted,
    cst.Comparison: Purity._comparison,
    cst.BinaryOperation: Purity._binary,
    cst.UnaryOperation: Purity._unary,
    cst.BooleanOperation: Purity._boolean,
    cst.IfExp: Purity._choice,
    cst.Attribute: Purity._attribute,
    cst.Subscript: Purity._subscript,
    cst.ListComp: Purity._comprehension,
    cst.SetComp: Purity._comprehension,
    cst.GeneratorExp: Purity._comprehension,
    cst.DictComp: Purity._comprehension,
    cst.Call: Purity._call,
}
_SAFE: dict[type[cst.CSTNode], Callable[[Purity, Any], bool]] = {
    cst.Name: Purity._bound,
    cst.Call: Purity._safe_call,
    cst.Comparison: Purity._safe_comparison,
    cst.BinaryOperation: Purity._safe_binary,
    cst.Subscript: Purity._safe_subscript,
    cst.Attribute: Purity._safe_attribute,
    **dict.fromkeys(COMPREHENSIONS, Purity._safe_comprehension),
}
