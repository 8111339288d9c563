"""What a rule sees (a target), what it gives (proposals), and how it edits a syntax tree."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import libcst as cst

from perftrace.optimizer.analysis import Analysis
from perftrace.optimizer.analysis.tree import own, walk
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.patch import Addition

type Statement = cst.BaseStatement | cst.BaseSmallStatement
type Replacement = cst.CSTNode | cst.RemovalSentinel | Callable[[cst.CSTNode], object]


class Tier(StrEnum):
    """How far a rewrite is sound before any replay."""

    T0 = "T0"  # by syntax and local analysis
    T1 = "T1"  # given what the recorded calls show
    T2 = "T2"  # plausible; needs a look


@dataclass(frozen=True, slots=True)
class Target:
    """The function a rule looks at."""

    analysis: Analysis
    newline: str = "\n"

    @property
    def function(self) -> cst.FunctionDef:
        """Its definition."""
        return self.analysis.function

    def find[N: cst.CSTNode](self, *kinds: type[N]) -> Iterator[N]:
        """The nodes of these kinds in its body, in source order, inner functions left out."""
        for node in self.analysis.nodes:
            if isinstance(node, kinds):
                yield node

    def offers(self, *builtins: str) -> bool:
        """Whether these names are the built-ins here, so that a rewrite can use them."""
        around, bound = self.analysis.around, self.analysis.scope.bindings
        return not any(around.shadows(name) or name in bound for name in builtins)

    def constant(self, suffix: str) -> str:
        """A free private module-level name, made from the function's own name."""
        base = self.function.name.value.strip("_").upper()
        return self.analysis.scope.fresh_name(f"_{base}_{suffix}", self.analysis.around.used)

    def local(self, wanted: str) -> str:
        """A free local name."""
        return self.analysis.scope.fresh_name(wanted, self.analysis.around.used)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One site rewritten."""

    function: cst.FunctionDef
    why: str  # plain words, with the recorded evidence
    additions: tuple[Addition, ...] = ()


class Rule(Protocol):
    """One kind of rewrite. Its docstring says what it matches, when it is sound, and why it helps.

    The first line of the docstring is its title; the documentation is made from it.
    """

    name: str
    tier: Tier
    needs: tuple[str, ...]  # the recorded facts it rests on

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """Rewrites of single sites."""
        ...


# --- editing --------------------------------------------------------------------------------


class _Rewrite(cst.CSTTransformer):
    def __init__(self, replacements: Mapping[cst.CSTNode, Replacement]) -> None:
        super().__init__()
        self._replacements = replacements

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> Any:
        replacement = self._replacements.get(original_node)
        if replacement is None:
            return updated_node
        if isinstance(replacement, cst.CSTNode | cst.RemovalSentinel):
            return replacement
        return replacement(updated_node)


def rewrite(
    function: cst.FunctionDef, replacements: Mapping[cst.CSTNode, Replacement]
) -> cst.FunctionDef:
    """The function with nodes replaced: by a node, by nothing, or by what a function makes."""
    result = function.visit(_Rewrite(replacements))
    assert isinstance(result, cst.FunctionDef)
    return result


def statement(code: str, like: cst.CSTNode | None = None) -> cst.BaseStatement:
    """Parse one statement; it takes the comments and blank lines above another one."""
    parsed = cst.parse_statement(code)
    assert isinstance(parsed, cst.SimpleStatementLine | cst.BaseCompoundStatement)
    lines = getattr(like, "leading_lines", ())
    return parsed.with_changes(leading_lines=lines)


def before(code: Sequence[str], node: cst.CSTNode | None = None) -> Callable[[cst.CSTNode], object]:
    """A replacement that puts statements in front of one, below its blank lines."""

    def insert(updated: cst.CSTNode) -> object:
        lines = tuple(getattr(updated, "leading_lines", ()))
        blank = next((i for i, line in enumerate(lines) if line.comment), len(lines))
        first, *rest = [statement(one) for one in code]
        first = first.with_changes(leading_lines=lines[:blank])
        kept = (node or updated).with_changes(leading_lines=lines[blank:])
        return cst.FlattenSentinel([first, *rest, kept])

    return insert


def block_of(target: Target, node: cst.CSTNode) -> Sequence[cst.CSTNode]:
    """The statements of the block that a statement is in."""
    parent = target.analysis.scope.parents[node]
    assert isinstance(parent, cst.IndentedBlock | cst.SimpleStatementSuite)
    return parent.body


def neighbour(target: Target, node: cst.CSTNode, step: int) -> cst.CSTNode | None:
    """The statement just before (-1) or after (1) in the same block."""
    block = list(block_of(target, node))
    index = block.index(node) + step
    return block[index] if 0 <= index < len(block) else None


def simple(node: cst.CSTNode | None) -> cst.BaseSmallStatement | None:
    """The only small statement of a line; None for anything else."""
    if isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1:
        return node.body[0]
    return None


def body_of(node: cst.For | cst.While | cst.If) -> list[cst.CSTNode]:
    """The statements of a block, as lines."""
    if isinstance(node.body, cst.IndentedBlock):
        return list(node.body.body)
    return []


def assigned(node: cst.CSTNode | None) -> tuple[str, cst.BaseExpression] | None:
    """Name and value of a line `name = value`."""
    small = simple(node)
    if isinstance(small, cst.Assign) and len(small.targets) == 1:
        target = small.targets[0].target
        if isinstance(target, cst.Name):
            return target.value, small.value
    return None


def says(node: cst.CSTNode, *codes: str) -> bool:
    """Whether a statement is one of these, whatever its layout."""
    found = ast.dump(ast.parse(cst.Module([]).code_for_node(node).strip()))
    return any(found == ast.dump(ast.parse(code)) for code in codes)


def mentions(node: cst.CSTNode, name: str) -> bool:
    """Whether a name occurs anywhere inside."""
    return any(isinstance(one, cst.Name) and one.value == name for one in walk(node))


def method_call(
    node: cst.CSTNode | None, *names: str
) -> tuple[cst.BaseExpression, cst.Call] | None:
    """Owner and call of `owner.name(…)` with one of these names."""
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
        return None
    return (node.func.value, node) if node.func.attr.value in names else None


def only_argument(call: cst.Call) -> cst.BaseExpression | None:
    """The only, plain argument of a call."""
    if len(call.args) == 1 and call.args[0].keyword is None and not call.args[0].star:
        return call.args[0].value
    return None


def name_of(node: cst.BaseExpression) -> str:
    """A name that says what the value is."""
    words = [one.value for one in own(node) if isinstance(one, cst.Name)]
    if isinstance(node, cst.Attribute):
        words = [node.attr.value]
    elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        words = [node.func.attr.value, *words]
    elif isinstance(node, cst.BinaryOperation):
        words = ["value", *words]
    if len(words) < 2 and not isinstance(node, cst.Attribute):
        words = [*words, "value"]
    return "_".join(word.strip("_") for word in words[:2]).lower()
