"""What a process is set to: environment, folder, interpreter and the settings of a few libraries.

A call may leave any of it different. Values are told apart by identity, plain ones by value, and
are described in words: none of the program's code runs.
"""

import _locale
import _signal  # type: ignore[import-not-found]  # its answers are no enums: far quicker
import _thread
import atexit
import builtins
import contextvars
import gc
import operator
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

PLAIN = frozenset(map(id, (bool, int, float, str, bytes, type(None))))
SIGNALS = tuple(number for number in range(1, 65) if number not in {32, 33})  # the C library's
ITIMERS = (_signal.ITIMER_REAL, _signal.ITIMER_VIRTUAL, _signal.ITIMER_PROF)
TOOLS = range(6)  # of sys.monitoring
# Context variables that stand for settings which are looked at by themselves.
CONTEXTS = frozenset({"decimal_context", "numpy.ufunc.extobj"})
# Modules that no import statement asked for: extensions made by Cython add them.
INCIDENTAL = ("cython_runtime", "_cython_", "_perftrace")
REMOVED = "removed"

type Setting = tuple[str, Callable[[], object]]


def _module(name: str) -> Any:
    """A module, if the program has loaded it."""
    return sys.modules.get(name)


def _umask() -> int:
    mask = os.umask(0o77)
    os.umask(mask)
    return mask


def _hooks_of_threads() -> object:
    threading = _module("threading")
    if threading is None:
        return None
    return threading.gettrace(), threading.getprofile(), threading.excepthook


def _monitoring() -> tuple[str | None, ...]:
    return tuple([sys.monitoring.get_tool(number) for number in TOOLS])


def _decimal_context() -> object:
    decimal = _module("_decimal")
    return None if decimal is None else decimal.getcontext().__reduce__()[1]


def _numpy_errors() -> object:
    numpy = _module("numpy")
    geterr = getattr(numpy, "geterr", None)
    return None if geterr is None else tuple(geterr().values())


def _socket_timeout() -> object:
    socket = _module("_socket")
    return None if socket is None else socket.getdefaulttimeout()


def _context() -> object:
    pairs = contextvars.copy_context().items()
    return tuple([(var.name, value) for var, value in pairs if var.name not in CONTEXTS])


def _timers() -> tuple[bool, ...]:
    return tuple([_signal.getitimer(kind) != (0.0, 0.0) for kind in ITIMERS])


SETTINGS: tuple[Setting, ...] = (
    ("the current folder", os.getcwd),
    ("the locale", lambda: _locale.setlocale(_locale.LC_ALL)),
    ("the time zone", lambda: time.tzname),
    ("the umask", _umask),
    ("signal handlers", lambda: tuple(map(_signal.getsignal, SIGNALS))),
    ("blocked signals", lambda: tuple(map(int, sorted(_signal.pthread_sigmask(0, ()))))),
    ("timers", _timers),
    ("sys.getrecursionlimit()", sys.getrecursionlimit),
    ("sys.getswitchinterval()", sys.getswitchinterval),
    ("sys.get_int_max_str_digits()", sys.get_int_max_str_digits),
    ("sys.path", lambda: tuple(sys.path)),
    ("sys.argv", lambda: tuple(sys.argv)),
    ("sys.meta_path", lambda: tuple(sys.meta_path)),
    ("sys.path_hooks", lambda: tuple(sys.path_hooks)),
    ("sys.stdin, stdout, stderr", lambda: (sys.stdin, sys.stdout, sys.stderr)),
    ("hooks of sys", lambda: (sys.excepthook, sys.displayhook, sys.unraisablehook)),
    ("sys.breakpointhook", lambda: sys.breakpointhook),
    ("sys.dont_write_bytecode", lambda: sys.dont_write_bytecode),
    ("sys.gettrace()", sys.gettrace),
    ("sys.getprofile()", sys.getprofile),
    ("sys.monitoring", _monitoring),
    ("hooks of threads", _hooks_of_threads),
    ("the stack size of threads", _thread.stack_size),
    ("hooks of asynchronous generators", lambda: tuple(sys.get_asyncgen_hooks())),
    ("gc.isenabled()", gc.isenabled),
    ("gc.get_threshold()", gc.get_threshold),
    ("gc.get_debug()", gc.get_debug),
    ("gc.callbacks", lambda: tuple(gc.callbacks)),
    ("exit handlers", atexit._ncallbacks),
    ("warnings.filters", lambda: tuple(warnings.filters)),
    ("warnings.showwarning", lambda: warnings.showwarning),
    ("context variables", _context),
    ("the decimal context", _decimal_context),
    ("numpy.geterr()", _numpy_errors),
    ("socket.getdefaulttimeout()", _socket_timeout),
)
NAMES = tuple(name for name, _ in SETTINGS)
_READERS = tuple(reader for _, reader in SETTINGS)


