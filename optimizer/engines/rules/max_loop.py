"""Find the largest or smallest by `max` and `min`."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import commented, key, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import guarded, used_after
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    assigned,
    body_of,
    neighbour,
    rewrite,
    statement,
)
from perftrace.optimizer.facts import Facts

_SEQUENCES = ("list", "tuple", "str")
_ITERATED = (*_SEQUENCES, "set", "frozenset", "range")


class MaxLoop(Rule):
    """Find the largest or smallest item by `max` or `min`.

    Matches: `for x in xs: if x > best: best = x`, and with `<`.

    Sound when: `best` is `xs[0]` from the line before and `xs` exactly a list, tuple or str:
    `max` makes the same comparisons in the same order, NaN included. Or `best` and all items are
    exactly ints, or all strings: then it becomes `best = max(best, max(xs, default=best))`.
    The loop variable is not used after the loop.

    Faster because: `max` compares in C.
    """

    name = "max-loop"
    tier = Tier.T1
    needs = ("types", "elements")

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per loop."""
        for loop in target.find(cst.For):
            code = _largest(target, loop)
            if code is not None:
                function = rewrite(target.function, {loop: statement(code, loop)})
                why = "The loop only looks for the best item: `max` and `min` do it in C."
                yield Proposal(function, why + evidence(facts, loop.iter))


def _largest(target: Target, loop: cst.For) -> str | None:
    if loop.orelse or loop.asynchronous or guarded(target, loop) or commented(loop.body):
        return None
    body = body_of(loop)
    if len(body) != 1 or not isinstance(body[0], cst.If) or body[0].orelse:
        return None
    inner = body_of(body[0])
    pair = assigned(inner[0]) if len(inner) == 1 else None
    if pair is None or not isinstance(loop.target, cst.Name) or text(pair[1]) != loop.target.value:
        return None
    best, item = pair[0], loop.target.value
    finder = _finder(body[0].test, item, best)
    plain = target.analysis.scope.plain(best) and not used_after(target, item, loop)
    if finder is None or best == item or not plain or not target.offers(finder):
        return None
    xs = text(loop.iter)
    if _starts(target, loop, best):
        return f"{best} = {finder}({xs})"
    return (
        f"{best} = {finder}({best}, {finder}({xs}, default={best}))"
        if _ordered(target, loop.iter, best)
        else None
    )


def _finder(test: cst.BaseExpression, item: str, best: str) -> str | None:
    forms = {
        "max": (f"{item} > {best}", f"{best} < {item}"),
        "min": (f"{item} < {best}", f"{best} > {item}"),
    }
    for name, texts in forms.items():
        if any(key(test) == key(cst.parse_expression(one)) for one in texts):
            return name
    return None


def _starts(target: Target, loop: cst.For, best: str) -> bool:
    """Whether the line before is `best = xs[0]`."""
    pair = assigned(neighbour(target, loop, -1))
    if pair is None or pair[0] != best or not isinstance(loop.iter, cst.Name):
        return False
    first = key(cst.parse_expression(f"{loop.iter.value}[0]"))
    return key(pair[1]) == first and target.analysis.types.known(loop.iter, *_SEQUENCES)


def _ordered(target: Target, iterated: cst.BaseExpression, best: str) -> bool:
    types = target.analysis.types
    shape = types.of(iterated)
    if shape is None or not shape.within(_ITERATED):
        return False
    items, held = ({"str"} if "str" in shape.types else None), types.name(best)
    inner = items or (set(shape.items.types) if shape.items is not None else set())
    if held is None or not held.types or len(inner) != 1:
        return False
    return set(held.types) == inner and inner <= {"int", "str"}
