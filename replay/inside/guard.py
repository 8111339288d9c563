"""Refuses what a replayed call must not do: writes outside its own folder, network, processes.

An audit hook sees each such act before it happens; the table of what must not happen is that of
`perftrace/effects.py`, by which the recorder goes too. The hook raises PermissionError and
remembers the reason, so that a program that swallows the error is still not taken for replayed.
What goes round Python, the kernel stops (`sandbox.py`).
"""

import _posixsubprocess
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from ...effects import DATABASE, EVENTS, LIBRARY, NETWORK, PROCESS, VERBS, WRITTEN

type Arguments = tuple[Any, ...]  # of an audit event
type Rule = Callable[["Guard", Arguments], str | None]

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
UNWRITTEN = (":memory:", "mode=memory", "mode=ro")  # in a database's URI


class Guard:
    """The rules, and what was refused since the last call."""

    def __init__(self, folder: str) -> None:
        self.loading = True  # the program is being imported
        self._folder = os.path.realpath(folder) + os.sep
        self._refused: str | None = None

    def arm(self) -> None:
        """From now on, for the rest of the process."""
        sys.addaudithook(self._hook)
        # multiprocessing calls this function directly, which no audit event tells.
        _posixsubprocess.fork_exec = self._refuse_process

    def take(self) -> str | None:
        """What was refused first since the last time this was asked."""
        refused, self._refused = self._refused, None
        return refused

    def outside(self, path: Any, folder: object = -1) -> str | None:
        """The absolute path, if it lies outside the private folder; `folder` is a descriptor."""
        if isinstance(path, int):
            return None  # open already: it was asked about then
        text = os.fsdecode(path)
        if isinstance(folder, int) and folder >= 0:
            text = os.path.join(f"/proc/self/fd/{folder}", text)
        full = os.path.realpath(text)
        inside = (full + os.sep).startswith(self._folder) or full == os.devnull
        return None if inside else full

    def _hook(self, event: str, arguments: Arguments) -> None:
        rule = RULES.get(event)
        if rule is not None:
            reason = rule(self, arguments)
            if reason is not None:
                self._refuse(reason)

    def _refuse(self, reason: str) -> NoReturn:
        self._refused = self._refused or reason
        raise PermissionError(f"not during replay: {reason}")

    def _refuse_process(self, *_: object) -> NoReturn:
        self._refuse(f"would {VERBS[PROCESS]}")


def _open(guard: Guard, arguments: Arguments) -> str | None:
    path, mode, flags = arguments
    writes = isinstance(mode, str) and not set(mode).isdisjoint("wax+")
    if not writes and not (isinstance(flags, int) and flags & WRITING):
        return None
    full = guard.outside(path)
    return f"would {VERBS[WRITTEN]} {full}" if full else None


def _database(guard: Guard, arguments: Arguments) -> str | None:
    name = os.fsdecode(arguments[0])
    if name in {"", ":memory:"}:
        return None
    if name.startswith("file:") and any(harmless in name for harmless in UNWRITTEN):
        return None
    full = guard.outside(name.removeprefix("file:").partition("?")[0])
    return f"would {VERBS[DATABASE]} {full}" if full else None


def _library(guard: Guard, arguments: Arguments) -> str | None:
    name = arguments[0]
    return None if guard.loading or name is None else f"would {VERBS[LIBRARY]} {name}"


def _path(verb: str, *places: tuple[int, int], unless: bool | None = None) -> Rule:
    """A rule for the paths at these places of the arguments, each with its folder's descriptor.

    Where the path's existence is as `unless` says, the act has no effect but its own error.
    """

    def rule(guard: Guard, arguments: Arguments) -> str | None:
        for place, folder in places:
            full = guard.outside(arguments[place], arguments[folder] if folder else -1)
            if full and os.path.lexists(full) is not unless:
                return f"would {verb} {full}"
        return None

    return rule


def _never(reason: str) -> Rule:
    def rule(_guard: Guard, _arguments: Arguments) -> str | None:
        return reason

    return rule


def _address(_guard: Guard, arguments: Arguments) -> str | None:
    address = arguments[1]
    if isinstance(address, tuple) and len(address) > 1:
        return f"would {VERBS[NETWORK]}: {address[0]}:{address[1]}"
    return f"would {VERBS[NETWORK]}: {address!r}"


# Where the harm depends on the arguments; the rules of all other events depend on their kind alone.
BY_EVENT: dict[str, Rule] = {
    "open": _open,
    "os.remove": _path("delete", (0, 1), unless=False),
    "os.rmdir": _path("delete", (0, 1), unless=False),
    "os.rename": _path("rename", (0, 2), (1, 3)),
    "os.mkdir": _path("make the folder", (0, 2), unless=True),
    "os.link": _path("make the link", (1, 3)),
    "os.symlink": _path("make the link", (1, 2)),
    "os.truncate": _path("write", (0, 0)),
    "os.chmod": _path("change the mode of", (0, 2)),
    "os.lchmod": _path("change the mode of", (0, 0)),
    "os.chown": _path("change the owner of", (0, 3)),
    "os.lchown": _path("change the owner of", (0, 0)),
    "os.chflags": _path("change", (0, 0)),
    "os.lchflags": _path("change", (0, 0)),
    "os.utime": _path("change the times of", (0, 3)),
    "os.setxattr": _path("change", (0, 0)),
    "os.removexattr": _path("change", (0, 0)),
    "sqlite3.connect": _database,
    "ctypes.dlopen": _library,
    "socket.connect": _address,
    "socket.bind": _address,
    "socket.sendto": _address,
}
RULES: dict[str, Rule] = {
    event: BY_EVENT.get(event) or _never(f"would {VERBS[kind]}") for event, kind in EVENTS.items()
}
