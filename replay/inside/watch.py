"""Watches a function run: how often it starts, which of its lines run, what its `**kw` becomes."""

import sys
from types import CodeType, FunctionType
from typing import Self

from .locate import Code

# Of sys.monitoring's six tools: not a debugger's, a profiler's or coverage's.
TOOL = 4
KEYWORDS_TOOL = 3


class Watch:
    """Counts how often a function starts and which of its lines run (context manager).

    One global event, switched off by each other code object at its first start: so it also sees
    closures and methods of classes that no name leads to.
    """

    def __init__(self, code: Code, *, lines: bool) -> None:
        self.starts = 0
        self.lines: set[int] = set()
        self._code = code
        self._wants_lines = lines
        self._watched: list[CodeType] = []

    def __enter__(self) -> Self:
        monitoring, event = sys.monitoring, sys.monitoring.events
        monitoring.use_tool_id(TOOL, "perftrace replay")
        monitoring.register_callback(TOOL, event.PY_START, self._start)
        monitoring.register_callback(TOOL, event.LINE, self._line)
        monitoring.set_events(TOOL, event.PY_START)
        monitoring.restart_events()  # of what an earlier watch switched off
        return self

    def __exit__(self, *_: object) -> None:
        monitoring, event = sys.monitoring, sys.monitoring.events
        monitoring.set_events(TOOL, event.NO_EVENTS)
        for code in self._watched:
            monitoring.set_local_events(TOOL, code, event.NO_EVENTS)
        monitoring.register_callback(TOOL, event.PY_START, None)
        monitoring.register_callback(TOOL, event.LINE, None)
        monitoring.free_tool_id(TOOL)

    def _start(self, code: CodeType, _offset: int) -> object:
        if not self._code.matches(code):
            return sys.monitoring.DISABLE
        self.starts += 1
        if self._wants_lines and code not in self._watched:
            self._watched.append(code)
            sys.monitoring.set_local_events(TOOL, code, sys.monitoring.events.LINE)
        return None

    def _line(self, _code: CodeType, line: int) -> object:
        self.lines.add(line)
        return sys.monitoring.DISABLE


class Keywords:
    """Keeps the dict that a call gets as its `**kw` (context manager).

    Python makes a new one for each call, so only the call's own frame shows what became of it.
    """

    def __init__(self, function: object, name: str | None) -> None:
        self.found: dict[str, object] | None = None
        self._name = name
        self._code = function.__code__ if name and isinstance(function, FunctionType) else None

    def __enter__(self) -> Self:
        if self._code is not None:
            monitoring, event = sys.monitoring, sys.monitoring.events
            monitoring.use_tool_id(KEYWORDS_TOOL, "perftrace replay keywords")
            monitoring.register_callback(KEYWORDS_TOOL, event.PY_START, self._start)
            monitoring.set_local_events(KEYWORDS_TOOL, self._code, event.PY_START)
        return self

    def __exit__(self, *_: object) -> None:
        if self._code is not None:
            monitoring, event = sys.monitoring, sys.monitoring.events
            monitoring.set_local_events(KEYWORDS_TOOL, self._code, event.NO_EVENTS)
            monitoring.register_callback(KEYWORDS_TOOL, event.PY_START, None)
            monitoring.free_tool_id(KEYWORDS_TOOL)

    def _start(self, _code: CodeType, _offset: int) -> None:
        if self.found is None:
            self.found = sys._getframe(1).f_locals[str(self._name)]
