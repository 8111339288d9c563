"""Count or locate all elements once."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.scope import How
from perftrace.optimizer.analysis.tree import key, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import Region, outermost
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Replacement,
    Rule,
    Target,
    Tier,
    before,
    method_call,
    only_argument,
    rewrite,
)
from perftrace.optimizer.engines.rules.standard import imported
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.shapes import items_of

_CHARACTERS = ("set", "sorted", "list", "frozenset", "tuple")


class CountInLoop(Rule):
    """Count all elements once instead of one at a time.

    Matches: in a loop that leaves `xs` alone, `xs.count(x)`, or `xs.index(x)` where `x` comes
    from a loop over `xs` itself.

    Sound when: `xs` is exactly a list or tuple whose elements, and what is counted, are of exact
    built-in, hashable types; or a str that is searched for characters of a str.

    Faster because: each `count` walks through all of `xs`; a table is made in one pass.
    """

    name = "count-in-loop"
    tier = Tier.T1
    needs = ("types", "elements")

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per counted sequence and loop."""
        seen: set[tuple[str, str, int]] = set()
        for call in target.find(cst.Call):
            found = _match(target, call)
            region = outermost(target, call, found[0]) if found is not None else None
            if found is None or region is None:
                continue
            owner, method = found
            site = (key(owner), method, id(region.node))
            if site not in seen:
                seen.add(site)
                yield self._tabled(region, owner, method, facts)

    def _tabled(self, region: Region, owner: cst.Name, method: str, facts: Facts) -> Proposal:
        target, listed = region.target, owner.value
        counter, additions = imported(target, "collections", "Counter")
        if method == "count":
            name = target.local(f"{listed}_counts")
            made, read = f"{counter}({listed})", f"{name}.get({{}}, 0)"
        else:
            name = target.local(f"{listed}_positions")
            made = f"{{item: i for i, item in reversed([*enumerate({listed})])}}"
            read, additions = f"{name}[{{}}]", ()
        replacements: dict[cst.CSTNode, Replacement] = {}
        for node in region.nodes():
            other = _match(target, node) if isinstance(node, cst.Call) else None
            if other is not None and other[0].value == listed and other[1] == method:
                assert isinstance(node, cst.Call)
                wanted = text(node.args[0].value)
                replacements[node] = cst.parse_expression(read.format(wanted))
        replacements[region.statement] = before([f"{name} = {made}"])
        why = f"`{listed}.{method}` walks through `{listed}` in each round: do it once for all."
        function = rewrite(target.function, replacements)
        return Proposal(function, why + evidence(facts, owner), additions)


def _match(target: Target, call: cst.Call) -> tuple[cst.Name, str] | None:
    """The sequence and the method, where a table gives the same answer."""
    found = method_call(call, "count", "index")
    wanted = only_argument(call)
    if found is None or wanted is None or not isinstance(found[0], cst.Name):
        return None
    owner, method = found[0], found[1].func
    assert isinstance(method, cst.Attribute)
    types, purity = target.analysis.types, target.analysis.purity
    reads = _from(target, wanted, owner.value) and target.offers("reversed", "enumerate")
    if method.attr.value == "index" and not reads:
        return None
    if types.known(owner, "str"):
        fits = _is_character(target, wanted)
    else:
        items = items_of(types.of(owner))
        known = types.known(owner, "list", "tuple") and items is not None and items.hashable
        fits = known and purity.hashes(wanted) and purity.pure(wanted)
    return (owner, method.attr.value) if fits else None


def _from(target: Target, wanted: cst.BaseExpression, listed: str) -> bool:
    """Whether a name is always an element of this very sequence."""
    if not isinstance(wanted, cst.Name):
        return False
    bindings = target.analysis.scope.bindings.get(wanted.value, [])
    return bool(bindings) and all(
        one.how is How.ITERATED
        and one.target is one.node
        and isinstance(one.value, cst.Name)
        and one.value.value == listed
        for one in bindings
    )


def _is_character(target: Target, wanted: cst.BaseExpression) -> bool:
    """Whether it is always one character: a loop variable over a str, or a literal of length 1."""
    if isinstance(wanted, cst.SimpleString):
        return len(wanted.evaluated_value) == 1
    if not isinstance(wanted, cst.Name):
        return False
    bindings = target.analysis.scope.bindings.get(wanted.value, [])
    return bool(bindings) and all(
        one.how is How.ITERATED
        and one.target is one.node
        and one.value is not None
        and _gives_characters(target, one.value)
        for one in bindings
    )


def _gives_characters(target: Target, iterated: cst.BaseExpression) -> bool:
    types = target.analysis.types
    if isinstance(iterated, cst.Call) and types.builtin(iterated.func) in _CHARACTERS:
        return bool(iterated.args) and types.known(iterated.args[0].value, "str")
    return types.known(iterated, "str")
