"""Look things up in a set instead of a list, where the same list is searched in a loop."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import key, own, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import Region, around, outermost
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, before, rewrite
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.shapes import items_of

MANY = 2  # searches; for one, no set is worth making


class MembershipSet(Rule):
    """Search a set instead of a list.

    Matches: `x in rows` or `x not in rows` in a loop or comprehension, where `rows` is a list
    or tuple that stays the same during the loop.

    Sound when: every recorded element, and what is searched for, is of an exact built-in type
    with built-in hash and equality (`1`, `1.0` and `True` are equal in a list and in a set
    alike); nothing in the loop can change or rebind the list. Where the loop calls other code
    of the program, which might change it, the list is a parameter that the loop does nothing
    with but search it, and every recorded call left it as it was.

    Faster because: a set is made once, and then each test costs one hash instead of a walk
    through the list.
    """

    name = "membership-set"
    tier = Tier.T1
    needs = ("types", "elements")

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per searched list and loop."""
        seen: set[tuple[str, int]] = set()
        for node in target.find(cst.Comparison):
            searched = _searched(target, node)
            if searched is None or not target.offers("set"):
                continue
            region = outermost(target, searched) or _as_recorded(target, searched, facts)
            if region is None or _too_short(region, facts):
                continue
            site = (key(searched), id(region.node))
            if site not in seen:
                seen.add(site)
                yield self._with_set(region, searched, facts)

    def _with_set(self, region: Region, searched: cst.BaseExpression, facts: Facts) -> Proposal:
        target = region.target
        words = [one for one in text(searched).replace(".", "_").split("_") if one.isidentifier()]
        name = target.local("_".join([*words, "set"]))
        same = [
            other
            for node in region.nodes()
            if isinstance(node, cst.Comparison)
            and (other := _searched(target, node)) is not None
            and key(other) == key(searched)
        ]
        made = f"{name} = set({text(searched)})"
        function = rewrite(
            target.function,
            {**dict.fromkeys(same, cst.Name(name)), region.statement: before([made])},
        )
        why = f"`{text(searched)}` is searched in a loop and does not change: search a set of it."
        return Proposal(function, why + evidence(facts, searched))


def _as_recorded(target: Target, searched: cst.BaseExpression, facts: Facts) -> Region | None:
    """The outermost loop that left the list alone in every recorded call, as far as can be seen."""
    if not isinstance(searched, cst.Name):
        return None
    known = facts.parameters.get(searched.value)
    if known is None or known.mutated or not known.kept:
        return None
    for region in around(target, searched):
        uses = [one for one in own(region.node) if isinstance(one, cst.Name)]
        mine = {id(one) for one in uses if one.value == searched.value}
        tests = [one for one in own(region.node) if isinstance(one, cst.Comparison)]
        only_searched = mine <= {id(_searched(target, one)) for one in tests}
        if only_searched and region.seems_to_keep(searched):
            return region
    return None


def _too_short(region: Region, facts: Facts) -> bool:
    """Whether the loop was never run twice: then making a set costs more than a search."""
    if not isinstance(region.iterated, cst.Name):
        return False
    known = facts.parameters.get(region.iterated.value)
    return known is not None and known.lengths is not None and known.lengths.high < MANY


def _searched(target: Target, node: cst.Comparison) -> cst.BaseExpression | None:
    """The list that a membership test searches, if a set can stand for it."""
    if len(node.comparisons) != 1:
        return None
    (test,) = node.comparisons
    types, purity = target.analysis.types, target.analysis.purity
    listed = test.comparator
    if not isinstance(test.operator, cst.In | cst.NotIn) or not types.known(
        listed, "list", "tuple"
    ):
        return None
    items = items_of(types.of(listed))
    hashable = items is not None and items.hashable and purity.hashes(node.left)
    plain = isinstance(listed, cst.Name | cst.Attribute) and target.analysis.safety.safe(listed)
    return listed if hashable and plain else None
