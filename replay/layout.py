"""Source text laid out the way formatters do: on one line if it fits, else one item a line."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

WIDTH = 100
STEP = 4

type Doc = str | Group


@dataclass(frozen=True, slots=True)
class Group:
    """Brackets around items separated by commas."""

    opened: str  # "Item(", "[", "total=Decimal("
    items: tuple[Doc, ...]
    closed: str
    lone_comma: bool = False  # a tuple of one


def group(opened: str, items: Iterable[Doc], closed: str) -> Group:
    """A group; a parenthesis without a name before it is a tuple."""
    inside = tuple(items)
    return Group(opened, inside, closed, lone_comma=opened == "(" and len(inside) == 1)


def prefixed(prefix: str, doc: Doc) -> Doc:
    """The same with something before it: `name=`, `key: `, `*`."""
    return prefix + doc if isinstance(doc, str) else replace(doc, opened=prefix + doc.opened)


def flat(doc: Doc) -> str:
    """All on one line."""
    if isinstance(doc, str):
        return doc
    comma = "," if doc.lone_comma else ""
    return f"{doc.opened}{', '.join(map(flat, doc.items))}{comma}{doc.closed}"


def lay_out(doc: Doc, indent: int, after: int = 0) -> str:
    """The text; its first line is indented by the caller, `after` characters follow the last."""
    line = flat(doc)
    if isinstance(doc, str) or not doc.items or indent + len(line) + after <= WIDTH:
        return line
    inner = indent + STEP
    body = "".join(f"{' ' * inner}{lay_out(item, inner, 1)},\n" for item in doc.items)
    return f"{doc.opened}\n{body}{' ' * indent}{doc.closed}"


def statement(doc: Doc, indent: int = STEP) -> str:
    """A whole statement with its indentation and line end."""
    return f"{' ' * indent}{lay_out(doc, indent)}\n"
