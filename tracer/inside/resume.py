"""After a fork, start the control thread again only when the program goes on.

Python warns of forks in a process with threads. From 3.13 on it counts them after the last hook,
so the thread has to wait for the next event in the frame that called `os.fork`, or below it.
"""

import builtins
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

# Programs patch `len`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

FRAMES = 4  # the innermost ones may be left by an exception, which is no local event

monitoring = sys.monitoring
set_local_events = monitoring.set_local_events
EVENTS = (monitoring.events.CALL, monitoring.events.JUMP, monitoring.events.PY_RETURN)
ALL = EVENTS[0] | EVENTS[1] | EVENTS[2]


class Resume:
    """Calls a function once, when one of some frames goes on."""

    def __init__(self, tool: int, work: "Callable[[], None]") -> None:
        """The tool has none of these events itself."""
        self._tool = tool
        self._work = work
        self._codes: list[CodeType] = []

    def at(self, frame: "FrameType | None") -> None:
        """Wait for this frame and those below it."""
        for event in EVENTS:
            monitoring.register_callback(self._tool, event, self._goes_on)
        for _ in range(FRAMES):
            if frame is None:
                return
            self._codes.append(frame.f_code)
            set_local_events(self._tool, frame.f_code, ALL)
            frame = frame.f_back

    def stop(self) -> None:
        """Wait no more."""
        codes, self._codes = self._codes, []
        for code in codes:
            set_local_events(self._tool, code, 0)
        for event in EVENTS if codes else ():
            monitoring.register_callback(self._tool, event, None)

    def _goes_on(self, *_: object) -> None:
        try:
            if self._codes:
                self._work()
                self.stop()
        except RecursionError:  # the program has no frame left for us: the next event does it
            return
