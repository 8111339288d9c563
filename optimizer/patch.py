"""One function of a file out as a syntax tree, and back in with everything else untouched."""

import ast
import difflib
import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import libcst as cst

from perftrace.errors import StaleError

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")  # as the Python tokenizer splits
_LINES_END = re.compile(r"\r\n|\r|\n")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*_FUNCTIONS, ast.ClassDef)
_IMPORTS = ("import ", "from ")
_BOM = "\ufeff"
type Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Place:
    """Where one function definition stands in a file."""

    qualname: str
    ordinal: int  # among the definitions with this qualified name, in source order
    first: int  # its first line, a decorator's if it has any (co_firstlineno); from 1
    last: int
    node: ast.FunctionDef | ast.AsyncFunctionDef
    enclosing: tuple[Definition, ...]  # outermost first


@functools.lru_cache(maxsize=8)
def tree_of(source: str) -> ast.Module:
    """The module's syntax tree; shared, so never to be changed.

    Raises:
        SyntaxError: the source is not valid for this interpreter.
    """
    return ast.parse(source.removeprefix(_BOM))


@functools.lru_cache(maxsize=8)
def places(source: str) -> tuple[Place, ...]:
    """Every function definition of a file, in source order."""
    counts: dict[str, int] = {}
    found = []
    for qualname, node, enclosing in _definitions(tree_of(source), "", ()):
        ordinal = counts.get(qualname, 0)
        counts[qualname] = ordinal + 1
        first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        last = node.end_lineno or node.lineno
        found.append(Place(qualname, ordinal, first, last, node, enclosing))
    return tuple(found)


def place_of(source: str, qualname: str, line: int) -> Place:
    """The definition with this qualified name that starts on this line.

    Raises:
        StaleError: there is none: the file has changed.
    """
    for place in places(source):
        if place.qualname == qualname and line in {place.first, place.node.lineno}:
            return place
    raise StaleError(
        "stale-function",
        f"{qualname} is no longer defined on line {line}: the file has changed since it was"
        " recorded. Record it again: perftrace run",
    )


def ordinal_of(source: str, qualname: str, line: int) -> int:
    """Which of the definitions with this qualified name starts on this line.

    Raises:
        StaleError: none does.
    """
    return place_of(source, qualname, line).ordinal


def line_of(source: str, qualname: str, ordinal: int) -> int:
    """The first line (`co_firstlineno`) of a definition.

    Raises:
        StaleError: there is no such definition.
    """
    for place in places(source):
        if (place.qualname, place.ordinal) == (qualname, ordinal):
            return place.first
    raise StaleError(
        "stale-function",
        f"{qualname} is no longer defined in the file. Record it again: perftrace run",
    )


def _definitions(
    node: ast.AST, prefix: str, enclosing: tuple[Definition, ...]
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, tuple[Definition, ...]]]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, _SCOPES):
            yield from _definitions(child, prefix, enclosing)
            continue
        declared = isinstance(node, _FUNCTIONS) and _is_global(node, child.name)
        qualname = child.name if declared else f"{prefix}{child.name}"
        inner = f"{qualname}."
        if isinstance(child, _FUNCTIONS):
            yield qualname, child, enclosing
            inner = f"{qualname}.<locals>."
        yield from _definitions(child, inner, (*enclosing, child))


def _is_global(function: ast.AST, name: str) -> bool:
    return any(isinstance(one, ast.Global) and name in one.names for one in ast.walk(function))


# --- one function ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A function cut out of its file, as a syntax tree that keeps every character."""

    place: Place
    module: cst.Module
    function: cst.FunctionDef
    wrapped: bool  # an `if` was put around it to give its indentation a block


def excerpt(source: str, place: Place) -> Excerpt:
    """Cut a function out of its file."""
    lines = lines_of(source.removeprefix(_BOM))
    text = "".join(lines[place.first - 1 : place.last])
    wrapped = text[:1] in {" ", "\t"}
    newline = "\r\n" if "\r\n" in text else "\n"
    config = cst.PartialParserConfig(default_indent=_indent(text), default_newline=newline)
    module = cst.parse_module(f"if 1:{newline}{text}" if wrapped else text, config)
    body = module.body[0].body.body if wrapped else module.body  # type: ignore[union-attr]
    function = body[0]
    assert isinstance(function, cst.FunctionDef)
    return Excerpt(place, module, function, wrapped)


def _indent(text: str) -> str:
    """How much deeper the body is indented than the definition."""
    starts = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines_of(text)]
    deeper = (start.removeprefix(starts[0]) for start in starts if start.startswith(starts[0]))
    return next((extra for extra in deeper if extra), "    ")


def lines_of(source: str) -> list[str]:
    """The lines of a source text with their ends, split as Python itself does."""
    return _LINES.findall(source)


@dataclass(frozen=True, slots=True)
class Addition:
    """A statement to add to the module, above the function."""

    code: str
    name: str  # what it binds
    after: int = 0  # it must come after this line, where a name it needs is imported


def replace(
    source: str, cut: Excerpt, function: cst.FunctionDef, additions: Sequence[Addition] = ()
) -> str | None:
    """The file with another version of the function; None if the additions have no place."""
    bom = _BOM if source.startswith(_BOM) else ""
    lines = lines_of(source.removeprefix(_BOM))
    module = cut.module.deep_replace(cut.function, function)
    assert isinstance(module, cst.Module)
    new = lines_of(module.code)[1:] if cut.wrapped else lines_of(module.code)
    place = cut.place
    newline = cut.module.default_newline
    before, after = lines[: place.first - 1], lines[place.last :]
    if additions:
        at = _insertion_line(tree_of(source), additions)
        if at >= _top_line(tree_of(source), place):
            return None
        before[at:at] = [_LINES_END.sub(newline, f"{one.code}\n") for one in additions]
        before = _spaced(before, at, len(additions), newline)
    return bom + "".join([*before, *new, *after])


