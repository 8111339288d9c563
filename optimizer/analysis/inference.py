"""Which exact types an expression can have, from recorded facts and the code around it."""

from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from perftrace.optimizer.analysis import tables
from perftrace.optimizer.analysis.arithmetic import operated, promoted
from perftrace.optimizer.analysis.contents import UNKNOWN, contents, path, stored
from perftrace.optimizer.analysis.scope import Binding, How, Scope
from perftrace.optimizer.analysis.surroundings import Surroundings
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.shapes import (
    BOOL,
    BUILTIN,
    BYTES,
    EMPTY,
    FLOAT,
    INT,
    NONE,
    STR,
    Shape,
    common,
    items_of,
    join,
)

_ROUNDS = 6  # of joining assignments before a name that still changes counts as unknown
_DEPTH = 5
_LITERALS: dict[type[cst.CSTNode], Shape] = {
    cst.Integer: INT,
    cst.Float: FLOAT,
    cst.Imaginary: Shape.of("complex"),
    cst.FormattedString: STR,
    cst.Comparison: BOOL,
}
_NAMED = {"True": BOOL, "False": BOOL, "None": NONE}
_ADDING = {"append": 0, "add": 0, "insert": 1}  # method -> which argument becomes an element
_FEEDING = frozenset({"extend", "update"})  # methods whose argument's items become elements


