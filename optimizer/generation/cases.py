"""Tests of one function, taken apart: each case is a function of its own, run by itself.

Read are `assert` statements, `check(candidate)` as HumanEval has it, and `test_…` functions without
arguments, as pytest runs them.
"""

import ast
import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from perftrace.errors import UsageError
from perftrace.optimizer.generation.reading import parse, why

CHECK = "check"
PREFIX = "case_"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is tested."""

    name: str  # of its function in the module of cases
    text: str  # as it was written


@dataclass(frozen=True, slots=True)
class Suite:
    """All cases of a function."""

    source: str  # of a module that has a function for each case
    cases: tuple[Case, ...]
    entry: str  # the function under test
    names: tuple[str, ...]  # by which the cases call it


@dataclass(slots=True)
class _Reader:
    """What was found so far."""

    text: str
    entry: str
    names: set[str]
    module: list[ast.stmt] = field(default_factory=list)
    cases: list[tuple[Case, list[ast.stmt]]] = field(default_factory=list)

    def read(self, body: Sequence[ast.stmt], *, outermost: bool) -> None:
        """Sort statements: what is defined for all, what comes before each case, the cases."""
        before: list[ast.stmt] = []
        for node in body:
            if outermost and self._is_dealt_with(node):
                continue
            if any(isinstance(one, ast.Assert) for one in ast.walk(node)):
                if self._calls([*before, node]):
                    self._add(node, [*before, node])
            elif outermost and not self._calls([node]):
                self.module.append(node)
            else:
                before.append(node)

    def _is_dealt_with(self, node: ast.stmt) -> bool:
        """Whether it is no plain statement: a test function, an import, the call of `check`."""
        match node:
            case ast.FunctionDef(name=name, args=given) if name == CHECK and given.args:
                self.names.add(given.args[0].arg)
                self.read(node.body, outermost=False)
            case ast.FunctionDef(name=name) if name.startswith("test"):
                self._add_function(node)
            case ast.AsyncFunctionDef(name=name) if name.startswith("test"):
                raise UsageError(
                    "generate-tests", f"{name} is asynchronous; such tests can't be run."
                )
            case ast.ClassDef(name=name) if any(_is_test(one) for one in node.body):
                raise UsageError(
                    "generate-tests",
                    f"The tests of class {name} can't be run: write them as functions.",
                )
            case ast.Import() | ast.ImportFrom():
                self._add_import(node)
            case ast.Expr(value=ast.Call(func=ast.Name(id=name))) if name == CHECK:
                pass
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                pass
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.module.append(node)
            case _:
                return False
        return True

    def _add_import(self, node: ast.Import | ast.ImportFrom) -> None:
        """All but the function under test: it is elsewhere."""
        kept = [one for one in node.names if (one.asname or one.name) != self.entry]
        if kept:
            node.names = kept
            self.module.append(node)

    def _add_function(self, node: ast.FunctionDef) -> None:
        given = node.args
        if given.args or given.posonlyargs or given.kwonlyargs or node.decorator_list:
            raise UsageError(
                "generate-tests",
                f"{node.name} has arguments or decorators. Tests have to be plain functions here.",
            )
        if self._calls(node.body):
            self._add(node, node.body)

    def _add(self, node: ast.stmt, body: list[ast.stmt]) -> None:
        text = ast.get_source_segment(self.text, node) or ast.unparse(node)
        self.cases.append((Case(f"{PREFIX}{len(self.cases)}", text), body))

    def _calls(self, nodes: Sequence[ast.stmt]) -> bool:
        """Whether the function under test is used there."""
        used = {one.id for node in nodes for one in ast.walk(node) if isinstance(one, ast.Name)}
        return bool(used & self.names)


def read(text: str, entry: str = "", file: str = "the tests") -> Suite:
    """The cases of a text.

    Args:
        text: Python source.
        entry: the function under test; empty: the one that the text uses and does not define.
        file: what the text is called in messages.

    Raises:
        UsageError: it is no Python, it tests nothing, or something in another way.
    """
    try:
        tree = parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError) as error:
        raise UsageError("generate-tests", f"{file} is not valid Python: {why(error)}") from None
    entry = entry or _only(sorted(_unknown(tree)), file)
    reader = _Reader(text, entry, {entry})
    reader.read(tree.body, outermost=True)
    if not reader.cases:
        raise UsageError(
            "generate-tests",
            f"{file} has no test of {entry}: give assert statements, functions test_… without"
            " arguments, or check(candidate).",
        )
    cases = tuple(case for case, _ in reader.cases)
    body = [*reader.module, *(_function(case.name, body) for case, body in reader.cases)]
    source = ast.unparse(ast.fix_missing_locations(ast.Module(body, [])))
    return Suite(source + "\n", cases, entry, tuple(sorted(reader.names)))


def _function(name: str, body: list[ast.stmt]) -> ast.stmt:
    empty = ast.arguments([], [], None, [], [], None, [])
    return ast.FunctionDef(name, empty, list(body), [], None, None, [])


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test")


def _unknown(tree: ast.Module) -> Iterator[str]:
    """Names that are called in assertions and tests, and that nothing there binds."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)} | set(dir(builtins))
    imported = set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.Import(names=aliases):
                bound |= {(one.asname or one.name).partition(".")[0] for one in aliases}
            case ast.ImportFrom(names=aliases):
                imported |= {one.asname or one.name for one in aliases}
            case _:
                pass
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    plain = called - bound - imported
    yield from plain or called & imported


def _only(names: Sequence[str], file: str) -> str:
    if len(names) == 1:
        return names[0]
    found = f"They call {', '.join(names)}. " if names else ""
    raise UsageError(
        "generate-function",
        f"Which function do the tests of {file} test? {found}Say so: --function NAME",
    )
