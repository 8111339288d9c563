"""Time calls exactly in short windows, where no sampler can look into the program.

While a window is open, every entry and exit of a function in every thread is seen; the CPU time
between two of them belongs to the function that was running, less what seeing them costs. A
window closes after half a millisecond of the program's own time, or a few milliseconds of all
time, so the windows cost some 5 % of the run. What counts is how a window's time divides: code
with many events is slowed down and would get less of a longer one than its due. On 3.12 code that
was seen keeps running a little slower (the interpreter drops its superinstructions for good).

The control thread drives it: there is no thread of its own that forks would have to wait for.
"""

import builtins
import os
import sys
from _thread import get_ident
from time import clock_gettime_ns, perf_counter_ns, process_time_ns, sleep

from .tools import NAME, current_frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

# Programs patch `time.sleep`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

WINDOW_S = 0.0025
WINDOW_NS = 2_500_000  # of CPU time
PROGRAM_NS = 500_000  # of that, the program's
SAMPLE = 1_000_000  # the weight of a window in which the program never waited
FRAMES = 50  # innermost ones kept of a stack
LAST_CHANGE = 14_000_000  # the interpreter counts changes of events, and fails at 2 ** 24

PER_THREAD_CPU = 6  # CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED of Linux

monitoring = sys.monitoring
events = monitoring.events
ENTERED = events.PY_START | events.PY_RESUME | events.PY_THROW
LEFT = events.PY_RETURN | events.PY_YIELD | events.PY_UNWIND
IDS = (5, 4, 3)  # not 0 debugger, 1 coverage, 2 profiler

# Windows' clock of CPU time ticks every 15.6 ms.
clock = perf_counter_ns if os.name == "nt" else process_time_ns


class Node:
    """A function as called by the functions above it in the tree."""

    __slots__ = ("below", "callees", "code", "weight")

    def __init__(self, code: "CodeType | None", below: "Node | None") -> None:
        self.code = code
        self.below = below
        self.callees: dict[int, Node] = {}  # by the code's id: comparing code objects is slow
        self.weight = 0

    def callee(self, code: "CodeType") -> "Node":
        """The node of a function called from here."""
        node = self.callees.get(id(code))
        if node is None:
            node = self.callees[id(code)] = Node(code, self)
        return node

    def all(self) -> "Iterator[Node]":
        """This node and those above it."""
        todo = [self]
        while todo:
            node = todo.pop()
            todo.extend(node.callees.values())
            yield node

    def text(self) -> str:
        """The stack in py-spy's format; a function that calls itself stands there once."""
        names: list[str] = []
        node: Node | None = self
        previous = None
        while node is not None and node.code is not None and len(names) < FRAMES:
            code = node.code
            if code is not previous:
                names.append(f"{code.co_qualname} ({code.co_filename}:{code.co_firstlineno})")
            node, previous = node.below, code
        return ";".join(reversed(names))


