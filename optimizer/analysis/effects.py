"""What a piece of code may change, and which expressions stay the same while it runs."""

import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from perftrace.optimizer.analysis import tables
from perftrace.optimizer.analysis.contents import escapes
from perftrace.optimizer.analysis.inference import Types
from perftrace.optimizer.analysis.scope import How, Scope
from perftrace.optimizer.analysis.surroundings import Surroundings
from perftrace.optimizer.analysis.tree import COMPREHENSIONS, children, own
from perftrace.optimizer.shapes import ITERABLE, Shape, items_of

REFERENCE, SHALLOW, DEEP = range(3)  # how much of a value an expression depends on

_CHANGING = frozenset().union(*tables.MUTATORS.values())
# Calls that change none of the program's objects. Special methods that they may run (`__len__`,
# `__lt__`, …) and operators are taken to change nothing but the object itself.
_HARMLESS = frozenset(tables.FUNCTIONS) | {"print", "type", "hash", "id", "callable", "format"}
_HARMLESS_MODULES = frozenset({"math", "re", "collections", "string"})
_FRESH = (*COMPREHENSIONS, cst.List, cst.Dict, cst.Set, cst.FormattedString, cst.Comparison)
_FRESH_CALLS = frozenset({"list", "dict", "set", "sorted", "tuple", "frozenset", "str", "len"})


@dataclass(frozen=True, slots=True)
class Change:
    """An object that is changed: the name it is reached by, if any, and its exact types."""

    name: str | None
    shape: Shape | None


@dataclass(frozen=True, slots=True)
class Effects:
    """What a region of code may change."""

    bound: frozenset[str]  # names that get another value
    changes: tuple[Change, ...]  # containers changed in place
    attributes: frozenset[str]  # attribute names that are set on any object
    unknown: bool  # runs code that is not seen here