class Settings:
    """What the process is set to, before and after a call."""

    def __init__(self) -> None:
        self._before: list[object] = []
        self._builtins: dict[str, object] = {}
        self._modules: dict[str, object] = {}
        self._environment: dict[bytes, bytes] = {}

    def begin(self) -> None:
        """A call is about to begin."""
        if len(sys.modules) == len(self._modules):  # only calls have run since the last one ended
            self._before[0] = _READERS[0]()  # but the worker went back to its folder
            return
        self._before = [read() for read in _READERS]
        self._builtins = dict(vars(builtins))
        self._modules = dict(sys.modules)
        self._environment = _environment()

    def changed(self) -> dict[str, object]:
        """Each setting that is another since, in words and plain values."""
        now = [read() for read in _READERS]
        found = {
            name: described(new)
            for name, old, new in zip(NAMES, self._before, now, strict=True)
            if not same(old, new)
        }
        tables: tuple[tuple[str, Mapping[Any, object], Mapping[Any, object]], ...] = (
            ("builtins", self._builtins, vars(builtins)),
            ("sys.modules", self._modules, sys.modules),
            ("os.environ", self._environment, _environment()),
        )
        for name, old_table, new_table in tables:
            if not _same_tables(old_table, new_table):
                differing = _differing(old_table, dict(new_table))
                if name == "sys.modules":
                    differing = _of_note(differing, old_table)
                if differing:
                    found[name] = differing
        if found or len(sys.modules) != len(self._modules):
            self._modules = {}  # all is read anew before the next call
        else:
            self._before = now
        return found


def _environment() -> dict[bytes, bytes]:
    data = getattr(os.environ, "_data", None)
    if type(data) is dict:
        return dict(data)
    return {b"os.environ": f"a {type(os.environ).__qualname__}".encode()}


def _same_tables(old: Mapping[Any, object], new: Mapping[Any, object]) -> bool:
    return len(old) == len(new) and all(map(operator.is_, old.values(), new.values()))


def _differing(old: Mapping[Any, object], new: Mapping[Any, object]) -> dict[str, object]:
    """The entries that are others, came or went."""
    found: dict[str, object] = {}
    for name in sorted(old.keys() | new.keys(), key=str):
        if name not in new:
            found[_text(name)] = REMOVED
        elif name not in old or not same(old[name], new[name]):
            found[_text(name)] = described(new[name])
    return found


def _of_note(modules: dict[str, object], old: Mapping[str, object]) -> dict[str, object]:
    """Without those that any import of the standard library or of a known package may add."""
    loaded = {name.partition(".")[0] for name in old}
    kept: dict[str, object] = {}
    for name, value in modules.items():
        top = name.partition(".")[0]
        usual = top in sys.stdlib_module_names or top in loaded or top.startswith(INCIDENTAL)
        if name in old or not usual:
            kept[name] = value if name in old else "imported"
    return kept


def same(old: object, new: object) -> bool:
    """Whether two values of a setting are the same, without code of the program's."""
    if old is new:
        return True
    kind = type(old)
    if kind is not type(new):
        return False
    if id(kind) in PLAIN:
        return old == new
    if kind is tuple or kind is list:
        first: Any = old
        second: Any = new
        if len(first) != len(second):
            return False
        return all(map(operator.is_, first, second)) or all(map(same, first, second))
    return False


def described(value: object) -> object:
    """A value in words and plain values."""
    kind = type(value)
    if kind is bytes:
        return _text(value)
    if id(kind) in PLAIN:
        return value
    if kind is tuple or kind is list:
        parts: Any = value
        return [described(part) for part in parts]
    name = getattr(value, "__qualname__", None) if _has_name(kind) else None
    if type(name) is str:
        return f"{getattr(value, '__module__', '')}.{name}"
    return f"a {kind.__module__}.{kind.__qualname__}"


def _has_name(kind: type) -> bool:
    """Functions and classes: asking them for their names runs no code of the program's."""
    return kind.__module__ == "builtins" and kind.__qualname__ in {
        *("function", "builtin_function_or_method", "method", "type", "method_descriptor"),
    }


def _text(name: object) -> str:
    return os.fsdecode(name) if isinstance(name, bytes) else str(name)