def _insertion_line(tree: ast.Module, additions: Sequence[Addition]) -> int:
    """The line after the leading docstring and imports, and after the imports that are needed."""
    line = 0
    for index, node in enumerate(tree.body):
        is_docstring = index == 0 and isinstance(node, ast.Expr)
        if not is_docstring and not isinstance(node, ast.Import | ast.ImportFrom):
            break
        line = node.end_lineno or node.lineno
    return max([line, *(one.after for one in additions)])


def _top_line(tree: ast.Module, place: Place) -> int:
    """The first line of the module's statement that the function is in."""
    outer = place.enclosing[0] if place.enclosing else place.node
    for node in tree.body:
        if node.lineno <= outer.lineno <= (node.end_lineno or node.lineno):
            decorators = node.decorator_list if isinstance(node, _SCOPES) else []
            return min([node.lineno, *(one.lineno for one in decorators)])
    return place.first


def _spaced(lines: list[str], at: int, count: int, newline: str) -> list[str]:
    """Blank lines around what was inserted, where it is not an import among imports."""
    inserted = lines[at : at + count]
    imports = all(line.startswith(_IMPORTS) for line in inserted)
    follows = at > 0 and bool(lines[at - 1].strip())
    if follows and not (imports and lines[at - 1].startswith(_IMPORTS)):
        inserted.insert(0, newline)
    if at + count == len(lines) or lines[at + count].strip():
        inserted.append(newline)
    return [*lines[:at], *inserted, *lines[at + count :]]


# --- what is around it ----------------------------------------------------------------------


def without(source: str, place: Place) -> list[ast.stmt]:
    """The module's statements, with the function's body, signature and decorators taken out."""
    tree = ast.parse(source.removeprefix(_BOM))
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS) and _position(node) == _position(place.node):
            node.body, node.decorator_list, node.returns = [ast.Pass()], [], None
            node.args = ast.arguments([], [], None, [], [], None, [])
    return tree.body


def _position(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
    return node.lineno, node.col_offset


def split(old: Sequence[ast.stmt], new: Sequence[ast.stmt]) -> tuple[bool, list[ast.stmt]]:
    """Whether all old statements are still there in their order, and the new ones."""
    rest, added = [ast.dump(one) for one in old], []
    for statement in new:
        if rest and ast.dump(statement) == rest[0]:
            rest.pop(0)
        else:
            added.append(statement)
    return not rest, added


# --- texts ----------------------------------------------------------------------------------


def diff(old: str, new: str, path: str) -> str:
    """The change as a unified diff."""
    path = path.lstrip("/")
    pieces = difflib.unified_diff(lines_of(old), lines_of(new), f"a/{path}", f"b/{path}")
    return "".join(
        line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n"
        for line in pieces
    )


@dataclass(frozen=True, slots=True)
class Merged:
    """Several changes of one file in one text."""

    text: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why changes of one file cannot be put together."""

    reason: str


@dataclass(frozen=True, slots=True, order=True)
class _Edit:
    start: int
    end: int
    lines: tuple[str, ...]


def merge(original: str, sources: Sequence[str]) -> Merged | Conflict:
    """Put several changed versions of one file together; the same insertion counts once."""
    base = lines_of(original)
    edits = sorted({edit for source in sources for edit in _edits(base, lines_of(source))})
    for first, second in pairwise(edits):
        if second.start < first.end or (first.start, first.end) == (second.start, second.end):
            if first.start == first.end == second.start == second.end:
                continue  # two insertions at one place: one after the other
            return Conflict(f"two changes touch line {second.start + 1}")
    lines: list[str] = []
    position = 0
    for edit in edits:
        known = {line for line in lines if line.startswith(_IMPORTS)}
        lines += [*base[position : edit.start], *(one for one in edit.lines if one not in known)]
        position = edit.end
    text = "".join([*lines, *base[position:]])
    return _checked(original, sources, text)


def _checked(original: str, sources: Sequence[str], text: str) -> Merged | Conflict:
    """Refuse a merge that no longer says what its parts said."""
    try:
        merged = _statements(tree_of(text))
    except SyntaxError as error:
        return Conflict(f"together they are not valid Python: {error.msg} (line {error.lineno})")
    known = _statements(tree_of(original))
    for source in sources:
        for name, meaning in _statements(tree_of(source)).items():
            if name not in known and merged.get(name) != meaning:
                return Conflict(f"two changes define {name} differently")
    return Merged(text)


def _statements(tree: ast.Module) -> dict[str, str]:
    """What each name that the module assigns, imports or defines stands for."""
    found: dict[str, str] = {}
    for node in tree.body:
        for name in _names(node):
            found[name] = found.get(name, "") + ast.dump(node)
    return found


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.Assign(targets=targets):
            return [one.id for one in targets if isinstance(one, ast.Name)]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [one.asname or one.name for one in names]
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case _:
            return []


def _edits(old: Sequence[str], new: Sequence[str]) -> Iterator[_Edit]:
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    a, b = old[start : len(old) - end], new[start : len(new) - end]
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            yield _Edit(start + i1, start + i2, tuple(b[j1:j2]))
