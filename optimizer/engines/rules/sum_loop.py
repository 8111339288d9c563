"""Add up by `sum`."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import commented, own, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import guarded, used_after
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    body_of,
    mentions,
    rewrite,
    simple,
    statement,
)
from perftrace.optimizer.facts import Facts

_ODD = (cst.Yield, cst.Await, cst.NamedExpr)


class SumLoop(Rule):
    """Add up integers by `sum`.

    Matches: `for x in xs: total += f(x)`, maybe under one `if`.

    Sound when: `total` and every `f(x)` are exactly ints on the recorded types (since Python 3.12
    `sum` of floats is more exact than a loop, so it differs in the last bit); nothing in the
    loop mentions `total` otherwise; the loop variable is not used after it; no `try` is around.

    Faster because: `sum` adds in C.
    """

    name = "sum-loop"
    tier = Tier.T1
    needs = ("types", "elements")

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per loop."""
        for loop in target.find(cst.For):
            code = _sum(target, loop)
            if code is not None:
                function = rewrite(target.function, {loop: statement(code, loop)})
                why = "The loop only adds up integers: `sum` does it in C."
                yield Proposal(function, why + evidence(facts, loop.iter))


def _sum(target: Target, loop: cst.For) -> str | None:
    if loop.orelse or loop.asynchronous or guarded(target, loop) or commented(loop.body):
        return None
    if any(isinstance(one, _ODD) for one in own(loop)) or not target.offers("sum"):
        return None
    body, condition = body_of(loop), ""
    if len(body) == 1 and isinstance(body[0], cst.If) and not body[0].orelse:
        condition, body = f" if {_grouped(body[0].test)}", body_of(body[0])
    small = simple(body[0]) if len(body) == 1 else None
    if not isinstance(small, cst.AugAssign) or not isinstance(small.operator, cst.AddAssign):
        return None
    total, added = small.target, small.value
    if not isinstance(total, cst.Name) or not _fits(target, loop, total, added):
        return None
    if not condition and text(added) == text(loop.target):
        return f"{total.value} += sum({text(loop.iter)})"
    clause = f"for {text(loop.target)} in {_grouped(loop.iter)}{condition}"
    return f"{total.value} += sum([{_grouped(added)} {clause}])"


def _fits(target: Target, loop: cst.For, total: cst.Name, added: cst.BaseExpression) -> bool:
    types, scope = target.analysis.types, target.analysis.scope
    whole = types.known(total, "int") and types.known(added, "int", "bool")
    others = [one for one in own(loop) if isinstance(one, cst.Name) and one.value == total.value]
    if not whole or len(others) != 1 or not scope.plain(total.value):
        return False
    targets = [one.value for one in own(loop.target) if isinstance(one, cst.Name)]
    plain = isinstance(loop.target, cst.Name | cst.Tuple) and not mentions(loop.iter, total.value)
    return plain and not any(used_after(target, one, loop) for one in targets)


def _grouped(node: cst.BaseExpression) -> str:
    loose = isinstance(node, cst.IfExp | cst.Lambda | cst.Tuple)
    return f"({text(node)})" if loose and not node.lpar else text(node)
