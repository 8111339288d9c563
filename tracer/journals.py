"""Read the journals of a run's folder, up to where each process was when it died."""

from binascii import crc32
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
        for segment in self.segments:
            yield from _records(segment.read_bytes())


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
            yield Record(kind, unpack(body[1:]) if fields is None else fields)
        except FieldError as error:
            raise DamagedError(str(error)) from error
        at += 8 + size


# --- the two kinds of record that there are millions of, decoded in a few steps ---------------

BEGIN_HEAD = Struct("<xcqcqcqcqcqcI")  # five numbers, then the arguments' letter and size
END_HEAD = Struct("<xcqcI")  # a number, then the ending's letter and size
NUMBER_NEXT = Struct("<cqc")  # a number, then the letter of the field after it
LETTER_SIZE = Struct("<cI")
LETTER_NUMBER = Struct("<cq")


def _begin(body: bytes) -> tuple[Field, ...] | None:
    """A call's begin whose arguments were recorded; None: it is something else."""
    try:
        a, call, b, function, c, caller, d, thread, e, started, f, size = BEGIN_HEAD.unpack_from(
            body
        )
        at = BEGIN_HEAD.size + size
        g, opaque, h = NUMBER_NEXT.unpack_from(body, at)
    except struct_error:
        return None
    if a + b + c + d + e + f + g + h != b"iiiiibin" or len(body) != at + NUMBER_NEXT.size:
        return None
    return call, function, caller, thread, started, body[BEGIN_HEAD.size : at], opaque, None


def _end(body: bytes) -> tuple[Field, ...] | None:
    """A call's end whose outcome was recorded and which was timed; None: it is something else."""
    try:
        a, call, b, size = END_HEAD.unpack_from(body)
        at = END_HEAD.size + size
        c, length = LETTER_SIZE.unpack_from(body, at)
        start = at + LETTER_SIZE.size
        d, opaque, e = NUMBER_NEXT.unpack_from(body, start + length)
        f, duration = LETTER_NUMBER.unpack_from(body, start + length + NUMBER_NEXT.size)
    except struct_error:
        return None
    whole = start + length + NUMBER_NEXT.size + LETTER_NUMBER.size
    if a + b + c + d + e + f != b"isbini" or len(body) != whole:
        return None
    ending = ENDINGS.get(body[END_HEAD.size : at])
    if ending is None:
        return None
    return call, ending, body[start : start + length], opaque, None, duration


FAST = {journal.BEGIN: _begin, journal.END: _end}
