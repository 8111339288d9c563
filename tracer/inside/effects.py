"""Notes what recorded calls do outside themselves: files, network, processes (`perftrace.effects`).

An audit hook would see it all, but can't be removed and slows every program that copies or logs
(docs/decisions/0006). So the calls of a few C functions are watched where Python code makes them:
code that names such a function is watched from its first start, and each of its call sites is
switched off when it calls something else, or when nothing new is to be learned from it. Sites
switched off for that are on again for the next call that is recorded.
"""

import builtins
import sys
from sys import _getframe
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
)

from ...effects import (
    CALLED,
    DATABASE,
    MODULE,
    NAMES,
    NETWORK,
    OF_FILES,
    OPENED,
    READ,
    READERS,
    WRITTEN,
)
from ...naming import class_mro
from . import journal
from .private import os
from .sites import loaded, opened_to
from .tools import DISABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

    from .budget import Budget
    from .function import Watched
    from .pending import Pending, PendingCalls
    from .process import Process

# Programs patch `len` or `open`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

TIMES = 4  # effects of one kind that are noted for a call
LONGEST = 200  # characters of a detail
EVENT_NS = 400  # an event that leads to nothing
DEPTH = 400  # frames searched for calls that are going on
MOST_CODE = 5000  # code objects watched; each is kept alive
UNIX = 1  # AF_UNIX: between processes of one machine
UNSHARED = (":memory:", "mode=memory", "mode=ro")  # databases that nothing is written to

FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType)

type Read = tuple[str, str]  # what is read, and by which name


class Effects:
    """The call sites that are watched, and the calls that are charged with what they do."""

    def __init__(
        self,
        process: "Process",
        pending: "PendingCalls",
        functions: "dict[int, Watched]",
        budget: "Budget",
        guards: "tuple[Callable[..., bool], Callable[[BaseException], None]]",
    ) -> None:
        self._process = process
        self._budget = budget
        self._pending = pending
        self._functions = functions
        self._guarded, self._judge = guards
        self._watch_calls: Callable[[CodeType], None] | None = None  # None: it is off
        self._watched: dict[int, CodeType] = {}
        self._quiet: dict[int, CodeType] = {}  # code with sites that may tell the next call more

    def start(self, watch_calls: "Callable[[CodeType], None]") -> None:
        """Begin; the calls that a function makes are watched in this way."""
        self._watch_calls = watch_calls

    def stop(self) -> "tuple[CodeType, ...]":
        """Note no more; the code whose calls were watched."""
        self._watch_calls = None
        return tuple(self._watched.values())

    def look(self, code: "CodeType") -> None:
        """Any code starts for the first time: watch it if it names what has an effect."""
        if self._watch_calls is not None and not NAMES.isdisjoint(code.co_names):
            self._watch(code)

    def look_closely(self, code: "CodeType", names: "dict[str, object]") -> None:
        """A function of the user's: see through names of its own."""
        if self._watch_calls is None:
            return
        for name in code.co_names:
            if _kind(dict.get(names, name)):  # `from os import remove as delete`
                self._watch(code)
                return

    def reads(self, code: "CodeType", names: "dict[str, object]") -> "tuple[Read, ...]":
        """What a function of the user's with these globals may read beside its arguments."""
        if self._watch_calls is None:
            return ()
        for name in code.co_names:  # few do: only then is it worth the time to look closely
            if _may_read(dict.get(names, name)):
                return tuple(dict.fromkeys(_reads(code, names)))
        return ()

    def again(self) -> None:
        """A call begins that everything is news to."""
        while self._watch_calls is not None and self._quiet:
            try:
                _, code = self._quiet.popitem()
            except KeyError:  # another thread's call began too
                return
            self._watch_calls(code)

    def imported(self, frame: "FrameType") -> None:
        """The body of a module of the user's starts."""
        name = dict.get(frame.f_globals, "__name__")
        if self._watch_calls is not None and type(name) is str and name != "__main__":
            self._charge(MODULE, name, frame.f_back, [])

    def _watch(self, code: "CodeType") -> None:
        known = id(code) in self._watched or code.co_filename.startswith("<frozen importlib")
        if not known and len(self._watched) < MOST_CODE and self._watch_calls is not None:
            self._watched[id(code)] = code
            self._watch_calls(code)

    def on_call(self, code: "CodeType", offset: int, called: object, first: object) -> object:
        """The callback: something is about to be called."""
        try:
            if self._watch_calls is None:
                return DISABLE
            kind = _kind(called)
            if kind is None:
                self._budget.spent += EVENT_NS
                return DISABLE
            learned: list[Pending] = []
            seen = (kind, (code, offset, _getframe(2)), first, learned)  # past `Tools`
            if not self._guarded(None, self._note, *seen) or learned:
                return None
            self._quiet[id(code)] = code
        except RecursionError:
            return None
        except BaseException as error:  # noqa: BLE001 - it looks whose it is
            self._judge(error)
        return DISABLE

    def _note(
        self,
        kind: str,
        site: "tuple[CodeType, int, FrameType]",
        first: object,
        learned: "list[Pending]",
    ) -> None:
        if kind in OF_FILES and type(first) is int:
            return  # a descriptor: the file is open already
        if kind == NETWORK and _is_unix_socket(first):
            return
        detail = _detail(first)
        if kind == DATABASE and any(word in detail for word in UNSHARED):
            return
        if kind == OPENED:
            kind = {True: WRITTEN, False: READ, None: OPENED}[opened_to(*site)]
        if kind in OF_FILES:
            detail = _absolute(detail)
        if detail != os.devnull:
            self._charge(kind, detail[:LONGEST], site[2], learned)

    def _charge(
        self, kind: str, detail: str, frame: "FrameType | None", learned: "list[Pending]"
    ) -> None:
        """Note it for the recorded calls that this frame runs or was called by."""
        innermost = None
        for _ in range(DEPTH):
            if frame is None:
                return
            function = self._functions.get(id(frame.f_code))
            if function is not None:
                innermost = innermost or function
                pending = self._pending.of_frame(function, frame) if function.pending else None
                if pending is not None and pending.effects.get(kind, 0) < TIMES:
                    self._process.declare(innermost)
                    number = innermost.number
                    self._process.write(journal.EFFECT, pending.call, number, kind, detail)
                    pending.effects[kind] = pending.effects.get(kind, 0) + 1
                    learned.append(pending)
            frame = frame.f_back


