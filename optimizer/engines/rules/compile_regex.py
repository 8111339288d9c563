"""Compile a constant pattern once, when the module is loaded."""

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from perftrace.optimizer.analysis.scope import How
from perftrace.optimizer.analysis.tree import text
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Replacement,
    Rule,
    Target,
    Tier,
    assigned,
    rewrite,
)
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.patch import Addition

# Function of `re` -> how many arguments come after the pattern before `flags`.
_FUNCTIONS = {"match": 1, "search": 1, "fullmatch": 1, "findall": 1, "finditer": 1}
_FUNCTIONS |= {"split": 2, "sub": 3, "subn": 3, "compile": 0}


class CompileRegex(Rule):
    """Compile a constant pattern once.

    Matches: `re.match(r"…", s)` and the other functions of `re`, or `re.compile(r"…")`, inside
    the function, with a literal pattern, or a name for one, and flags named from `re`.

    Sound when: `re` is imported at the top of the module as `re`, which is bound nowhere
    else, and the pattern compiles here without a warning. A name is bound once, to a literal, in
    the function or at the top of the module. Pattern objects never change.

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
            pattern = _pattern(target, call) if function in _FUNCTIONS else None
            split = _split(target, call, function, pattern) if pattern is not None else None
            if pattern is not None and split is not None:
                yield self._compiled(target, call, function, pattern, *split)

    def _compiled(
        self,
        target: Target,
        call: cst.Call,
        function: str,
        pattern: "_Pattern",
        parts: list[str],
        rest: list[cst.Arg],
    ) -> Proposal:
        name = target.constant("PATTERN")
        assert isinstance(call.func, cst.Attribute)
        module = text(call.func.value)
        lines = target.analysis.around.lines
        after = max(lines.get(module, 0), pattern.after)
        addition = Addition(f"{name} = {module}.compile({', '.join(parts)})", name, after)
        method = cst.Attribute(cst.Name(name), call.func.attr)
        new = cst.Name(name) if function == "compile" else call.with_changes(func=method, args=rest)
        changes: dict[cst.CSTNode, Replacement] = {call: new}
        if pattern.line is not None:
            changes[pattern.line] = cst.RemoveFromParent()
        why = f"The pattern {pattern.code} is constant: compile it once, when the module is loaded."
        return Proposal(rewrite(target.function, changes), why, (addition,))


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A constant pattern."""

    code: str  # for the module
    value: object
    after: int = 0  # the line of the module that gives it its name
    line: cst.CSTNode | None = None  # the function's line that does, no longer needed


def _pattern(target: Target, call: cst.Call) -> _Pattern | None:
    if not call.args or call.args[0].star or call.args[0].keyword is not None:
        return None
    node = call.args[0].value
    found = _named(target, node) if isinstance(node, cst.Name) else _literal(node)
    return found if found is not None and _compiles(found.value) else None


def _literal(node: cst.CSTNode | None) -> _Pattern | None:
    if not isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return _Pattern(text(node), ast.literal_eval(f"({text(node)})"))
    except (ValueError, Warning, SyntaxError):
        return None


def _named(target: Target, node: cst.Name) -> _Pattern | None:
    """The literal that a name stands for: of the module, or of this function alone."""
    analysis, name = target.analysis, node.value
    bindings = analysis.scope.bindings.get(name, [])
    if not bindings:
        value = analysis.around.literals.get(name)
        return _Pattern(name, value, analysis.around.lines[name]) if value is not None else None
    (binding,) = bindings if len(bindings) == 1 else (None,)
    if binding is None or binding.how is not How.ASSIGNED or not analysis.scope.plain(name):
        return None
    found = _literal(binding.value)
    line = analysis.scope.statement_of(binding.node)
    last = len(analysis.scope.loads[name]) == 1 and assigned(line) is not None
    return replace(found, line=line) if found is not None and last else found


def _split(
    target: Target, call: cst.Call, function: str, pattern: _Pattern
) -> tuple[list[str], list[cst.Arg]] | None:
    """The arguments of `re.compile`, and those left for the method; None if one is not constant."""
    before_flags = _FUNCTIONS[function]
    arguments = list(call.args)
    if any(one.star for one in arguments):
        return None
    parts, rest = [pattern.code], []
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
    return parts, rest


def _is_flags(target: Target, node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitOr):
        return _is_flags(target, node.left) and _is_flags(target, node.right)
    origin = target.analysis.around.origin(node, target.analysis.scope) or ""
    return isinstance(getattr(re, origin.removeprefix("re."), None), re.RegexFlag)


def _compiles(pattern: object) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)  # type: ignore[call-overload]
    except (re.error, TypeError, ValueError, OverflowError, Warning):
        return False
    return True
