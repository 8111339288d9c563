"""Collect the pieces of a string and join them once."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import Loop, own, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import guarded, loops_of
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Replacement,
    Rule,
    Target,
    Tier,
    assigned,
    block_of,
    mentions,
    rewrite,
    statement,
)
from perftrace.optimizer.facts import Facts


class StringJoin(Rule):
    """Join the pieces of a string at the end.

    Matches: `s = ""`, later in the same block a loop with `s += piece`, where the loop does
    nothing else with `s`.

    Sound when: every piece is exactly a `str` on the recorded types; nothing mentions `s`
    between the two statements, no `try` is around, and no inner function sees `s`.

    Faster because: repeated concatenation can copy the whole string each time; `join` copies
    each piece once.
    """

    name = "string-join"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per string and loop."""
        for loop in loops_of(target):
            if guarded(target, loop):
                continue
            for name, start in _started(target, loop):
                additions = _additions(target, loop, name)
                if additions is not None:
                    yield self._joined(target, loop, name, start, additions, facts)

    def _joined(
        self,
        target: Target,
        loop: Loop,
        name: str,
        start: cst.CSTNode,
        additions: dict[cst.CSTNode, cst.BaseExpression],
        facts: Facts,
    ) -> Proposal:
        pieces = target.local(f"{name}_parts")
        found = assigned(start)
        first = text(found[1]) if found and found[1].evaluated_value else ""  # type: ignore[attr-defined]
        replacements: dict[cst.CSTNode, Replacement] = {
            node: cst.Expr(cst.parse_expression(f"{pieces}.append({text(piece)})"))
            for node, piece in additions.items()
        }
        replacements[start] = statement(f"{pieces} = [{first}]", start)
        replacements[loop] = lambda updated: cst.FlattenSentinel(
            [updated, statement(f'{name} = "".join({pieces})')]
        )
        why = f"`{name}` grows piece by piece: collect the pieces and join them once."
        function = rewrite(target.function, replacements)
        return Proposal(function, why + evidence(facts, *additions.values()))


def _started(target: Target, loop: Loop) -> Iterator[tuple[str, cst.CSTNode]]:
    """Names that a line before the loop sets to a string literal and nothing uses in between."""
    block = list(block_of(target, loop))
    for index in range(block.index(loop) - 1, -1, -1):
        found = assigned(block[index])
        if found is None or not isinstance(found[1], cst.SimpleString):
            continue
        name, value = found
        between = block[index + 1 : block.index(loop)]
        quiet = not any(mentions(node, name) for node in between)
        if (
            quiet
            and target.analysis.scope.plain(name)
            and target.analysis.types.known(value, "str")
        ):
            yield name, block[index]


def _additions(
    target: Target, loop: Loop, name: str
) -> dict[cst.CSTNode, cst.BaseExpression] | None:
    """The statements `name += piece` of a loop that does nothing else with the name."""
    found: dict[cst.CSTNode, cst.BaseExpression] = {}
    allowed: set[int] = set()
    for node in own(loop.body):
        is_addition = isinstance(node, cst.AugAssign) and isinstance(node.operator, cst.AddAssign)
        if is_addition and isinstance(node, cst.AugAssign) and text(node.target) == name:
            if not target.analysis.types.known(node.value, "str"):
                return None
            found[node] = node.value
            allowed.add(id(node.target))
    mentioned = [one for one in own(loop) if isinstance(one, cst.Name) and one.value == name]
    only = all(id(one) in allowed for one in mentioned)
    return found if found and only else None
