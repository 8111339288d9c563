"""Compare a sequence with itself backwards at once."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import commented, key, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import guarded, used_after
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Replacement,
    Rule,
    Target,
    Tier,
    body_of,
    neighbour,
    rewrite,
    says,
    simple,
    statement,
)
from perftrace.optimizer.facts import Facts

_PLAIN = frozenset({"int", "bool", "str", "bytes", "NoneType"})  # equal to themselves
_STARTS = ("{i}, {j} = 0, len({xs}) - 1", "({i}, {j}) = (0, len({xs}) - 1)")


class Mirror(Rule):
    """Compare a sequence with itself backwards at once.

    Matches: `i, j = 0, len(xs) - 1` and `while i < j:` with `if xs[i] != xs[j]: return …`,
    `i += 1` and `j -= 1`.

    Sound when: `xs` is exactly a list, tuple or str of ints, strings, bytes, booleans or None in
    all recorded calls; the value returned mentions neither index; they are not used after the loop.

    Faster because: slices are reversed and compared in C.
    """

    name = "mirror"
    tier = Tier.T1
    needs = ("types", "elements")

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per loop."""
        for loop in target.find(cst.While):
            found = _mirrored(target, loop)
            if found is not None:
                xs, line, leaving = found
                code = f"if {xs.value} != {xs.value}[::-1]:\n    {text(leaving).strip()}\n"
                changes: dict[cst.CSTNode, Replacement] = {
                    line: cst.RemoveFromParent(),
                    loop: statement(code, line),
                }
                function = rewrite(target.function, changes)
                why = f"The loop compares `{xs.value}` with itself backwards: compare it at once."
                yield Proposal(function, why + evidence(facts, xs))


def _mirrored(
    target: Target, loop: cst.While
) -> tuple[cst.Name, cst.CSTNode, cst.BaseSmallStatement] | None:
    """What is compared, the line that sets the indices, and how the function is left."""
    body, line = body_of(loop), neighbour(target, loop, -1)
    start = simple(line)
    if loop.orelse or commented(loop.body) or guarded(target, loop) or len(body) != 3:
        return None
    if not isinstance(start, cst.Assign) or line is None or not isinstance(body[0], cst.If):
        return None
    match loop.test:
        case cst.Comparison(
            left=cst.Name(value=low),
            comparisons=[cst.ComparisonTarget(cst.LessThan(), cst.Name(value=high))],
        ):
            leaving = _leaving(body[0], low, high)
            xs = _sequence(target, start, low, high)
            up, down = f"{low} += 1", f"{high} -= 1"
            orders = ((up, down), (down, up))
            stepped = any(says(body[1], a) and says(body[2], b) for a, b in orders)
            if xs is None or leaving is None or not stepped:
                return None
            test = key(cst.parse_expression(f"{xs.value}[{low}] != {xs.value}[{high}]"))
            if key(body[0].test) != test or any(
                used_after(target, one, loop) for one in (low, high)
            ):
                return None
            return xs, line, leaving
        case _:
            return None


def _leaving(test: cst.If, *indices: str) -> cst.Return | None:
    """The `return` of the only branch, if it gives a constant or a name."""
    inner = body_of(test)
    small = simple(inner[0]) if len(inner) == 1 and not test.orelse else None
    if not isinstance(small, cst.Return):
        return None
    value = small.value
    fixed = value is None or isinstance(value, cst.Name | cst.Integer | cst.SimpleString)
    return small if fixed and (value is None or text(value) not in indices) else None


def _sequence(target: Target, start: cst.Assign, low: str, high: str) -> cst.Name | None:
    """`xs` of `i, j = 0, len(xs) - 1`."""
    types = target.analysis.types
    for name in target.analysis.scope.bindings:
        if says(start, *(one.format(i=low, j=high, xs=name) for one in _STARTS)):
            xs = cst.Name(name)
            shape = types.name(name)
            if shape is None or not shape.within({"list", "tuple", "str"}):
                return None
            items = shape.items.types if shape.items is not None else frozenset()
            plain = "str" in shape.types or (bool(items) and items <= _PLAIN)
            return xs if plain and low not in (high, name) else None
    return None
