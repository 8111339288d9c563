"""Test membership in a constant set instead of a list of constants."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, rewrite
from perftrace.optimizer.facts import Facts

_FEWEST = 3


class ConstantMembership(Rule):
    """Search a set of constants.

    Matches: `x in ["a", "b", "c"]` or `x not in (1, 2, 3)` with at least three literals; also
    `x == "a" or x == "b" or x == "c"` on one name.

    Sound when: `x` is of an exact built-in, hashable type in all recorded calls; strings and
    integers are equal in a set exactly when they are equal in a list.

    Faster because: the compiler folds a set of constants in a membership test into one
    `frozenset`, so the test costs one hash.
    """

    name = "constant-membership"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per test."""
        for node in target.find(cst.Comparison):
            if len(node.comparisons) != 1 or not target.analysis.purity.hashes(node.left):
                continue
            (test,) = node.comparisons
            listed = test.comparator
            if isinstance(test.operator, cst.In | cst.NotIn) and _constants(listed):
                assert isinstance(listed, cst.List | cst.Tuple)
                elements = ", ".join(dict.fromkeys(text(one.value) for one in listed.elements))
                function = rewrite(
                    target.function, {listed: cst.parse_expression(f"{{{elements}}}")}
                )
                why = f"`{text(node)}` searches constants one by one: use a set."
                yield Proposal(function, why + evidence(facts, node.left))
        yield from self._chains(target, facts)

    def _chains(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        parents = target.analysis.scope.parents
        for node in target.find(cst.BooleanOperation):
            if isinstance(parents[node], cst.BooleanOperation):
                continue
            tests = list(_alternatives(node))
            names = {text(one.left) for one in tests if one is not None}
            whole = None not in tests and len(names) == 1 and len(tests) >= _FEWEST
            first = tests[0]
            if not whole or first is None or not target.analysis.purity.hashes(first.left):
                continue
            constants = dict.fromkeys(text(one.comparisons[0].comparator) for one in tests if one)
            code = f"({text(first.left)} in {{{', '.join(constants)}}})"
            function = rewrite(target.function, {node: cst.parse_expression(code)})
            why = f"`{text(node)}` tests constants one by one: use a set."
            yield Proposal(function, why + evidence(facts, first.left))


def _constants(node: cst.BaseExpression) -> bool:
    """Whether it is a list or tuple of at least three string or integer literals."""
    if not isinstance(node, cst.List | cst.Tuple) or len(node.elements) < _FEWEST:
        return False
    return all(isinstance(one.value, cst.SimpleString | cst.Integer) for one in node.elements)


def _alternatives(node: cst.BaseExpression) -> Iterator[cst.Comparison | None]:
    """The tests `name == constant` of a chain of `or`; None for any other part."""
    if isinstance(node, cst.BooleanOperation) and isinstance(node.operator, cst.Or):
        yield from _alternatives(node.left)
        yield from _alternatives(node.right)
        return
    if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
        (test,) = node.comparisons
        constant = isinstance(test.comparator, cst.SimpleString | cst.Integer)
        if isinstance(test.operator, cst.Equal) and constant and isinstance(node.left, cst.Name):
            yield node
            return
    yield None