class Timing:
    """The timer of one process."""

    def __init__(
        self,
        write: "Callable[[str, int], None]",
        foreign: "Callable[[BaseException], bool]" = lambda _: True,
        tell: "Callable[[BaseException], None]" = lambda _: None,
    ) -> None:
        """What was timed goes to `write`: a stack as text, and its weight.

        `foreign` knows the exceptions that are the program's own; others go to `tell`.
        """
        self._write = write
        self._foreign = foreign
        self._tell = tell
        self._broken = False
        self._tool: int | None = None
        self._root = Node(None, None)
        self._at: dict[int, Node] = {}  # where each thread is
        self._running: int | None = None  # the thread that ran last
        self._own = 0  # the control thread
        self._clocks: dict[int, int] = {}  # CPU time of each thread when the window opened
        self._spent: dict[Node, int] = {}  # nanoseconds, in this window
        self._total = 0
        self._opened = self._opened_wall = 0
        self._closed_wall = 0  # 0: the window is open
        self._since = 0
        self._floor = PROGRAM_NS  # the shortest time between two events: what seeing them costs
        self._windows = 0
        self._written = 0  # windows
        self._changes = 0

    def start(self) -> bool:
        """Take an id of sys.monitoring; False if there is none left."""
        for tool in IDS:
            if monitoring.get_tool(tool) is None:
                monitoring.use_tool_id(tool, NAME)
                self._tool = tool
                break
        else:
            return False
        for event in _each(ENTERED):
            monitoring.register_callback(tool, event, self._entered)
        for event in _each(LEFT):
            monitoring.register_callback(tool, event, self._left)
        return True

    def stop(self) -> None:
        """Write the rest and give the id back."""
        if self._tool is None:
            return
        self._set(0)
        if self._tool is not None:
            for event in _each(ENTERED | LEFT):
                monitoring.register_callback(self._tool, event, None)
            monitoring.free_tool_id(self._tool)
        self._tool = None
        self._flush()

    def round(self) -> None:
        """Open a window; the calling thread is not timed."""
        if self._broken or self._tool is None or self._changes > LAST_CHANGE:
            return
        self._open()
        sleep(WINDOW_S)
        self._close()
        self._windows += 1
        # A process may end at any time: what is lost then is a tenth of the run at most.
        if self._windows - self._written > self._windows // 10:
            self._flush()

    def forget(self) -> None:
        """A forked child: what was timed so far is the parent's to write."""
        self._root = Node(None, None)
        self._at.clear()
        self._windows = self._written = 0
        if self._tool is not None:
            self._set(0)

    # --- windows --------------------------------------------------------------------------

    def _open(self) -> None:
        own = get_ident()
        frames = current_frames()
        self._at = {ident: self._place(frame) for ident, frame in frames.items() if ident != own}
        # Which of several threads runs is known from the first event on, if there is one.
        self._running = next(iter(self._at)) if len(self._at) == 1 else None
        self._clocks = {} if self._running else _thread_clocks()
        self._own = own
        self._spent.clear()
        self._total = self._closed_wall = 0
        self._opened_wall = perf_counter_ns()
        self._opened = self._since = clock()
        self._set(ENTERED | LEFT)

    def _close(self) -> None:
        if not self._closed_wall:
            self._charge(clock())
        if not self._closed_wall:
            self._end()
        if self._total == 0:
            self._charge_threads()
        wall = max(1, self._closed_wall - self._opened_wall)
        used = min(1.0, (self._since - self._opened) / wall)  # the rest was waiting
        for node, spent in self._spent.items():
            node.weight += round(SAMPLE * used * spent / max(1, self._total))

    def _end(self) -> None:
        self._closed_wall = perf_counter_ns()
        self._set(0)

    def _set(self, wanted: int) -> None:
        if self._tool is not None and monitoring.get_tool(self._tool) is NAME:
            monitoring.set_events(self._tool, wanted)
            self._changes += 1
        else:  # the program took the id away
            self._tool = None

    def _flush(self) -> None:
        self._written = self._windows
        root, self._root = self._root, Node(None, None)
        weights: dict[str, int] = {}
        for node in root.all():
            if node.weight and node.code is not None:
                text = node.text()
                weights[text] = weights.get(text, 0) + node.weight
        for text, weight in weights.items():
            self._write(text, weight)

    # --- events ---------------------------------------------------------------------------

    def _entered(self, code: "CodeType", _offset: int, *_: object) -> None:
        try:
            now = clock()
            ident = get_ident()
            if ident != self._own and not self._closed_wall:
                self._charge(now)
                caller = self._node(self._at.get(ident), sys._getframe(1).f_back)
                self._run(ident, caller.callee(code))
        except RecursionError:  # the program has no frame left for us
            return
        except BaseException as error:  # noqa: BLE001 - it looks whose it is
            self._judge(error)

    def _left(self, _code: "CodeType", _offset: int, *_: object) -> None:
        try:
            now = clock()
            ident = get_ident()
            if ident != self._own and not self._closed_wall:
                self._charge(now)
                here = self._at.get(ident)
                below = here.below if here is not None else None
                self._run(ident, self._node(below, sys._getframe(1).f_back))
        except RecursionError:
            return
        except BaseException as error:  # noqa: BLE001
            self._judge(error)

    def _judge(self, error: BaseException) -> None:
        """An exception came up in here: raise it if it is the program's, else time no more."""
        if self._foreign(error):
            raise error
        self._set(0)
        if not self._broken:
            self._broken = True
            self._tell(error)

    def _charge(self, now: int) -> None:
        """The time since the last event belongs to where the thread was that ran."""
        spent = now - self._since
        self._floor = min(self._floor, spent)
        spent = min(spent - self._floor, PROGRAM_NS - self._total)
        node = self._at.get(self._running) if self._running is not None else None
        if node is not None and spent > 0:
            self._spent[node] = self._spent.get(node, 0) + spent
            self._total += spent
        self._since = now
        if self._total >= PROGRAM_NS or now - self._opened > WINDOW_NS:
            self._end()

    def _charge_threads(self) -> None:
        """No thread had an event: each stayed in one function all along."""
        for ident, now in _thread_clocks().items():
            node = self._at.get(ident)
            spent = now - self._clocks.get(ident, now)
            if node is not None and spent > 0:
                self._spent[node] = self._spent.get(node, 0) + spent
                self._total += spent

    def _run(self, ident: int, node: Node) -> None:
        self._at[ident] = node
        self._running = ident
        self._since = clock()  # our own time belongs to nobody

    def _node(self, guess: Node | None, frame: "FrameType | None") -> Node:
        """The node of a frame: what is expected, else found anew (some exits have no event)."""
        code = frame.f_code if frame is not None else None
        return guess if guess is not None and guess.code is code else self._place(frame)

    def _place(self, frame: "FrameType | None") -> Node:
        """The node of a frame, from the innermost frames of its stack."""
        codes: list[CodeType] = []
        while frame is not None and len(codes) < FRAMES:
            codes.append(frame.f_code)
            frame = frame.f_back
        node = self._root
        for code in reversed(codes):
            node = node.callee(code)
        return node


def _each(mask: int) -> "Iterator[int]":
    return (1 << bit for bit in range(mask.bit_length()) if mask >> bit & 1)


def _thread_clocks() -> dict[int, int]:
    """The CPU time of each thread that `threading` knows; Linux alone shows it to another thread.

    The kernel makes a clock's number of a thread's own; one that is gone is an error, where
    `time.pthread_getcpuclockid` may crash.
    """
    clocks: dict[int, int] = {}
    threads = vars(sys.modules["threading"]).get("_active") if "threading" in sys.modules else None
    if sys.platform == "linux" and type(threads) is dict:
        for ident, thread in tuple(threads.items()):
            try:  # past whatever the program's own class of threads does
                native = object.__getattribute__(thread, "_native_id")
                clocks[ident] = clock_gettime_ns(~native << 3 | PER_THREAD_CPU)
            except (AttributeError, TypeError, OSError):
                continue
    return clocks
