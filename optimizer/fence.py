"""Takes code out of Markdown: what is copied from a chat or an issue has a fence around it."""

import ast
import re
from collections.abc import Iterator

from perftrace.errors import UsageError
from perftrace.optimizer import unified
from perftrace.optimizer.patch import lines_of

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^`\r\n]*)")


def unwrap(text: str, name: str) -> str:
    """What stands in the only fence of a text, or the text where it is code as it is.

    Raises:
        UsageError: there are several fences, or one that is not closed; `name` is the file's.
    """
    if unified.is_diff(text) or _is_python(text):
        return text
    blocks = list(_blocks(text))
    if not blocks:
        return text
    if len(blocks) > 1:
        raise UsageError(
            "candidate-fence",
            f"{name} has {len(blocks)} blocks of code in Markdown fences; give one of them.",
        )
    if blocks[0] is None:
        raise UsageError(
            "candidate-fence",
            f"{name} begins a block of code with a Markdown fence that is never closed: it may"
            " be cut off. Give all of it.",
        )
    return blocks[0]


def _is_python(text: str) -> bool:
    try:
        ast.parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError):
        return False
    return True


def _blocks(text: str) -> Iterator[str | None]:
    """What stands in each fence; None for one that is not closed."""
    fence, inside = "", list[str]()
    for line in lines_of(text.removeprefix("\ufeff")):
        found = _FENCE.match(line)
        if not fence and found:
            fence, inside = found[1], []
        elif found and found[1].startswith(fence) and not found[2].strip():
            yield "".join(inside)
            fence = ""
        elif fence:
            inside.append(line)
    if fence:
        yield None
