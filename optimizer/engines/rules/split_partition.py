"""Split a string only where it is needed."""

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
    rewrite,
)
from perftrace.optimizer.facts import Facts

# Subscript -> the methods that may have split, and what gives the same part.
_FORMS = {"0": ("partition", "0"), "-1": ("rpartition", "2")}


class SplitPartition(Rule):
    """Take the first or last part of a string by `partition`.

    Matches: `s.split(sep)[0]` and `s.split(sep)[-1]`, where `sep` is a literal.

    Sound when: `s` is exactly a str and `sep` isn't empty: then both give the part before the
    first, or after the last, separator, or all of `s` where there is none.

    Faster because: the other parts are not made.
    """

    name = "split-partition"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per subscript of `split`."""
        for node in target.find(cst.Subscript):
            found = method_call(node.value, "split")
            if found is None or len(node.slice) != 1:
                continue
            owner, call = found
            form = _FORMS.get(text(node.slice[0]).strip())
            if form is None or not target.analysis.types.known(owner, "str") or not _fits(call):
                continue
            method, index = form
            new = f"{operand(owner)}.{method}({text(call.args[0].value)})[{index}]"
            function = rewrite(target.function, {node: cst.parse_expression(new)})
            why = f"`{text(node)}` makes all parts to take one."
            yield Proposal(function, why + evidence(facts, owner))


def _fits(call: cst.Call) -> bool:
    if len(call.args) != 1 or call.args[0].keyword is not None or call.args[0].star:
        return False
    separator = call.args[0].value
    literal = isinstance(separator, cst.SimpleString) and isinstance(separator.evaluated_value, str)
    return literal and bool(separator.evaluated_value)  # type: ignore[attr-defined]
