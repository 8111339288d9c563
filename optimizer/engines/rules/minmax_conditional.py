"""Compare two values without calling `min` or `max`."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import operand, text, walk
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    assigned,
    rewrite,
    statement,
)
from perftrace.optimizer.facts import Facts

_SIGNS = {"max": ">", "min": "<"}
_SIMPLE = (cst.Name, cst.Integer, cst.Float, cst.SimpleString)


class MinmaxConditional(Rule):
    """Write the larger or smaller of two values as a condition.

    Matches: `best = max(best, x)`, `best = max(x, best)` and `max(a, b)`, `min(a, b)` of names
    and literals.

    Sound when: `max` and `min` are the built-ins. `max(a, b)` is `b` exactly if `b > a`, else
    `a`: the condition makes the same comparison and keeps the same object, NaN and equal
    values included.

    Faster because: no call is made; and where `best` stays, nothing is assigned.
    """

    name = "minmax-conditional"
    tier = Tier.T0
    needs = ()

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per call."""
        del facts
        done: set[int] = set()
        for line in target.find(cst.SimpleStatementLine):
            code = _kept_best(target, line)
            if code is not None:
                done.update(id(node) for node in walk(line))
                function = rewrite(target.function, {line: statement(code, line)})
                yield Proposal(function, "A comparison is cheaper than a call.")
        alone = {id(line.value) for line in target.find(cst.Assign)}
        alone |= {id(line.value) for line in target.find(cst.Return)}
        for call in target.find(cst.Call):
            code = _choice(target, call)
            if code is not None and id(call) not in done:
                code = code if id(call) in alone else f"({code})"
                function = rewrite(target.function, {call: cst.parse_expression(code)})
                yield Proposal(function, f"`{text(call)}` of two values is one comparison.")


def _two(target: Target, call: cst.BaseExpression) -> tuple[str, list[cst.BaseExpression]] | None:
    if not isinstance(call, cst.Call) or len(call.args) != 2:
        return None
    sign = _SIGNS.get(target.analysis.types.builtin(call.func) or "")
    plain = all(one.keyword is None and not one.star for one in call.args)
    return (sign, [one.value for one in call.args]) if sign and plain else None


def _kept_best(target: Target, line: cst.SimpleStatementLine) -> str | None:
    pair = assigned(line)
    found = _two(target, pair[1]) if pair is not None else None
    if pair is None or found is None or not target.analysis.scope.local(pair[0]):
        return None
    best, (sign, (first, second)) = pair[0], found
    if text(first) == best and isinstance(second, _SIMPLE):
        return f"if {text(second)} {sign} {best}:\n    {best} = {text(second)}\n"
    if text(second) == best and isinstance(first, _SIMPLE):
        return f"if not {best} {sign} {text(first)}:\n    {best} = {text(first)}\n"
    if text(first) != best:
        return None
    new = target.local(f"{best}_new")
    return _with_name(best, sign, new, second)


def _with_name(best: str, sign: str, new: str, value: cst.BaseExpression) -> str | None:
    """The condition on a value that is worked out once; not where it could rebind names."""
    if any(isinstance(one, cst.NamedExpr | cst.Yield | cst.Await) for one in walk(value)):
        return None
    return f"if ({new} := {operand(value)}) {sign} {best}:\n    {best} = {new}\n"


def _choice(target: Target, call: cst.Call) -> str | None:
    found = _two(target, call)
    if found is None:
        return None
    sign, (first, second) = found
    if not isinstance(first, _SIMPLE) or not isinstance(second, _SIMPLE):
        return None
    a, b = text(first), text(second)
    return f"{b} if {b} {sign} {a} else {a}"
