"""Small mutants of one function, to see whether its replay tests notice."""

import ast
from collections.abc import Iterator

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


def mutants(source: str, qualname: str) -> Iterator[tuple[str, str]]:
    """Each mutant of the function: (what was changed, whole source text).

    The text is `ast.unparse`d: comments are lost, behaviour is not.
    """
    count = len(list(_sites(_find(ast.parse(source), qualname))))
    for number in range(count):
        tree = ast.parse(source)
        what, change = list(_sites(_find(tree, qualname)))[number]
        change()
        yield what, ast.unparse(ast.fix_missing_locations(tree))


def _find(tree: ast.AST, qualname: str) -> ast.AST:
    node = tree
    for part in qualname.split("."):
        node = next(
            child
            for child in ast.walk(node)
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and child.name == part
        )
    return node


def _sites(function: ast.AST) -> Iterator[tuple[str, "Change"]]:
    for node in ast.walk(function):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.Compare(ops=[op, *_]) if type(op) in SWAPS:
                yield (
                    f"line {line}: {_pair(op)}",
                    Change(node, "ops", [SWAPS[type(op)], *node.ops[1:]]),
                )
            case ast.BinOp(op=op) | ast.BoolOp(op=op) if type(op) in SWAPS:
                yield f"line {line}: {_pair(op)}", Change(node, "op", SWAPS[type(op)])
            case ast.Return(value=ast.expr()):
                yield f"line {line}: return None", Change(node, "value", ast.Constant(None))
            case ast.Constant(value=bool(value)):
                yield f"line {line}: {not value}", Change(node, "value", not value)
            case ast.Constant(value=int(value)):
                yield f"line {line}: {value} + 1", Change(node, "value", value + 1)
            case ast.If(test=test) | ast.While(test=test):
                wrong = ast.UnaryOp(ast.Not(), test)
                yield f"line {line}: condition negated", Change(node, "test", wrong)
            case _:
                pass


def _pair(op: ast.AST) -> str:
    return f"{type(op).__name__} -> {type(SWAPS[type(op)]).__name__}"


class Change:
    """Sets one field of one node when called."""

    def __init__(self, node: ast.AST, name: str, value: object) -> None:
        self._arguments = (node, name, value)

    def __call__(self) -> None:
        """Make the change."""
        setattr(*self._arguments)
