"""Write `map` and `filter` with a lambda as a comprehension."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import own, text
from perftrace.optimizer.engines.rules.key_getter import parameter_of
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, rewrite
from perftrace.optimizer.facts import Facts


class MapLambda(Rule):
    """Use a comprehension instead of `map` or `filter` with a lambda.

    Matches: `list(map(lambda x: f(x), xs))`, `list(filter(lambda x: test(x), xs))`, and `set(…)`
    of either.

    Sound when: the built-ins are not shadowed; the lambda has one plain parameter and holds no
    further lambda, `yield`, `await` or `:=`, and calls no `next`.

    Faster because: no function is called for each element.
    """

    name = "map-lambda"
    tier = Tier.T0
    needs = ()

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per call."""
        del facts
        types = target.analysis.types
        for call in target.find(cst.Call):
            kind = types.builtin(call.func)
            if kind not in {"list", "set"} or len(call.args) != 1:
                continue
            inner = call.args[0].value
            code = _comprehension(target, inner) if isinstance(inner, cst.Call) else None
            if code is not None:
                brackets = f"[{code}]" if kind == "list" else f"{{{code}}}"
                function = rewrite(target.function, {call: cst.parse_expression(brackets)})
                yield Proposal(function, f"`{text(call)}` calls a lambda for each element.")


def _comprehension(target: Target, call: cst.Call) -> str | None:
    name = target.analysis.types.builtin(call.func)
    if name not in {"map", "filter"} or len(call.args) != 2:
        return None
    function, iterated = (argument.value for argument in call.args)
    if any(one.star or one.keyword for one in call.args) or not isinstance(function, cst.Lambda):
        return None
    parameter = parameter_of(function)
    if parameter is None or not _inlines(function.body):
        return None
    body, source = _grouped(function.body), _grouped(iterated)
    if name == "map":
        return f"{body} for {parameter} in {source}"
    return f"{parameter} for {parameter} in {source} if {body}"


def _inlines(body: cst.BaseExpression) -> bool:
    odd = (cst.Lambda, cst.Yield, cst.Await, cst.NamedExpr)
    return not any(
        isinstance(one, odd) or (isinstance(one, cst.Name) and one.value == "next")
        for one in [body, *own(body)]
    )


def _grouped(node: cst.BaseExpression) -> str:
    loose = isinstance(node, cst.IfExp | cst.Lambda | cst.Tuple | cst.GeneratorExp)
    return f"({text(node)})" if loose and not node.lpar else text(node)
