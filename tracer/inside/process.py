"""What the journal says about this process and its functions, and why recording ended."""

import builtins
import sys
from sys import is_finalizing

from . import journal, scope
from .private import os
from .tools import LostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from .fields import Field
    from .function import Watched

# Programs patch `len` or `open`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))


EXECUTABLE = sys.executable
VERSION = sys.version.partition(" ")[0]

_Spec = type(sys.__spec__)
_namespace = vars(type(sys))["__dict__"].__get__
_sys = vars(sys)  # a program may delete what is in there, or put anything into it


class Process:
    """The traced process, as far as the journal is concerned."""

    def __init__(self, folder: str, own: frozenset[str]) -> None:
        self._folder = folder
        self._own = own
        self._pid = os.getpid()
        self._journals = [journal.Journal(folder)]
        self._described: tuple[Field, ...] = ()  # holds the texts, so that their ids stay theirs
        self._marks: list[int] = []
        self._main: dict[str, Field] = {}
        self._declared: set[int] = set()
        self._told: set[int] = set()  # of which functions it says what they read
        self._states: dict[str, tuple[int, int]] = {}
        self._files: set[str] = set()  # those described in this journal
        self._not_watched = [0] * len(scope.REASONS)
        self.write = self._journals[-1].write

    def begin_again(self) -> None:
        """A new journal: this is a forked child. The parent's maps must never be freed."""
        self._journals.append(journal.Journal(self._folder))
        self._pid = os.getpid()
        self._described, self._marks = (), []
        self._declared.clear()
        self._told.clear()
        self._files.clear()
        self._not_watched = [0] * len(scope.REASONS)
        self.write = self._journals[-1].write

    def note(self) -> None:
        """Describe the process, if it is not as described before."""
        if is_finalizing():
            return  # what is left of it by then is no description
        names = _namespace_of_main()
        file, spec = names.get("__file__"), names.get("__spec__")
        argv, path = _sys.get("argv"), _sys.get("path")
        marks = [id(file), id(spec), *_marks(argv), *_marks(path)]
        if marks == self._marks:
            return  # it is asked for at each function's first start
        described: tuple[Field, ...] = (
            os.getpid(),
            os.getppid(),
            _texts(argv),
            _texts(path),
            self._kept("file", _text(file)),
            self._kept("module", _text(spec.name) if type(spec) is _Spec else None),
            EXECUTABLE,
            VERSION,
        )
        if described != self._described:
            self.write(journal.PROCESS, *described)
            self._described = described
        self._marks = marks

    def _kept(self, what: str, name: "Field") -> "Field":
        """What `__main__` said before: Python takes `__file__` out of it when a script ends."""
        if name is not None:
            self._main[what] = name
        return self._main.get(what)

    def note_file(self, file: str) -> None:
        """Note the state of a file of the user's before its first function is declared.

        That is when its module begins to run: asking lets other threads run, and a program may
        notice if they do so in the middle of a thread of its own.
        """
        if file not in self._states:
            try:
                state = os.stat(file)
                self._states[file] = (state.st_size, state.st_mtime_ns)
            except OSError:  # it was removed, or lies in an archive
                self._states[file] = (-1, -1)
        if file not in self._files:
            self.write(journal.FILE, file, *self._states[file])
            self._files.add(file)

    def declare(self, function: "Watched") -> None:
        """Describe a function once."""
        if function.number not in self._declared:
            self.note_file(function.identity[0])
            self.write(
                journal.FUNCTION,
                function.number,
                *function.identity,
                function.module,
                function.kind,
                function.parameters,
            )
            self._declared.add(function.number)  # only now: a signal's handler may raise above
        if function.reads and function.number not in self._told:
            for kind, name in function.reads:
                self.write(journal.READS, function.number, kind, name)
            self._told.add(function.number)

    def timed(self, stack: str, spent_ns: int) -> None:
        """A stack was seen running for so long."""
        self.write(journal.TIMED, stack, spent_ns)

    def not_watched(self, reason: str) -> None:
        """Count a function that is not the user's."""
        index = scope.REASONS.index(reason)
        self._not_watched[index] += 1
        self._journals[-1].set(journal.FIRST_COUNT + index, self._not_watched[index])

    def clocks(self, cpu_ns: int, recorder_ns: int) -> None:
        """Bring the journal's clocks up to date."""
        self._journals[-1].set(journal.CPU_NS, cpu_ns)
        self._journals[-1].set(journal.RECORDER_NS, recorder_ns)

    def no_tool_ids(self) -> None:
        """Other tools hold all of sys.monitoring's ids."""
        self.write(journal.MISSING, 0, "calls", "the ids of sys.monitoring are all taken")

    def failed(self, error: BaseException) -> None:
        """Say why the recorder stops: the journal takes no more, or it is broken itself."""
        if isinstance(error, journal.FullError):
            self._journals[-1].set(journal.STOPPED_FULL, 1)
        elif isinstance(error, OSError):
            self._journals[-1].set(journal.STOPPED_NO_ROOM, 1)
        elif isinstance(error, (journal.ForeignError, LostError)):
            self._note("calls", str(error))
        else:
            self._note("calls", _explain("the recorder", error))

    def timing_failed(self, error: BaseException) -> None:
        """Say why calls are timed no more."""
        self._note("samples", _explain("the timer", error))

    def gave_up(self) -> None:
        """The recorder stops, and not even the reason can be written."""
        try:
            self._journals[-1].set(journal.STOPPED_BROKEN, 1)
        except Exception:  # noqa: BLE001 - nothing is left to be tried, and the program goes on
            return

    def _note(self, subject: str, reason: str) -> None:
        if os.getpid() != self._pid:  # a forked child, and the journal is the parent's
            _leave_note(f"{self._folder}/failed.{os.getpid()}", reason)
            return
        try:
            self.write(journal.MISSING, 0, subject, reason)
        except (journal.FullError, OSError):
            self._journals[-1].set(journal.STOPPED_NO_ROOM, 1)

    def foreign(self, error: BaseException) -> bool:
        """Whether an exception met in the recorder is the program's: a signal handler's."""
        if not issubclass(type(error), Exception):
            return True
        trace = _innermost(error)
        return trace is not None and trace.tb_frame.f_code.co_filename not in self._own


def _explain(what: str, error: BaseException) -> str:
    trace = _innermost(error)
    where = f" at {trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else ""
    return f"{what} stopped itself: {type(error).__name__}: {error}{where}"


def _leave_note(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        os.write(descriptor, text.encode("utf-8", "backslashreplace"))
    finally:
        os.close(descriptor)


def _namespace_of_main() -> "dict[str, object]":
    """The names of `__main__`, whatever the program put in its place."""
    modules = _sys.get("modules")
    main = dict.get(modules, "__main__") if type(modules) is dict else None
    return _namespace(main) if issubclass(type(main), type(sys)) else {}


def _innermost(error: BaseException) -> "TracebackType | None":
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace


def _marks(values: object) -> list[int]:
    """What tells a list from one with other items; to compare the items could run their code."""
    return [len(values), *map(id, values)] if type(values) is list else []


def _text(value: object) -> str | None:
    return value if type(value) is str else None


def _texts(values: object) -> tuple[str, ...]:
    """The strings among a list's items: a program may put anything into sys.argv and sys.path."""
    return tuple([v for v in values if type(v) is str]) if type(values) is list else ()
