"""Multiply instead of raising to a power."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, rewrite
from perftrace.optimizer.facts import Facts

_FACTORS = {"2": "({0} * {0})", "3": "({0} * {0} * {0})"}


class Square(Rule):
    """Multiply integers instead of using `**`.

    Matches: `x ** 2` and `x ** 3` of a name.

    Sound when: `x` is exactly an int in all recorded calls. Not for floats: a power may differ
    from the product in the last bit.

    Faster because: the interpreter has a fast path for multiplying small integers.
    """

    name = "square"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per power."""
        for node in target.find(cst.BinaryOperation):
            form = _FACTORS.get(text(node.right)) if isinstance(node.operator, cst.Power) else None
            named = isinstance(node.left, cst.Name) and target.analysis.types.known(
                node.left, "int"
            )
            if form is not None and named:
                new = cst.parse_expression(form.format(text(node.left)))
                function = rewrite(target.function, {node: new})
                why = f"`{text(node)}` of integers is a product."
                yield Proposal(function, why + evidence(facts, node.left))