class Types:
    """The shapes of a function's names and expressions."""

    def __init__(self, scope: Scope, around: Surroundings, facts: Facts) -> None:
        self._scope = scope
        self._around = around
        self._facts = facts
        self._contents = contents(scope)
        self._env: dict[str, Shape | None] = dict.fromkeys(scope.bindings, EMPTY)
        self._settle()

    def name(self, name: str) -> Shape | None:
        """The shape of a name, wherever it is read in the function."""
        if name in self._env:
            return self._env[name]
        if name in _NAMED:
            return _NAMED[name]
        return self._around.constants.get(name)

    def of(self, node: cst.CSTNode) -> Shape | None:
        """The shape of an expression; None where unknown."""
        simple = _LITERALS.get(type(node))
        if simple is not None:
            return simple
        reader = _READERS.get(type(node))
        return reader(self, node) if reader else None

    def known(self, node: cst.CSTNode, *types: str) -> bool:
        """Whether the expression surely has one of these exact types."""
        shape = self.of(node)
        return shape is not None and shape.within(types)

    def attribute(self, owner: str, name: str) -> Shape | None:
        """The shape of an attribute that a parameter had as its own in every recorded call."""
        known = self._facts.parameters.get(owner)
        if known is None or self._rebound(owner):
            return None
        shape = known.attributes.get(name)
        return shape if shape is not None else None

    def has_attribute(self, owner: str, name: str) -> bool:
        """Whether reading `owner.name` is a plain read of the object's own attribute."""
        known = self._facts.parameters.get(owner)
        return known is not None and name in known.attributes and not self._rebound(owner)

    def _rebound(self, name: str) -> bool:
        bindings = self._scope.bindings.get(name, [])
        return len(bindings) != 1 or bindings[0].how is not How.PARAMETER

    # --- names ------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Join what is assigned to each name until nothing changes (least fixed point)."""
        for name in self._scope.outer:
            self._env[name] = None
        for _ in range(_ROUNDS):
            if not self._round(widen=False):
                return
        while self._round(widen=True):
            pass

    def _round(self, *, widen: bool) -> bool:
        changed = False
        for name, bindings in self._scope.bindings.items():
            old = self._env[name]
            if old is None:
                continue
            new = join(old, self._joined(name, bindings))
            if new != old:
                changed = True
                self._env[name] = None if widen or _deep(new, _DEPTH) else new
        return changed

    def _joined(self, name: str, bindings: Sequence[Binding]) -> Shape | None:
        shape = common(self._bound(one) for one in bindings)
        if shape is None or name not in self._contents:
            return shape
        # What a recorded container holds is known from the calls; others may be filled elsewhere.
        recorded = all(one.how is not How.ASSIGNED for one in bindings)
        uses = [use for use in self._contents[name] if not (recorded and use is UNKNOWN)]
        return self._filled(shape, uses)

    def _bound(self, binding: Binding) -> Shape | None:
        match binding.how:
            case How.PARAMETER:
                return self._facts.shape(binding.name)
            case How.ASSIGNED if binding.value is not None:
                return self.of(binding.value)
            case How.UNPACKED if binding.value is not None:
                return _unpacked(binding, self._elements(binding.value))
            case How.ITERATED if binding.value is not None:
                item = items_of(self.of(binding.value))
                return item if binding.target is binding.node else _unpacked(binding, item)
            case How.AUGMENTED if binding.value is not None and binding.operator is not None:
                left, right = self._env[binding.name], self.of(binding.value)
                return operated(binding.operator, left, right)
            case _:
                return None

    def _elements(self, value: cst.BaseExpression) -> Shape | None:
        """What unpacking a value takes apart: as a tuple of parts where they are known."""
        if isinstance(value, cst.Tuple | cst.List):
            parts = [self.of(element.value) for element in value.elements]
            known = tuple(part for part in parts if part is not None)
            if len(known) == len(parts):
                return Shape(frozenset({"tuple"}), common(parts), None, known)
        return self.of(value)

    def _filled(self, shape: Shape, uses: Sequence[cst.CSTNode]) -> Shape | None:
        """A container's shape with what the function puts into it."""
        items, inner = shape.items, shape.values
        for use in uses:
            if isinstance(use, cst.Call):
                items, inner = self._added(use, items, inner)
            elif isinstance(use, cst.Assign):
                key, value = stored(use)
                inner = join(inner, _held(self.of(value))) if "dict" in shape.types else inner
                items = join(items, _held(self.of(key if "dict" in shape.types else value)))
            elif isinstance(use, cst.AugAssign):
                inner, items = self._augmented(use, shape)
            else:
                items = inner = None
        return Shape(shape.types, items, inner, shape.parts, shape.fields)

    def _augmented(self, use: cst.AugAssign, shape: Shape) -> tuple[Shape | None, Shape | None]:
        """Values and items after `name[key] += value`."""
        inner, items, value = shape.values, shape.items, self.of(use.value)
        if shape.within({"dict"}):
            return join(inner, operated(use.operator, inner, value)), items
        return inner, join(items, operated(use.operator, items, value))

    def _added(
        self, call: cst.Call, items: Shape | None, inner: Shape | None
    ) -> tuple[Shape | None, Shape | None]:
        assert isinstance(call.func, cst.Attribute)
        method = call.func.attr.value
        given = [argument.value for argument in call.args]
        if method in _ADDING and len(given) == _ADDING[method] + 1:
            return join(items, _held(self.of(given[_ADDING[method]]))), inner
        if method in _FEEDING and len(given) == 1 and inner is None:
            return join(items, items_of(self.of(given[0]))), None
        return (items, inner) if method in _SHRINKING else (None, None)

    # --- expressions ------------------------------------------------------------------------

    def _read_name(self, node: cst.Name) -> Shape | None:
        return self.name(node.value)

    def _read_string(self, node: cst.SimpleString) -> Shape | None:
        return BYTES if "b" in node.prefix.lower() else STR

    def _read_concatenated(self, node: cst.ConcatenatedString) -> Shape | None:
        return self.of(node.left)

    def _read_list(self, node: cst.List) -> Shape | None:
        return Shape.of("list", items=self._all(node.elements))

    def _read_set(self, node: cst.Set) -> Shape | None:
        return Shape.of("set", items=self._all(node.elements))

    def _all(self, elements: Sequence[cst.BaseElement]) -> Shape | None:
        if any(not isinstance(element, cst.Element) for element in elements):
            return None
        return common(_held(self.of(element.value)) for element in elements)

    def _read_tuple(self, node: cst.Tuple) -> Shape | None:
        whole = self._all(node.elements)
        parts = [self.of(element.value) for element in node.elements]
        known = tuple(part for part in parts if part is not None)
        starred = any(isinstance(element, cst.StarredElement) for element in node.elements)
        fixed = len(known) == len(parts) and not starred
        return Shape(frozenset({"tuple"}), whole, None, known if fixed else None)

    def _read_dict(self, node: cst.Dict) -> Shape | None:
        if any(not isinstance(element, cst.DictElement) for element in node.elements):
            return Shape.of("dict")
        pairs = [element for element in node.elements if isinstance(element, cst.DictElement)]
        keys = common(self.of(pair.key) for pair in pairs)
        inner = common(_held(self.of(pair.value)) for pair in pairs)
        return Shape.of("dict", items=keys, values=inner)

    def _read_comp(self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp) -> Shape | None:
        return Shape.of(_COMPREHENSIONS[type(node)], items=_held(self.of(node.elt)))

    def _read_dictcomp(self, node: cst.DictComp) -> Shape | None:
        return Shape.of("dict", items=self.of(node.key), values=_held(self.of(node.value)))

    def _read_binary(self, node: cst.BinaryOperation) -> Shape | None:
        return operated(node.operator, self.of(node.left), self.of(node.right))

    def _read_unary(self, node: cst.UnaryOperation) -> Shape | None:
        if isinstance(node.operator, cst.Not):
            return BOOL
        shape = self.of(node.expression)
        if shape is None or not shape.types <= tables.NUMBERS:
            return None
        return Shape(frozenset(promoted(name) for name in shape.types))

    def _read_boolean(self, node: cst.BooleanOperation) -> Shape | None:
        return join(self.of(node.left), self.of(node.right))

    def _read_choice(self, node: cst.IfExp) -> Shape | None:
        return join(self.of(node.body), self.of(node.orelse))

    def _read_walrus(self, node: cst.NamedExpr) -> Shape | None:
        return self.of(node.value)

    def _read_attribute(self, node: cst.Attribute) -> Shape | None:
        if isinstance(node.value, cst.Name):
            own = self.attribute(node.value.value, node.attr.value)
            if own is not None:
                return own
        owner = self.of(node.value)
        if owner == EMPTY or node.attr.value in self._scope.set_attributes:
            return EMPTY if owner == EMPTY else None
        return owner.field(node.attr.value) if owner is not None else None

    def _read_subscript(self, node: cst.Subscript) -> Shape | None:
        owner = self.of(node.value)
        if owner is None or len(node.slice) != 1 or not owner.types:
            return EMPTY if owner == EMPTY else None
        place = node.slice[0].slice
        if isinstance(place, cst.Slice):
            sliced = owner.within({"list", "str", "bytes", "tuple", "range"})
            return Shape(owner.types, owner.items) if sliced else None
        if owner.within({"dict"}):
            return owner.values
        if not owner.within({"list", "tuple", "str", "bytes", "range"}):
            return None
        number = place.value if isinstance(place, cst.Index) else None
        if owner.parts is not None and isinstance(number, cst.Integer):
            index = int(number.value, 0)
            return owner.parts[index] if index < len(owner.parts) else None
        return items_of(owner)

    def _read_call(self, node: cst.Call) -> Shape | None:
        given = [self.of(argument.value) for argument in node.args if argument.keyword is None]
        if any(argument.star for argument in node.args):
            return None
        if isinstance(node.func, cst.Name):
            return self._function_result(node, given)
        if not isinstance(node.func, cst.Attribute):
            return None
        method = node.func.attr.value
        if self._around.module(node.func.value, self._scope) == "math":
            return tables.MATH.get(method)
        owner = self.of(node.func.value)
        return self._method_result(owner, method, given)

    def _function_result(self, node: cst.Call, given: Sequence[Shape | None]) -> Shape | None:
        name = self.builtin(node.func)
        if name is None or name not in tables.FUNCTIONS:
            return self._own_result(node.func)
        named = {one.keyword.value for one in node.args if one.keyword is not None}
        if not named <= {"key", "reverse"} or not (given or name in _NULLARY):
            return None
        return tables.FUNCTIONS[name](given)

    def _own_result(self, function: cst.CSTNode) -> Shape | None:
        """The recorded result of a call of the function itself."""
        mine = self._scope.function.name.value
        recursive = isinstance(function, cst.Name) and function.value == mine
        if recursive and mine not in self._scope.bindings and self._facts.result.types:
            return self._facts.result
        return None

    def builtin(self, function: cst.CSTNode) -> str | None:
        """The name of the built-in that an expression surely is."""
        if not isinstance(function, cst.Name) or function.value in self._scope.bindings:
            return None
        return None if self._around.shadows(function.value) else function.value

    def _method_result(
        self, owner: Shape | None, method: str, given: Sequence[Shape | None]
    ) -> Shape | None:
        if owner is None or not owner.types <= BUILTIN:
            return None
        results = [self._result_of(kind, owner, method, given) for kind in owner.types]
        # A built-in type without the method raises: it gives no value.
        return common(results)

    def _result_of(
        self, kind: str, owner: Shape, method: str, given: Sequence[Shape | None]
    ) -> Shape | None:
        if kind == "str":
            return tables.STR_METHODS.get(method)
        if kind == "dict" and method == "get" and given:
            return join(owner.values, given[1] if len(given) > 1 else NONE)
        if method == "pop" and kind in {"list", "set"}:
            return items_of(owner)
        found = tables.METHODS.get(kind, {}).get(method)
        return found(owner) if found else _no_result(kind)


