"""Read the journals of a run's folder, up to where each process was when it died."""

from binascii import crc32
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from perftrace.tracer.inside import journal
from perftrace.tracer.inside.fields import Field, FieldError, unpack

FAILED = "failed.*"  # left by a process in which the recorder could not start


@dataclass(frozen=True, slots=True)
class Record:
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
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        if size == 0:  # the end, or a record that was being written
            return
        body = data[at + 8 : at + 8 + size]
        if len(body) != size or crc32(body) != int.from_bytes(data[at + 4 : at + 8], "little"):
            raise DamagedError("a record's checksum is wrong")
        try:
            yield Record(body[:1], unpack(body[1:]))
        except FieldError as error:
            raise DamagedError(str(error)) from error
        at += 8 + size
