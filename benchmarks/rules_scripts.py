r"""A script that reads stdin and prints, as a function of its input: PIE's programs in `rules.py`.

    text = as_function("n = int(input())\\nprint(n * 2)\\n")

Imports stay at the top, and so do functions and classes; all else becomes the body of
`solve(text)`. Names of that body which a function reads, or which are declared `global` somewhere,
are the module's.
"""

import ast
import re
from collections.abc import Iterator, Sequence

TOP = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
HEAD = """    stdin_of_text = io.StringIO(text)
    input = lambda: stdin_of_text.readline().rstrip("\\n")
"""
# What a script means by these: its input, that it is the program, and what was moved since.
MEANT = {
    r"\bsys\.stdin\b|\bopen\(0\)": "stdin_of_text",
    r"\b__name__\b": '"__main__"',
    r"\bfrom fractions import gcd\b": "from math import gcd",
    r"\bfractions\.gcd\b": "__import__('math').gcd",
}


def as_function(source: str) -> str:
    """The program with its body in `solve`.

    Raises:
        SyntaxError: it is no Python 3, or could not be put into a function.
    """
    source = source.expandtabs(4)
    for written, meant in MEANT.items():
        source = re.sub(written, meant, source)
    tree = ast.parse(source)
    lines = source.splitlines()
    above = [node for node in tree.body if isinstance(node, TOP)]
    body = [node for node in tree.body if not isinstance(node, TOP)]
    shared = sorted(_shared(above, body))
    text = "\n\n".join(
        [
            "import io",
            *(_text(node, lines) for node in above),
            "def solve(text):\n"
            + (f"    global {', '.join(shared)}\n" if shared else "")
            + HEAD
            + "\n".join(_indented(_text(node, lines), node) for node in body),
        ]
    )
    ast.parse(text)
    compile(text, "<solve>", "exec")
    return f"{text}\n"


def _shared(above: Sequence[ast.stmt], body: Sequence[ast.stmt]) -> Iterator[str]:
    """Names that the body binds and a function of the module uses."""
    bound = {"input", "stdin_of_text"} | {
        node.id
        for stmt in body
        for node in ast.walk(stmt)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    functions = [node for node in above if not isinstance(node, ast.Import | ast.ImportFrom)]
    used = {
        name
        for stmt in functions
        for node in ast.walk(stmt)
        for name in ([node.id] if isinstance(node, ast.Name) else getattr(node, "names", []))
        if isinstance(name, str)
    }
    return iter(bound & used)


def _text(node: ast.stmt, lines: Sequence[str]) -> str:
    """The lines of a statement, with its decorators; of `a; b` only its own part."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    own = list(lines[first - 1 : node.end_lineno])
    own[-1] = own[-1].encode()[: node.end_col_offset].decode()
    if first == node.lineno:
        own[0] = own[0].encode()[node.col_offset :].decode()
    return "\n".join(own)


def _indented(text: str, node: ast.stmt) -> str:
    """The statement four columns further to the right, lines within texts left as they are."""
    inside = {
        number
        for one in ast.walk(node)
        if isinstance(one, ast.Constant | ast.JoinedStr) and one.end_lineno
        for number in range(one.lineno + 1, one.end_lineno + 1)
    }
    return "\n".join(
        line if node.lineno + at in inside or not line.strip() else f"    {line}"
        for at, line in enumerate(text.split("\n"))
    )