# --- what is called ---------------------------------------------------------------------


def _kind(called: object) -> str | None:
    """The kind of effect that calling this has."""
    if type(called) is BuiltinFunctionType and called.__name__ in NAMES:
        owner = called.__self__
        if type(owner) is ModuleType:
            return CALLED.get((called.__module__ or "", called.__name__))
        if _is_socket(owner):
            return CALLED.get(("_socket.socket", called.__name__))
    elif type(called) is MethodDescriptorType and called.__name__ in NAMES:
        cls = called.__objclass__
        return CALLED.get((f"{cls.__module__}.{cls.__name__}", called.__name__))
    return None


def _is_socket(value: object) -> bool:
    module = sys.modules.get("_socket")
    return module is not None and any(base is module.socket for base in class_mro(type(value)))


def _is_unix_socket(value: object) -> bool:
    if not _is_socket(value):
        return False
    family = sys.modules["_socket"].socket.__dict__["family"]  # a subclass may have its own
    return bool(family.__get__(value) == UNIX)


def _detail(first: object) -> str:
    """A first argument as text, where reading it runs no code of the program's."""
    if type(first) is list or type(first) is tuple:  # a command, or an address
        parts = [str(part) for part in first[:2] if type(part) is str or type(part) is int]
        return ":".join(parts) if len(first) > 1 and type(first[1]) is int else "".join(parts[:1])
    paths = sys.modules.get("pathlib")
    if paths is not None and type(first) is vars(paths).get("PosixPath"):
        first = _path_text(first)
    if type(first) is bytes:
        return first.decode("utf-8", "backslashreplace")
    return first if type(first) is str else ""


def _path_text(path: object) -> str:
    for name in ("_str", "_raw_paths"):  # the first is set when it has been asked for
        try:
            found = object.__getattribute__(path, name)
        except AttributeError:
            continue
        return found if type(found) is str else os.sep.join(found)
    return ""


def _absolute(path: str) -> str:
    if not path or path.startswith(os.sep):
        return path
    try:
        return f"{os.getcwd()}{os.sep}{path}"
    except OSError:  # the folder is gone
        return path


# --- what is read -----------------------------------------------------------------------


def _may_read(value: object) -> bool:
    """Whether a global value, or something in it, is among the readers."""
    if type(value) in FUNCTIONS:
        return next(_read_by(value), None) is not None
    return _reader(value) in READERS or _is_environ(value)


def _is_environ(value: object) -> bool:
    return value is not None and value is vars(os).get("environ")


def _reads(code: "CodeType", names: "dict[str, object]") -> "Iterator[Read]":
    """What code with these globals may read beside its arguments."""
    for dotted in loaded(code):
        value = dict.get(names, dotted[0])
        if type(value) in FUNCTIONS:
            yield from _read_by(value)
        elif _is_environ(value):
            yield READERS["os"]["environ"], "os.environ"
        else:
            module = _reader(value)
            for name in dotted[1:]:
                if name in READERS.get(module, ()):
                    yield READERS[module][name], f"{module}.{name}"


def _reader(value: object) -> str:
    """The name of a module, or of that of the classes of `datetime`."""
    dates = sys.modules.get("datetime")
    if type(value) is ModuleType:
        name = value.__dict__.get("__name__")
        return name if type(name) is str else ""
    if dates is not None and (value is dates.datetime or value is dates.date):
        return "datetime"
    return ""


def _read_by(function: object) -> "Iterator[Read]":
    """`from time import time`, under whatever name."""
    while type(function) is MethodType:
        function = function.__func__
    name = getattr(function, "__name__", "")
    owner = getattr(function, "__self__", None)  # of a function written in C
    module = getattr(function, "__module__", None) or type(owner).__module__
    module = {"posix": "os", "_random": "random"}.get(module, module)
    if type(module) is str and name in READERS.get(module, ()):
        yield READERS[module][name], f"{module}.{name}"
