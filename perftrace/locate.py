"""Find the function that `FUNC` on the command line means.

A function is written `package.module:Qual.name` or `path/to/file.py:Qual.name`; the qualified
name alone, or its end, will do where it is the only one. `:LINE` after it tells apart functions
of one name (a property's getter and setter).
"""

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from perftrace.errors import UsageError
from perftrace.model import Function

SHOWN = 8  # matches or guesses named in an error


def find(text: str, functions: Sequence[Function], again: str = "") -> Function:
    """The one function that the text means; `again` are options for the next command.

    Raises:
        UsageError: none or several; the message names the likeliest.
    """
    place, name, line = split(text)
    found = [one for one in functions if _fits(one, place, line) and one.qualname == name]
    if not found and not place:
        found = [one for one in functions if _fits(one, place, line) and _ends(one, name)]
    if len(found) == 1:
        return found[0]
    if found:
        names = labels(functions)
        listed = _list([names[one.id] for one in found])
        raise UsageError("function-ambiguous", f"{text} means several functions: {listed}")
    near = _near(text, name, functions)
    hint = f" Did you mean {_list(near)}?" if near else f" List them: perftrace top -n 0{again}"
    raise UsageError("function-unknown", f"No function {text} in this trace.{hint}")


def setting_of(function: Function, table: Mapping[str, str]) -> str:
    """What a table of the settings says of a function; empty: nothing."""
    for text, setting in table.items():
        place, name, line = split(text)
        if place and name == function.qualname and _fits(function, place, line):
            return setting
    return ""


def labels(functions: Sequence[Function]) -> dict[int, str]:
    """The text that `find` takes for each function, by id; the shortest that means only it."""
    found: dict[int, str] = {}
    for spell in (_named, _numbered, _exact):
        count = Counter(map(spell, functions))
        for one in functions:
            if count[spell(one)] == 1:
                found.setdefault(one.id, spell(one))
    return found


def _named(function: Function) -> str:
    return f"{function.module}:{function.qualname}"


def _numbered(function: Function) -> str:
    return f"{_named(function)}:{function.line}"


def _exact(function: Function) -> str:
    """Told apart by the file: two main scripts in one trace."""
    return f"{function.file}:{function.qualname}:{function.line}"


def split(text: str) -> tuple[str, str, int | None]:
    """The parts of `place:name:line`; the place may hold colons itself, as on Windows."""
    found = re.fullmatch(r"(.+):(\d+)", text)
    line = int(found[2]) if found else None
    place, _, name = (found[1] if found else text).rpartition(":")
    return place, name, line


def _fits(function: Function, place: str, line: int | None) -> bool:
    if line is not None and function.line != line:
        return False
    return not place or _is_module(function, place) or _is_file(function, place)


def _is_module(function: Function, name: str) -> bool:
    """Whether that is its module's name; a main script is also known by its file's."""
    return name == function.module or (
        function.module == "__main__" and name == PurePath(function.file).stem
    )


def _is_file(function: Function, path: str) -> bool:
    """Whether the path leads to its file from here, or is the end of its path."""
    if Path(path).absolute() == Path(function.file):
        return True
    parts = PurePath(path).parts
    return PurePath(function.file).parts[-len(parts) :] == parts


def _ends(function: Function, name: str) -> bool:
    return bool(name) and function.qualname.endswith(f".{name}")


def _near(text: str, name: str, functions: Sequence[Function]) -> list[str]:
    """The labels of functions whose label or own name is spelt much like what was asked for."""
    names = labels(functions)
    by_label = {label: label for label in names.values()}
    by_name = {one.name: names[one.id] for one in functions}
    close = difflib.get_close_matches
    found = [by_label[one] for one in close(text, by_label)]
    found += [by_name[one] for one in close(name.rpartition(".")[2], by_name)]
    return list(dict.fromkeys(found))


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(sorted(names)[:SHOWN]) + more