def _no_result(kind: str) -> Shape | None:
    """What calling a method that isn't in the tables gives: nothing, where there is none."""
    return EMPTY if kind in _WITHOUT_METHODS else None


def _held(shape: Shape | None) -> Shape | None:
    """A shape as an element: what a container inside a container holds isn't followed."""
    if shape is None or shape.hashable or not shape.types & {"list", "set", "dict", "tuple"}:
        return shape
    return Shape(shape.types)


def _unpacked(binding: Binding, whole: Shape | None) -> Shape | None:
    """The shape of one name of `a, (b, c) = whole`."""
    steps = path(binding.target, binding.node)
    for index in steps or ():
        if whole is None:
            return None
        if not whole.types:
            return EMPTY
        exact = whole.parts is not None and index < len(whole.parts)
        whole = whole.parts[index] if exact and whole.parts else items_of(whole)
    return whole if steps is not None else None


def _deep(shape: Shape | None, depth: int) -> bool:
    if shape is None:
        return False
    inner = (shape.items, shape.values, *(shape.parts or ()))
    return depth == 0 or any(_deep(one, depth - 1) for one in inner)


_NULLARY = frozenset({"list", "dict", "set", "tuple", "str", "int", "float", "bool", "frozenset"})
_WITHOUT_METHODS = frozenset({"int", "bool", "float", "NoneType"})  # but those of numbers
_SHRINKING = frozenset({"pop", "remove", "clear", "sort", "reverse", "discard", "popitem"})
_COMPREHENSIONS: dict[type[cst.CSTNode], str] = {
    cst.ListComp: "list",
    cst.SetComp: "set",
    cst.GeneratorExp: "generator",
}
_READERS: dict[type[cst.CSTNode], Callable[[Types, Any], Shape | None]] = {
    cst.Name: Types._read_name,
    cst.SimpleString: Types._read_string,
    cst.ConcatenatedString: Types._read_concatenated,
    cst.List: Types._read_list,
    cst.Set: Types._read_set,
    cst.Tuple: Types._read_tuple,
    cst.Dict: Types._read_dict,
    cst.ListComp: Types._read_comp,
    cst.SetComp: Types._read_comp,
    cst.GeneratorExp: Types._read_comp,
    cst.DictComp: Types._read_dictcomp,
    cst.BinaryOperation: Types._read_binary,
    cst.UnaryOperation: Types._read_unary,
    cst.BooleanOperation: Types._read_boolean,
    cst.IfExp: Types._read_choice,
    cst.NamedExpr: Types._read_walrus,
    cst.Attribute: Types._read_attribute,
    cst.Subscript: Types._read_subscript,
    cst.Call: Types._read_call,
}