class Stability:
    """Answers what stays the same while a region runs."""

    def __init__(self, scope: Scope, around: Surroundings, types: Types) -> None:
        self._scope = scope
        self._around = around
        self._types = types

    def effects(self, *regions: cst.CSTNode) -> Effects:
        """What these pieces of code may change."""
        bound: set[str] = set()
        changes: list[Change] = []
        attributes: set[str] = set()
        unknown = False
        for region in regions:
            bound |= self._scope.bound_in(region)
            for node in own(region):
                changes.extend(self._changed(node))
                if isinstance(node, cst.Attribute) and self._is_target(node):
                    attributes.add(node.attr.value)
                unknown = unknown or self._is_unknown(node)
        return Effects(frozenset(bound), tuple(changes), frozenset(attributes), unknown)

    def stable(self, node: cst.BaseExpression, effects: Effects, level: int = DEEP) -> bool:
        """Whether the expression has the same value each time while this happens."""
        return all(self._steady(part, depth, effects) for part, depth in _needs(node, level))

    def fresh(self, name: str) -> bool:
        """Whether every value of the name is an object made by this function on the spot."""
        bindings = self._scope.bindings.get(name, [])
        return self._scope.local(name) and all(
            one.how is How.ASSIGNED and one.value is not None and self._makes(one.value)
            for one in bindings
            if one.how is not How.AUGMENTED
        )

    def private(self, name: str) -> bool:
        """Whether no other code and no other name can reach the name's object."""
        return self.fresh(name) and not escapes(self._scope, name)

    # --- changes ----------------------------------------------------------------------------

    def _changed(self, node: cst.CSTNode) -> Iterator[Change]:
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
            if node.func.attr.value in _CHANGING:
                yield self._change(node.func.value)
        elif isinstance(node, cst.Subscript) and self._is_target(node):
            yield self._change(node.value)
        elif isinstance(node, cst.AugAssign) and isinstance(node.target, cst.Name):
            shape = self._types.of(node.target)
            if shape is None or not shape.hashable:
                yield self._change(node.target)

    def _change(self, owner: cst.BaseExpression) -> Change:
        name = owner.value if isinstance(owner, cst.Name) else None
        return Change(name, self._types.of(owner))

    def _is_target(self, node: cst.CSTNode) -> bool:
        parent = self._scope.parents[node]
        if isinstance(parent, cst.AugAssign | cst.AnnAssign | cst.For | cst.CompFor):
            return parent.target is node
        if isinstance(parent, cst.Element):
            above = self._scope.parents[parent]
            return isinstance(above, cst.Tuple | cst.List) and self._is_target(above)
        return isinstance(parent, cst.AssignTarget | cst.Del | cst.AsName)

    def _is_unknown(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Yield | cst.Await | cst.With | cst.Global | cst.Nonlocal):
            return True
        if isinstance(node, cst.For | cst.CompFor):
            return not self._iterates_plainly(node.iter)
        return isinstance(node, cst.Call) and not self._is_harmless(node)

    def _iterates_plainly(self, node: cst.CSTNode) -> bool:
        """Whether taking the next item runs no generator and no user's iterator."""
        if isinstance(node, cst.Call) and self._types.builtin(node.func) in tables.LAZY:
            return all(self._iterates_plainly(argument.value) for argument in node.args)
        shape = self._types.of(node)
        return shape is not None and "generator" not in shape.types and shape.types <= ITERABLE

    def _calls_back(self, argument: cst.Arg) -> bool:
        given = argument.keyword is not None and argument.keyword.value == "key"
        return given and self._types.builtin(argument.value) is None

    def _is_harmless(self, call: cst.Call) -> bool:
        if any(self._calls_back(argument) for argument in call.args):
            return False
        named = self._types.builtin(call.func)
        if named is not None:
            return named in _HARMLESS or _is_exception(named)
        if not isinstance(call.func, cst.Attribute):
            origin = self._around.origin(call.func, self._scope) or ""
            return origin.partition(".")[0] in _HARMLESS_MODULES
        if self._around.module(call.func.value, self._scope) in _HARMLESS_MODULES:
            return True
        owner, method = self._types.of(call.func.value), call.func.attr.value
        if owner is None or not owner.types:
            return False
        return all(_is_method(kind, method) for kind in owner.types)

    def _makes(self, value: cst.BaseExpression) -> bool:
        """Whether evaluating this gives a new object, or one that cannot change."""
        if isinstance(value, _FRESH):
            return True
        shape = self._types.of(value)
        if shape is not None and shape.types and shape.hashable:
            return True
        if isinstance(value, cst.Call):
            made = self._types.builtin(value.func) in _FRESH_CALLS
            origin = self._around.origin(value.func, self._scope) or ""
            return made or origin.startswith("collections.") or self._copies(value)
        sliced = isinstance(value, cst.Subscript) and isinstance(value.slice[0].slice, cst.Slice)
        added = isinstance(value, cst.BinaryOperation)
        return (sliced or added) and shape is not None and shape.within({"list", "str"})

    def _copies(self, call: cst.Call) -> bool:
        if not isinstance(call.func, cst.Attribute):
            return False
        method, owner = call.func.attr.value, call.func.value
        return (method == "copy" and self._types.known(owner, "list", "dict", "set")) or (
            method in tables.STR_METHODS and self._types.known(owner, "str")
        )

    # --- stability --------------------------------------------------------------------------

    def _steady(self, node: cst.CSTNode, level: int, effects: Effects) -> bool:
        shape = self._types.of(node)
        fixed = shape is not None and bool(shape.types) and shape.hashable
        if isinstance(node, cst.Attribute):
            if self._around.origin(node, self._scope):
                return True
            kept = node.attr.value not in effects.attributes and not effects.unknown
            return kept and (
                fixed or level == REFERENCE or self._untouched(None, shape, level, effects)
            )
        assert isinstance(node, cst.Name)
        name = node.value
        if name in effects.bound or name in self._scope.outer:
            return False
        if name not in self._scope.bindings:
            return self._steady_global(name)
        if fixed or level == REFERENCE:
            return True
        return self._untouched(name, shape, level, effects)

    def _steady_global(self, name: str) -> bool:
        known = name in self._around.constants or name in self._around.imports
        return known or not self._around.shadows(name)

    def _untouched(
        self, name: str | None, shape: Shape | None, level: int, effects: Effects
    ) -> bool:
        """Whether nothing changes what the object holds, as deep as it matters."""
        private = name is not None and self.private(name)
        if effects.unknown and not private:
            return False
        items = items_of(shape)
        flat = level == SHALLOW or (items is not None and items.hashable and shape is not None)
        if shape is not None and "dict" in shape.types and level == DEEP:
            flat = flat and shape.values is not None and shape.values.hashable
        return all(
            self._apart(change, name, shape, alone=private and flat, flat=flat)
            for change in effects.changes
        )

    def _apart(
        self, change: Change, name: str | None, shape: Shape | None, *, alone: bool, flat: bool
    ) -> bool:
        """Whether a change is surely made to another object than this one and its parts."""
        if change.name is not None and change.name == name:
            return False
        if alone:
            return True
        touched = change.shape.types if change.shape is not None else None
        if touched and shape is not None and flat and touched.isdisjoint(shape.types):
            return True
        if change.name is None or not self.fresh(change.name):
            return False
        # A new object can be a part of this one only if it was put there.
        kept = escapes(self._scope, change.name)
        if name is None:
            return not kept
        apart = self._from_outside(name) or self.fresh(name)
        return apart and (flat or not kept)

    def _from_outside(self, name: str) -> bool:
        return all(one.how is How.PARAMETER for one in self._scope.bindings.get(name, ()))


