"""Read the journals of a run's folder, up to where each process was when it died."""

from binascii import crc32
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from struct import Struct
from struct import error as struct_error
from typing import NamedTuple

from perftrace.model import Ending
from perftrace.tracer.inside import journal
from perftrace.tracer.inside.fields import Field, FieldError, unpack

FAILED = "failed.*"  # left by a process in which the recorder could not start
FRAME = Struct("<II")  # of a record: length and checksum of its body
ENDINGS = {ending.value.encode(): ending.value for ending in Ending}


class Record(NamedTuple):
    """One record: a kind of `inside/journal.py` and its fields."""

    kind: bytes
    fields: tuple[Field, ...]


class DamagedError(Exception):
    """A journal that the recorder did not write so."""


@dataclass(frozen=True, slots=True)
class ProcessJournal:
    """The segments of one process, in order."""

    segments: Sequence[Path]

    def slots(self) -> tuple[int, ...]:
        """The numbers in the first segment's header.

        Raises:
            DamagedError: it has none.
        """
        with self.segments[0].open("rb") as file:
            head = file.read(journal.HEADER)
        if len(head) < journal.HEADER or not head.startswith(journal.MAGIC):
            raise DamagedError("no header")
        start = len(journal.MAGIC)
        return tuple(
            int.from_bytes(head[start + 8 * slot : start + 8 * slot + 8], "little")
            for slot in range(journal.SLOTS)
        )

    def records(self) -> Iterator[Record]:
        """The records, oldest first.

        Raises:
            DamagedError: after the last good one.
        """
        return chain.from_iterable(_records(path.read_bytes()) for path in self.segments)


def of_run(folder: Path) -> list[ProcessJournal]:
    """The journals in a run's folder, one a process, oldest first."""
    segments: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*-*.?????")):
        segments.setdefault(path.stem, []).append(path)
    started = sorted(segments, key=lambda stem: int(stem.partition("-")[2]))
    return [ProcessJournal(segments[stem]) for stem in started]


def failures(folder: Path) -> list[str]:
    """Why the recorder could not start in processes of the run."""
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob(FAILED))]


def _records(data: bytes) -> Iterator[Record]:
    at = journal.HEADER
    end = len(data)
    new = tuple.__new__  # there are millions
    while at + 8 <= end:
        size, checksum = FRAME.unpack_from(data, at)
        if size == 0:  # the end, or a record that was being written
            return
        body = data[at + 8 : at + 8 + size]
        if len(body) != size or crc32(body) != checksum:
            raise DamagedError("a record's checksum is wrong")
        kind = body[:1]
        try:
            fast = FAST.get(kind)
            fields = None if fast is None else fast(body)
            yield new(Record, (kind, unpack(body[1:]) if fields is None else fields))
        except FieldError as error:
            raise DamagedError(str(error)) from error
        at += 8 + size


# --- the two kinds of record that there are millions of, decoded in a few steps ---------------

BEGIN_HEAD = Struct("<xxqxqxqxqxqxI")  # five numbers, then the arguments' size
BEGIN_LETTERS = slice(1, 47, 9)
END_HEAD = Struct("<xxqxI")  # a number, then the ending's size
OUTCOME_HEAD = Struct("<cI")
OPAQUE = Struct("<cqc")  # a number, then the letter of the field after it
DURATION = Struct("<cq")


def _begin(body: bytes) -> tuple[Field, ...] | None:
    """A call's begin whose arguments were recorded; None: it is something else."""
    if body[BEGIN_LETTERS] != b"iiiiib":
        return None
    try:
        call, function, caller, thread, started, size = BEGIN_HEAD.unpack_from(body)
        at = BEGIN_HEAD.size + size
        letter, opaque, after = OPAQUE.unpack_from(body, at)
    except struct_error:
        return None
    if letter != b"i" or after != b"n" or len(body) != at + OPAQUE.size:
        return None
    return call, function, caller, thread, started, body[BEGIN_HEAD.size : at], opaque, None


def _end(body: bytes) -> tuple[Field, ...] | None:
    """A call's end whose outcome was recorded and which was timed; None: it is something else."""
    if body[1:11:9] != b"is":
        return None
    try:
        call, size = END_HEAD.unpack_from(body)
        at = END_HEAD.size + size
        first, length = OUTCOME_HEAD.unpack_from(body, at)
        start = at + OUTCOME_HEAD.size
        stop = start + length
        second, opaque, third = OPAQUE.unpack_from(body, stop)
        fourth, duration = DURATION.unpack_from(body, stop + OPAQUE.size)
    except struct_error:
        return None
    ending = ENDINGS.get(body[END_HEAD.size : at])
    known = ending is not None and len(body) == stop + OPAQUE.size + DURATION.size
    if not known or (first, second, third, fourth) != (b"b", b"i", b"n", b"i"):
        return None
    return call, ending, body[start:stop], opaque, None, duration


FAST = {journal.BEGIN: _begin, journal.END: _end}
