"""Count with `Counter`."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import commented, same, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import guarded, used_after
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    assigned,
    body_of,
    mentions,
    neighbour,
    rewrite,
    simple,
    statement,
)
from perftrace.optimizer.engines.rules.standard import imported
from perftrace.optimizer.facts import Facts


class CountDict(Rule):
    """Count the elements of an iterable in C.

    Matches: `counts = {}` directly before a loop that only counts: `if k in counts:
    counts[k] += 1 else: counts[k] = 1`, or `counts[k] = counts.get(k, 0) + 1`.

    Sound when: the key is pure and of an exact built-in, hashable type in all recorded calls;
    the loop variable is not used afterwards; no `try` is around. `dict(Counter(…))` is a plain
    dict with the keys in the order in which they were first seen.

    Faster because: `Counter` counts in C.
    """

    name = "count-dict"
    tier = Tier.T1
    needs = ("types", "elements")

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per counting loop."""
        for loop in target.find(cst.For):
            line = neighbour(target, loop, -1)
            start = assigned(line)
            if line is None or start is None or text(start[1]) not in {"{}", "dict()"}:
                continue
            counted = _counted(target, loop, start[0])
            if counted is not None and target.analysis.scope.plain(start[0]):
                counter, additions = imported(target, "collections", "Counter")
                made = statement(f"{start[0]} = dict({counter}({counted}))", line)
                function = rewrite(target.function, {line: cst.RemoveFromParent(), loop: made})
                why = f"The loop only counts into `{start[0]}`: `Counter` does it in C."
                yield Proposal(function, why + evidence(facts, loop.iter), additions)


def _counted(target: Target, loop: cst.For, name: str) -> str | None:
    """The code of what is counted."""
    if loop.orelse or loop.asynchronous or guarded(target, loop) or commented(loop):
        return None
    if not isinstance(loop.target, cst.Name) or used_after(target, loop.target.value, loop):
        return None
    key, purity = _key(body_of(loop), name), target.analysis.purity
    if key is None or mentions(key, name) or mentions(loop.iter, name):
        return None
    countable = purity.pure(key) and purity.hashes(key) and purity.iterable(loop.iter)
    if not countable or not target.offers("dict"):
        return None
    if text(key) == loop.target.value:
        return text(loop.iter)
    return f"[{text(key)} for {text(loop.target)} in {text(loop.iter)}]"


def _key(body: list[cst.CSTNode], name: str) -> cst.BaseExpression | None:
    if len(body) != 1:
        return None
    (only,) = body
    if isinstance(only, cst.If):
        return _key_of_choice(only, name)
    small = simple(only)
    if not isinstance(small, cst.Assign) or len(small.targets) != 1:
        return None
    key = _place(small.targets[0].target, name)
    if key is None:
        return None
    forms = (f"{name}.get({text(key)}, 0) + 1", f"1 + {name}.get({text(key)}, 0)")
    right = any(same(small.value, cst.parse_expression(form)) for form in forms)
    return key if right else None


def _key_of_choice(node: cst.If, name: str) -> cst.BaseExpression | None:
    other = node.orelse
    if not isinstance(other, cst.Else) or not isinstance(other.body, cst.IndentedBlock):
        return None
    if len(body_of(node)) != 1 or len(other.body.body) != 1:
        return None
    branches = (simple(body_of(node)[0]), simple(other.body.body[0]))
    if not isinstance(node.test, cst.Comparison) or len(node.test.comparisons) != 1:
        return None
    (test,) = node.test.comparisons
    if isinstance(test.operator, cst.NotIn):
        branches = (branches[1], branches[0])
    elif not isinstance(test.operator, cst.In):
        return None
    if text(test.comparator) not in {name, f"{name}.keys()"}:
        return None
    known, new = branches
    keys = (_incremented(known, name), _started(new, name))
    return node.test.left if all(one and same(one, node.test.left) for one in keys) else None


def _incremented(node: cst.CSTNode | None, name: str) -> cst.BaseExpression | None:
    if isinstance(node, cst.AugAssign) and isinstance(node.operator, cst.AddAssign):
        return _place(node.target, name) if text(node.value) == "1" else None
    if isinstance(node, cst.Assign) and len(node.targets) == 1:
        key = _place(node.targets[0].target, name)
        form = f"{name}[{text(key)}] + 1" if key is not None else "0"
        return key if same(node.value, cst.parse_expression(form)) else None
    return None


def _started(node: cst.CSTNode | None, name: str) -> cst.BaseExpression | None:
    if isinstance(node, cst.Assign) and len(node.targets) == 1 and text(node.value) == "1":
        return _place(node.targets[0].target, name)
    return None


def _place(node: cst.BaseExpression, name: str) -> cst.BaseExpression | None:
    """`k` of `name[k]`."""
    if not isinstance(node, cst.Subscript) or text(node.value) != name or len(node.slice) != 1:
        return None
    index = node.slice[0].slice
    return index.value if isinstance(index, cst.Index) else None
