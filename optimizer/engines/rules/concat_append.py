"""Append to a list instead of making a longer one."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    mentions,
    rewrite,
    simple,
)
from perftrace.optimizer.facts import Facts


class ConcatAppend(Rule):
    """Grow a list in place.

    Matches: `out = out + [x]`, `out = out + ys` and `out += [x]`.

    Sound when: `out` is made in the function as a list and no other name, container or code can
    reach it, so nobody sees that it is the same list; `ys` is exactly a list or tuple.

    Faster because: `out + [x]` copies the whole list each time.
    """

    name = "concat-append"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per statement."""
        for line in target.find(cst.SimpleStatementLine):
            found = _growing(line)
            if found is None:
                continue
            name, added = found
            code = _call(target, name, added)
            if code is not None and _private_list(target, name):
                old = simple(line)
                assert old is not None
                function = rewrite(target.function, {old: cst.Expr(cst.parse_expression(code))})
                why = f"`{text(old)}` copies the whole list: grow it in place."
                yield Proposal(function, why + evidence(facts, added))


def _growing(line: cst.SimpleStatementLine) -> tuple[str, cst.BaseExpression] | None:
    """`out` and `x` of `out = out + x`, or of `out += [x]`."""
    match simple(line):
        case cst.Assign(
            targets=[cst.AssignTarget(target=cst.Name(value=name))],
            value=cst.BinaryOperation(left=left, operator=cst.Add(), right=right),
        ) if text(left) == name:
            return name, right
        case cst.AugAssign(
            target=cst.Name(value=name), operator=cst.AddAssign(), value=cst.List() as added
        ):
            return name, added
        case _:
            return None


def _call(target: Target, name: str, added: cst.BaseExpression) -> str | None:
    if mentions(added, name):
        return None
    if isinstance(added, cst.List) and len(added.elements) == 1:
        (element,) = added.elements
        return f"{name}.append({text(element.value)})" if isinstance(element, cst.Element) else None
    return f"{name}.extend({text(added)})" if target.analysis.types.known(added, "list") else None


def _private_list(target: Target, name: str) -> bool:
    private = target.analysis.stability.private(name)
    shape = target.analysis.types.name(name)
    return private and shape is not None and shape.within({"list"})
