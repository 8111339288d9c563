"""Walk over the elements instead of their indexes."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.effects import SHALLOW
from perftrace.optimizer.analysis.tree import own, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import Region, regions, used_after
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Replacement,
    Rule,
    Target,
    Tier,
    only_argument,
    rewrite,
)
from perftrace.optimizer.facts import Facts


class RangeLen(Rule):
    """Iterate over a sequence itself.

    Matches: `for i in range(len(xs))` (or from 0), as a loop or in a comprehension, that reads
    `xs[i]`. Where `i` is used otherwise too, it becomes `for i, x in enumerate(xs)`.

    Sound when: `xs` is exactly a list, tuple or str in all recorded calls; nothing in the loop
    rebinds it, changes it or gives `i` another value; without `enumerate`, `i` is not used
    after the loop.

    Faster because: no index is made, and no element is looked up by it.
    """

    name = "range-len"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per loop."""
        for region in regions(target):
            clause = region.node if isinstance(region.node, cst.For) else _clause(region.node)
            listed = _listed(target, clause) if clause is not None else None
            if clause is None or listed is None or not isinstance(clause.target, cst.Name):
                continue
            if region.keeps(listed, SHALLOW) and _bound_once(region, clause.target.value):
                yield from self._over_items(region, clause, listed, facts)

    def _over_items(
        self, region: Region, clause: cst.For | cst.CompFor, listed: cst.Name, facts: Facts
    ) -> Iterator[Proposal]:
        target = region.target
        assert isinstance(clause.target, cst.Name)
        index, name = clause.target.value, listed.value
        reads = [one for one in region.nodes() if _is_read(target, one, name, index)]
        uses = [one for one in region.nodes() if isinstance(one, cst.Name) and one.value == index]
        if not reads:
            return
        item = target.local(_singular(name))
        replacements: dict[cst.CSTNode, Replacement] = dict.fromkeys(reads, cst.Name(item))
        whole = len(uses) == len(reads)
        if whole and (isinstance(clause, cst.CompFor) or not used_after(target, index, clause)):
            replacements[clause.target] = cst.Name(item)
            replacements[clause.iter] = listed
        else:
            pair = cst.parse_expression(f"({index}, {item})")
            assert isinstance(pair, cst.Tuple)
            replacements[clause.target] = pair.with_changes(lpar=[], rpar=[])
            replacements[clause.iter] = cst.parse_expression(f"enumerate({name})")
        why = f"The loop counts up to read `{name}[{index}]`: go over the elements."
        yield Proposal(rewrite(target.function, replacements), why + evidence(facts, listed))


def _clause(node: cst.CSTNode) -> cst.CompFor | None:
    if isinstance(node, cst.BaseComp) and node.for_in.inner_for_in is None:
        return node.for_in
    return None


def _listed(target: Target, clause: cst.For | cst.CompFor) -> cst.Name | None:
    """`xs` of `range(len(xs))`."""
    types = target.analysis.types
    outer = clause.iter
    if not isinstance(outer, cst.Call) or types.builtin(outer.func) != "range":
        return None
    inner = only_argument(outer) or _from_zero(outer)
    if not isinstance(inner, cst.Call) or types.builtin(inner.func) != "len":
        return None
    listed = only_argument(inner)
    known = isinstance(listed, cst.Name) and types.known(listed, "list", "tuple", "str")
    if not known or not target.offers("enumerate"):
        return None
    return listed if isinstance(listed, cst.Name) else None


def _from_zero(call: cst.Call) -> cst.BaseExpression | None:
    """The stop of `range(0, stop)`."""
    plain = len(call.args) == 2 and not any(one.star or one.keyword for one in call.args)
    return call.args[1].value if plain and text(call.args[0].value) == "0" else None


def _bound_once(region: Region, name: str) -> bool:
    scope = region.target.analysis.scope
    inside = {id(node) for node in own(region.node)}
    return sum(id(binding.node) in inside for binding in scope.bindings[name]) == 1 and scope.plain(
        name
    )


def _is_read(target: Target, node: cst.CSTNode, name: str, index: str) -> bool:
    if not isinstance(node, cst.Subscript) or text(node.value) != name or len(node.slice) != 1:
        return False
    place = node.slice[0].slice
    parent = target.analysis.scope.parents[node]
    stored = isinstance(parent, cst.AssignTarget | cst.AugAssign | cst.Del) and (
        parent.target is node
    )
    return not stored and isinstance(place, cst.Index) and text(place.value) == index


def _singular(name: str) -> str:
    """A name for one element."""
    plural = len(name) > 3 and name.endswith("s") and not name.endswith("ss")
    return name[:-1] if plural else f"{name}_item"
