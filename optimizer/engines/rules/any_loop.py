"""Write `any` and `all` out as a loop."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.purity import clauses
from perftrace.optimizer.analysis.tree import commented, own, text
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    assigned,
    body_of,
    rewrite,
    simple,
    statement,
)
from perftrace.optimizer.facts import Facts

_FOUND = {"any": "True", "all": "False"}
_OTHER = {"True": "False", "False": "True"}


class AnyLoop(Rule):
    """Return from a plain loop instead of `any` or `all`.

    Matches: `return any(test for x in xs)`, `return all(…)`, `return not any(…)`;
    `found = any(test for x in xs)` with one `for`; and `if any(…): return y`, also `raise`.

    Sound when: the loop variables occur nowhere else in the function, because now they are the
    function's own; no inner function sees them; and the test does not call `next`.

    Faster because: no generator is made and resumed for each element.
    """

    name = "any-loop"
    tier = Tier.T0
    needs = ()

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per statement."""
        del facts
        for test in target.find(cst.If):
            yield from _leaving(target, test)
        for line in target.find(cst.SimpleStatementLine):
            code = _returning(target, line) or _assigning(target, line)
            if code is not None:
                first, *rest = [statement(one) for one in code]
                lines = [first.with_changes(leading_lines=line.leading_lines), *rest]
                function = rewrite(target.function, {line: lambda _: cst.FlattenSentinel(lines)})  # noqa: B023 - called at once
                yield Proposal(function, "A generator is made for one test: a loop needs none.")


def _leaving(target: Target, test: cst.If) -> Iterator[Proposal]:
    """`if any(…): return y` as a loop that leaves from inside."""
    found = _call(target, test.test)
    body = body_of(test)
    alone = isinstance(target.analysis.scope.parents[test], cst.IndentedBlock)
    if found is None or test.orelse or not alone or len(body) != 1 or commented(test.body):
        return
    last = simple(body[0])
    if found[0] == "any" and isinstance(last, cst.Return | cst.Raise):
        loop = statement(_loop("any", found[1], [text(last)]), test)
        function = rewrite(target.function, {test: loop})
        yield Proposal(function, "A generator is made for one test: a loop needs none.")


def _returning(target: Target, line: cst.SimpleStatementLine) -> list[str] | None:
    small = simple(line)
    if not isinstance(small, cst.Return) or small.value is None:
        return None
    value, negated = small.value, False
    if isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Not):
        value, negated = value.expression, True
    found = _call(target, value)
    if found is None:
        return None
    name, generator = found
    answer = _OTHER[_FOUND[name]] if negated else _FOUND[name]
    loop = _loop(name, generator, [f"return {answer}"])
    return [loop, f"return {_OTHER[answer]}"]


def _assigning(target: Target, line: cst.SimpleStatementLine) -> list[str] | None:
    pair = assigned(line)
    found = _call(target, pair[1]) if pair is not None else None
    if pair is None or found is None or found[1].for_in.inner_for_in is not None:
        return None
    name, generator = found
    if any(isinstance(one, cst.Name) and one.value == pair[0] for one in own(generator)):
        return None
    answer = _FOUND[name]
    loop = _loop(name, generator, [f"{pair[0]} = {answer}", "break"])
    return [f"{pair[0]} = {_OTHER[answer]}", loop]


def _call(target: Target, node: cst.BaseExpression) -> tuple[str, cst.GeneratorExp] | None:
    """`any` or `all` and its generator, if its variables can be the function's own."""
    if not isinstance(node, cst.Call) or len(node.args) != 1:
        return None
    name, generator = target.analysis.types.builtin(node.func), node.args[0].value
    if name not in _FOUND or not isinstance(generator, cst.GeneratorExp):
        return None
    for one in own(generator):
        odd = isinstance(one, cst.Await | cst.Yield | cst.NamedExpr | cst.Lambda)
        if odd or (isinstance(one, cst.Name) and one.value == "next"):
            return None
    mine = set(map(id, own(generator)))
    for clause in clauses(generator):
        names = [one.value for one in own(clause.target) if isinstance(one, cst.Name)]
        if clause.asynchronous or not all(_only_here(target, one, mine) for one in names):
            return None
    return name, generator


def _only_here(target: Target, name: str, mine: set[int]) -> bool:
    scope = target.analysis.scope
    bound = all(id(one.node) in mine for one in scope.bindings[name])
    read = all(id(one) in mine for one in scope.loads.get(name, ()))
    return bound and read and scope.plain(name)


def _loop(name: str, generator: cst.GeneratorExp, body: list[str]) -> str:
    test = text(generator.elt) if name == "any" else f"not ({text(generator.elt)})"
    lines, depth = [], 0
    for clause in clauses(generator):
        lines.append(f"{'    ' * depth}for {text(clause.target)} in {text(clause.iter)}:")
        depth += 1
        for condition in clause.ifs:
            lines.append(f"{'    ' * depth}if {text(condition.test)}:")
            depth += 1
    lines.append(f"{'    ' * depth}if {test}:")
    lines += [f"{'    ' * (depth + 1)}{one}" for one in body]
    return "\n".join([*lines, ""])
