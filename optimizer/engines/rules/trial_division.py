"""Look for divisors up to the square root only."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import key, own, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import used_after
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    body_of,
    mentions,
    rewrite,
    simple,
)
from perftrace.optimizer.engines.rules.standard import imported
from perftrace.optimizer.facts import Facts

_BOUNDS = ("{0}", "{0} - 1", "({0} - 1)", "{0} // 2 + 1", "int({0} / 2) + 1")


class TrialDivision(Rule):
    """Stop looking for a divisor at the square root.

    Matches: `for i in range(2, n):` (or up to `n - 1`, `n // 2 + 1`) whose only statement is
    `if n % i == 0:` with `return`, or a constant assignment and `break`, that doesn't use `i`;
    and `any(n % i == 0 for i in range(2, n))`, `all(n % i …)`.

    Sound when: `n` is exactly an int in all recorded calls. A number from 2 up to `n - 1` that
    divides `n > 3` exists exactly if one exists up to the root of `n`; `n` up to 3, zero and
    negatives have none in the range either way. (4 is not found by `range(2, 4 // 2)`: a bound
    of `n // 2` without `+ 1` is left alone.)

    Faster because: the root of a million is a thousand.
    """

    name = "trial-division"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per loop."""
        for loop in target.find(cst.For, cst.CompFor):
            assert isinstance(loop, cst.For | cst.CompFor)
            number = _number(target, loop)
            if number is None or not only_divides(target, loop, number.value):
                continue
            root, additions = imported(target, "math", "isqrt")
            n = number.value
            new = cst.parse_expression(f"range(2, {root}({n}) + 1 if {n} > 3 else 2)")
            function = rewrite(target.function, {loop.iter: new})
            why = f"The smallest divisor of `{n}` is at most its square root."
            yield Proposal(function, why + evidence(facts, number), additions)


def _number(target: Target, loop: cst.For | cst.CompFor) -> cst.Name | None:
    """`n` of `range(2, n)`."""
    call = loop.iter
    if not isinstance(call, cst.Call) or target.analysis.types.builtin(call.func) != "range":
        return None
    if len(call.args) != 2 or text(call.args[0].value) != "2":
        return None
    bound = call.args[1].value
    for name in (one for one in own(bound) if isinstance(one, cst.Name)):
        if not target.analysis.types.known(name, "int"):
            continue
        forms = [form.format(name.value) for form in _BOUNDS]
        if any(key(bound) == key(cst.parse_expression(form)) for form in forms):
            return name
    return None


def divided(target: Target, loop: cst.For) -> cst.Name | None:
    """`n` of a loop that only tests `n % i == 0`, where `n` is an int."""
    body = body_of(loop)
    if len(body) != 1 or not isinstance(body[0], cst.If) or not isinstance(loop.target, cst.Name):
        return None
    for node in own(body[0].test):
        if isinstance(node, cst.Name) and node.value != loop.target.value:
            tests = _divides(body[0].test, node.value, loop.target.value)
            return node if tests and target.analysis.types.known(node, "int") else None
    return None


def only_divides(target: Target, loop: cst.For | cst.CompFor, number: str) -> bool:
    """Whether a loop does nothing but find out if some `i` divides the number."""
    if not isinstance(loop.target, cst.Name) or loop.target.value == number:
        return False
    index = loop.target.value
    if isinstance(loop, cst.CompFor):
        return _in_test(target, loop, number, index)
    body = body_of(loop)
    if len(body) != 1 or not isinstance(body[0], cst.If) or body[0].orelse:
        return False
    if not _divides(body[0].test, number, index) or used_after(target, index, loop):
        return False
    if loop.orelse is not None and mentions(loop.orelse, index):
        return False
    return _leaves(body_of(body[0]), number, index)


def _leaves(body: list[cst.CSTNode], number: str, index: str) -> bool:
    """Whether the statements end the loop, and do the same for whatever divisor was found."""
    small = [simple(one) for one in body]
    leaving = [isinstance(one, cst.Return | cst.Break) for one in small]
    if not any(leaving) or any(one is None or mentions(one, index) for one in small):
        return False
    first = small[: leaving.index(True)]
    return all(isinstance(one, cst.Assign) and not mentions(one, number) for one in first)


def _in_test(target: Target, clause: cst.CompFor, number: str, index: str) -> bool:
    parents = target.analysis.scope.parents
    generator = parents[clause]
    call = parents.get(parents[generator])
    plain = isinstance(generator, cst.GeneratorExp | cst.ListComp) and not clause.ifs
    if not plain or clause.inner_for_in is not None or not isinstance(call, cst.Call):
        return False
    name = target.analysis.types.builtin(call.func)
    assert isinstance(generator, cst.GeneratorExp | cst.ListComp)
    if name == "any":
        return _divides(generator.elt, number, index)
    return name == "all" and _leaves_rest(generator.elt, number, index)


def _divides(test: cst.BaseExpression, number: str, index: str) -> bool:
    forms = (f"{number} % {index} == 0", f"not {number} % {index}", f"{number} % {index} < 1")
    return any(key(test) == key(cst.parse_expression(form)) for form in forms)


def _leaves_rest(test: cst.BaseExpression, number: str, index: str) -> bool:
    forms = (f"{number} % {index} != 0", f"{number} % {index}", f"{number} % {index} > 0")
    return any(key(test) == key(cst.parse_expression(form)) for form in forms)
