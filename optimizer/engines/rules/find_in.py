"""Test for a part of a text without asking where it is."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import operand, text
from perftrace.optimizer.engines.rules.chains import in_place_of
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

_FOUND = {("!=", "-1"): True, (">=", "0"): True, (">", "-1"): True, ("==", "-1"): False}
_FOUND |= {("<", "0"): False}


class FindIn(Rule):
    """Use `in` where only whether a text is there counts.

    Matches: `s.find(t) != -1`, `== -1`, `>= 0`, `< 0`, `> -1`.

    Sound when: `s` and `t` are exactly str in all recorded calls (or both bytes): `in` searches as
    `find` does, and both give a bool.

    Faster because: no method is looked up and called, and no number made and compared.
    """

    name = "find-in"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per test."""
        for node in target.find(cst.Comparison):
            found = method_call(node.left, "find")
            part = only_argument(found[1]) if found is not None else None
            if found is None or part is None or len(node.comparisons) != 1:
                continue
            owner = found[0]
            (test,) = node.comparisons
            is_there = _FOUND.get((text(test.operator).strip(), text(test.comparator)))
            if is_there is None or not _alike(target, owner, part):
                continue
            word = "in" if is_there else "not in"
            new = in_place_of(node, f"{operand(part)} {word} {operand(owner)}")
            function = rewrite(target.function, {node: new})
            why = f"`{text(node)}` asks for a place of which only whether there is one counts."
            yield Proposal(function, why + evidence(facts, owner, part))


def _alike(target: Target, owner: cst.BaseExpression, part: cst.BaseExpression) -> bool:
    """Whether both are texts of one kind; evaluating them in the other order changes nothing."""
    types, purity = target.analysis.types, target.analysis.purity
    if not (purity.pure(owner) and purity.pure(part)):
        return False
    return any(types.known(owner, kind) and types.known(part, kind) for kind in ("str", "bytes"))
