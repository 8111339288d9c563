"""Lets the recorder into the child processes of the program, which itself sees nothing of it.

`os.environ` is as the user had it. What leads a child's interpreter to the recorder stands in the
environment of the C library alone, which `os.execv`, `os.system` and their like hand on, and is
added to an environment that is handed on explicitly: by `subprocess`, `multiprocessing`,
`os.execve` and `os.posix_spawn`. There these functions are replaced.
"""

import builtins
import sys

from .private import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Programs patch `open`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

PATH = b"PYTHONPATH"
THEIRS = b"PERFTRACE_PYTHONPATH"  # what the path was
# Functions that start a program; the environment is their third argument.
STARTERS = ("execve", "posix_spawn", "posix_spawnp")
ENVIRONMENT = 2
FORK_EXEC_ENVIRONMENT = 5


class Children:
    """What child processes are given to find the recorder."""

    def __init__(self, inject: str, ours: "dict[str, str]") -> None:
        self._inject = os.fsencode(inject)
        self._ours = {os.fsencode(name): os.fsencode(value) for name, value in ours.items()}

    def follow(self) -> None:
        """Replace the functions that start programs, as long as the process lives."""
        import _posixsubprocess  # noqa: PLC0415 - only where children are to be recorded

        public = sys.modules["os"]
        for name in STARTERS:
            known = getattr(public, name, None)
            if known is not None:
                extend = self._mapping if name == "execve" else self._mapping_or_none
                setattr(public, name, self._replaced(known, ENVIRONMENT, extend))
        known = _posixsubprocess.fork_exec
        fork_exec = self._replaced(known, FORK_EXEC_ENVIRONMENT, self._pairs)
        _posixsubprocess.fork_exec = fork_exec  # type: ignore[assignment]
        loaded = sys.modules.get("subprocess")  # by a .pth file, before us
        if getattr(loaded, "_fork_exec", None) is known:
            setattr(loaded, "_fork_exec", fork_exec)  # noqa: B010

    def _replaced(
        self, known: "Callable[..., object]", at: int, extend: "Callable[[object], object]"
    ) -> "Callable[..., object]":
        def start(*args: object, **kwargs: object) -> object:
            if len(args) > at:
                args = (*args[:at], extend(args[at]), *args[at + 1 :])
            elif "env" in kwargs:
                kwargs["env"] = extend(kwargs["env"])
            return known(*args, **kwargs)

        start.__name__ = start.__qualname__ = known.__name__
        start.__doc__ = known.__doc__
        return start

    def _mapping(self, given: object) -> object:
        """An environment as a mapping; one that is none is left for the real function to refuse."""
        try:
            items = [(os.fsencode(k), os.fsencode(v)) for k, v in given.items()]  # type: ignore[attr-defined]
        except Exception:  # noqa: BLE001 - the program's own mistake, which it will hear of
            return given
        return dict(self._extended(items))

    def _mapping_or_none(self, given: object) -> object:
        """An environment as a mapping; 3.13 takes None for the program's own."""
        is_own = given is None and sys.version_info >= (3, 13)
        return self._mapping(os.environ if is_own else given)

    def _pairs(self, given: object) -> object:
        """An environment as `NAME=value`; None is the program's own."""
        if given is None:
            items = [(os.fsencode(k), os.fsencode(v)) for k, v in os.environ.items()]
        elif type(given) is list and all(type(pair) is bytes for pair in given):
            split = [pair.partition(b"=") for pair in given]
            items = [(name, value) for name, _, value in split]
        else:
            return given
        return [name + b"=" + value for name, value in self._extended(items)]

    def _extended(self, items: "Iterable[tuple[bytes, bytes]]") -> "list[tuple[bytes, bytes]]":
        theirs = None
        kept = []
        for name, value in items:
            if name == PATH:
                theirs = value
            elif name != THEIRS and name not in self._ours:
                kept.append((name, value))
        separator = os.fsencode(os.pathsep)
        path = self._inject
        if theirs is not None and (theirs + separator).startswith(path + separator):
            theirs = theirs[len(path) + 1 :] or None  # it is the C library's environment
        if theirs is not None:
            kept.append((THEIRS, theirs))
            path = path + separator + theirs if theirs else path
        return [*kept, *self._ours.items(), (PATH, path)]
