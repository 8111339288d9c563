"""Append a few elements one by one."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import commented, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import guarded
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    mentions,
    method_call,
    only_argument,
    rewrite,
    simple,
    statement,
)
from perftrace.optimizer.facts import Facts

_MOST = 3  # elements: more lines are not worth it


class AppendEach(Rule):
    """Append a few elements one by one.

    Matches: `out.extend([a, b])` of up to three elements.

    Sound when: `out` is exactly a list in all recorded calls, and no element mentions it. Either
    no element can raise on the recorded types, or the list is made in the function, no other code
    reaches it and no `try` is around, so nobody sees it half-extended.

    Faster because: no list is made only to be copied; `append` is one step of the interpreter.
    """

    name = "append-each"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per line."""
        for line in target.find(cst.SimpleStatementLine):
            assert isinstance(line, cst.SimpleStatementLine)
            found = _extended(target, line)
            if found is None:
                continue
            owner, elements = found
            lines = [statement(f"{owner}.append({one})") for one in elements]
            first = lines[0].with_changes(leading_lines=line.leading_lines)
            last = lines[-1]
            assert isinstance(last, cst.SimpleStatementLine)
            lines = [first, *lines[1:-1], _closed(last, line)]
            made = cst.FlattenSentinel(lines)
            function = rewrite(target.function, {line: lambda _, made=made: made})  # type: ignore[misc]
            why = "A list is made only to be copied into another: append its elements."
            yield Proposal(function, why + evidence(facts, cst.Name(owner)))


def _closed(last: cst.SimpleStatementLine, line: cst.SimpleStatementLine) -> cst.BaseStatement:
    return last.with_changes(trailing_whitespace=line.trailing_whitespace)


def _extended(target: Target, line: cst.SimpleStatementLine) -> tuple[str, list[str]] | None:
    """The list, and the elements that it is extended by."""
    small = simple(line)
    found = method_call(small.value, "extend") if isinstance(small, cst.Expr) else None
    value = only_argument(found[1]) if found is not None else None
    if found is None or not isinstance(found[0], cst.Name) or commented(*line.body):
        return None
    if not isinstance(value, cst.List | cst.Tuple) or not 2 <= len(value.elements) <= _MOST:
        return None
    if any(not isinstance(one, cst.Element) for one in value.elements):
        return None
    name, elements = found[0].value, [one.value for one in value.elements]
    if any(mentions(one, name) for one in elements) or not _fits(target, line, name, elements):
        return None
    return name, [_element(one) for one in elements]


def _fits(target: Target, line: cst.CSTNode, name: str, elements: list[cst.BaseExpression]) -> bool:
    analysis = target.analysis
    shape = analysis.types.name(name)
    if shape is None or not shape.within({"list"}):
        return False
    if any(isinstance(one, cst.Yield | cst.Await | cst.NamedExpr) for one in elements):
        return False
    if all(analysis.safety.safe(one) for one in elements):
        return True
    return analysis.stability.private(name) and not guarded(target, line)


def _element(node: cst.BaseExpression) -> str:
    bare = isinstance(node, cst.GeneratorExp) and not node.lpar
    return f"({text(node)})" if bare else text(node)
