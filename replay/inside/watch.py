"""Counts how often a function starts and which of its lines run, wherever it is defined.

One global event, switched off by each other code object at its first start: so it also sees
closures and methods of classes that no name leads to.
"""

import sys
from types import CodeType
from typing import Self

from .locate import Code

TOOL = 4  # of sys.monitoring's six: not a debugger's, a profiler's or coverage's


class Watch:
    """Watches one function (context manager)."""

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
