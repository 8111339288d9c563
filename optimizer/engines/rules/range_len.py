"""Walk over the elements instead of their indexes."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.contents import reads_only
from perftrace.optimizer.analysis.effects import SHALLOW
from perftrace.optimizer.analysis.scope import How
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

    Matches: `for i in range(len(xs))`, or `range(n)` after `n = len(xs)`, as a loop or in a
    comprehension, that reads `xs[i]`; also from 1, 2, …, or from `k + 1` where `k` counts from 0.
    Where `i` is used otherwise too, it becomes `for i, x in enumerate(xs)`.

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
            found = _listed(target, clause) if clause is not None else None
            if clause is None or found is None or not isinstance(clause.target, cst.Name):
                continue
            if region.keeps(found[0], SHALLOW) and _bound_once(region, clause.target.value):
                yield from self._over_items(region, clause, *found, facts)

    def _over_items(
        self,
        region: Region,
        clause: cst.For | cst.CompFor,
        listed: cst.Name,
        start: str,
        facts: Facts,
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
            replacements[clause.iter] = cst.parse_expression(_from(name, start))
        else:
            pair = cst.parse_expression(f"({index}, {item})")
            assert isinstance(pair, cst.Tuple)
            replacements[clause.target] = pair.with_changes(lpar=[], rpar=[])
            counted = f"{_from(name, start)}{f', {start}' if start else ''}"
            replacements[clause.iter] = cst.parse_expression(f"enumerate({counted})")
        why = f"The loop counts up to read `{name}[{index}]`: go over the elements."
        yield Proposal(rewrite(target.function, replacements), why + evidence(facts, listed))


def _clause(node: cst.CSTNode) -> cst.CompFor | None:
    if isinstance(node, cst.BaseComp) and node.for_in.inner_for_in is None:
        return node.for_in
    return None


def _from(name: str, start: str) -> str:
    return f"{name}[{start}:]" if start else name


def _listed(target: Target, clause: cst.For | cst.CompFor) -> tuple[cst.Name, str] | None:
    """`xs` of `range(len(xs))`, and where it starts if that is not at 0."""
    types = target.analysis.types
    outer = clause.iter
    if not isinstance(outer, cst.Call) or types.builtin(outer.func) != "range":
        return None
    if any(one.star or one.keyword for one in outer.args) or len(outer.args) not in {1, 2}:
        return None
    inner = _length(target, outer.args[-1].value)
    start = _start(target, outer.args[0].value) if len(outer.args) == 2 else ""
    if start is None or not isinstance(inner, cst.Call) or types.builtin(inner.func) != "len":
        return None
    listed = only_argument(inner)
    known = isinstance(listed, cst.Name) and types.known(listed, "list", "tuple", "str")
    if not known or not target.offers("enumerate"):
        return None
    return (listed, start) if isinstance(listed, cst.Name) else None


def _length(target: Target, node: cst.BaseExpression) -> cst.BaseExpression:
    """`len(xs)` where the node is a name for that, and nothing changes how long `xs` is."""
    scope = target.analysis.scope
    bindings = scope.bindings.get(node.value, []) if isinstance(node, cst.Name) else []
    if len(bindings) != 1 or bindings[0].how is not How.ASSIGNED:
        return node
    called = bindings[0].value
    listed = only_argument(called) if isinstance(called, cst.Call) else None
    if not isinstance(listed, cst.Name) or len(scope.bindings.get(listed.value, ())) != 1:
        return node
    keeps = all(_keeps_length(target, one) for one in scope.loads[listed.value])
    return called if keeps and called is not None else node


def _keeps_length(target: Target, load: cst.Name) -> bool:
    """Whether this mention of a list leaves it as long as it is."""
    scope = target.analysis.scope
    parent = scope.parents[load]
    if isinstance(parent, cst.Attribute):
        return parent.attr.value in {"sort", "reverse", "index", "count"}
    if isinstance(parent, cst.Subscript) and parent.value is load:
        stored = isinstance(scope.parents[parent], cst.AssignTarget | cst.AugAssign | cst.Del)
        sliced = any(isinstance(one.slice, cst.Slice) for one in parent.slice)
        return not (stored and sliced) and not isinstance(scope.parents[parent], cst.Del)
    return reads_only(scope, load)


def _start(target: Target, node: cst.BaseExpression) -> str | None:
    """The text of a start that is not negative; empty for 0, None where it is not known."""
    match node:
        case cst.Integer(value=value):
            return value if int(value, 0) else ""
        case cst.BinaryOperation(
            left=cst.Name(value=name), operator=cst.Add(), right=cst.Integer(value=_)
        ):
            return text(node) if _counts(target, name) else None
        case _:
            return None


def _counts(target: Target, name: str) -> bool:
    """Whether the name is a loop's counter that is never negative."""
    types, bindings = target.analysis.types, target.analysis.scope.bindings.get(name, [])
    if len(bindings) != 1 or bindings[0].how is not How.ITERATED:
        return False
    (binding,) = bindings
    if not isinstance(binding.value, cst.Call):
        return False
    kind = types.builtin(binding.value.func)
    given = [one.value for one in binding.value.args]
    if kind == "enumerate":
        first = isinstance(binding.target, cst.Tuple) and (
            binding.target.elements[0].value is binding.node
        )
        return first and len(given) == 1
    if kind != "range":
        return False
    return len(given) == 1 or (len(given) == 2 and _start(target, given[0]) is not None)


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
