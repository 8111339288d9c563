"""A filter of system calls for this process and all its threads (seccomp(2), Linux).

The filter is a program for the kernel's classic packet filter: it looks at the number of a call and
at its arguments. What it lets pass costs next to nothing: the kernel remembers which numbers always
pass.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterator

from .syscalls import AUDIT_ARCH, COLUMN, CONDITIONAL, MISSING, PRETENDED, REFUSED, TABLE

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2
# Instructions: load a word, jump if equal, jump if a bit is set, jump if at least, return.
LOAD, EQUAL, ANY_BIT, AT_LEAST, RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
NUMBER, ARCH, ARGUMENTS = 0, 4, 16  # offsets in what the filter sees
ALLOW, FAIL = 0x7FFF0000, 0x00050000
X32 = 0x40000000  # a second set of numbers on x86-64
CLONE_THREAD = 0x10000
TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: type into the user's terminal

type Instruction = tuple[int, int, int, int]  # code, steps if true, steps if false, operand

ANSWERS = {
    REFUSED: FAIL | errno.EPERM,
    PRETENDED: FAIL,
    MISSING: FAIL | errno.ENOSYS,
}


def install() -> str:
    """Filter this process's calls for good; why not, or empty."""
    machine = os.uname().machine
    if os.uname().sysname != "Linux" or machine not in COLUMN:
        return f"there is no table of system calls for {os.uname().sysname} on {machine}"
    instructions = list(program(machine, os.getpid()))
    packed = b"".join(struct.pack("=HBBI", *one) for one in instructions)
    buffer = ctypes.create_string_buffer(packed, len(packed))
    head = struct.pack("@HP", len(instructions), ctypes.addressof(buffer))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    zero = ctypes.c_ulong(0)
    if prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero):
        return f"the process can't give up privileges: {os.strerror(ctypes.get_errno())}"
    if prctl(PR_SET_SECCOMP, ctypes.c_ulong(FILTER), head, zero, zero):
        return f"the system takes no filter: {os.strerror(ctypes.get_errno())}"
    return ""


def program(machine: str, pid: int) -> Iterator[Instruction]:
    """The filter for a process of this id on this kind of machine."""
    column = COLUMN[machine]
    refuse = ANSWERS[REFUSED]
    yield LOAD, 0, 0, ARCH
    yield EQUAL, 1, 0, AUDIT_ARCH[machine]
    yield RETURN, 0, 0, refuse
    yield LOAD, 0, 0, NUMBER
    if machine == "x86_64":
        yield AT_LEAST, 0, 1, X32
        yield RETURN, 0, 0, refuse
    for answer, calls in TABLE.items():
        for number in (numbers[column] for numbers in calls.values()):
            if number:
                yield EQUAL, 0, 1, number
                yield RETURN, 0, 0, ANSWERS[answer]
    for name, numbers in CONDITIONAL.items():
        rule = list(_rule(name, pid))
        yield EQUAL, 0, len(rule), numbers[column]
        yield from rule
    yield RETURN, 0, 0, ALLOW


def _rule(name: str, pid: int) -> Iterator[Instruction]:
    """What is done about a call whose arguments matter; it always ends in a return."""
    refuse = ANSWERS[REFUSED]
    if name == "clone":  # threads are the program's own business
        yield LOAD, 0, 0, _argument(0)
        yield ANY_BIT, 1, 0, CLONE_THREAD
        yield RETURN, 0, 0, refuse
    elif name == "ioctl":
        yield LOAD, 0, 0, _argument(1)
        for request in TERMINAL_INPUT:
            yield EQUAL, 0, 1, request
            yield RETURN, 0, 0, refuse
    elif name == "prlimit64":  # to ask for a limit is harmless
        yield LOAD, 0, 0, _argument(2)
        yield EQUAL, 0, 2, 0
        yield LOAD, 0, 0, _argument(2) + 4
        yield EQUAL, 1, 0, 0
        yield RETURN, 0, 0, ANSWERS[PRETENDED]
    else:  # a signal: to itself alone
        yield LOAD, 0, 0, _argument(0)
        yield EQUAL, 1, 0, pid
        yield RETURN, 0, 0, refuse
    yield RETURN, 0, 0, ALLOW


def _argument(index: int) -> int:
    """Where the lower half of an argument lies (both kinds of machine are little-endian)."""
    return ARGUMENTS + 8 * index
