"""Count bits without writing them out."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import operand, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    method_call,
    only_argument,
    rewrite,
)
from perftrace.optimizer.facts import Facts


class BitCount(Rule):
    """Count the ones of an integer by `bit_count`.

    Matches: `bin(n).count("1")` and `bin(n)[2:].count("1")`.

    Sound when: `n` is exactly an int in all recorded calls; the sign and the prefix `0b` hold
    no `1`, and `bit_count` counts the bits of the absolute value, as the text does.

    Faster because: no text is made.
    """

    name = "bit-count"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per count."""
        for call in target.find(cst.Call):
            found = method_call(call, "count")
            counted = only_argument(call)
            if found is None or counted is None or text(counted) not in {'"1"', "'1'"}:
                continue
            number = _number(target, found[0])
            if number is not None and target.analysis.types.known(number, "int"):
                new = cst.parse_expression(f"{operand(number)}.bit_count()")
                function = rewrite(target.function, {call: new})
                why = f"`{text(call)}` writes the number out to count its bits."
                yield Proposal(function, why + evidence(facts, number))


def _number(target: Target, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """`n` of `bin(n)` or `bin(n)[2:]`; not a literal, which cannot take a method."""
    if isinstance(node, cst.Subscript) and text(node).endswith("[2:]"):
        node = node.value
    if not isinstance(node, cst.Call) or target.analysis.types.builtin(node.func) != "bin":
        return None
    number = only_argument(node)
    return None if isinstance(number, cst.Integer) else number
