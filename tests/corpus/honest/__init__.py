"""Programs with speed-ups that are known to be right: what has to be accepted.

Each module is a program (`SUBJECT`) and changes of it (`FASTER`): by name the function and its new
text, with private constants or helpers before it where it needs some. Each is faster by 15 % and
more at the sizes that its program has (`benchmarks/honest.py`).
"""

import importlib
import textwrap
from dataclasses import dataclass
from types import ModuleType

from perftrace.optimizer import patch

SUBJECTS = ("shop", "words", "graphs", "stock", "streams", "figures", "arrays")
NEEDS = {"arrays": "numpy"}  # a subject that not every interpreter can run


@dataclass(frozen=True)
class Change:
    """A speed-up that is known to be right."""

    subject: str
    name: str
    function: str  # its qualified name
    text: str  # the new definition, after what it needs before it

    @property
    def label(self) -> str:
        """Such as "shop: search a set"."""
        return f"{self.subject}: {self.name}"


def subject(name: str) -> ModuleType:
    """The module of a subject."""
    return importlib.import_module(f"{__name__}.{name}")


def changes(name: str) -> list[Change]:
    """The changes of a subject."""
    found = subject(name).FASTER.items()
    return [Change(name, change, function, text) for change, (function, text) in found]


def applied(source: str, change: Change) -> str:
    """The subject's text with the change; imports go to the top, where people put them."""
    (place,) = [one for one in patch.places(source) if one.qualname == change.function]
    lines = source.splitlines(keepends=True)
    imports, new = _imports_first(textwrap.dedent(change.text).strip().splitlines())
    margin = " " * place.node.col_offset
    text = textwrap.indent("\n".join(new), margin) + "\n"
    whole = "".join([*lines[: place.first - 1], text, *lines[place.last :]])
    head, mark, rest = whole.partition('"""\n\n')  # the end of the module's docstring
    return "".join([head, mark, *imports, rest])


def _imports_first(lines: list[str]) -> tuple[list[str], list[str]]:
    """What a change imports, and the rest of it."""
    imports = [f"{line}\n" for line in lines if line.startswith(("import ", "from "))]
    rest = [line for line in lines if not line.startswith(("import ", "from "))]
    return imports, rest
