"""Add up a range by formula."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import operand, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    only_argument,
    rewrite,
)
from perftrace.optimizer.facts import Facts


class SumRange(Rule):
    """Replace the sum of a range by its formula.

    Matches: `sum(range(n))` and `sum(range(n + 1))` of a name.

    Sound when: `n` is exactly an int in all recorded calls. Below one, a range is empty and its
    sum 0, as the condition keeps it.

    Faster because: three operations instead of n.
    """

    name = "sum-range"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per sum."""
        types = target.analysis.types
        for call in target.find(cst.Call):
            ranged = only_argument(call) if types.builtin(call.func) == "sum" else None
            if not isinstance(ranged, cst.Call) or types.builtin(ranged.func) != "range":
                continue
            stop = only_argument(ranged)
            code = _formula(stop) if stop is not None and types.known(stop, "int") else None
            if code is not None and stop is not None:
                function = rewrite(target.function, {call: cst.parse_expression(code)})
                why = f"`{text(call)}` has a formula."
                yield Proposal(function, why + evidence(facts, stop))


def _formula(stop: cst.BaseExpression) -> str | None:
    match stop:
        case cst.Name(value=n):
            return f"({n} * ({n} - 1) // 2 if {n} > 0 else 0)"
        case cst.BinaryOperation(left=cst.Name(value=n), operator=cst.Add(), right=one):
            return f"({n} * ({n} + 1) // 2 if {n} > 0 else 0)" if operand(one) == "1" else None
        case _:
            return None
