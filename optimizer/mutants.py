"""Small mistakes in one function, to see whether calls of it notice."""

import ast
import functools
import io
import itertools
import pickle
import random
import textwrap
from collections.abc import Callable, Iterator

from perftrace.optimizer import patch

SWAPS: dict[type[ast.AST], ast.AST] = {
    ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(),
    ast.Lt: ast.GtE(),
    ast.GtE: ast.Lt(),
    ast.Gt: ast.LtE(),
    ast.LtE: ast.Gt(),
    ast.In: ast.NotIn(),
    ast.NotIn: ast.In(),
    ast.Is: ast.IsNot(),
    ast.IsNot: ast.Is(),
    ast.Add: ast.Sub(),
    ast.Sub: ast.Add(),
    ast.Mult: ast.Add(),
    ast.Div: ast.Mult(),
    ast.And: ast.Or(),
    ast.Or: ast.And(),
}


def mutants(
    source: str,
    qualname: str,
    line: int,
    *,
    all_kinds: bool = False,
    alone: bool = False,
    most: int | None = None,
) -> Iterator[str]:
    """The whole source text with each of the mistakes in the function that begins on this line.

    The function is `ast.unparse`d: its comments are lost, its behaviour is not.

    Args:
        source: the text of the file.
        qualname: the function's qualified name.
        line: where it begins.
        all_kinds: also with statements left out, arguments swapped and slices that are one off;
            these follow the others.
        alone: where the function's code is the same without them, what stands around it is left
            out, but for what makes it the same one of its name: much quicker to compile.
        most: so many of them by lot, always the same, and in no order; None: all.

    Raises:
        StaleError: the function is not there.
    """
    place = patch.place_of(source, qualname, line)
    lines = io.StringIO(source).readlines()
    before, after = lines[: place.first - 1], lines[place.last :]
    margin = " " * place.node.col_offset
    head = _head(source, place) if alone else None
    if head is not None:
        before, after, margin = [head], [], "    " * len(place.enclosing)
    kinds = (_sites, _more_sites) if all_kinds else (_sites,)
    places = [(kind, number) for kind in kinds for number, _ in enumerate(kind(place.node))]
    if most is not None:
        dice = random.Random(len(places))  # noqa: S311 - the same each time
        places = dice.sample(places, min(most, len(places)))
    own = pickle.dumps(place.node)  # a quarter of the time of copy.deepcopy
    for kind, number in places:
        node = pickle.loads(own)  # noqa: S301 - written just now
        next(itertools.islice(kind(node), number, None))()
        text = textwrap.indent(ast.unparse(ast.fix_missing_locations(node)), margin)
        yield "".join([*before, text, "\n", *after])


def _head(source: str, place: patch.Place) -> str | None:
    """What has to stand before a function when all else is gone; None: that may be anything."""
    outer = place.enclosing
    if any(not isinstance(one, ast.ClassDef) or one.type_params for one in outer):
        return None  # its code has variables of theirs
    lines = [
        ast.unparse(node)
        for node in patch.tree_of(source).body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    lines += [f"{'    ' * depth}class {one.name}:" for depth, one in enumerate(outer)]
    lines += [f"{'    ' * len(outer)}def {place.node.name}(): pass"] * place.ordinal
    return "".join(f"{line}\n" for line in lines)


def _sites(function: ast.AST) -> Iterator[Callable[[], None]]:
    for node in ast.walk(function):
        match node:
            case ast.Compare(ops=[op, *rest]) if type(op) in SWAPS:
                yield functools.partial(setattr, node, "ops", [SWAPS[type(op)], *rest])
            case ast.BinOp(op=op) | ast.BoolOp(op=op) if type(op) in SWAPS:
                yield functools.partial(setattr, node, "op", SWAPS[type(op)])
            case ast.Return(value=ast.expr()):
                yield functools.partial(setattr, node, "value", ast.Constant(None))
            case ast.Constant(value=bool(value)):
                yield functools.partial(setattr, node, "value", not value)
            case ast.Constant(value=int(value)):
                yield functools.partial(setattr, node, "value", value + 1)
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
                yield functools.partial(setattr, node, "test", ast.UnaryOp(ast.Not(), test))
            case _:
                pass


def _more_sites(function: ast.AST) -> Iterator[Callable[[], None]]:
    for node in ast.walk(function):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if not isinstance(block, list):
                continue  # of a lambda or a conditional expression
            for place, statement in enumerate(block):
                if not _says_nothing(statement):
                    yield functools.partial(block.__setitem__, place, ast.Pass())
        match node:
            case ast.Call(args=[first, second, *rest]) if ast.dump(first) != ast.dump(second):
                yield functools.partial(setattr, node, "args", [second, first, *rest])
            case ast.Slice():
                for end in ("lower", "upper"):
                    if (bound := getattr(node, end)) is not None:
                        off = ast.BinOp(bound, ast.Add(), ast.Constant(1))
                        yield functools.partial(setattr, node, end, off)
            case _:
                pass


def _says_nothing(statement: ast.stmt) -> bool:
    """Whether leaving it out changes nothing, or where other names are found."""
    match statement:
        case ast.Pass() | ast.Global() | ast.Nonlocal() | ast.Expr(value=ast.Constant()):
            return True
        case _:
            return False
