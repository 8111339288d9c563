"""Count by `range` instead of by hand."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import own, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import Region, guarded, regions, used_after
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Replacement,
    Rule,
    Target,
    Tier,
    assigned,
    body_of,
    neighbour,
    rewrite,
    says,
)
from perftrace.optimizer.facts import Facts


class WhileCounter(Rule):
    """Count by `range`.

    Matches: `i = 0` directly before `while i < end:` (also `<=`) whose last statement is `i += 1`.

    Sound when: `i` and `end` are exactly ints on the recorded types; nothing in the loop changes
    `end` or binds `i` otherwise; there is no `continue` of this loop; `i` is not used after it
    and no inner function sees it.

    Faster because: `range` counts in C, and the end is looked at once.
    """

    name = "while-counter"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per loop."""
        for region in regions(target):
            loop = region.node
            found = _counted(region, loop) if isinstance(loop, cst.While) else None
            if found is None or not isinstance(loop, cst.While):
                continue
            line, index, start, end = found
            body = body_of(loop)
            assert isinstance(loop.body, cst.IndentedBlock)
            rest = [one for one in loop.body.body if one is not body[-1]]
            numbers = f"range({end})" if start == "0" else f"range({start}, {end})"
            new = cst.For(
                target=cst.Name(index),
                iter=cst.parse_expression(numbers),
                body=loop.body.with_changes(body=rest),
                leading_lines=[*getattr(line, "leading_lines", ()), *loop.leading_lines],
            )
            changes: dict[cst.CSTNode, Replacement] = {line: cst.RemoveFromParent(), loop: new}
            why = f"The loop counts `{index}` by hand: `range` does it in C."
            yield Proposal(rewrite(target.function, changes), why + evidence(facts, loop.test))


def _counted(region: Region, loop: cst.While) -> tuple[cst.CSTNode, str, str, str] | None:
    """The line before, the counter, where it starts, and where it ends."""
    target, line, body = region.target, neighbour(region.target, loop, -1), body_of(loop)
    pair = assigned(line)
    if pair is None or line is None or loop.orelse or len(body) < 2 or guarded(target, loop):
        return None
    index, start = pair
    types = target.analysis.types
    fits = types.known(start, "int") and isinstance(start, cst.Integer | cst.Name)
    if not fits or not says(body[-1], f"{index} += 1") or _commented(body[-1]):
        return None
    end = _end(region, loop, index)
    if end is None or not _only_counts(target, loop, index) or not target.offers("range"):
        return None
    return line, index, text(start), end


def _commented(line: cst.CSTNode) -> bool:
    return any(one.comment for one in getattr(line, "leading_lines", ()))


def _end(region: Region, loop: cst.While, index: str) -> str | None:
    """The end for `range`: `n` of `i < n`, `n + 1` of `i <= n`."""
    match loop.test:
        case cst.Comparison(
            left=cst.Name(value=name),
            comparisons=[cst.ComparisonTarget(operator=sign, comparator=end)],
        ) if name == index:
            analysis = region.target.analysis
            steady = analysis.safety.safe(end) and region.keeps(end)
            if not steady or not analysis.types.known(end, "int"):
                return None
            if isinstance(sign, cst.LessThan):
                return text(end)
            return f"{text(end)} + 1" if isinstance(sign, cst.LessThanEqual) else None
        case _:
            return None


def _only_counts(target: Target, loop: cst.While, index: str) -> bool:
    """Whether the counter is bound before and at the end of the loop, and nowhere else in it."""
    scope = target.analysis.scope
    inside = {id(one) for one in own(loop)}
    binds = sum(id(one.node) in inside for one in scope.bindings[index])
    if binds != 1 or not scope.plain(index) or used_after(target, index, loop):
        return False
    return not any(_goes_on(one) for one in body_of(loop))


def _goes_on(node: cst.CSTNode) -> bool:
    """Whether there is a `continue` of the loop that the statement is in."""
    if isinstance(node, cst.Continue):
        return True
    if isinstance(node, cst.For | cst.While | cst.FunctionDef | cst.ClassDef):
        return False
    return any(_goes_on(child) for child in node.children)