def _needs(node: cst.CSTNode, level: int) -> Iterator[tuple[cst.CSTNode, int]]:
    """The names and attributes an expression depends on, and how much of their values."""
    match node:
        case cst.Name():
            yield node, level
        case cst.Attribute(value=owner):
            yield node, level
            yield from _needs(owner, REFERENCE)
        case cst.Subscript(value=owner, slice=places):
            yield from _needs(owner, max(SHALLOW, level))
            for place in places:
                yield from _needs(place, DEEP)
        case cst.Call(func=func, args=arguments):
            yield from _needs_of_call(func, arguments)
        case cst.Comparison(left=left, comparisons=targets):
            identity = all(isinstance(one.operator, cst.Is | cst.IsNot) for one in targets)
            for operand in (left, *(one.comparator for one in targets)):
                yield from _needs(operand, REFERENCE if identity else DEEP)
        case _:
            yield from _needs_within(node)


def _needs_within(node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, int]]:
    mine = set()
    if isinstance(node, COMPREHENSIONS):
        mine = {one.value for one in own(node) if isinstance(one, cst.Name)} & _targets(node)
    for child in children(node):
        for part, level in _needs(child, DEEP):
            if not (isinstance(part, cst.Name) and part.value in mine):
                yield part, level


def _needs_of_call(
    func: cst.BaseExpression, arguments: Sequence[cst.Arg]
) -> Iterator[tuple[cst.CSTNode, int]]:
    named = func.value if isinstance(func, cst.Name) else None
    if isinstance(func, cst.Attribute):
        yield from _needs(func.value, DEEP)
    else:
        yield from _needs(func, REFERENCE)
    level = {"len": SHALLOW, "isinstance": REFERENCE}.get(named or "", DEEP)
    for argument in arguments:
        yield from _needs(argument.value, level)


def _targets(node: cst.CSTNode) -> set[str]:
    found: set[str] = set()
    for one in own(node):
        if isinstance(one, cst.CompFor):
            found |= {part.value for part in own(one.target) if isinstance(part, cst.Name)}
    return found


def _is_method(kind: str, method: str) -> bool:
    """Whether this is a built-in method that changes at most its own object."""
    known = tables.METHODS.get(kind, {}).keys() | tables.MUTATORS.get(kind, frozenset())
    if kind == "str":
        return method in tables.STR_METHODS or method == "format"
    return method in known


def _is_exception(name: str) -> bool:
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, BaseException)
