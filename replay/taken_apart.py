"""Replay tests taken apart again: what to run, what they look at, and what they cover."""

import ast
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from perftrace.model import Kind
from perftrace.replay.emit import Test, raised_types
from perftrace.replay.imports import Imports
from perftrace.replay.layout import Doc, flat, group, prefixed
from perftrace.replay.literals import quoted
from perftrace.replay.observe import Script

# The helpers that run a call to its end, by what the function is.
DRIVERS = {
    Kind.FUNCTION: (),
    Kind.COROUTINE: ("run",),
    Kind.ASYNC_GENERATOR: ("run",),
    Kind.GENERATOR: ("list", "take", "exhaust"),
}
BRACKETS: dict[type[ast.expr], str] = {ast.List: "[]", ast.Tuple: "()", ast.Set: "{}"}


@dataclass(frozen=True, slots=True)
class Steps:
    """The parts of a test."""

    setup: str  # source, not indented
    names: tuple[str, ...]  # the variables it makes
    call: ast.expr  # without what drives it
    drive: str | int  # "call", "run", "exhaust", or how many items to take
    bound: tuple[str, ...]  # variables looked at after the call


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Why a test can't be taken apart."""

    reason: str


def take_apart(test: Test, kind: Kind) -> Steps | NotTaken:
    """The parts of a test that perftrace wrote."""
    tree = ast.parse(test.text)
    match tree.body:
        case [ast.FunctionDef(body=body)]:
            pass
        case _:
            return NotTaken("it is not one function")
    place = next((n for n, step in enumerate(body) if _is_act(step)), None)
    act = _act(body[place]) if place is not None else None
    if place is None or act is None:
        return NotTaken("it makes no call that perftrace knows")
    call, drive = _without_driver(act, kind)
    lines = test.text.splitlines(keepends=True)
    setup = "".join(lines[body[0].lineno - 1 : body[place].lineno - 1])
    names = tuple(_assigned(body[:place]))
    return Steps(textwrap.dedent(setup), names, call, drive, tuple(_bound(body[place:], names)))


def script(test: Test, steps: Steps, imports: Imports, file: str) -> Script:
    """What to run to see what the call of a test does now."""
    call = ast.unparse(steps.call)
    return Script(
        id=test.name,
        imports=imports.render(f"{steps.setup}\n{call}", for_pytest=False),
        setup=steps.setup,
        call=call,
        bound=steps.bound,
        drive=steps.drive,
        file=file,
        qualname=test.qualname,
        test=f"{imports.render(test.text, for_pytest=False)}\n\n{test.text}",
    )


def _is_act(step: ast.stmt) -> bool:
    match step:
        case ast.With():
            return True
        case ast.Assign(targets=[ast.Name(id="result")]):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="check"))):
            return True
        case _:
            return False


def _act(step: ast.stmt) -> ast.expr | None:
    """The expression that makes the call."""
    match step:
        case ast.With(body=[inner]):
            return _act(inner)
        case ast.Assign(value=value):
            return value
        case ast.Expr(value=ast.Call(func=ast.Name(id="check"), args=[value, *_])):
            return value
        case ast.Expr(value=value):
            return value
        case _:
            return None


def _without_driver(act: ast.expr, kind: Kind) -> tuple[ast.expr, str | int]:
    match act:
        case ast.Call(func=ast.Name(id=name), args=[call, *rest]) if name in DRIVERS[kind]:
            match rest:
                case [ast.Constant(value=int(count))]:
                    return call, count
                case _:
                    return call, "exhaust" if name == "list" else name
    return act, "exhaust" if kind is Kind.GENERATOR else "call"


def _assigned(body: Sequence[ast.stmt]) -> Iterator[str]:
    for step in body:
        match step:
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name
            case _:
                pass


def _bound(body: Sequence[ast.stmt], names: Sequence[str]) -> Iterator[str]:
    """The variables that are looked at: those in `unchanged` and in checks after the call."""
    looked: set[str] = set()
    for step in body:
        for node in ast.walk(step):
            match node:
                case ast.Call(func=ast.Name(id="unchanged"), keywords=keywords):
                    looked |= {str(keyword.arg) for keyword in keywords}
                case ast.Call(
                    func=ast.Name(id="check"), args=[what, _, ast.Constant(value=str(_))]
                ):
                    looked |= {n.id for n in ast.walk(what) if isinstance(n, ast.Name)}
                case _:
                    pass
    yield from (name for name in names if name in looked)


# --- what a test covers -------------------------------------------------------------------


def shapes(test: Test) -> frozenset[str]:
    """What kinds of values the test gives and how its call ends, to tell tests apart."""
    (function,) = ast.parse(test.text).body
    assert isinstance(function, ast.FunctionDef)
    found: set[str] = set()
    for step in function.body:
        match step:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name != "result":
                found.update(_shapes(value, name))
            case ast.Expr(value=ast.Call(func=ast.Name(id="check"), args=[call, *_])):
                found.update(_shapes(call, "call"))
            case _:
                found.update(
                    f"ends with {ast.unparse(node.args[0])}"
                    for node in ast.walk(step)
                    if isinstance(node, ast.Call) and ast.unparse(node.func) == "raises"
                    if node.args
                )
    found.update(f"ends with {name}" for name in raised_types(test))
    return frozenset(found)


def _shapes(node: ast.expr, path: str) -> Iterator[str]:
    match node:
        case ast.Constant(value=value):
            yield f"{path}: {type(value).__name__}{'' if value or value == 0 else ' empty'}"
        case ast.List(elts=items) | ast.Set(elts=items) | ast.Tuple(elts=items):
            yield f"{path}: {type(node).__name__}{'' if items else ' empty'}"
            for item in items:
                yield from _shapes(item, f"{path}[]")
        case ast.Dict(values=items):
            yield f"{path}: dict{'' if items else ' empty'}"
            for item in items:
                yield from _shapes(item, f"{path}{{}}")
        case ast.Call():
            yield f"{path}: {ast.unparse(node.func)}"
            for number, item in enumerate(node.args):
                yield from _shapes(item, f"{path}.{number}")
            for keyword in node.keywords:
                yield from _shapes(keyword.value, f"{path}.{keyword.arg}")
        case _:
            pass


def as_doc(node: ast.expr) -> Doc:
    """An expression, to be laid out anew."""
    match node:
        case ast.Call():
            keywords = (_keyword(keyword) for keyword in node.keywords)
            inside = [*map(as_doc, node.args), *keywords]
            return group(f"{ast.unparse(node.func)}(", inside, ")")
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return group(BRACKETS[type(node)][0], map(as_doc, items), BRACKETS[type(node)][1])
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return group("{", (_pair(key, value) for key, value in pairs), "}")
        case ast.Constant(value=str() | bytes() as value):
            return quoted(value)
        case _:
            return ast.unparse(node)


def _keyword(node: ast.keyword) -> Doc:
    return prefixed(f"{node.arg}=" if node.arg else "**", as_doc(node.value))


def _pair(key: ast.expr | None, value: ast.expr) -> Doc:
    return prefixed(f"{flat(as_doc(key))}: " if key else "**", as_doc(value))
