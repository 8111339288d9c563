"""Look up a row of a table once in front of a loop over it."""

from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from perftrace.optimizer.analysis.effects import SHALLOW
from perftrace.optimizer.analysis.tree import key, own, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import Region, regions
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Replacement,
    Rule,
    Target,
    Tier,
    before,
    rewrite,
)
from perftrace.optimizer.facts import Facts

_PAUSES = (cst.Yield, cst.Await, cst.With, cst.Global, cst.Nonlocal)


class RowHoist(Rule):
    """Look up a row once, in front of the loop over its cells.

    Matches: `rows[i][j]` in a loop that changes neither `rows` itself nor `i`: it becomes
    `row[j]`, with `row = rows[i]` in front. The cells may be changed.

    Sound when: `rows` is exactly a list or tuple in all recorded calls, nothing in the loop puts
    another row into it by this name or one that may be the same, and calls in the loop leave it
    alone, which the recorded calls show. Where the loop runs no round, `rows[i]` is looked up all
    the same: that must not raise, which is for the calls to show, too.

    Faster because: each round looks up one item less.
    """

    name = "row-hoist"
    tier = Tier.T2
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per loop, for all its rows."""
        for region in regions(target):
            rows = _rows(region) if isinstance(region.node, cst.For) else {}
            if not rows:
                continue
            lines: list[str] = []
            changes: dict[cst.CSTNode, Replacement] = {}
            for nodes in rows.values():
                name = self._name(target, nodes[0], lines)
                lines.append(f"{name} = {text(nodes[0])}")
                changes |= dict.fromkeys(nodes, cst.Name(name))
            function = rewrite(target.function, {**changes, region.node: before(lines)})
            shown = ", ".join(f"`{text(nodes[0])}`" for nodes in rows.values())
            why = f"{shown} is the same in every round of the loop: look it up once."
            yield Proposal(
                function, why + evidence(facts, *(one[0].value for one in rows.values()))
            )

    def _name(self, target: Target, node: cst.Subscript, lines: list[str]) -> str:
        owner = text(node.value)
        wanted = target.local(f"{owner}_row")
        taken = {line.partition(" = ")[0] for line in lines}
        names = (wanted if n == 1 else target.local(f"{owner}_row_{n}") for n in range(1, 9))
        return next(one for one in names if one not in taken)


def _rows(region: Region) -> dict[str, list[cst.Subscript]]:
    """The rows that stay the same in a loop, by meaning, each with where it is looked up."""
    if any(isinstance(node, _PAUSES) for node in own(region.node)):
        return {}
    found: dict[str, list[cst.Subscript]] = {}
    for node in region.nodes():
        if isinstance(node, cst.Subscript) and _is_row(region, node):
            found.setdefault(key(node), []).append(node)
    return found


def _is_row(region: Region, node: cst.Subscript) -> bool:
    parent = region.target.analysis.scope.parents[node]
    if not isinstance(parent, cst.Subscript) or parent.value is not node:
        return False
    if not isinstance(node.value, cst.Name) or len(node.slice) != 1:
        return False
    place, types = node.slice[0].slice, region.target.analysis.types
    if not isinstance(place, cst.Index) or not types.known(node.value, "list", "tuple"):
        return False
    return _counted(place.value) and region.keeps(place.value) and _keeps_rows(region, node.value)


def _counted(place: cst.BaseExpression) -> bool:
    """`i`, `0`, `i + 1`, `i - 1`."""
    if isinstance(place, cst.BinaryOperation):
        plain = isinstance(place.operator, cst.Add | cst.Subtract)
        return plain and _counted(place.left) and _counted(place.right)
    return isinstance(place, cst.Name | cst.Integer)


def _keeps_rows(region: Region, rows: cst.Name) -> bool:
    """Whether the loop leaves the table its rows, as far as names can tell."""
    analysis = region.target.analysis
    named = tuple(one for one in region.effects.changes if one.name is not None)
    if rows.value not in analysis.scope.bindings:
        return False
    effects = replace(region.effects, changes=named, unknown=False)
    return analysis.stability.stable(rows, effects, SHALLOW)
