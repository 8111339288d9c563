"""Remember the results of a recursion while it runs."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import own, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Replacement,
    Rule,
    Target,
    Tier,
    rewrite,
    statement,
)
from perftrace.optimizer.facts import Facts

_FEWEST = 2  # calls of itself


class MemoizeRecursion(Rule):
    """Remember the results of a branching recursion.

    Matches: a module-level function that calls itself at least twice in its text.

    Sound when: apart from its calls of itself the function is pure: it runs built-in code only
    and changes nothing but its own local objects; all recorded arguments are of exact built-in
    types that are hashable and can't change, and so are its results. The memory tells `1`, `1.0`
    and `True` apart and lives only as long as the outermost call; the recursion goes no deeper.

    Faster because: each subproblem is solved once; a naive recursion can solve it exponentially
    often.
    """

    name = "memoize-recursion"
    tier = Tier.T1
    needs = ("types", "results")

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """At most one proposal."""
        function = target.function
        if not memoizable(target, facts) or len(self_calls(target)) < _FEWEST:
            return
        if not target.offers("type") or not isinstance(function.body, cst.IndentedBlock):
            return
        why = (
            f"`{function.name.value}` solves the same subproblems again and again: remember"
            " their results during one call."
        )
        yield Proposal(_remembering(target), why + evidence(facts, function.params))


def self_calls(target: Target) -> list[cst.Call]:
    """Where the function calls itself."""
    mine = target.function.name.value
    calls = target.find(cst.Call)
    return [one for one in calls if isinstance(one.func, cst.Name) and one.func.value == mine]


def memoizable(target: Target, facts: Facts) -> bool:
    """Whether its result depends on nothing but its arguments, and can be shared."""
    function, scope = target.function, target.analysis.scope
    plain = (
        target.analysis.around.top
        and not function.decorators
        and function.asynchronous is None
        and not scope.suspends
    )
    if (
        not plain
        or not scope.parameters
        or not facts.calls
        or function.name.value in scope.bindings
    ):
        return False
    starred = isinstance(function.params.star_arg, cst.Param) or function.params.star_kwarg
    shapes = [facts.shape(name) for name in scope.parameters]
    hashable = all(shape is not None and shape.hashable for shape in shapes)
    result = facts.result
    if starred or not hashable or not result.types or not result.hashable or facts.exceptions:
        return False
    return not scope.outer and not scope.captured and _pure(target)


def _pure(target: Target) -> bool:
    """Whether running the body changes nothing outside, calls of itself aside."""
    mine = target.function.name.value
    for node in own(target.function.body):
        if isinstance(node, cst.Call) and not _harmless(target, node, mine):
            return False
        if isinstance(node, cst.Import | cst.ImportFrom | cst.With | cst.Global | cst.Nonlocal):
            return False
        if isinstance(node, cst.Name) and not _steady(target, node, mine):
            return False
        if isinstance(node, cst.Attribute) and not _method(target, node):
            return False
    effects = target.analysis.stability.effects(target.function.body)
    stability = target.analysis.stability
    return not effects.attributes and all(
        change.name is not None and stability.fresh(change.name) for change in effects.changes
    )


def _harmless(target: Target, call: cst.Call, mine: str) -> bool:
    if isinstance(call.func, cst.Name) and call.func.value == mine:
        return not any(argument.star or argument.keyword for argument in call.args)
    named = target.analysis.types.builtin(call.func)
    if named is not None:
        return named in _BUILTINS and not any(argument.keyword for argument in call.args)
    return isinstance(call.func, cst.Attribute)


_BUILTINS = frozenset(
    {"abs", "bool", "chr", "divmod", "enumerate", "float", "int", "len", "list", "max", "min"}
    | {"ord", "range", "reversed", "round", "set", "sorted", "str", "sum", "tuple", "zip"}
)


def _method(target: Target, node: cst.Attribute) -> bool:
    """Whether it is a method of a built-in value, or something from `math`."""
    if (target.analysis.around.origin(node, target.analysis.scope) or "").startswith("math."):
        return True
    shape = target.analysis.types.of(node.value)
    return shape is not None and shape.within({"str", "list", "dict", "set", "int"})


def _steady(target: Target, node: cst.Name, mine: str) -> bool:
    """Whether a name is local, the function itself, a built-in or a constant of the module."""
    around, scope = target.analysis.around, target.analysis.scope
    name = node.value
    if name in scope.bindings or name == mine or node not in scope.parents:
        return True
    return (
        name in around.constants or around.imports.get(name) == "math" or not around.shadows(name)
    )


def _remembering(target: Target) -> cst.FunctionDef:
    """The function with its body in an inner function of the same name, which remembers.

    It needs no frame more per call than the original, so recursion goes as deep.
    """
    function, parameters = target.function, target.analysis.scope.parameters
    known, key, result = (target.local(name) for name in ("known", "key", "result"))
    parts = [*parameters, *(f"type({name})" for name in parameters)]
    block = rewrite(function, dict(_stores(target, f"{known}[{key}]", result))).body
    assert isinstance(block, cst.IndentedBlock)
    documented, body = _docstring(block)
    lookup = [
        statement(f"{key} = ({', '.join(parts)})"),
        statement(f"if {key} in {known}:\n    return {known}[{key}]\n"),
    ]
    inner = cst.FunctionDef(
        name=function.name,
        params=cst.Parameters(params=[cst.Param(cst.Name(name)) for name in parameters]),
        body=block.with_changes(body=[*lookup, *body]),
    )
    call = statement(f"return {function.name.value}({', '.join(parameters)})")
    lines = [*documented, statement(f"{known} = {{}}"), inner, call]
    return function.with_changes(body=block.with_changes(body=lines))


def _stores(target: Target, place: str, result: str) -> Iterator[tuple[cst.CSTNode, Replacement]]:
    """Each `return value` with the value stored first."""
    for node in target.find(cst.Return):
        if node.value is None:
            continue
        store = statement(f"{place} = {result} = {text(node.value)}")
        leave = statement(f"return {result}")
        line = target.analysis.scope.parents[node]
        assert isinstance(store, cst.SimpleStatementLine)
        assert isinstance(leave, cst.SimpleStatementLine)
        small = (store.body[0], leave.body[0])
        if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1:
            first = store.with_changes(leading_lines=line.leading_lines)
            yield line, _always(first, line.with_changes(body=[small[1]], leading_lines=[]))
        else:
            yield node, _always(*small)


def _always(*nodes: cst.CSTNode) -> Replacement:
    return lambda _: cst.FlattenSentinel(nodes)


def _docstring(
    block: cst.IndentedBlock,
) -> tuple[list[cst.BaseStatement], list[cst.BaseStatement]]:
    body = list(block.body)
    first = body[0]
    if isinstance(first, cst.SimpleStatementLine) and isinstance(first.body[0], cst.Expr):
        value = first.body[0].value
        if isinstance(value, cst.SimpleString | cst.ConcatenatedString) and text(value):
            return body[:1], body[1:]
    return [], body
