"""Applies a unified diff to a text, exactly: no fuzz, no search for another place."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from perftrace.errors import UsageError
from perftrace.optimizer.patch import lines_of

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_START = re.compile(r"(diff --git |--- |Index: |From |@@ -)")
_ENDS = "\r\n"


@dataclass(slots=True)
class _Hunk:
    """Lines to keep (` `), to remove (`-`) and to add (`+`)."""

    start: int  # the first line that is kept or removed, from 1; the one before, if there is none
    old: int  # how many are kept or removed
    new: int  # how many are kept or added
    changes: list[tuple[str, str]] = field(default_factory=list)
    no_end: bool = False  # the last line added ends the file without a line end

    @property
    def open(self) -> bool:
        """Whether lines of it are still to come."""
        signs = [sign for sign, _ in self.changes]
        return len(signs) - signs.count("+") < self.old or len(signs) - signs.count("-") < self.new

    def add(self, line: str) -> None:
        """Take the next line."""
        self.changes.append((line[:1] if line.strip(_ENDS) else " ", line[1:].rstrip(_ENDS)))


def is_diff(text: str) -> bool:
    """Whether a text is a unified diff rather than a source file."""
    return bool(_START.match(text.lstrip())) and bool(re.search(r"^@@ -", text, re.MULTILINE))


def apply(diff: str, original: str, file: str) -> str:
    """The original with the diff applied; a diff of one file may name it otherwise, if it fits.

    Raises:
        UsageError: it is a diff of other files, or its lines are not those of the original.
    """
    found = list(_files(diff))
    others = [name for name, _ in found if not _means(name, file)]
    lines = lines_of(original)
    if (others and not (len(found) == 1 and _fit_all(found[0][1], lines))) or not found:
        named = ", ".join(others) or "no file"
        raise UsageError("diff-file", f"The diff changes {named}; it may change {file} alone.")
    result: list[str] = []
    position = 0
    for hunk in (hunk for _, hunks in found for hunk in hunks):
        start = hunk.start - 1 if hunk.old else hunk.start
        fits = position <= start and _fits(hunk, lines[start : start + hunk.old])
        if not fits:
            raise UsageError(
                "diff-lines",
                f"The diff does not fit: line {hunk.start} and those after it in {file} are not"
                " what was recorded there. Give a diff against that, or the whole file.",
            )
        result += lines[position:start]
        result += _changed(hunk, lines[start : start + hunk.old], _newline(lines))
        position = start + hunk.old
    return "".join([*result, *lines[position:]])


def _fit_all(hunks: Sequence[_Hunk], lines: Sequence[str]) -> bool:
    """Whether every hunk finds its lines, and looks at some: an addition alone fits anywhere."""
    starts = [(hunk, hunk.start - 1) for hunk in hunks]
    return all(hunk.old and _fits(hunk, lines[at : at + hunk.old]) for hunk, at in starts)


def _files(diff: str) -> Iterator[tuple[str, Sequence[_Hunk]]]:
    """The hunks of each file by its name after the change."""
    name, hunks = "", list[_Hunk]()
    for line in lines_of(diff):
        head = _HUNK.match(line)
        if hunks and hunks[-1].open:
            hunks[-1].add(line)
        elif line.startswith("\\") and hunks:
            hunks[-1].no_end |= hunks[-1].changes[-1][0] == "+"
        elif head:
            hunks.append(_Hunk(int(head[1]), int(head[2] or 1), int(head[3] or 1)))
        elif line.startswith("+++ "):
            if hunks:
                yield name, hunks
            name, hunks = line[4:].split("\t")[0].strip(), []
    if hunks:
        yield name, hunks


def _means(name: str, file: str) -> bool:
    """Whether a name in a diff, with or without `a/` or `b/`, means the file."""
    parts = PurePath(name).parts
    short = parts[1:] if parts[:1] in {("a",), ("b",)} else parts
    return any(one and PurePath(file).parts[-len(one) :] == one for one in (parts, short))


def _fits(hunk: _Hunk, lines: Sequence[str]) -> bool:
    wanted = [text for sign, text in hunk.changes if sign in " -"]
    return wanted == [line.rstrip(_ENDS) for line in lines]


def _changed(hunk: _Hunk, lines: Sequence[str], newline: str) -> list[str]:
    """The lines after the change; those that are kept stay as they are, line ends too."""
    left = iter(lines)
    result: list[str] = []
    for sign, text in hunk.changes:
        if sign == "+":
            result.append(text + newline)
            continue
        line = next(left)
        if sign == " ":
            result.append(line)
    if hunk.no_end:
        result[-1] = result[-1].rstrip(_ENDS)
    return result


def _newline(lines: Sequence[str]) -> str:
    first = lines[0] if lines else "\n"
    return first[len(first.rstrip(_ENDS)) :] or "\n"
