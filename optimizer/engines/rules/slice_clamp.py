"""Leave the end of a slice to the slice."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import key, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, rewrite
from perftrace.optimizer.facts import Facts


class SliceClamp(Rule):
    """Slice beyond the end instead of limiting the end by the length.

    Matches: `xs[a:min(b, len(xs))]` and `xs[a:min(len(xs), b)]`.

    Sound when: `xs` is exactly a list, tuple, str or bytes and `b` exactly an int in all recorded
    calls. A slice ends at the end in any case, and a negative `b` is the smaller of the two.

    Faster because: two calls are left out.
    """

    name = "slice-clamp"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per slice."""
        for node in target.find(cst.Subscript):
            place = node.slice[0].slice if len(node.slice) == 1 else None
            if not isinstance(place, cst.Slice) or not isinstance(place.upper, cst.Call):
                continue
            if not isinstance(node.value, cst.Name) or place.step is not None:
                continue
            end = _end(target, node.value, place.upper)
            if end is not None:
                function = rewrite(target.function, {place.upper: end})
                why = f"A slice of `{node.value.value}` ends with it: nothing has to limit it."
                yield Proposal(function, why + evidence(facts, node.value))


def _end(target: Target, owner: cst.Name, call: cst.Call) -> cst.BaseExpression | None:
    """`b` of `min(b, len(owner))`."""
    types = target.analysis.types
    if types.builtin(call.func) != "min" or len(call.args) != 2:
        return None
    if any(one.star or one.keyword for one in call.args) or not target.offers("len"):
        return None
    if not types.known(owner, "list", "tuple", "str", "bytes"):
        return None
    first, second = (one.value for one in call.args)
    length = key(cst.parse_expression(f"len({text(owner)})"))
    for limit, end in ((first, second), (second, first)):
        if key(limit) == length and types.known(end, "int"):
            return end
    return None
