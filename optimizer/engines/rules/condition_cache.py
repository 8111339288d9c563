"""Compute the costly part of a loop's condition again only where it may have changed."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.scope import How
from perftrace.optimizer.analysis.tree import key, own, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import guarded
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Replacement,
    Rule,
    Target,
    Tier,
    before,
    body_of,
    rewrite,
    statement,
)
from perftrace.optimizer.facts import Facts

_WORTH = (cst.Call, cst.BinaryOperation)
_CHEAP = (cst.Add, cst.Subtract)


class ConditionCache(Rule):
    """Compute part of a `while` condition again only where what it depends on is assigned.

    Matches: `while i <= n ** 0.5:` or `while i <= int(math.sqrt(n)):` where `n` is assigned as
    the last thing of a round, in some rounds only.

    Sound when: on the recorded exact types the expression runs built-in code only; its names are
    ints, floats or strings, which nothing can change; each assignment of them in the loop is the
    last statement of its round, so that the expression is computed at the same moments as before,
    and an error of it comes at the same moment.

    Faster because: rounds that leave `n` alone don't compute it.
    """

    name = "condition-cache"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per expression."""
        for loop in target.find(cst.While):
            assert isinstance(loop, cst.While)
            if loop.orelse or guarded(target, loop):
                continue
            node = next(filter(lambda one: _costly(target, loop, one), _first(loop.test)), None)
            if node is None:
                continue
            lines = _assignments(target, loop, node)
            if not lines:
                continue
            name = target.local("limit")
            again = f"{name} = {text(node)}"
            after: dict[cst.CSTNode, Replacement] = {line: _followed(again) for line in lines}
            changes = {**after, node: cst.Name(name), loop: before([again])}
            why = f"`{text(node)}` changes in some rounds only: compute it there."
            yield Proposal(rewrite(target.function, changes), why + evidence(facts, node))


def _followed(code: str) -> Replacement:
    return lambda updated: cst.FlattenSentinel([updated, statement(code)])


def _first(test: cst.BaseExpression) -> list[cst.BaseExpression]:
    """The expressions that are computed whenever the condition is tested, outer ones first."""
    if isinstance(test, cst.BooleanOperation):
        test = test.left
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return []
    sides = [test.comparisons[0].comparator, test.left]
    return [one for side in sides for one in own(side) if isinstance(one, _WORTH)]


def _costly(target: Target, loop: cst.While, node: cst.BaseExpression) -> bool:
    analysis = target.analysis
    names = {one.value for one in own(node) if isinstance(one, cst.Name)}
    plain = {one for one in names if one in analysis.scope.bindings}
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, _CHEAP):
        return False
    fixed = all(analysis.types.known(cst.Name(one), "int", "float", "str") for one in plain)
    local = bool(plain) and all(analysis.scope.plain(one) for one in plain)
    rebinds = any(isinstance(one, cst.NamedExpr) for one in own(loop.test))
    return local and fixed and analysis.purity.pure(node) and not rebinds


def _assignments(
    target: Target, loop: cst.While, node: cst.BaseExpression
) -> list[cst.CSTNode] | None:
    """The lines of the loop that assign a name of the expression: each the last of its round."""
    scope = target.analysis.scope
    names = {one.value for one in own(node) if isinstance(one, cst.Name)}
    inside = {id(one) for one in own(loop)}
    bindings = [
        binding
        for name in names
        for binding in scope.bindings.get(name, ())
        if id(binding.node) in inside
    ]
    lines = {id(line): line for line in _last_lines(body_of(loop))}
    found: dict[int, cst.CSTNode] = {}
    for binding in bindings:
        line = scope.statement_of(binding.node)
        if binding.how not in {How.ASSIGNED, How.AUGMENTED} or id(line) not in lines:
            return None
        found[id(line)] = line
    always = body_of(loop)[-1] if body_of(loop) else None
    if not bindings or any(line is always for line in found.values()):
        return None  # it changes in every round
    return [] if key(node) == key(loop.test) else list(found.values())


def _last_lines(body: list[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    """The statements that are the last of a round, whichever way it takes."""
    if not body:
        return
    last = body[-1]
    while isinstance(last, cst.If):
        yield from _last_lines(body_of(last))
        if isinstance(last.orelse, cst.Else):
            block = last.orelse.body
            yield from _last_lines(list(block.body) if isinstance(block, cst.IndentedBlock) else [])
            return
        if last.orelse is None:
            return
        last = last.orelse
    yield last
