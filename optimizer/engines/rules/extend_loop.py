"""Add many elements at once."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import commented, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import guarded, used_after
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    body_of,
    mentions,
    method_call,
    only_argument,
    rewrite,
    simple,
    statement,
)
from perftrace.optimizer.facts import Facts

_MANY = {"append": "extend", "add": "update"}


class ExtendLoop(Rule):
    """Extend a list or update a set at once.

    Matches: `for x in xs: out.append(f(x))` and `for x in xs: out.add(f(x))`.

    Sound when: `out` is made in the function as a list or set and no other code reaches it, so
    nobody sees it half-filled; nothing else in the loop mentions it; the loop variable is not
    used after it; no `try`, `else` or `yield` is involved.

    Faster because: no method is looked up and called for each element.
    """

    name = "extend-loop"
    tier = Tier.T0
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per loop."""
        for loop in target.find(cst.For):
            code = _bulk(target, loop)
            if code is not None:
                made = statement(code, loop)
                why = "The loop adds the elements one by one: add them at once."
                function = rewrite(target.function, {loop: made})
                yield Proposal(function, why + evidence(facts, loop.iter))


def _bulk(target: Target, loop: cst.For) -> str | None:
    body = body_of(loop)
    if loop.orelse or loop.asynchronous or len(body) != 1 or commented(loop.body):
        return None
    small = simple(body[0])
    found = method_call(small.value, *_MANY) if isinstance(small, cst.Expr) else None
    value = only_argument(found[1]) if found is not None else None
    if found is None or value is None or not isinstance(found[0], cst.Name):
        return None
    name, method = found[0].value, found[1].func
    assert isinstance(method, cst.Attribute)
    if not _fits(target, loop, name, method.attr.value) or mentions(value, name):
        return None
    many = _MANY[method.attr.value]
    if text(value) == text(loop.target):
        return f"{name}.{many}({_grouped(loop.iter)})"
    element = f"({text(value)})" if isinstance(value, cst.GeneratorExp) else text(value)
    return f"{name}.{many}([{element} for {text(loop.target)} in {_grouped(loop.iter)}])"


def _grouped(node: cst.BaseExpression) -> str:
    loose = isinstance(node, cst.Tuple | cst.IfExp | cst.Lambda)
    return f"({text(node)})" if loose and not node.lpar else text(node)


def _fits(target: Target, loop: cst.For, name: str, method: str) -> bool:
    scope, stability = target.analysis.scope, target.analysis.stability
    shape = target.analysis.types.name(name)
    kind = "list" if method == "append" else "set"
    if shape is None or not shape.within({kind}) or not stability.private(name):
        return False
    if guarded(target, loop) or mentions(loop.iter, name) or scope.suspends:
        return False
    if not isinstance(loop.target, cst.Name | cst.Tuple):
        return False
    names = scope.bound_in(loop)
    return not any(used_after(target, one, loop) for one in names)
