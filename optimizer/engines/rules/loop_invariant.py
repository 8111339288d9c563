"""Compute what does not change in a loop once, in front of it."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.contents import changes, leaks
from perftrace.optimizer.analysis.effects import REFERENCE
from perftrace.optimizer.analysis.tree import key, own, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import Region, regions
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    before,
    name_of,
    rewrite,
)
from perftrace.optimizer.facts import Facts

_WORTH = (cst.Call, cst.Attribute, cst.Subscript, cst.BinaryOperation, cst.BaseComp)


class LoopInvariant(Rule):
    """Compute what stays the same in a loop once.

    Matches: a call of a pure built-in, an attribute, a slice or arithmetic inside a loop or
    comprehension, whose value is the same in each round: `len(rows)`, `sorted(names)`,
    `self.rate`, `sum(xs)`, `{y for y in ys}`.

    Sound when: on the recorded exact types the expression runs built-in code only, changes
    nothing and cannot raise (the loop may run zero times); nothing in the loop binds its names
    or changes the objects it reads, under any name that they may have; the result can't be
    changed, or is only looked at. `min(xs)` and `max(xs)` may raise for no items: they are
    hoisted, with `default=None`, only out of loops over `xs` itself.

    Faster because: the work is done once instead of once a round.
    """

    name = "loop-invariant"
    tier = Tier.T1
    needs = ("types", "attributes")

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per invariant expression, out of the outermost loop that keeps it."""
        seen: set[str] = set()
        for region in regions(target):
            for node, code in _invariants(region):
                if key(node) not in seen:
                    seen.add(key(node))
                    yield self._hoist(region, node, code, facts)

    def _hoist(self, region: Region, node: cst.BaseExpression, code: str, facts: Facts) -> Proposal:
        target = region.target
        name = target.local(name_of(node))
        same = [one for one in region.nodes() if isinstance(one, type(node)) and _equal(one, node)]
        function = rewrite(
            target.function,
            {**dict.fromkeys(same, cst.Name(name)), region.statement: before([f"{name} = {code}"])},
        )
        why = f"`{text(node)}` has the same value in every round of the loop: compute it once."
        return Proposal(function, why + evidence(facts, node))


def _equal(one: cst.CSTNode, node: cst.BaseExpression) -> bool:
    return one is node or (isinstance(one, cst.BaseExpression) and key(one) == key(node))


def _invariants(region: Region) -> Iterator[tuple[cst.BaseExpression, str]]:
    """The largest invariant expressions of a loop, with the code to compute them once."""
    inside: set[int] = set()
    for node in region.nodes():
        if id(node) in inside or not isinstance(node, _WORTH) or not _read_only(region, node):
            continue
        code = _code(region, node)
        if code is not None and _worth(node) and region.keeps(node, _level(node)):
            inside.update(id(one) for one in own(node))
            yield node, code


def _level(node: cst.BaseExpression) -> int:
    return REFERENCE if isinstance(node, cst.Attribute) else 2


def _code(region: Region, node: cst.BaseExpression) -> str | None:
    if region.target.analysis.safety.safe(node):
        return text(node)
    if not isinstance(node, cst.Call) or len(node.args) != 1:
        return None
    named = region.target.analysis.types.builtin(node.func)
    argument = node.args[0].value
    iterated = region.iterated
    if named not in {"min", "max"} or not isinstance(argument, cst.Name) or iterated is None:
        return None
    over = key(iterated) in _loops_over(argument.value)
    if over and region.target.analysis.purity.pure(node):
        return f"{named}({argument.value}, default=None)"
    return None


def _loops_over(name: str) -> set[str]:
    forms = ("{}", "enumerate({})", "range(len({}))")
    return {key(cst.parse_expression(form.format(name))) for form in forms}


def _worth(node: cst.BaseExpression) -> bool:
    """Whether computing it costs more than reading a name: not `-1`, not `1 + 1`."""
    if isinstance(node, cst.BinaryOperation):
        return any(isinstance(one, cst.Name | cst.Call | cst.Attribute) for one in own(node))
    return not (isinstance(node, cst.Call) and not node.args and isinstance(node.func, cst.Name))


def _read_only(region: Region, node: cst.BaseExpression) -> bool:
    """Whether all rounds can share one result."""
    analysis = region.target.analysis
    parent = analysis.scope.parents[node]
    if isinstance(parent, cst.AssignTarget | cst.AugAssign | cst.Del) and parent.target is node:
        return False
    if isinstance(node, cst.Attribute):
        called = isinstance(parent, cst.Call) and parent.func is node
        return not called
    shape = analysis.types.of(node)
    if shape is None or isinstance(node, cst.GeneratorExp):
        return False
    if shape.types and shape.hashable:
        return True
    shared = shape.within({"list", "dict", "set", "tuple", "frozenset"})
    return shared and not leaks(analysis.scope, node) and not changes(analysis.scope, node)
