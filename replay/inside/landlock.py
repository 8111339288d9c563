"""What files this process may touch, and that it may use no network (landlock(7), Linux).

Landlock knows what is allowed, not what is forbidden: to forbid one file, all of its neighbours are
allowed, and those of each folder above it.
"""

import ctypes
import functools
import os
import stat
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence

CREATE, ADD, RESTRICT = 444, 445, 446  # the same number on every architecture
ASK_VERSION = 1
PATH_BENEATH = 1
PR_SET_NO_NEW_PRIVS = 38

EXECUTE, WRITE, READ, LIST = 1, 2, 4, 8
TRUNCATE, IOCTL = 1 << 14, 1 << 15
OF_FILES = EXECUTE | WRITE | READ | TRUNCATE | IOCTL  # what a rule for a single file may have
BY_VERSION = (1 << 13, 1 << 14, 1 << 15, 1 << 15, 1 << 16, 1 << 16)  # rights known: below this
TCP, TCP_SINCE = 3, 4
ABSTRACT_SOCKETS_AND_SIGNALS, SCOPED_SINCE = 3, 6


def version() -> int:
    """The kernel's version of Landlock; 0: it has none, or it is switched off."""
    if os.uname().sysname != "Linux":
        return 0
    return max(0, _call(CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(ASK_VERSION)))


class Prepared:
    """Rules that many processes have in common, made once for all of them.

    A process that a fork server starts enters two sets of rules, and may do what both allow: this
    one, of hundreds of rules, and a small one of its own.
    """

    def __init__(self, writable: Sequence[str], hidden: Sequence[str]) -> None:
        """Everything below these paths may be written; only what is hidden may not be read."""
        self.known = version()
        self.ruleset = _ruleset(self.known)
        self.tops: list[tuple[int, int]] = []  # what all may read, open already, with the rights
        if self.ruleset >= 0:
            rights = READ | LIST
            _allow_all(self.ruleset, _every(self.known), writable, readable(hidden))
            self.tops = [found for path in readable(["/proc"]) if (found := _opened(path, rights))]

    def read_too(self, paths: Sequence[str]) -> None:
        """Allow it for these as well."""
        for path in paths:
            if found := _opened(path, READ | LIST):
                self.tops.append(found)

    def close(self) -> None:
        """Let go of the descriptors."""
        for descriptor in (self.ruleset, *(descriptor for descriptor, _ in self.tops)):
            if descriptor >= 0:
                os.close(descriptor)
        self.ruleset, self.tops = -1, []

    def enter(self, writable: Sequence[str], extra: Sequence[str]) -> str:
        """From now on, write below these paths alone; why that can't be, or empty."""
        own = _ruleset(self.known) if self.ruleset >= 0 else -1
        if own < 0:
            return _why_none(self.known)
        try:
            for descriptor, rights in self.tops:
                _add(own, descriptor, rights)
            _allow_all(own, _every(self.known), writable, extra)
            return _start(own) or _start(self.ruleset)  # each start copies the rules before it
        finally:
            os.close(own)
            self.close()


def restrict(writable: Sequence[str], extra: Sequence[str], hidden: Sequence[str]) -> str:
    """From now on, write below these paths alone and read none of the hidden ones; why not.

    What is extra may be read though it lies in something hidden. Files that are open already stay
    usable.
    """
    known = version()
    ruleset = _ruleset(known)
    if ruleset < 0:
        return _why_none(known)
    try:
        _allow_all(ruleset, _every(known), writable, (*readable(hidden), *extra))
        return _start(ruleset)
    finally:
        os.close(ruleset)


def _every(known: int) -> int:
    """All rights to files that this version knows."""
    return BY_VERSION[min(known, len(BY_VERSION)) - 1] - 1


def _ruleset(known: int) -> int:
    """A new set of rules, that allows nothing yet; below zero where there can be none."""
    if not known:
        return -1
    parts = [_every(known), TCP if known >= TCP_SINCE else 0]
    parts += [ABSTRACT_SOCKETS_AND_SIGNALS if known >= SCOPED_SINCE else 0]
    size = 8 if known < TCP_SINCE else 16 if known < SCOPED_SINCE else 24
    rules = ctypes.create_string_buffer(struct.pack("=3Q", *parts))
    return _call(CREATE, rules, ctypes.c_size_t(size), ctypes.c_uint32(0))


def _why_none(known: int) -> str:
    if not known:
        return "the kernel has no Landlock, or it is switched off"
    return f"Landlock takes no rules: {os.strerror(ctypes.get_errno())}"


def _allow_all(ruleset: int, every: int, writable: Sequence[str], readable: Iterable[str]) -> None:
    _allow(ruleset, "/", LIST)
    for path in readable:
        _allow(ruleset, path, READ | LIST)
    for path in writable:
        _allow(ruleset, path, every & ~EXECUTE)


def _start(ruleset: int) -> str:
    """Let the rules hold; why they do not, or empty."""
    zero = ctypes.c_ulong(0)
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero)
    if _call(RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0)) < 0:
        return f"Landlock does not start: {os.strerror(ctypes.get_errno())}"
    return ""


def readable(hidden: Sequence[str], top: str = "/") -> Iterator[str]:
    """All there is but the hidden paths, in as few paths as possible; links are left out."""
    for name in _names(top):
        path = os.path.join(top, name)
        below = [one for one in hidden if one == path or one.startswith(path + "/")]
        if not below:
            yield path
        elif path not in below:
            yield from readable(below, path)


def _names(folder: str) -> list[str]:
    """What a folder holds, without links: what they lead to has a path of its own."""
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if not entry.is_symlink()]
    except OSError:  # it may not be listed: then nothing in it is allowed
        return []


def _allow(ruleset: int, path: str, rights: int) -> None:
    found = _opened(path, rights)
    if found is not None:
        try:
            _add(ruleset, *found)
        finally:
            os.close(found[0])


def _opened(path: str, rights: int) -> tuple[int, int] | None:
    """A descriptor of the path, and those of the rights that it may have."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return None  # it is gone, or not ours to look at
    if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
        rights &= OF_FILES
    return descriptor, rights


def _add(ruleset: int, descriptor: int, rights: int) -> None:
    rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, descriptor))
    _call(ADD, ctypes.c_int(ruleset), ctypes.c_int(PATH_BENEATH), rule, ctypes.c_uint32(0))


@functools.cache
def _syscall() -> Callable[..., int]:
    function = ctypes.CDLL(None, use_errno=True).syscall
    function.restype = ctypes.c_long
    return function


def _call(number: int, *arguments: object) -> int:
    return _syscall()(ctypes.c_long(number), *arguments)
