"""Test whether an integer is odd by its last bit."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import operand, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, rewrite
from perftrace.optimizer.facts import Facts

_ODD = {("==", "1"): True, ("==", "0"): False, ("!=", "0"): True, ("!=", "1"): False}


class Parity(Rule):
    """Look at the last bit instead of dividing by two.

    Matches: `n % 2 == 0`, `n % 2 == 1` and their `!=`, as the test of an `if`, `while`, condition
    or comprehension.

    Sound when: `n` is exactly an int in all recorded calls: Python's `%` and `&` agree on
    negative numbers too. Only in tests, because the result is a number, not a bool.

    Faster because: masking a bit is cheaper than a division and a comparison.
    """

    name = "parity"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per test."""
        for node in target.find(cst.Comparison):
            found = _parity(target, node)
            if found is None or not _tested(target, node):
                continue
            number, odd = found
            bit = f"{operand(number)} & 1"
            new = cst.parse_expression(f"({bit})" if odd else f"(not {bit})")
            function = rewrite(target.function, {node: new})
            why = f"`{text(node)}` of integers is their last bit."
            yield Proposal(function, why + evidence(facts, number))


def _parity(target: Target, node: cst.Comparison) -> tuple[cst.BaseExpression, bool] | None:
    """The number, and whether the test asks for odd numbers."""
    if len(node.comparisons) != 1:
        return None
    (test,) = node.comparisons
    asked = _ODD.get((text(test.operator).strip(), text(test.comparator)))
    match node.left:
        case cst.BinaryOperation(left=number, operator=cst.Modulo(), right=divisor):
            even_odd = text(divisor) == "2" and target.analysis.types.known(number, "int")
            return (number, asked) if even_odd and asked is not None else None
        case _:
            return None


def _tested(target: Target, node: cst.CSTNode) -> bool:
    """Whether only the truth of the node matters."""
    parent = target.analysis.scope.parents[node]
    if isinstance(parent, cst.BooleanOperation):
        return _tested(target, parent)
    if isinstance(parent, cst.UnaryOperation) and isinstance(parent.operator, cst.Not):
        return True
    tests = isinstance(parent, cst.If | cst.While | cst.IfExp | cst.CompIf | cst.Assert)
    return tests and getattr(parent, "test", None) is node
