"""What files this process may touch, and that it may use no network (landlock(7), Linux).

Landlock knows what is allowed, not what is forbidden: to forbid one file, all of its neighbours are
allowed, and those of each folder above it.
"""

import ctypes
import os
import struct
from collections.abc import Iterator, Sequence

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


def restrict(writable: Sequence[str], extra: Sequence[str], hidden: Sequence[str]) -> str:
    """From now on, write below these paths alone and read none of the hidden ones; why not.

    What is extra may be read though it lies in something hidden. Files that are open already stay
    usable.
    """
    known = version()
    if not known:
        return "the kernel has no Landlock, or it is switched off"
    every = BY_VERSION[min(known, len(BY_VERSION)) - 1] - 1
    parts = [every, TCP if known >= TCP_SINCE else 0]
    parts += [ABSTRACT_SOCKETS_AND_SIGNALS if known >= SCOPED_SINCE else 0]
    size = 8 if known < TCP_SINCE else 16 if known < SCOPED_SINCE else 24
    rules = ctypes.create_string_buffer(struct.pack("=3Q", *parts))
    ruleset = _call(CREATE, rules, ctypes.c_size_t(size), ctypes.c_uint32(0))
    if ruleset < 0:
        return f"Landlock takes no rules: {os.strerror(ctypes.get_errno())}"
    try:
        _allow(ruleset, "/", LIST)
        for path in (*readable(hidden), *extra):
            _allow(ruleset, path, READ | LIST)
        for path in writable:
            _allow(ruleset, path, every & ~EXECUTE)
        zero = ctypes.c_ulong(0)
        ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero)
        if _call(RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0)) < 0:
            return f"Landlock does not start: {os.strerror(ctypes.get_errno())}"
    finally:
        os.close(ruleset)
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
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # it is gone, or not ours to look at
    try:
        if not os.path.isdir(f"/proc/self/fd/{descriptor}"):
            rights &= OF_FILES
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, descriptor))
        _call(ADD, ctypes.c_int(ruleset), ctypes.c_int(PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(descriptor)


def _call(number: int, *arguments: object) -> int:
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    syscall.restype = ctypes.c_long
    result: int = syscall(ctypes.c_long(number), *arguments)
    return result
