"""Sampled stacks: read from text, made of what the recorder timed, and stored."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from perftrace.store import Store

TIMED_SAMPLE = 1_000_000  # the weight of a window of `inside/timing.py` that was all program


class FrameKey(NamedTuple):
    """The code object of a sampled frame."""

    file: str
    qualname: str
    line: int  # co_firstlineno


OWN_THREAD = Path(__file__).resolve().parent / "inside"

type Stack = tuple[FrameKey, ...]  # outermost first


@dataclass(frozen=True, slots=True)
class Samples:
    """What was sampled: stacks and how often each was seen."""

    stacks: Sequence[tuple[Stack, int]]
    interval_s: float
    name: str  # "py-spy", "timing" or "none"
    note: str  # what went wrong; empty when nothing did


# A library of C code has no lines, nor has code that was made with line 0.
FRAME = re.compile(
    r"(?P<qualname>(?:(?!\);).)+?) \((?P<file>(?:(?!\);).)+?)(?::(?P<line>\d+))?\)(?:;|$)"
)
C_CODE = frozenset({".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".pyx", ".rs", ".s", ".S", ".f90"})


def parse(text: str) -> list[tuple[Stack, int]]:
    """The stacks in py-spy's raw format, one a line: `process 7:"…";f (a.py:1);g (b.py:2) 12`.

    A command line with line breaks splits its line; the last piece holds the frames. Lines
    without frames of Python (the rest of a command line, native threads) are left out. Frames of C
    code are `f (lib.so)`, and `f (a.c:7)` with the line that it is at.
    """
    counts: Counter[Stack] = Counter()
    for line in text.split("\n"):
        names, _, count = line.rpartition(" ")
        stack = _stack(names.rpartition('";')[2]) if count.isdecimal() else ()
        if any(map(_is_python, stack)):
            counts[stack] += int(count)
    return list(counts.items())


def _stack(text: str) -> Stack:
    """The frames of `f (a.py:1);g (b.py:2)`; none if anything in it is not a frame."""
    return tuple(_frames(text)) if text.endswith(")") else ()


def _frames(text: str) -> Iterator[FrameKey]:
    for found in FRAME.finditer(text):
        frame = FrameKey(found["file"], found["qualname"], int(found["line"] or 0))
        yield frame if _is_python(frame) else frame._replace(line=0)


def _is_python(frame: FrameKey) -> bool:
    """Whether it is a frame of Python code: one of C code has no first line."""
    return frame.line > 0 and os.path.splitext(frame.file)[1] not in C_CODE  # noqa: PTH122


def from_timing(timed: Iterable[tuple[str, int]], cpu_s: float) -> Samples:
    """Samples made of what the recorder timed: stacks as text, with their weights.

    Each window counts as one sample. Rests are carried over, so that many small shares add up to
    what they are together.
    """
    totals: Counter[str] = Counter()
    for text, weight in timed:
        totals[text] += weight
    stacks: list[tuple[Stack, int]] = []
    rest = 0
    for text, weight in sorted(totals.items()):
        count, rest = divmod(rest + weight, TIMED_SAMPLE)
        if count and (stack := _stack(text)):
            stacks.append((stack, count))
    seen = sum(count for _, count in stacks)
    if not seen:
        return Samples((), 0.0, "none", "the program was too short to be timed")
    return Samples(stacks, cpu_s / seen, "timing", "")


def without_recorder(samples: Samples) -> Samples:
    """The samples of the program alone: py-spy looks at the recorder's own thread as well."""
    stacks = [(stack, count) for stack, count in samples.stacks if not _is_ours(stack)]
    alone = samples.stacks and not stacks and not samples.note
    note = "py-spy saw the recorder's thread alone" if alone else samples.note
    return replace(samples, stacks=stacks, note=note)


# --- storing ----------------------------------------------------------------------------


def store_samples(
    store: Store, run_id: int, samples: Samples, is_user: Callable[[str], bool]
) -> None:
    """Write the stacks into the trace file; relative file names count from the run's folder."""
    cwd = next(run.cwd for run in store.runs() if run.id == run_id)
    known: dict[FrameKey, int] = {}
    for stack, _ in samples.stacks:
        for frame in stack:
            if frame not in known:
                known[frame] = _intern(store, frame, cwd, is_user)
    for stack, count in samples.stacks:
        frames = " ".join(str(known[frame]) for frame in stack)
        store.add("stack", {"run_id": run_id, "frames": frames, "count": count})


def mean_depth(store: Store, run_id: int) -> float:
    """Frames of a run's stacks in the mean, weighted by how often they were seen; 0: no stacks."""
    sql = (
        "SELECT sum(count * (1.0 + length(frames) - length(replace(frames, ' ', '')))) / sum(count)"
        " AS depth FROM stack WHERE run_id = ?"
    )
    (row,) = store.rows(sql, run_id)
    return row["depth"] or 0.0


def _is_ours(stack: Stack) -> bool:
    """Whether it is a stack of the recorder's own thread."""
    return bool(stack) and Path(stack[0].file).parent == OWN_THREAD


def _intern(store: Store, frame: FrameKey, cwd: Path, is_user: Callable[[str], bool]) -> int:
    # A name such as <string> is no file, and stays as it is.
    file = frame.file if frame.file.startswith("<") else os.path.normpath(cwd / frame.file)
    row = {
        "file": file,
        "qualname": frame.qualname,
        "line": frame.line,
        "user": int(_is_python(frame) and is_user(file)),
    }
    return store.intern("frame", row, identity=("file", "qualname", "line"))
