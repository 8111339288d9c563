"""Compute an expression once that is written several times."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from perftrace.optimizer.analysis.contents import changes, leaks
from perftrace.optimizer.analysis.effects import DEEP, REFERENCE
from perftrace.optimizer.analysis.tree import COMPREHENSIONS, SCOPES, children, key, own, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    before,
    name_of,
    rewrite,
)
from perftrace.optimizer.facts import Facts

_WORTH = (cst.Call, cst.Subscript, cst.Attribute)
_ENDS = (cst.IndentedBlock, cst.SimpleStatementSuite, *SCOPES, *COMPREHENSIONS)


@dataclass(frozen=True)
class _Repeated:
    """An expression and where it is written, all with one value."""

    statement: cst.CSTNode
    nodes: tuple[cst.BaseExpression, ...]


class CommonSubexpression(Rule):
    """Compute a repeated expression once.

    Matches: a pure call, a subscript or a recorded attribute that is written twice or more in
    one block, the first time where it is always evaluated.

    Sound when: on the recorded exact types it runs built-in code only and changes nothing;
    from its first to its last place nothing binds its names or changes what it reads; its
    value can't be changed or is only looked at.

    Faster because: the value is computed once.
    """

    name = "common-subexpression"
    tier = Tier.T1
    needs = ("types", "attributes")

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per repeated expression."""
        seen: set[int] = set()
        for block in [target.function.body, *target.find(cst.IndentedBlock)]:
            for repeated in _repeated(target, block.body):
                if id(repeated.nodes[0]) in seen:
                    continue
                seen.update(id(node) for node in repeated.nodes)
                node = repeated.nodes[0]
                name = target.local(name_of(node))
                function = rewrite(
                    target.function,
                    {
                        **dict.fromkeys(repeated.nodes, cst.Name(name)),
                        repeated.statement: before([f"{name} = {text(node)}"]),
                    },
                )
                why = f"`{text(node)}` is computed {len(repeated.nodes)} times: once is enough."
                yield Proposal(function, why + evidence(facts, node))


def _repeated(target: Target, block: Sequence[cst.CSTNode]) -> Iterator[_Repeated]:
    for index, statement in enumerate(block):
        if isinstance(statement, cst.While | cst.Try | cst.With | cst.FunctionDef | cst.ClassDef):
            continue
        done: set[str] = set()
        for node in _always(statement):
            if isinstance(node, _WORTH) and _shareable(target, node) and key(node) not in done:
                done.add(key(node))
                nodes = _places(target, node, block[index:])
                if len(nodes) > 1:
                    yield _Repeated(statement, nodes)


def _always(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The expressions that are surely evaluated, once, when the statement is reached."""
    yield node
    if isinstance(node, cst.BooleanOperation):
        inner: list[cst.CSTNode] = [node.left]
    elif isinstance(node, cst.IfExp | cst.If):
        inner = [node.test]
    elif isinstance(node, cst.For):
        inner = [node.iter]
    else:
        inner = [child for child in children(node) if not isinstance(child, _ENDS)]
    for child in inner:
        yield from _always(child)


def _places(
    target: Target, node: cst.BaseExpression, block: Sequence[cst.CSTNode]
) -> tuple[cst.BaseExpression, ...]:
    """Where the expression is written, from its first place on, as long as it keeps its value."""
    stability = target.analysis.stability
    level = REFERENCE if isinstance(node, cst.Attribute) else DEEP
    found: list[cst.BaseExpression] = []
    pending = key(node)
    for statement in block:
        if not stability.stable(node, stability.effects(statement), level):
            break
        for one in own(statement):
            if isinstance(one, type(node)) and isinstance(one, _WORTH) and key(one) == pending:
                if not _shareable(target, one):
                    return ()
                found.append(one)
    return tuple(found)


def _shareable(target: Target, node: cst.BaseExpression) -> bool:
    """Whether all places can share one value."""
    analysis = target.analysis
    parent = analysis.scope.parents[node]
    stored = isinstance(parent, cst.AssignTarget | cst.AugAssign | cst.Del | cst.For | cst.CompFor)
    if stored and getattr(parent, "target", None) is node:
        return False
    if not analysis.purity.pure(node) or analysis.around.origin(node, analysis.scope):
        return False
    if isinstance(node, cst.Attribute):
        return not (isinstance(parent, cst.Call) and parent.func is node)
    shape = analysis.types.of(node)
    if shape is None or not shape.types:
        return False
    read = not leaks(analysis.scope, node) and not changes(analysis.scope, node)
    return shape.hashable or (shape.within({"list", "dict", "set", "tuple"}) and read)
