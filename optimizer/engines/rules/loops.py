"""Code that runs many times: loops and comprehensions, and what stays the same in them."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import libcst as cst

from perftrace.optimizer.analysis.effects import DEEP, Effects
from perftrace.optimizer.analysis.purity import clauses
from perftrace.optimizer.analysis.scope import How
from perftrace.optimizer.analysis.tree import COMPREHENSIONS, LOOPS, Loop, own
from perftrace.optimizer.engines.rules.rule import Target

# Built-ins that use up a generator expression before they return.
EAGER = frozenset(
    {"sum", "any", "all", "sorted", "list", "set", "frozenset", "tuple", "dict", "min", "max"}
)
_PAUSES = (cst.Yield, cst.Await, cst.With, cst.Global, cst.Nonlocal)


@dataclass(frozen=True)
class Region:
    """One loop or comprehension, and the statement in front of which code can be hoisted."""

    target: Target
    node: cst.CSTNode
    statement: cst.CSTNode

    @cached_property
    def effects(self) -> Effects:
        """What one run of the loop may change; for a comprehension, of its whole statement."""
        changed = self.node if isinstance(self.node, LOOPS) else self.statement
        return self.target.analysis.stability.effects(changed)

    @cached_property
    def parts(self) -> Sequence[cst.CSTNode]:
        """What is evaluated again and again."""
        node = self.node
        if isinstance(node, cst.For):
            return [node.body]
        if isinstance(node, cst.While):
            return [node.test, node.body]
        return _repeated(node)

    @cached_property
    def iterated(self) -> cst.BaseExpression | None:
        """What it loops over; None for `while`."""
        if isinstance(self.node, cst.For):
            return self.node.iter
        return self.node.for_in.iter if isinstance(self.node, cst.BaseComp) else None

    def nodes(self) -> Iterator[cst.CSTNode]:
        """Everything that is evaluated again and again, outermost nodes first."""
        for part in self.parts:
            yield from own(part)

    def keeps(self, node: cst.BaseExpression, level: int = DEEP) -> bool:
        """Whether the expression has one value during the whole loop."""
        return self.target.analysis.stability.stable(node, self.effects, level)

    def seems_to_keep(self, name: cst.Name) -> bool:
        """Whether it has, if neither calls nor objects that no name stands for change it.

        That is for the recorded calls to show. Nobody else may run meanwhile, as at a `yield`.
        """
        if any(isinstance(node, _PAUSES) for node in own(self.node)):
            return False
        named = tuple(one for one in self.effects.changes if one.name is not None)
        effects = replace(self.effects, changes=named, unknown=False)
        return self.target.analysis.stability.stable(name, effects)


def _repeated(node: cst.CSTNode) -> list[cst.CSTNode]:
    assert isinstance(node, cst.BaseComp)
    made = [node.key, node.value] if isinstance(node, cst.DictComp) else [node.elt]  # type: ignore[attr-defined]
    found: list[cst.CSTNode] = [*made]
    for index, clause in enumerate(clauses(node)):  # type: ignore[arg-type]
        found += [condition.test for condition in clause.ifs]
        if index:
            found.append(clause.iter)
    return found


@functools.lru_cache(maxsize=4)
def regions(target: Target) -> list[Region]:
    """The loops of a function, outer ones before the ones inside them."""
    found = []
    for node in target.find(*LOOPS, *COMPREHENSIONS):
        if isinstance(node, LOOPS):
            if not (isinstance(node, cst.For) and node.asynchronous):
                found.append(Region(target, node, node))
        elif _hoistable(target, node):
            found.append(Region(target, node, target.analysis.scope.statement_of(node)))
    return found


def _hoistable(target: Target, node: cst.CSTNode) -> bool:
    """Whether what a comprehension repeats can be computed once in front of its statement."""
    scope = target.analysis.scope
    statement = scope.statement_of(node)
    if isinstance(node, cst.GeneratorExp) and not consumed(target, node):
        return False
    inner = node
    for outer in scope.above(node):
        if isinstance(outer, COMPREHENSIONS) and outer.for_in.iter is not inner:
            return False
        if isinstance(outer, cst.While | cst.ExceptHandler | cst.Finally):
            return False
        if outer is statement:
            break
        inner = outer
    return isinstance(statement, cst.SimpleStatementLine | cst.For | cst.If)


def consumed(target: Target, node: cst.CSTNode) -> bool:
    """Whether a generator expression is used up at once by a built-in or by `str.join`."""
    scope, types = target.analysis.scope, target.analysis.types
    argument = scope.parents[node]
    call = scope.parents.get(argument)
    if not isinstance(argument, cst.Arg) or not isinstance(call, cst.Call):
        return False
    if types.builtin(call.func) in EAGER:
        return True
    joins = isinstance(call.func, cst.Attribute) and call.func.attr.value == "join"
    return joins and isinstance(call.func, cst.Attribute) and types.known(call.func.value, "str")


def loops_of(target: Target) -> Iterator[Loop]:
    """The `for` and `while` statements of a function, outer ones first."""
    for node in target.find(*LOOPS):
        if isinstance(node, LOOPS):
            yield node


def around(target: Target, node: cst.CSTNode) -> Iterator[Region]:
    """The loops that a node is in, outer ones first."""
    above = {id(one) for one in target.analysis.scope.above(node)}
    for region in regions(target):
        if any(id(part) in above or part is node for part in region.parts):
            yield region


def outermost(
    target: Target, node: cst.CSTNode, needed: cst.BaseExpression | None = None
) -> Region | None:
    """The outermost loop around a node in which it, or what it needs, stays the same."""
    steady = node if needed is None else needed
    assert isinstance(steady, cst.BaseExpression)
    return next((region for region in around(target, node) if region.keeps(steady)), None)


def used_after(target: Target, name: str, loop: cst.CSTNode) -> bool:
    """Whether the name may be read after the loop with the value that the loop gave it."""
    scope = target.analysis.scope
    deleted = any(isinstance(scope.parents.get(one.node), cst.Del) for one in scope.bindings[name])
    if not scope.plain(name) or deleted:
        return True
    outer = [node for node in scope.above(loop) if isinstance(node, LOOPS)]
    repeated = {id(node) for one in outer for node in own(one)}
    for load in scope.loads_outside(name, loop):
        later = scope.order[load] > scope.order[loop] or id(load) in repeated
        if later and not _rebound(target, name, load):
            return True
    return False


def _rebound(target: Target, name: str, load: cst.Name) -> bool:
    """Whether a loop around this mention gives the name its value anew."""
    scope = target.analysis.scope
    inside = set(map(id, scope.above(load)))
    for binding in scope.bindings[name]:
        if binding.how is How.ITERATED:
            loop = scope.parents[binding.node]
            while not isinstance(loop, cst.For | cst.CompFor):
                loop = scope.parents[loop]
            owner = loop if isinstance(loop, cst.For) else scope.parents[loop]
            if isinstance(loop, cst.For) and any(load is one for one in own(loop.iter)):
                continue
            if id(owner) in inside:
                return True
    return False


def guarded(target: Target, node: cst.CSTNode) -> bool:
    """Whether a `try` is around it, so that a half-done loop could be seen."""
    return any(isinstance(one, cst.Try | cst.TryStar) for one in target.analysis.scope.above(node))
