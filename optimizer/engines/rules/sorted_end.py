"""Take the smallest or largest element without sorting."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import key, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    body_of,
    rewrite,
    simple,
)
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.shapes import items_of

_LEAVING = (cst.Return, cst.Raise, cst.Continue, cst.Break)


class SortedEnd(Rule):
    """Take the first or last of the sorted elements by `min` or `max`.

    Matches: `sorted(xs)[0]` and `sorted(xs)[-1]`, also with `reverse=True`, of a list or tuple.

    Sound when: all recorded elements are of one exact type, `int` or `str`, so equal elements
    can't be told apart; and `xs` is surely not empty (a test of `xs` leads here), because an
    empty `xs` raises another exception. Not for floats: NaN has no place in an order.

    Faster because: one pass instead of a sort.
    """

    name = "sorted-end"
    tier = Tier.T1
    needs = ("types", "elements")

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per subscript of `sorted`."""
        for node in target.find(cst.Subscript):
            found = _match(target, node)
            if found is not None:
                function, listed = found
                new = cst.parse_expression(f"{function}({text(listed)})")
                why = f"`{text(node)}` sorts everything to take one element: use `{function}`."
                yield Proposal(rewrite(target.function, {node: new}), why + evidence(facts, listed))


def _match(target: Target, node: cst.Subscript) -> tuple[str, cst.Name] | None:
    call, first = node.value, _end(node)
    if first is None or not isinstance(call, cst.Call):
        return None
    if target.analysis.types.builtin(call.func) != "sorted" or not call.args:
        return None
    listed, *options = [argument.value for argument in call.args]
    reverse = _reversed(call)
    if reverse is None or len(options) > 1 or not isinstance(listed, cst.Name):
        return None
    items = items_of(target.analysis.types.of(listed))
    ordered = items is not None and items.types in ({"int"}, {"str"})
    known = target.analysis.types.known(listed, "list", "tuple")
    if not ordered or not known or not not_empty(target, node, listed):
        return None
    function = "min" if first != reverse else "max"
    return (function, listed) if target.offers(function) else None


def _end(node: cst.Subscript) -> bool | None:
    """True for `[0]`, False for `[-1]`."""
    if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return None
    return {"0": True, "-1": False}.get(text(node.slice[0].slice.value))


def _reversed(call: cst.Call) -> bool | None:
    """Whether the order is reversed; None where it is not plain."""
    options = [(one.keyword.value if one.keyword else "", text(one.value)) for one in call.args[1:]]
    if any(one.star for one in call.args) or call.args[0].keyword is not None:
        return None
    return {(): False, (("reverse", "True"),): True}.get(tuple(options))


def not_empty(target: Target, node: cst.CSTNode, listed: cst.Name) -> bool:
    """Whether a test of the list leads to this node, and nothing changes the list in between."""
    scope = target.analysis.scope
    inner: cst.CSTNode = node
    for outer in scope.above(node):
        if isinstance(outer, cst.IndentedBlock):
            block = list(outer.body)
            for index in range(block.index(inner) - 1, -1, -1):  # type: ignore[arg-type]
                if not _keeps(target, block[index], listed):
                    return False
                if _leaves_if_empty(block[index], listed):
                    return True
        if isinstance(outer, cst.If) and inner is outer.body and _is_test(outer.test, listed):
            return True
        if isinstance(outer, cst.For | cst.While | cst.Try | cst.With | cst.FunctionDef):
            return False
        inner = outer
    return False


def _keeps(target: Target, statement: cst.CSTNode, listed: cst.Name) -> bool:
    return target.analysis.stability.stable(listed, target.analysis.stability.effects(statement))


def _is_test(test: cst.BaseExpression, listed: cst.Name) -> bool:
    name = listed.value
    forms = (name, f"len({name})", f"len({name}) > 0", f"len({name}) != 0", f"len({name}) >= 1")
    return any(key(test) == key(cst.parse_expression(form)) for form in forms)


def _leaves_if_empty(statement: cst.CSTNode, listed: cst.Name) -> bool:
    """Whether it is `if not xs: return …`."""
    if not isinstance(statement, cst.If) or statement.orelse:
        return False
    name = listed.value
    forms = (f"not {name}", f"len({name}) == 0", f"not len({name})", f"len({name}) < 1")
    tested = any(key(statement.test) == key(cst.parse_expression(form)) for form in forms)
    body = body_of(statement)
    if not body and isinstance(statement.body, cst.SimpleStatementSuite):
        return tested and isinstance(statement.body.body[-1], _LEAVING)
    return tested and bool(body) and isinstance(simple(body[-1]), _LEAVING)
