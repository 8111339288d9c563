"""Ask once for several classes."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import same, text
from perftrace.optimizer.engines.rules.chains import chains, in_place_of
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, rewrite
from perftrace.optimizer.facts import Facts

# Built-in classes that are surely there when their name is.
_CLASSES = frozenset(
    {"int", "float", "complex", "bool", "str", "bytes", "bytearray", "list", "tuple", "dict"}
    | {"set", "frozenset", "range", "slice", "type", "object", "memoryview"}
)


class IsinstanceTuple(Rule):
    """Give `isinstance` all the classes at once.

    Matches: `isinstance(x, int) or isinstance(x, str)`, of any length, of one name and built-in
    classes.

    Sound when: `isinstance` and the classes are the built-ins. With a tuple the classes are asked
    in the same order, and the result is a bool.

    Faster because: one call is made instead of several.
    """

    name = "isinstance-tuple"
    tier = Tier.T0
    needs = ()

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per chain."""
        del facts
        for node, operands in chains(target, cst.Or):
            found = _classes(target, operands)
            if found is not None:
                owner, classes = found
                code = f"isinstance({text(owner)}, ({', '.join(classes)}))"
                function = rewrite(target.function, {node: in_place_of(node, code)})
                yield Proposal(function, f"`isinstance` takes all {len(classes)} classes at once.")


def _classes(
    target: Target, operands: list[cst.BaseExpression]
) -> tuple[cst.BaseExpression, list[str]] | None:
    """What all operands ask about, and for which classes."""
    owner: cst.BaseExpression | None = None
    classes = []
    for operand in operands:
        match operand:
            case cst.Call(
                func=function,
                args=[cst.Arg(value=cst.Name() as asked), cst.Arg(value=cst.Name() as kind)],
            ) if target.analysis.types.builtin(function) == "isinstance":
                pass
            case _:
                return None
        plain = all(one.keyword is None and not one.star for one in operand.args)
        if not plain or (owner is not None and not same(owner, asked)):
            return None
        if kind.value not in _CLASSES or not target.offers(kind.value):
            return None
        owner = asked
        classes.append(kind.value)
    return (owner, classes) if owner is not None else None
