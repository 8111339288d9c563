"""Let the recorder's thread in where an event loop begins a turn, for else it would wait for long.

Such a program lets go of the interpreter's lock for microseconds at a time. A thread that waits for
the lock is woken each time and finds it taken again, at the program's expense: with a round twenty
times a second, a loop that does little else was slower by a quarter. So the loop's own code has an
event, and where a round is due the program waits for it.
"""

import builtins
from time import monotonic_ns, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

# Programs patch `time.sleep`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

NEVER = 1 << 63
LATE_NS = 100_000  # its own waking takes time
LET_IN_S = 200e-6  # and so does it to get the lock
FILE = "selectors.py"
NAMES = frozenset(
    f"{kind}Selector.select" for kind in ("Select", "_PollLike", "Epoll", "Devpoll", "Kqueue")
)


class Turns:
    """The code that waits for what happens next, once a turn."""

    def __init__(self) -> None:
        self.due = NEVER  # by `monotonic_ns`, the thread's next round
        self.codes: dict[int, CodeType] = {}  # by id; keeps them, so that an id stays their own

    def add(self, code: "CodeType") -> bool:
        """Whether the code is such; from now on it is known."""
        if code.co_qualname not in NAMES or not code.co_filename.endswith(FILE):
            return False
        self.codes[id(code)] = code
        return True

    def begin(self) -> None:
        """A turn begins; what a signal's handler raises meanwhile is the program's."""
        if monotonic_ns() > self.due + LATE_NS:
            sleep(LET_IN_S)
