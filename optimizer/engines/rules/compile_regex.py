"""Compile a constant pattern once, when the module is loaded."""

import ast
import re
import warnings
from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import text
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, rewrite
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.patch import Addition

# Function of `re` -> how many arguments come after the pattern before `flags`.
_FUNCTIONS = {"match": 1, "search": 1, "fullmatch": 1, "findall": 1, "finditer": 1}
_FUNCTIONS |= {"split": 2, "sub": 3, "subn": 3, "compile": 0}


class CompileRegex(Rule):
    """Compile a constant pattern once.

    Matches: `re.match(r"…", s)` and the other functions of `re`, or `re.compile(r"…")`, inside
    the function, with a literal pattern and flags named from `re`.

    Sound when: `re` is imported at the top of the module as `re`, which is bound nowhere
    else, and the pattern compiles here without a warning. Pattern objects never change.

    Faster because: each call of `re.match` looks the pattern up in a cache through several
    Python-level calls; a compiled pattern's method goes straight to C.
    """

    name = "compile-regex"
    tier = Tier.T0
    needs = ()

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per call with a constant pattern."""
        del facts
        around, scope = target.analysis.around, target.analysis.scope
        for call in target.find(cst.Call):
            origin = around.origin(call.func, scope) or ""
            function = origin.removeprefix("re.")
            named = isinstance(call.func, cst.Attribute) and text(call.func.value) in {"re", "_re"}
            if not named or origin == function:
                continue
            split = _split(target, call, function) if function in _FUNCTIONS else None
            if split is not None:
                yield self._compiled(target, call, function, *split)

    def _compiled(
        self, target: Target, call: cst.Call, function: str, parts: list[str], rest: list[cst.Arg]
    ) -> Proposal:
        name = target.constant("PATTERN")
        assert isinstance(call.func, cst.Attribute)
        module = text(call.func.value)
        lines = target.analysis.around.lines
        addition = Addition(
            f"{name} = {module}.compile({', '.join(parts)})", name, lines.get(module, 0)
        )
        method = cst.Attribute(cst.Name(name), call.func.attr)
        new = cst.Name(name) if function == "compile" else call.with_changes(func=method, args=rest)
        why = f"The pattern {parts[0]} is constant: compile it once, when the module is loaded."
        return Proposal(rewrite(target.function, {call: new}), why, (addition,))


def _split(target: Target, call: cst.Call, function: str) -> tuple[list[str], list[cst.Arg]] | None:
    """The arguments of `re.compile`, and those left for the method; None if one is not constant."""
    before_flags = _FUNCTIONS[function]
    arguments = list(call.args)
    if not arguments or any(one.star for one in arguments) or arguments[0].keyword is not None:
        return None
    parts, rest = [text(arguments[0].value)], []
    for index, argument in enumerate(arguments[1:]):
        keyword = argument.keyword.value if argument.keyword else None
        if keyword == "flags" or (keyword is None and index == before_flags):
            if not _is_flags(target, argument.value):
                return None
            parts.append(text(argument.value))
        else:
            rest.append(argument)
    if rest:
        rest[-1] = rest[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return (parts, rest) if _compiles(arguments[0].value) else None


def _is_flags(target: Target, node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitOr):
        return _is_flags(target, node.left) and _is_flags(target, node.right)
    origin = target.analysis.around.origin(node, target.analysis.scope) or ""
    return isinstance(getattr(re, origin.removeprefix("re."), None), re.RegexFlag)


def _compiles(node: cst.BaseExpression) -> bool:
    if not isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(ast.literal_eval(f"({text(node)})"))
    except (re.error, ValueError, OverflowError, Warning, SyntaxError):
        return False
    return True
