"""Use a C function as sort key."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import text
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, rewrite
from perftrace.optimizer.engines.rules.standard import imported
from perftrace.optimizer.facts import Facts

_SORTING = frozenset({"sorted", "min", "max"})


class KeyGetter(Rule):
    """Use `itemgetter` instead of a lambda as key.

    Matches: `key=lambda x: x[1]` (or a literal string) of `sorted`, `min`, `max` or `.sort`, and
    `key=lambda x: len(x)` with any built-in function.

    Sound when: the built-ins are not shadowed. `itemgetter(1)(x)` is `x[1]`.

    Faster because: no Python function is called for each element.
    """

    name = "key-getter"
    tier = Tier.T0
    needs = ()

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per key."""
        del facts
        types = target.analysis.types
        for call in target.find(cst.Call):
            sorts = isinstance(call.func, cst.Attribute) and call.func.attr.value == "sort"
            if not sorts and types.builtin(call.func) not in _SORTING:
                continue
            for argument in call.args:
                named = argument.keyword is not None and argument.keyword.value == "key"
                if named and isinstance(argument.value, cst.Lambda):
                    yield from _getters(target, argument.value)


def _getters(target: Target, function: cst.Lambda) -> Iterator[Proposal]:
    parameter = parameter_of(function)
    why = f"`{text(function)}` is called for each element: use a C function."
    match function.body:
        case cst.Subscript(
            value=cst.Name(value=owner),
            slice=[cst.SubscriptElement(slice=cst.Index(value=index))],
        ) if owner == parameter and _constant(index):
            getter, additions = imported(target, "operator", "itemgetter")
            new = cst.parse_expression(f"{getter}({text(index)})")
            yield Proposal(rewrite(target.function, {function: new}), why, additions)
        case cst.Call(func=cst.Name() as called, args=[cst.Arg(value=cst.Name(value=given))]):
            only = given == parameter and not function.body.args[0].star
            if only and target.analysis.types.builtin(called) is not None:
                yield Proposal(rewrite(target.function, {function: called}), why)
        case _:
            pass


def _constant(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.UnaryOperation):
        return isinstance(node.operator, cst.Minus) and isinstance(node.expression, cst.Integer)
    return isinstance(node, cst.Integer | cst.SimpleString)


def parameter_of(function: cst.Lambda) -> str | None:
    """The only, plain parameter of a lambda."""
    params = function.params
    others = (params.kwonly_params, params.posonly_params, params.star_kwarg)
    starred = isinstance(params.star_arg, cst.Param)
    if any(others) or starred or len(params.params) != 1 or params.params[0].default is not None:
        return None
    return params.params[0].name.value
