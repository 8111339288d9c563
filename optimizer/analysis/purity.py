"""Which expressions change nothing, run built-in code only, and cannot raise."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import libcst as cst

from perftrace.optimizer.analysis import tables
from perftrace.optimizer.analysis.arithmetic import operated
from perftrace.optimizer.analysis.inference import Types
from perftrace.optimizer.analysis.scope import Scope
from perftrace.optimizer.analysis.surroundings import Surroundings
from perftrace.optimizer.analysis.tree import Comprehension
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


def _harmless_methods(kind: str) -> Collection[str]:
    return tables.STR_METHODS if kind == "str" else tables.METHODS.get(kind, ())


def clauses(node: Comprehension) -> Iterator[cst.CompFor]:
    """The `for` clauses of a comprehension, outermost first."""
    clause: cst.CompFor | None = node.for_in
    while clause is not None:
        yield clause
        clause = clause.inner_for_in


def _iterator_of_builtins(shape: Shape) -> bool:
    items = items_of(shape)
    return shape.types <= ITERABLE and items is not None and items.builtin


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
