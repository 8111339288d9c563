"""Leave out a container that is made only to make another one."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import operand, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    method_call,
    only_argument,
    rewrite,
)
from perftrace.optimizer.facts import Facts

# What takes any iterable and reads it once -> the copies it has no need of.
_COPIES = frozenset({"list", "tuple"})
_EAGER = frozenset({"max", "min", "sum", "any", "all", "sorted", "tuple", "frozenset"})
_READERS = frozenset({"sorted", "set", "frozenset", "list", "tuple", "sum", "any", "all"})


class NeedlessCopy(Rule):
    """Do without a copy that is thrown away.

    Matches: `sorted(list(xs))`, `set(list(xs))`, `sum(tuple(xs))` and the like; `list(sorted(xs))`;
    `len(d.keys())`; `[x for x in xs]`; `max(x for x in xs)`; `dict([(k, v) for … in …])`.

    Sound when: the built-ins are not shadowed, and `xs` is of an exact built-in type, so reading
    it twice or asking for its length runs no user code.

    Faster because: one container less is made and filled.
    """

    name = "needless-copy"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per copy."""
        for node in target.find(cst.Call, cst.ListComp, cst.SetComp):
            new = _without_copy(target, node)
            if new is not None:
                function = rewrite(target.function, {node: cst.parse_expression(new)})
                why = f"`{text(node)}` makes a container only to make another of it."
                yield Proposal(function, why + evidence(facts, node))


def _without_copy(target: Target, node: cst.CSTNode) -> str | None:
    if isinstance(node, cst.Call):
        argument = only_argument(node)
        name = target.analysis.types.builtin(node.func)
        if argument is not None and name is not None:
            return _nested(target, name, node, argument)
        return _sorted(target, node, name)
    if isinstance(node, cst.ListComp | cst.SetComp):
        return _identity(target, node)
    return None


def _nested(target: Target, name: str, node: cst.Call, argument: cst.BaseExpression) -> str | None:
    types = target.analysis.types
    if name == "len":
        found = method_call(argument, "keys")
        plain = found is not None and not found[1].args and types.known(found[0], "dict")
        return f"len({text(found[0])})" if found is not None and plain else None
    if name in _EAGER and isinstance(argument, cst.ListComp | cst.GeneratorExp):
        items = _unchanged(target, argument)
        return text(node.with_changes(args=[cst.Arg(items)])) if items is not None else None
    if name == "dict" and isinstance(argument, cst.ListComp | cst.GeneratorExp):
        return _dict(argument)
    inner = types.builtin(argument.func) if isinstance(argument, cst.Call) else None
    if name == "list" and inner == "sorted":
        return text(argument)
    return _sorted(target, node, name)


def _sorted(target: Target, node: cst.Call, name: str | None) -> str | None:
    """The outer call on what the inner one copies."""
    if name not in _READERS or not node.args or not isinstance(node.args[0].value, cst.Call):
        return None
    copy = node.args[0].value
    copied = only_argument(copy)
    if target.analysis.types.builtin(copy.func) not in _COPIES or copied is None:
        return None
    if node.args[0].star or not target.analysis.purity.iterable(copied):
        return None
    if isinstance(copied, cst.GeneratorExp):
        return None
    new = node.args[0].with_changes(value=copied)
    return text(node.with_changes(args=[new, *node.args[1:]]))


def _identity(target: Target, node: cst.ListComp | cst.SetComp) -> str | None:
    name = "list" if isinstance(node, cst.ListComp) else "set"
    items = _unchanged(target, node)
    if items is None or target.analysis.types.builtin(cst.Name(name)) is None:
        return None
    return f"{name}({text(items)})"


def _unchanged(
    target: Target, node: cst.ListComp | cst.SetComp | cst.GeneratorExp
) -> cst.BaseExpression | None:
    """`xs` of a comprehension `x for x in xs`."""
    clause = node.for_in
    plain = not clause.ifs and clause.inner_for_in is None and clause.asynchronous is None
    if not plain or not isinstance(clause.target, cst.Name):
        return None
    same = text(node.elt) == clause.target.value and target.analysis.purity.iterable(clause.iter)
    return clause.iter if same else None


def _dict(node: cst.ListComp | cst.GeneratorExp) -> str | None:
    pair = node.elt
    if not isinstance(pair, cst.Tuple) or len(pair.elements) != 2:
        return None
    if any(not isinstance(one, cst.Element) for one in pair.elements):
        return None
    key, value = (operand(one.value) for one in pair.elements)
    return f"{{{key}: {value} {text(node.for_in).strip()}}}"
