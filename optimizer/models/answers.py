"""From a model's words to a candidate: the function in a code block, or search and replace.

Answers are untrusted text. Nothing here runs any of it, and what can't be read is told in words
that go back to the model.
"""

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from perftrace.optimizer import patch
from perftrace.optimizer.patch import Addition, Excerpt

LARGEST = 200_000  # characters of an answer that is looked at
BLOCK = re.compile(r"^[ \t]*```[ \t]*(\w*)[^\n]*\n(.*?)^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
EDIT = re.compile(
    r"^<{5,} ?SEARCH[ \t]*\n(.*?)^={5,}[ \t]*\n(.*?)^>{5,} ?REPLACE[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
PYTHON = frozenset({"", "py", "python", "python3"})


@dataclass(frozen=True, slots=True)
class Read:
    """The file with the change, and what the model says of it."""

    source: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why an answer is no change, in words for the model."""

    reason: str


def read(answer: str, source: str, cut: Excerpt) -> Read | Unreadable:
    """The change that an answer makes to a function of this source text."""
    answer = answer[:LARGEST].replace("\r\n", "\n")
    edits = EDIT.findall(answer)
    if edits:
        changed = _edited(edits, source, cut)
        text = EDIT.sub("", answer)
    else:
        blocks = [code for word, code in BLOCK.findall(answer) if word.lower() in PYTHON]
        changed = _replaced(blocks, source, cut)
        text = BLOCK.sub("", answer)
    if isinstance(changed, Unreadable):
        return changed
    return Read(changed, _explanation(text))


def _explanation(text: str) -> str:
    """The first paragraph of what is said around the code."""
    parts = [" ".join(part.split()) for part in BLOCK.sub("", text).split("\n\n")]
    said = next((part for part in parts if part.strip("#*-` ")), "")
    return said[:400]


def _edited(edits: list[tuple[str, str]], source: str, cut: Excerpt) -> str | Unreadable:
    """The file with these texts of the function replaced; each is there exactly once."""
    lines = patch.lines_of(source)
    place = cut.place
    text = "".join(lines[place.first - 1 : place.last]).replace("\r\n", "\n")
    for old, new in edits:
        count = text.count(old) if old else 0
        if count != 1:
            shown = old.strip().partition("\n")[0][:80]
            return Unreadable(f"The text to search for is there {count} times, not once: {shown!r}")
        text = text.replace(old, new)
    newline = cut.module.default_newline
    changed = text.replace("\n", newline)
    whole = "".join([*lines[: place.first - 1], changed, *lines[place.last :]])
    return _parsed(whole)


def _parsed(source: str) -> str | Unreadable:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        return Unreadable(f"With the change the file is not valid Python: {error}")
    return source


def _replaced(blocks: list[str], source: str, cut: Excerpt) -> str | Unreadable:
    """The file with the function of the last block that has one, and what stands beside it."""
    name = cut.place.node.name
    reason = "There is no code block in the answer."
    for block in map(textwrap.dedent, reversed(blocks)):
        try:
            tree = ast.parse(block)
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            reason = f"The code block is not valid Python: {str(error)[:200]}"
            continue
        found = _function(tree, name)
        if found is None:
            reason = f"The code block does not define {name}."
            continue
        if work := _work_beside(tree):
            return Unreadable(f"`{work}` can't be added. {ALLOWED}")
        if other := _changed_neighbour(tree, found, patch.tree_of(source)):
            return Unreadable(f"`{other}` is there already and stays as it is. {RENAMED}")
        return _with_function(block, tree, found, source, cut)
    return Unreadable(reason)


ALLOWED = "Beside the function there may be imports, helpers and constants made of literals."
RENAMED = "Give what you would have it do to a helper with a name of its own."


def _work_beside(tree: ast.Module) -> str:
    """The first line of a statement that does something, or empty; examples of calls don't."""
    for node in tree.body:
        match node:
            case ast.Expr() | ast.Assert() | ast.ClassDef() | ast.Pass():
                continue
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                continue
            case _ if not _bound(node):
                return ast.unparse(node).partition("\n")[0][:80]
            case _:
                continue
    return ""


type _Def = ast.FunctionDef | ast.AsyncFunctionDef


def _function(tree: ast.Module, name: str) -> _Def | None:
    """The last definition of that name, at the top or in a class."""
    found = None
    for node in tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        for one in inner:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name == name:
                found = one
    return found


def _changed_neighbour(tree: ast.Module, found: _Def, source: ast.Module) -> str:
    """A function that the file has, is used by the new one, and is another in the answer."""
    known = {name: _bare(node) for name, node in _definitions(source)}
    used = {node.id for node in ast.walk(found) if isinstance(node, ast.Name)}
    used |= {node.attr for node in ast.walk(found) if isinstance(node, ast.Attribute)}
    for name, node in _definitions(tree):
        if node is found or node.name not in used or name not in known or _is_outlined(node):
            continue
        if _bare(node) != known[name]:
            return name
    return ""


def _definitions(tree: ast.Module) -> Iterator[tuple[str, _Def]]:
    """The functions at the top and in classes there, by qualified name."""
    for node in tree.body:
        inner, prefix = (
            (node.body, f"{node.name}.") if isinstance(node, ast.ClassDef) else ([node], "")
        )
        for one in inner:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{prefix}{one.name}", one


def _bare(node: _Def) -> str:
    """What a function does, without what is said of it and of its types."""
    given = [ast.arg(one.arg) for one in ast.walk(node.args) if isinstance(one, ast.arg)]
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    defaults = [one for one in (*node.args.defaults, *node.args.kw_defaults) if one]
    return " ".join(map(ast.dump, [*given, *defaults, *body]))


def _is_outlined(node: _Def) -> bool:
    """Whether only its head is repeated, so that the answer reads well."""
    return all(
        isinstance(one, ast.Pass)
        or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
        for one in node.body
    )


def _with_function(
    block: str, tree: ast.Module, found: _Def, source: str, cut: Excerpt
) -> str | Unreadable:
    try:
        made = _statement(block, found)
    except (cst.ParserSyntaxError, AssertionError) as error:
        return Unreadable(f"The code block can't be read: {error}")
    old = cut.function
    made = made.with_changes(
        leading_lines=old.leading_lines,
        lines_after_decorators=old.lines_after_decorators,
        decorators=made.decorators or old.decorators,
        body=_with_docstring(old, made),
    )
    changed = patch.replace(source, cut, made, list(_additions(block, tree, source)))
    return Unreadable("What is added has no place in the file.") if changed is None else changed


def _statement(block: str, node: _Def) -> cst.FunctionDef:
    """The definition by itself, with its comments."""
    lines = patch.lines_of(block)
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
    text = textwrap.dedent("".join(lines[first - 1 : node.end_lineno]))
    if not text.endswith("\n"):
        text += "\n"
    statement = cst.parse_module(text).body[0]
    assert isinstance(statement, cst.FunctionDef), "not a function"
    return statement


def _with_docstring(old: cst.FunctionDef, new: cst.FunctionDef) -> cst.BaseSuite:
    """The new body; what was said of the function stays where the answer left it out."""
    if new.get_docstring() is not None or old.get_docstring() is None:
        return new.body
    if not isinstance(new.body, cst.IndentedBlock) or not isinstance(old.body, cst.IndentedBlock):
        return new.body
    return new.body.with_changes(body=[old.body.body[0], *new.body.body])


def _additions(block: str, tree: ast.Module, source: str) -> Iterator[Addition]:
    """Imports, helpers and constants beside the function that the file does not have."""
    known = {ast.dump(node) for node in patch.tree_of(source).body}
    names = {name for node in patch.tree_of(source).body for name in _bound(node)}
    for node in tree.body:
        bound = _bound(node)
        if not bound or ast.dump(node) in known or isinstance(node, ast.ClassDef):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom) and set(bound) <= names:
            continue  # it is there under that name
        code = ast.get_source_segment(block, node) or ast.unparse(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            code = _statement_text(block, node)
            if bound[0] in names:
                continue  # a copy of a neighbour, which stays as it is
        yield Addition(code, bound[0])


def _statement_text(block: str, node: _Def) -> str:
    lines = patch.lines_of(block)
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
    return "".join(lines[first - 1 : node.end_lineno]).rstrip("\n")


def _bound(node: ast.stmt) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [(one.asname or one.name).partition(".")[0] for one in names]
        case ast.ImportFrom(names=names):
            return [one.asname or one.name for one in names]
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return [name]
        case ast.ClassDef(name=name):
            return [name]
        case _:
            return []
