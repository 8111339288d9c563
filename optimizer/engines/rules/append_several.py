"""Add several elements a round at once."""

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
    method_call,
    only_argument,
    rewrite,
    simple,
    statement,
)
from perftrace.optimizer.facts import Facts

_ODD = (cst.Yield, cst.Await, cst.NamedExpr)


class AppendSeveral(Rule):
    """Extend a list by all elements of all rounds.

    Matches: `for x in xs:` that only does `out.append(a)` and `out.append(b)`, or
    `out.extend([a, b])`.

    Sound when: `out` is made in the function as a list and no other code reaches it, so nobody
    sees it half-filled; nothing else in the loop mentions it; the loop variables are not used
    after it; no `try`, `else` or `yield` is involved.

    Faster because: no method is called for each element.
    """

    name = "append-several"
    tier = Tier.T0
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per loop."""
        for loop in target.find(cst.For):
            assert isinstance(loop, cst.For)
            found = _several(target, loop)
            if found is not None:
                name, elements = found
                item = target.local("item")
                clause = f"for {text(loop.target)} in {_bare(loop.iter)}"
                code = f"{name}.extend([{item} {clause} for {item} in ({', '.join(elements)})])"
                function = rewrite(target.function, {loop: statement(code, loop)})
                why = f"The loop adds {len(elements)} elements a round: add all at once."
                yield Proposal(function, why + evidence(facts, loop.iter))


def _several(target: Target, loop: cst.For) -> tuple[str, list[str]] | None:
    """The list, and what each round adds to it."""
    if loop.orelse or loop.asynchronous or guarded(target, loop) or commented(loop.body):
        return None
    if any(isinstance(one, _ODD) for one in own(loop)):
        return None
    added = [_added(line) for line in body_of(loop)]
    names = {one[0] for one in added if one is not None}
    elements = [element for one in added if one is not None for element in one[1]]
    if None in added or len(names) != 1 or len(elements) < 2:
        return None
    (name,) = names
    if mentions(loop.iter, name) or any(mentions(one, name) for one in elements):
        return None
    bound = [one.value for one in own(loop.target) if isinstance(one, cst.Name)]
    if name in bound or any(used_after(target, one, loop) for one in bound):
        return None
    return (name, [_element(one) for one in elements]) if _private(target, name) else None


def _added(line: cst.CSTNode) -> tuple[str, list[cst.BaseExpression]] | None:
    small = simple(line)
    found = method_call(small.value, "append", "extend") if isinstance(small, cst.Expr) else None
    value = only_argument(found[1]) if found is not None else None
    if found is None or value is None or not isinstance(found[0], cst.Name):
        return None
    assert isinstance(found[1].func, cst.Attribute)
    if found[1].func.attr.value == "append":
        return found[0].value, [value]
    if not isinstance(value, cst.List | cst.Tuple):
        return None
    plain = all(isinstance(one, cst.Element) for one in value.elements)
    return (found[0].value, [one.value for one in value.elements]) if plain else None


def _private(target: Target, name: str) -> bool:
    """Whether the name is a list that was made here and that no other code reaches."""
    analysis = target.analysis
    shape = analysis.types.name(name)
    listed = shape is not None and shape.within({"list"})
    return listed and analysis.stability.private(name) and not analysis.scope.suspends


def _element(node: cst.BaseExpression) -> str:
    bare = isinstance(node, cst.GeneratorExp) and not node.lpar
    return f"({text(node)})" if bare else text(node)


def _bare(node: cst.BaseExpression) -> str:
    loose = isinstance(node, cst.IfExp | cst.Lambda | cst.Tuple)
    return f"({text(node)})" if loose and not node.lpar else text(node)
