"""Add up by `sum`, multiply by `prod`."""

from collections.abc import Iterator
from dataclasses import dataclass

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
from perftrace.optimizer.engines.rules.standard import imported
from perftrace.optimizer.facts import Facts

_ODD = (cst.Yield, cst.Await, cst.NamedExpr)
# What can be gone through twice, with the same items and no other code run.
_TWICE = ("list", "tuple", "str", "bytes", "range", "dict", "set", "frozenset")


@dataclass(frozen=True, slots=True)
class _Step:
    """`total += value`, or `total *= value`."""

    total: cst.Name
    value: cst.BaseExpression
    product: bool


class SumLoop(Rule):
    """Add up integers by `sum`, multiply them by `prod`.

    Matches: `for x in xs: total += f(x)`, `product = product * f(x)`, maybe under one `if`; also
    several such lines in one loop.

    Sound when: the totals and every `f(x)` are exactly ints on the recorded types (since Python
    3.12 `sum` of floats is more exact than a loop, so it differs in the last bit); nothing in the
    loop mentions a total otherwise; the loop variable is not used after it; no `try` is around.
    With several lines, `xs` is a list, tuple, str, range, dict or set, and no `f(x)` can raise.

    Faster because: `sum` and `prod` calculate in C.
    """

    name = "sum-loop"
    tier = Tier.T1
    needs = ("types", "elements")

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per loop."""
        for loop in target.find(cst.For):
            assert isinstance(loop, cst.For)
            steps, condition = _steps(loop)
            if not steps or not _fits(target, loop, steps, condition):
                continue
            prod, additions = imported(target, "math", "prod")
            used = additions if any(one.product for one in steps) else ()
            lines = [statement(_code(loop, one, condition, prod)) for one in steps]
            first = lines[0].with_changes(leading_lines=loop.leading_lines)
            made = cst.FlattenSentinel([first, *lines[1:]])
            function = rewrite(target.function, {loop: lambda _, made=made: made})  # type: ignore[misc]
            does = "multiplies" if all(one.product for one in steps) else "adds up"
            why = f"The loop only {does} integers: `sum` and `prod` do it in C."
            yield Proposal(function, why + evidence(facts, loop.iter), used)


def _steps(loop: cst.For) -> tuple[list[_Step], cst.BaseExpression | None]:
    """What each round does, and under which condition; nothing if it does anything else."""
    body, condition = body_of(loop), None
    if len(body) == 1 and isinstance(body[0], cst.If) and not body[0].orelse:
        condition, body = body[0].test, body_of(body[0])
    steps = [_step(line) for line in body]
    return [one for one in steps if one is not None and None not in steps], condition


def _step(line: cst.CSTNode) -> _Step | None:
    match simple(line):
        case cst.AugAssign(target=cst.Name() as total, operator=cst.AddAssign(), value=value):
            return _Step(total, value, product=False)
        case cst.AugAssign(target=cst.Name() as total, operator=cst.MultiplyAssign(), value=value):
            return _Step(total, value, product=True)
        case cst.Assign(
            targets=[cst.AssignTarget(target=cst.Name(value=name))],
            value=cst.BinaryOperation(
                left=cst.Name(value=left) as total,
                operator=cst.Add() | cst.Multiply() as sign,
                right=value,
            ),
        ) if name == left:
            return _Step(total, value, product=isinstance(sign, cst.Multiply))
        case _:
            return None


def _code(loop: cst.For, step: _Step, condition: cst.BaseExpression | None, prod: str) -> str:
    function, sign = (prod, "*=") if step.product else ("sum", "+=")
    total, value = step.total.value, step.value
    if condition is None and text(value) == text(loop.target):
        return f"{total} {sign} {function}({text(loop.iter)})"
    only = f" if {_grouped(condition)}" if condition is not None else ""
    clause = f"for {text(loop.target)} in {_grouped(loop.iter)}{only}"
    return f"{total} {sign} {function}([{_grouped(value)} {clause}])"


def _fits(
    target: Target, loop: cst.For, steps: list[_Step], condition: cst.BaseExpression | None
) -> bool:
    if loop.orelse or loop.asynchronous or guarded(target, loop) or commented(loop.body):
        return False
    if any(isinstance(one, _ODD) for one in own(loop)) or not target.offers("sum"):
        return False
    names = [one.total.value for one in steps]
    if len(set(names)) < len(names) or not all(_alone(target, loop, one) for one in steps):
        return False
    bound = [one.value for one in own(loop.target) if isinstance(one, cst.Name)]
    plain = isinstance(loop.target, cst.Name | cst.Tuple) and not set(bound) & set(names)
    if not plain or any(used_after(target, one, loop) for one in bound):
        return False
    return len(steps) == 1 or _apart(target, loop, steps, condition)


def _alone(target: Target, loop: cst.For, step: _Step) -> bool:
    """Whether a step counts in integers, and nothing else in the loop mentions its total."""
    types, name = target.analysis.types, step.total.value
    whole = types.known(step.total, "int") and types.known(step.value, "int", "bool")
    others = [one for one in own(loop) if isinstance(one, cst.Name) and one.value == name]
    mine = 1 if isinstance(target.analysis.scope.parents[step.total], cst.AugAssign) else 2
    plain = len(others) == mine and target.analysis.scope.plain(name)
    return whole and plain and not mentions(loop.iter, name)


def _apart(
    target: Target, loop: cst.For, steps: list[_Step], condition: cst.BaseExpression | None
) -> bool:
    """Whether the steps can be done one after the other instead of in turn."""
    safe = target.analysis.safety.safe
    parts = [*(one.value for one in steps), *([condition] if condition is not None else [])]
    known = target.analysis.types.known(loop.iter, *_TWICE)
    return known and safe(loop.iter) and all(safe(one) for one in parts)


def _grouped(node: cst.BaseExpression) -> str:
    loose = isinstance(node, cst.IfExp | cst.Lambda | cst.Tuple)
    return f"({text(node)})" if loose and not node.lpar else text(node)
