"""Try two and then odd divisors only."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, before, rewrite
from perftrace.optimizer.engines.rules.standard import imported
from perftrace.optimizer.engines.rules.trial_division import divided, only_divides
from perftrace.optimizer.facts import Facts


class OddDivisors(Rule):
    """Try two and then only odd numbers as divisors.

    Matches: `for i in range(2, end):` whose only statement is `if n % i == 0:` with `return`, or
    a constant assignment and `break`, that doesn't use `i`.

    Sound when: `n` is exactly an int in all recorded calls. An even number divides `n` only if
    two does, and two is tried first, where it is below the end.

    Faster because: half of the divisions are left out.
    """

    name = "odd-divisors"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per loop."""
        for loop in target.find(cst.For):
            assert isinstance(loop, cst.For)
            end = _end(target, loop)
            number = divided(target, loop) if end is not None else None
            if end is None or number is None or not only_divides(target, loop, number.value):
                continue
            chain, additions = imported(target, "itertools", "chain")
            lines, stop = _named(target, end)
            new = f"{chain}(range(2, min({stop}, 3)), range(3, {stop}, 2))"
            changed = loop.with_changes(iter=cst.parse_expression(new))
            made = before(lines, changed) if lines else changed
            function = rewrite(target.function, {loop: made})
            why = f"An even number divides `{number.value}` only if two does: try the odd ones."
            yield Proposal(function, why + evidence(facts, number), additions)


def _end(target: Target, loop: cst.For) -> cst.BaseExpression | None:
    """`end` of `range(2, end)`: an int that is made of names and simple calls."""
    call, types = loop.iter, target.analysis.types
    if not isinstance(call, cst.Call) or types.builtin(call.func) != "range":
        return None
    if len(call.args) != 2 or text(call.args[0].value) != "2" or not target.offers("min", "range"):
        return None
    end = call.args[1].value
    return end if types.known(end, "int") else None


def _named(target: Target, end: cst.BaseExpression) -> tuple[list[str], str]:
    """The end under a name, and the line that gives it one where it has none."""
    if isinstance(end, cst.Name | cst.Integer):
        return [], text(end)
    name = target.local("end")
    return [f"{name} = {text(end)}"], name
