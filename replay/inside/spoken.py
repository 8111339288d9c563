"""What a call says to `logging` and `warnings`, whether anything prints it or not.

Log records are noted where a logger handles them. Where its level keeps one from being made, the
method that was called (`debug`, `info` …) has the same parts. Warnings are seen by a filter that
comes first and matches none.
"""

import contextlib
import hashlib
import sys
import warnings
from types import CodeType, FrameType
from typing import Any

from ...snapshot import TooBig, Unencodable, encode, immutable

LARGEST = 16 << 10  # bytes of a record's arguments; more is known by its type
MOST = 200  # of either kind in a call that are kept one by one
METHODS = ("debug", "info", "warning", "error", "critical", "log")
RECORD, WARNING = "log record", "warning"


class Spoken:
    """The log records and warnings of one call."""

    def __init__(self) -> None:
        self.found: dict[str, bytes] = {}
        self._counts = {RECORD: 0, WARNING: 0}
        self._rest = hashlib.blake2b(digest_size=8)
        self._logging: _Logging | None = None
        self._filter = _Filter(self)

    def install(self) -> None:
        """Get ready for the first call."""
        import logging  # noqa: PLC0415 - not in workers that only measure

        self._logging = _Logging(self, logging)

    def begin(self) -> None:
        """A call is about to begin."""
        self.found = {}
        self._counts = dict.fromkeys(self._counts, 0)
        self._rest = hashlib.blake2b(digest_size=8)
        if self._logging is not None:
            self._logging.enter()
        self._filter.enter()

    def end(self) -> None:
        """The call has ended."""
        self._filter.leave()
        if self._logging is not None:
            self._logging.leave()
        for kind, count in self._counts.items():
            if count > MOST:
                told = [f"{count}, digest {self._rest.hexdigest()}", None]
                self.found[f"number of {kind}s"] = encode(told, LARGEST)[0]

    def note(self, kind: str, *parts: object) -> None:
        """One more of a kind, with its parts as they are now."""
        self._counts[kind] += 1
        try:
            blob, opaque = encode([parts, None], LARGEST)
        except (TooBig, Unencodable):
            blob, opaque = b"", 1
        if opaque:
            blob = encode([_by_type(parts), None], 8 * LARGEST)[0]
        if self._counts[kind] <= MOST:
            self.found[f"{kind} {self._counts[kind]}"] = blob
        else:
            self._rest.update(blob)


def _by_type(value: object) -> object:
    """What can't be compared or is too large, as the name of its type."""
    if type(value) is tuple:
        return tuple([_by_type(part) for part in value])
    if immutable(value) and not (type(value) is str and len(value) > LARGEST // 8):
        return value if type(value) in (str, int, float, bool, type(None)) else repr(type(value))
    kind = type(value)
    return f"a {kind.__module__}.{kind.__qualname__}"


class _Logging:
    """Two methods of `logging.Logger`, replaced while a call runs."""

    def __init__(self, spoken: Spoken, logging: Any) -> None:
        self._class = logging.Logger
        self._own = {name: vars(self._class)[name] for name in ("isEnabledFor", "handle")}
        self._put = {"isEnabledFor": self._enabled_for(spoken), "handle": self._handle(spoken)}
        self._codes = frozenset(vars(self._class)[name].__code__ for name in METHODS)
        adapter = logging.LoggerAdapter
        self._adapter: tuple[CodeType, CodeType] = (
            adapter.isEnabledFor.__code__,
            adapter.log.__code__,
        )

    def enter(self) -> None:
        for name, function in self._put.items():
            if vars(self._class)[name] is not function:
                self._own[name] = vars(self._class)[name]
                setattr(self._class, name, function)

    def leave(self) -> None:
        for name, function in self._own.items():
            if vars(self._class)[name] is self._put[name]:  # else the program put its own there
                setattr(self._class, name, function)

    def _enabled_for(self, spoken: Spoken) -> Any:
        def is_enabled_for(logger: Any, level: Any) -> Any:
            enabled = self._own["isEnabledFor"](logger, level)
            if not enabled:
                caller = self._speaker(sys._getframe(1))
                if caller is not None:
                    said = caller.f_locals
                    spoken.note(RECORD, logger.name, level, said["msg"], said["args"])
            return enabled

        return is_enabled_for

    def _speaker(self, caller: FrameType) -> FrameType | None:
        """The method of a logger that wants to make a record."""
        if caller.f_code in self._codes:
            return caller
        behind = caller.f_back
        ask, log = self._adapter
        if caller.f_code is ask and behind is not None and behind.f_code is log:
            return behind
        return None

    def _handle(self, spoken: Spoken) -> Any:
        def handle(logger: Any, record: Any) -> Any:
            error = record.exc_info[0] if record.exc_info else None
            parts = record.name, record.levelno, record.msg, record.args
            spoken.note(RECORD, *parts, *([error.__qualname__] if error else []))
            return self._own["handle"](logger, record)

        return handle


class _Seen(type):
    """A class that asks for no category, but sees which one it is asked about."""

    spoken: Spoken
    text: str = ""

    def __subclasscheck__(cls, category: type) -> bool:
        if not issubclass(category, ResourceWarning):  # the collector's: when is not the call's
            cls.spoken.note(WARNING, f"{category.__module__}.{category.__qualname__}", cls.text)
        return False


class _Filter:
    """An entry of `warnings.filters` that is asked about every warning, and a plain way to print.

    A filter may hold a pattern; of whatever it is, `match` is called.
    """

    def __init__(self, spoken: Spoken) -> None:
        self._category = _Seen("perftrace", (), {"spoken": spoken})
        self._entry: Any = ("ignore", self, self._category, None, 0)
        module: Any = warnings
        later: Any = getattr(module, "_filters_mutated_lock_held", None)  # from Python 3.14 on
        self._forget: Any = getattr(module, "_filters_mutated", later)
        self._lock: Any = getattr(module, "_lock", contextlib.nullcontext())  # that needs this
        self._format: Any = None

    def match(self, text: str) -> bool:
        """Asked by the interpreter about each warning; `__subclasscheck__` is asked next."""
        self._category.text = text
        self._forget()  # that this place has warned before, or the next one would not come here
        return True

    def enter(self) -> None:
        module: Any = warnings
        with self._lock:
            module.filters.insert(0, self._entry)
            self._forget()
        self._format = module._formatwarnmsg_impl
        module._formatwarnmsg_impl = _printed

    def leave(self) -> None:
        module: Any = warnings
        with self._lock:
            module.filters[:] = [entry for entry in module.filters if entry is not self._entry]
            self._forget()
        module._formatwarnmsg_impl = self._format


def _printed(message: Any) -> str:
    """A warning as it is printed, without the line of its code: a change may move that."""
    return f"{message.category.__name__}: {message.message}\n"
