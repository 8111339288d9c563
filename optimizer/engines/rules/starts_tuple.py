"""Ask once for several beginnings."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import same, text
from perftrace.optimizer.engines.rules.chains import chains, in_place_of
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

_METHODS = ("startswith", "endswith")


class StartsTuple(Rule):
    """Give `startswith` and `endswith` all the texts at once.

    Matches: `s.startswith("a") or s.startswith("b")`, of any length, where `s` is a name.

    Sound when: `s` is exactly a str (or bytes) and the texts are literals of that type: both ask
    for one after the other and give a bool.

    Faster because: one call is made instead of several.
    """

    name = "starts-tuple"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per chain."""
        for node, operands in chains(target, cst.Or):
            for method in _METHODS:
                found = _texts(target, operands, method)
                if found is not None:
                    owner, texts = found
                    code = f"{text(owner)}.{method}(({', '.join(texts)}))"
                    function = rewrite(target.function, {node: in_place_of(node, code)})
                    why = f"`{method}` takes all {len(texts)} texts in one call."
                    yield Proposal(function, why + evidence(facts, owner))


def _texts(
    target: Target, operands: list[cst.BaseExpression], method: str
) -> tuple[cst.BaseExpression, list[str]] | None:
    """Whom all operands ask, and for which texts."""
    owner: cst.BaseExpression | None = None
    texts = []
    for operand in operands:
        found = method_call(operand, method)
        given = only_argument(found[1]) if found is not None else None
        if found is None or not isinstance(found[0], cst.Name) or given is None:
            return None
        if owner is not None and not same(owner, found[0]):
            return None
        owner = found[0]
        if not isinstance(given, cst.SimpleString):
            return None
        kind = "bytes" if "b" in given.prefix.lower() else "str"
        if not target.analysis.types.known(owner, kind):
            return None
        texts.append(text(given))
    return (owner, texts) if owner is not None else None
