"""Ask the dict itself."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import text
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


class KeysMembership(Rule):
    """Test membership in a dict, not in its keys.

    Matches: `k in d.keys()`, `k in list(d.keys())`, `k in list(d)` and their `not in`.

    Sound when: `d` is exactly a dict; for the forms with `list`, `k` must be of an exact
    built-in, hashable type, because a list can be searched for what a dict can't.

    Faster because: no view or list is made.
    """

    name = "keys-membership"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per test."""
        for node in target.find(cst.Comparison):
            for test in node.comparisons:
                if not isinstance(test.operator, cst.In | cst.NotIn):
                    continue
                owner = _owner(target, node, test.comparator)
                if owner is not None:
                    function = rewrite(target.function, {test.comparator: owner})
                    why = f"`{text(test.comparator)}` is made only to be searched."
                    yield Proposal(function, why + evidence(facts, owner))


def _owner(
    target: Target, node: cst.Comparison, searched: cst.BaseExpression
) -> cst.BaseExpression | None:
    types = target.analysis.types
    if isinstance(searched, cst.Call) and types.builtin(searched.func) == "list":
        if len(searched.args) != 1 or not target.analysis.purity.hashes(node.left):
            return None
        searched = searched.args[0].value
        if types.known(searched, "dict"):
            return searched
    found = method_call(searched, "keys")
    if found is None or found[1].args or not types.known(found[0], "dict"):
        return None
    return found[0]
