"""Look for the largest divisor from the half downwards."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import key
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, body_of, rewrite
from perftrace.optimizer.engines.rules.trial_division import divided
from perftrace.optimizer.facts import Facts

# What is looped over, and what it becomes: the same numbers without those that divide nothing.
_FORMS = {
    "reversed(range({0}))": "reversed(range(min({0}, {0} // 2 + 1)))",
    "reversed(range(1, {0}))": "reversed(range(1, min({0}, {0} // 2 + 1)))",
    "range({0} - 1, 0, -1)": "range({0} // 2, 0, -1)",
    "range({0} - 1, 1, -1)": "range({0} // 2, 1, -1)",
}


class LargestDivisor(Rule):
    """Look for the largest divisor of a number from its half downwards.

    Matches: `for i in reversed(range(n)):` or `range(n - 1, 0, -1)` whose only statement is
    `if n % i == 0:` without `else`.

    Sound when: `n` is exactly an int in all recorded calls and the loop doesn't bind it. No number
    above `n // 2` and below `n` divides `n`, so those rounds do nothing; for `n` of 1, 0 and below
    the rounds are the same.

    Faster because: half of the rounds are left out.
    """

    name = "largest-divisor"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per loop."""
        for loop in target.find(cst.For):
            assert isinstance(loop, cst.For)
            number = divided(target, loop)
            new = _halved(loop.iter, number.value) if number is not None else None
            if number is None or new is None or not _skips(target, loop, number.value):
                continue
            function = rewrite(target.function, {loop.iter: new})
            why = f"Nothing between the half of `{number.value}` and itself divides it."
            yield Proposal(function, why + evidence(facts, number))


def _halved(iterated: cst.BaseExpression, number: str) -> cst.BaseExpression | None:
    for old, new in _FORMS.items():
        if key(iterated) == key(cst.parse_expression(old.format(number))):
            return cst.parse_expression(new.format(number))
    return None


def _skips(target: Target, loop: cst.For, number: str) -> bool:
    """Whether a round without a divisor does nothing."""
    (test,) = body_of(loop)
    assert isinstance(test, cst.If)
    names = target.offers("range", "reversed", "min")
    return names and test.orelse is None and number not in target.analysis.scope.bound_in(loop)
