"""Remember in a set what a list of distinct elements holds."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import LOOPS, commented, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import guarded, used_after
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Replacement,
    Rule,
    Target,
    Tier,
    assigned,
    before,
    body_of,
    mentions,
    method_call,
    neighbour,
    only_argument,
    rewrite,
    simple,
    statement,
)
from perftrace.optimizer.facts import Facts


class SeenSet(Rule):
    """Keep a set beside a list of distinct elements.

    Matches: in a loop, `if x not in out: out.append(x)`, where `out` starts as `[]`. If the
    loop does only this, it becomes `out = list(dict.fromkeys(xs))`.

    Sound when: `out` is made in the function, no other code reaches it and nothing else changes
    it; `x` is of an exact built-in, hashable type in all recorded calls.

    Faster because: a set answers by one hash; the list is searched from its start each time.
    """

    name = "seen-set"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One or two proposals per list."""
        for test in target.find(cst.If):
            found = _match(target, test)
            if found is None:
                continue
            name, element = found
            why = f"`{name}` is searched for each new element." + evidence(facts, element)
            whole = _whole(target, test, name, element)
            if whole is not None:
                yield Proposal(rewrite(target.function, whole), why)
            yield Proposal(rewrite(target.function, _beside(target, test, name, element)), why)


def _match(target: Target, test: cst.If) -> tuple[str, cst.BaseExpression] | None:
    condition, body = test.test, body_of(test)
    if not isinstance(condition, cst.Comparison) or len(condition.comparisons) != 1 or test.orelse:
        return None
    (comparison,) = condition.comparisons
    if not isinstance(comparison.operator, cst.NotIn) or not body:
        return None
    name, element = text(comparison.comparator), condition.left
    appended = _appended(body[0])
    if appended is None or text(appended[0]) != name or text(appended[1]) != text(element):
        return None
    fits = target.analysis.purity.pure(element) and target.analysis.purity.hashes(element)
    if not fits or mentions(element, name) or not isinstance(element, cst.Name | cst.Subscript):
        return None
    looped = any(isinstance(one, LOOPS) for one in target.analysis.scope.above(test))
    return (
        (name, element)
        if looped and target.offers("set") and _grows_here_only(target, name)
        else None
    )


def _appended(line: cst.CSTNode) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    small = simple(line)
    found = method_call(small.value, "append") if isinstance(small, cst.Expr) else None
    value = only_argument(found[1]) if found is not None else None
    return (found[0], value) if found is not None and value is not None else None


def _grows_here_only(target: Target, name: str) -> bool:
    """Whether one `[]` and one `append` make the list what it is."""
    scope, stability = target.analysis.scope, target.analysis.stability
    bindings = scope.bindings.get(name, [])
    if len(bindings) != 1 or bindings[0].value is None or text(bindings[0].value) != "[]":
        return False
    changes = stability.effects(target.function.body).changes
    return stability.private(name) and sum(one.name == name for one in changes) == 1


def _beside(
    target: Target, test: cst.If, name: str, element: cst.BaseExpression
) -> dict[cst.CSTNode, Replacement]:
    assert isinstance(test.test, cst.Comparison)
    seen = target.local(f"{name}_seen")
    binding = target.analysis.scope.bindings[name][0]
    start = target.analysis.scope.statement_of(binding.node)
    added = body_of(test)[0]
    return {
        start: before([f"{seen} = set()"]),
        test.test.comparisons[0].comparator: cst.Name(seen),
        added: before([f"{seen}.add({text(element)})"]),
    }


def _whole(
    target: Target, test: cst.If, name: str, element: cst.BaseExpression
) -> dict[cst.CSTNode, Replacement] | None:
    """The loop as one expression, if it does nothing else."""
    block = target.analysis.scope.parents[test]
    loop = target.analysis.scope.parents[block]
    if not isinstance(loop, cst.For) or loop.orelse or loop.asynchronous or commented(loop):
        return None
    alone = len(body_of(loop)) == 1 and len(body_of(test)) == 1 and not guarded(target, loop)
    line = neighbour(target, loop, -1)
    start = assigned(line)
    if not alone or line is None or start is None or start[0] != name:
        return None
    if not isinstance(loop.target, cst.Name) or text(element) != loop.target.value:
        return None
    if used_after(target, loop.target.value, loop) or not target.analysis.purity.iterable(
        loop.iter
    ):
        return None
    if not target.offers("dict", "list"):
        return None
    made = statement(f"{name} = list(dict.fromkeys({text(loop.iter)}))", line)
    return {line: cst.RemoveFromParent(), loop: made}
