"""The journal of one process: append-only memory-mapped segments that survive any death.

A segment is a file `<pid>-<start>.<sequence>`: a header, then records. The header of the first
one holds the slots: numbers that are overwritten in place, so that they are right even after
`os._exit` or SIGKILL. A record is

    u32 length | u32 crc32 of the body | body: a kind byte and packed fields

The length is written last: a record that was being written reads as "no more records". No file
descriptor is kept: the program may close any number, and then use it for a file of its own.
"""

import builtins
import mmap
import sys
from _thread import allocate_lock
from binascii import crc32
from time import monotonic_ns

from .fields import Field, pack
from .private import os

# Programs patch `len` or `open`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

MAGIC = b"ptjrnl1\n"
HEADER = 256
FIRST_SEGMENT = 1 << 20
SEGMENT = 4 << 20
LIMIT = 256 << 20  # bytes of all the journals of a run
KEPT = getattr(mmap, "MADV_DONTNEED", None)  # in the file, but no longer in the program's memory

# Kinds of record, with their fields.
PROCESS = b"P"  # pid, parent pid, argv, sys.path, main file, main module, executable, version
FILE = b"S"  # file, size, mtime in ns: as it was when its code was first seen
FUNCTION = b"F"  # number, file, qualname, line, module, kind, ((name, binding), …)
BEGIN = b"B"  # call, function, caller or 0, thread, started ns, arguments, opaque, missing
ITEM = b"Y"  # call, blob: what a generator yielded
END = b"E"  # call, ending, result, opaque, missing, duration ns
EFFECT = b"X"  # call, innermost function, kind, detail: see perftrace/effects.py
READS = b"R"  # function, kind, name: what it may read beside its arguments
MISSING = b"M"  # function or 0, subject, reason
TIMED = b"T"  # stack as text, ns: see timing.py
CONTEXT = b"C"  # number or 0, name, functions whose start is not noticed: from here on
REACHED = b"V"  # number of the context, (function, …): they started in it

# The slots: two clocks, then counts of what was not recorded.
CPU_NS = 0
RECORDER_NS = 1
STOPPED_FULL = 2
STOPPED_NO_ROOM = 3
FIRST_COUNT = 4
SLOTS = (HEADER - len(MAGIC)) // 8
STOPPED_BROKEN = SLOTS - 1


class FullError(Exception):
    """The journals of this run reached their limit."""


class ForeignError(Exception):
    """The journal is another process's."""

    def __init__(self) -> None:
        super().__init__("forked without Python's knowledge")


class Journal:
    """Where a process writes what it records."""

    def __init__(self, folder: str, *, limit: int = LIMIT) -> None:
        self._folder = folder
        self._limit = limit
        self._pid = os.getpid()
        self._stem = f"{self._pid}-{monotonic_ns()}"
        self._lock = allocate_lock()
        self._sequence = 0
        self._maps: list[mmap.mmap] = []  # never freed, see `_map`
        self._size = 0
        self._at = 0
        self._roll(0)
        self._head = self._maps[0]

    def write(self, kind: bytes, *fields: Field) -> None:
        """Append a record.

        Raises:
            FullError: the run's journals reached their limit.
            OSError: there is no room.
            ForeignError: this is a forked child, and nobody said so.
        """
        if _getpid() != self._pid:
            raise ForeignError
        body = kind + pack(*fields)
        size = len(body).to_bytes(4, "little")
        crc = crc32(body).to_bytes(4, "little")
        with self._lock:
            if self._at + len(body) + 8 > self._size:
                self._roll(len(body))
            segment = self._segment
            at = self._at
            end = at + 8 + len(body)
            try:  # no call is made in here: a signal's handler does not run
                segment[at + 4 : at + 8] = crc
                segment[at + 8 : end] = body
                segment[at : at + 4] = size
                self._at = end
            except BaseException:  # what is left of it would follow a shorter record
                segment[at:end] = bytes(end - at)
                raise

    def set(self, slot: int, number: int) -> None:
        """Overwrite a slot."""
        at = len(MAGIC) + 8 * slot
        self._head[at : at + 8] = number.to_bytes(8, "little")

    def _roll(self, need: int) -> None:
        first = not self._maps
        size = max(FIRST_SEGMENT if first else SEGMENT, HEADER + need + 8)
        if not first and self._used() + size > self._limit:
            raise FullError
        path = f"{self._folder}/{self._stem}.{self._sequence:05}"
        self._sequence += 1  # whatever happens: the name may be taken from now on
        segment = _map(path, size)
        segment[: len(MAGIC)] = MAGIC
        self._maps.append(segment)
        full = None if first else self._maps[-2]
        # At once: what raised between them would have the next record written nowhere.
        self._segment, self._size, self._at = segment, size, HEADER
        if full is not None and KEPT is not None:
            full.madvise(KEPT)

    def _used(self) -> int:
        # Functions, not the methods of `os.scandir`: some tools patch those in the type itself.
        return sum(os.stat(f"{self._folder}/{name}").st_size for name in os.listdir(self._folder))


_getpid = os.getpid


def _map(path: str, size: int) -> mmap.mmap:
    """A new file of this size, in memory, with no file descriptor left.

    Before Python 3.13 a map keeps a copy of the descriptor; it is closed here behind the map's
    back. Freeing such a map would close that number again, whatever it is by then: so maps are
    kept until the interpreter's very end.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.fchmod(descriptor, 0o600)  # the program's umask may leave us nothing
        return _mapped(descriptor, size)
    except BaseException:  # a signal's handler may raise in here
        os.unlink(path)  # the next attempt has the same name
        raise
    finally:
        os.close(descriptor)


def _mapped(descriptor: int, size: int) -> mmap.mmap:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)  # a sparse file on a full disk is a SIGBUS
    else:
        os.ftruncate(descriptor, size)
    if sys.version_info >= (3, 13):
        return mmap.mmap(descriptor, size, trackfd=False)
    copy = os.dup(descriptor)  # the number that the map's own copy is about to get
    os.close(copy)
    segment = mmap.mmap(descriptor, size)
    if _same_file(copy, descriptor):
        os.close(copy)
    return segment


def _same_file(one: int, other: int) -> bool:
    try:
        mine, theirs = os.fstat(one), os.fstat(other)
    except OSError:  # another thread got the number and closed it
        return False
    return (mine.st_dev, mine.st_ino) == (theirs.st_dev, theirs.st_ino)
