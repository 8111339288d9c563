"""Functions defined inside a function: the rules look into them too.

No call of them is recorded by itself. What their arguments are follows from the calls of them, if
all of those stand in the function around.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import libcst as cst

from perftrace.optimizer.analysis import Analysis
from perftrace.optimizer.analysis.scope import How
from perftrace.optimizer.analysis.surroundings import Surroundings
from perftrace.optimizer.engines.rules.rule import Target, rewrite
from perftrace.optimizer.facts import NOTHING, Facts, ParameterFacts
from perftrace.optimizer.shapes import Shape, common


@dataclass(frozen=True, slots=True)
class Spot:
    """A function that rules look into, and what a rewrite of it makes of the whole."""

    target: Target
    facts: Facts  # recorded of it
    put: Callable[[cst.FunctionDef], cst.FunctionDef]


def spots(
    function: cst.FunctionDef, around: Surroundings, within: Surroundings, facts: Facts
) -> Iterator[Spot]:
    """The function itself, then those inside it; `within` is what those see around them."""
    whole = Target(Analysis(function, around, facts))
    yield Spot(whole, facts, lambda new: new)
    for name, bindings in whole.analysis.scope.bindings.items():
        node = bindings[0].node
        defined = len(bindings) == 1 and bindings[0].how is How.OTHER
        if defined and isinstance(node, cst.FunctionDef):
            known = Facts(parameters=_parameters(whole, name, node))
            target = Target(Analysis(node, within, known))
            if not target.analysis.scope.dynamic:
                yield Spot(target, NOTHING, _putting(function, node))


def _putting(
    function: cst.FunctionDef, node: cst.FunctionDef
) -> Callable[[cst.FunctionDef], cst.FunctionDef]:
    return lambda new: rewrite(function, {node: new})


def _parameters(whole: Target, name: str, node: cst.FunctionDef) -> dict[str, ParameterFacts]:
    """The shapes of its parameters, from the calls; none where it may be called otherwise."""
    scope, types = whole.analysis.scope, whole.analysis.types
    names = [one.name.value for one in node.params.params]
    calls = []
    for use in scope.loads[name]:
        call = scope.parents[use]
        if not isinstance(call, cst.Call) or call.func is not use:
            return {}
        if len(call.args) != len(names) or any(one.star or one.keyword for one in call.args):
            return {}
        calls.append(call)
    elsewhere = [use for use in scope.inner.get(name, ()) if use is not node.name]
    if elsewhere or node.decorators or not calls or scope.parameters_of(node) != names:
        return {}
    shapes = [common(types.of(call.args[at].value) for call in calls) for at in range(len(names))]
    pairs = zip(names, shapes, strict=True)
    return {one: _fact(shape) for one, shape in pairs if shape is not None and shape.types}


def _fact(shape: Shape) -> ParameterFacts:
    return ParameterFacts(types=dict.fromkeys(shape.types, 1), shape=shape)
