"""Look for a value among constants at once."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import same, text
from perftrace.optimizer.engines.rules.chains import chains, in_place_of
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, rewrite
from perftrace.optimizer.facts import Facts

FEWEST = 3  # comparisons; two are as fast as a search
_KINDS: dict[type[cst.BaseExpression], str] = {cst.Integer: "int", cst.SimpleString: "str"}


class EqualityChain(Rule):
    """Search a constant tuple instead of comparing again and again.

    Matches: `x == "a" or x == "b" or x == "c"`, of three or more, and the same with `!=` and `and`;
    `x` is a name, the others are literals of one type.

    Sound when: `x` is exactly an int or a str in all recorded calls: comparing those runs no code
    of the program's, and both give a bool.

    Faster because: the tuple is a constant, and it is searched in C.
    """

    name = "equality-chain"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per chain."""
        sides = ((cst.Or, cst.Equal, "in"), (cst.And, cst.NotEqual, "not in"))
        for kind, sign, word in sides:
            for node, operands in chains(target, kind):
                found = _values(target, operands, sign)
                if found is None:
                    continue
                owner, values = found
                code = f"{text(owner)} {word} ({', '.join(values)})"
                function = rewrite(target.function, {node: in_place_of(node, code)})
                why = f"`{text(owner)}` is compared with {len(values)} constants in C."
                yield Proposal(function, why + evidence(facts, owner))


def _values(
    target: Target, operands: list[cst.BaseExpression], sign: type[cst.BaseCompOp]
) -> tuple[cst.BaseExpression, list[str]] | None:
    """What is compared in all operands, and with which constants."""
    owner: cst.BaseExpression | None = None
    values, kinds = [], set()
    for operand in operands:
        match operand:
            case cst.Comparison(
                left=cst.Name() as left,
                comparisons=[cst.ComparisonTarget(operator=how, comparator=value)],
            ) if isinstance(how, sign) and type(value) in _KINDS:
                pass
            case _:
                return None
        if owner is not None and not same(owner, left):
            return None
        owner = left
        kinds.add(_KINDS[type(value)])
        values.append(text(value))
    if owner is None or len(values) < FEWEST or len(kinds) != 1:
        return None
    if any(
        "b" in value.partition('"')[0].partition("'")[0].lower()
        for value in values
        if kinds == {"str"}
    ):
        return None
    return (owner, values) if target.analysis.types.known(owner, "int", "str") else None
