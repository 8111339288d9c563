"""Chains of `or` and `and`, and what the rules on them share."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.engines.rules.rule import Target


def chains(
    target: Target, kind: type[cst.Or | cst.And]
) -> Iterator[tuple[cst.BooleanOperation, list[cst.BaseExpression]]]:
    """The whole chains of one operator, each with its operands from left to right."""
    for node in target.find(cst.BooleanOperation):
        parent = target.analysis.scope.parents[node]
        inner = isinstance(parent, cst.BooleanOperation) and isinstance(parent.operator, kind)
        if isinstance(node.operator, kind) and not inner:
            yield node, list(_operands(node, kind))


def _operands(
    node: cst.BaseExpression, kind: type[cst.Or | cst.And]
) -> Iterator[cst.BaseExpression]:
    if isinstance(node, cst.BooleanOperation) and isinstance(node.operator, kind):
        yield from _operands(node.left, kind)
        yield from _operands(node.right, kind)
    else:
        yield node


def in_place_of(node: cst.BaseExpression, code: str) -> cst.BaseExpression:
    """An expression with the parentheses that another one had."""
    made = cst.parse_expression(code)
    return made.with_changes(lpar=node.lpar, rpar=node.rpar)
