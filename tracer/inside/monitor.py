"""Which events are on and what they do; the only door to sys.monitoring.

Tool A sees the first start of every code object and, while they are rare, exceptions that leave
a frame. Tool B has events on single functions only:

    off --arm--> START --a call begins--> RETURN (and YIELD) --it ends--> off, queued for later

A function that is off costs nothing. Events never fire inside a callback, so no lock is taken
twice by one thread; the control thread keeps out of callbacks by being `busy`.
"""

import builtins
import sys
from _thread import get_ident
from gc import get_referents
from itertools import count
from sys import _current_frames, _getframe, is_finalizing
from time import monotonic_ns, thread_time_ns

from . import journal, scope
from .capture import arguments, item, outcome
from .contexts import Contexts
from .function import Watched, caller
from .pending import Pending, PendingCalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

    from .budget import Budget
    from .process import Process

# Programs patch `len` or `time.time`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

TOOL_IDS = (4, 3, 5)  # not 0 debugger, 1 coverage, 2 profiler
GIVE_UP = 64  # events of other calls after which a pending call's end is not awaited any more
GIVE_UP_SUSPENDED = 256  # the same for generators and coroutines: many are alive at a time
EVENT_NS = 400  # an event that leads to nothing
MOST_UNWINDS = 2000  # exceptions leaving a frame between two rounds of the control thread
MOST_SWITCHES = 1 << 20  # the interpreter's counter of them overflows at 1 << 24
COPIES = 8  # code objects of one function: programs that compile it again and again
WRAPPED = "async_generator_wrapped_value"

monitoring = sys.monitoring
DISABLE = monitoring.DISABLE
set_local_events = monitoring.set_local_events
START = monitoring.events.PY_START
RETURN = monitoring.events.PY_RETURN
YIELD = monitoring.events.PY_YIELD
UNWIND = monitoring.events.PY_UNWIND


class Monitor:
    """The callbacks and what they know."""

    def __init__(self, process: "Process", rule: scope.Scope, budget: "Budget") -> None:
        self.process = process
        self.scope = rule
        self.budget = budget
        self.running = False
        self.busy: set[int] = set()
        self.unwound = 0  # exceptions that left a frame since the control thread looked
        self.watching_unwinds = False
        self.contexts = Contexts(process, budget, self._watch)
        self._functions: dict[int, Watched] = {}  # by id of the code
        self._copies: dict[tuple[str, str, int], list[int]] = {}  # identity -> numbers
        self._pending = PendingCalls()
        self._inside: dict[int, int] = {}  # thread -> ns of wall time in here
        self._calls = count(1)
        self._switches = 0
        self._a = self._b = -1

    # --- on and off -----------------------------------------------------------------------

    def start(self) -> bool:
        """Take two free tool ids and begin; False: there are none."""
        free = [number for number in TOOL_IDS if monitoring.get_tool(number) is None][:2]
        if len(free) < 2:
            return False
        self._a, self._b = free
        for number, callbacks in (
            (self._a, ((START, self._discover), (UNWIND, self._on_unwind))),
            (
                self._b,
                ((START, self._on_start), (RETURN, self._on_return), (YIELD, self._on_yield)),
            ),
        ):
            monitoring.use_tool_id(number, "perftrace")
            for event, callback in callbacks:
                monitoring.register_callback(number, event, callback)
        self.running = True
        self.watch_unwinds(on=True)
        return True

    def stop(self) -> None:
        """Leave sys.monitoring as it was found."""
        if not self.running:
            return
        self.running = False
        monitoring.set_events(self._a, 0)
        for code in [*[f.code for f in list(self._functions.values())], *self.contexts.codes]:
            set_local_events(self._b, code, 0)
        for number in (self._a, self._b):
            for event in (START, RETURN, YIELD, UNWIND):
                monitoring.register_callback(number, event, None)
            monitoring.free_tool_id(number)

    def arm(self, function: Watched) -> None:
        """Capture the function's next call."""
        self._set(function, START)

    def look_round(self) -> None:
        """Note which functions run now: too crude to rank them, enough to share the budget."""
        for frame in _current_frames().values():
            function = self._functions.get(id(frame.f_code)) or caller(frame, self._functions)
            if function is not None:
                function.seen += 1

    def mute_unwinds(self) -> None:
        """They are frequent, or the program is near its recursion limit: don't watch them."""
        if self.watching_unwinds:
            self.watch_unwinds(on=False)

    def watch_unwinds(self, *, on: bool) -> None:
        """Turn the events of exceptions on or off: they can't be had for single functions."""
        if not self.running or self._switches == MOST_SWITCHES:
            return
        self._switches += 1
        self.watching_unwinds = on
        monitoring.set_events(self._a, START | UNWIND if on else START)
        if not on:  # a call may now end unseen; its function's next start tells
            for pending in self._pending.all():
                self._await_end(pending.function)

    def forget_pending(self) -> None:
        """Await no end any more: this is a forked child, the calls are the parent's."""
        self.busy.clear()
        for pending in self._pending.all():
            self._give_up(pending.function)

    # --- callbacks: a RecursionError means that the program has no frame left for us --------

    def _discover(self, code: "CodeType", _: int) -> object:
        try:
            if id(code) in self._functions or is_finalizing():
                return DISABLE
            reason = self.scope.reason(code.co_filename)
            if reason is None:
                done = self.guarded(None, self._first, code, _getframe(1))
                return DISABLE if done else None
            if reason != scope.OURS and scope.is_function(code):
                self.process.not_watched(reason)
                self.budget.spent += EVENT_NS
                if self.contexts.is_runner(code):
                    set_local_events(self._b, code, START | RETURN)
                    self.guarded(None, self.contexts.begin, _getframe(1))
        except RecursionError:
            return None
        return DISABLE

    def _on_start(self, code: "CodeType", _: int) -> object:
        try:
            function = self._functions.get(id(code))
            if function is None or is_finalizing():  # modules are being taken apart
                if id(code) in self.contexts.runners:
                    self.guarded(None, self.contexts.begin, _getframe(1))
                return None
            if function.unseen:
                self.contexts.reached(function)
            if not function.events & START:
                return DISABLE
            if function.pending:
                self.guarded(function, self._another_start, function, _getframe(1))
            elif self.budget.open():
                self.guarded(function, self._begin, function, _getframe(1))
            else:
                self.guarded(function, self._give_up, function)
        except RecursionError:
            pass
        return None

    def _on_return(self, code: "CodeType", _: int, value: object) -> None:
        try:
            pending = self._of_frame(code, _getframe(1))
            if pending is not None:
                how = ("returned", value)
                self.guarded(pending.function, self._end, pending, _getframe(1), how)
            elif id(code) in self.contexts.runners:
                self.guarded(None, self.contexts.end, _getframe(1))
        except RecursionError:
            return

    def _on_yield(self, code: "CodeType", _: int, value: object) -> None:
        try:
            pending = self._of_frame(code, _getframe(1))
            if pending is not None:
                self.guarded(pending.function, self._yielded, pending, _getframe(1), value)
        except RecursionError:
            return

    def _on_unwind(self, code: "CodeType", _: int, error: BaseException) -> None:
        try:
            self.unwound += 1
            if self.unwound > MOST_UNWINDS:
                self.guarded(None, self.mute_unwinds)
            if id(code) in self._functions:
                pending = self._of_frame(code, _getframe(1))
                if pending is not None:
                    how = ("suspended" if type(error) is GeneratorExit else "raised", error)
                    self.guarded(pending.function, self._end, pending, _getframe(1), how)
        except RecursionError:
            return

    # --- what they do ---------------------------------------------------------------------

    def guarded(
        self, function: Watched | None, work: "Callable[..., Pending | None]", *details: object
    ) -> bool:
        """Do work at the program's expense, never to its harm; whether it was done."""
        thread = get_ident()
        if thread in self.busy:
            return False
        cpu, wall = thread_time_ns(), monotonic_ns()
        begun = None
        try:
            self.busy.add(thread)
            begun = work(*details)
        except BaseException as error:
            if self.process.foreign(error):
                raise  # a signal handler's, which happened to run in here
            if not isinstance(error, (RecursionError, MemoryError)):  # the program's limits
                self.process.failed(error)
                self.stop()
        finally:
            self.busy.discard(thread)
            spent = thread_time_ns() - cpu
            self.budget.spent += spent
            if function is not None:
                function.bill += spent
            now = monotonic_ns()
            inside = self._inside[thread] = self._inside.get(thread, 0) + now - wall
            if begun is not None:
                begun.inside_ns, begun.clock_ns = inside, now
        return True

    def _first(self, code: "CodeType", frame: "FrameType") -> Pending | None:
        file = self.scope.absolute(code.co_filename)
        self.process.note()
        self.process.note_file(file)
        if not scope.is_function(code):
            return None
        identity = (file, code.co_qualname, code.co_firstlineno)
        numbers = self._copies.setdefault(identity, [])
        if len(numbers) >= COPIES:
            self.process.not_watched(scope.AGAIN)
            return None
        number = numbers[0] if numbers else len(self._copies)
        numbers.append(number)
        module = dict.get(frame.f_globals, "__name__")
        function = Watched(code, number, identity, module if type(module) is str else "")
        self._functions[id(code)] = function
        self.contexts.reached(function)
        return self._begin(function, frame)

    def _begin(self, function: Watched, frame: "FrameType") -> Pending:
        started = monotonic_ns()
        stale = self._pending.at(frame)
        if stale is not None:
            self._give_up(stale.function)
        pending = Pending(function, frame, next(self._calls), get_ident())
        given = arguments(pending, frame)
        function.captured += 1
        function.missed = function.depth = 0
        calling = caller(frame, self._functions)
        self.process.declare(function)
        if calling is not None:
            self.process.declare(calling)
        self.process.write(
            journal.BEGIN,
            pending.call,
            function.number,
            calling.number if calling is not None else 0,
            pending.thread,
            started,
            given.blob,
            given.opaque,
            given.missing,
        )
        self._pending.add(pending)
        self._await_end(function)
        return pending

    def _another_start(self, function: Watched, frame: "FrameType") -> None:
        """A call starts while the end of another is awaited: has that one ended unseen?"""
        for pending in self._pending.ended_by(function, frame):
            self._pending.drop(pending)
        if not function.pending:
            self._rest(function)
        elif self._missed_enough(function, 1):
            self._abandon(function)

    def _yielded(self, pending: Pending, frame: "FrameType", value: object) -> None:
        if pending.function.kind == "async generator":
            if type(value).__name__ != WRAPPED:
                return  # it awaits
            value = get_referents(value)[0]
        blob = item(pending, value) if pending.whole else None
        if blob is None:
            self._end(pending, frame, ("truncated", None))
        else:
            pending.items.append(blob)
            self.process.write(journal.ITEM, pending.call, blob)

    def _end(self, pending: Pending, frame: "FrameType", how: tuple[str, object]) -> None:
        wall = monotonic_ns()
        ending, payload = how
        function = pending.function
        duration = None
        if function.kind == "function":
            inside = self._inside.get(pending.thread, 0) - pending.inside_ns
            duration = max(wall - pending.clock_ns - inside, 0)
        if "generator" in function.kind:
            payload = [pending.items, ending, None if ending == "suspended" else payload]
            ending = "yielded"
        elif ending == "suspended":  # a coroutine that was closed
            ending = "raised"
        after = function.captured == 1 or self.budget.open()
        result = outcome(pending, frame, payload, after=after)
        self._pending.drop(pending)
        if not function.pending:
            if self.budget.another(function):
                self._set(function, START)
            else:
                self._rest(function)
        self.process.write(
            journal.END, pending.call, ending, result.blob, result.opaque, result.missing, duration
        )

    # --- pending calls --------------------------------------------------------------------

    def _of_frame(self, code: "CodeType", frame: "FrameType") -> Pending | None:
        """The pending call that this frame runs; another call's event counts as a miss."""
        function = self._functions.get(id(code))
        if function is None or not function.pending:
            return None
        pending = self._pending.of_frame(function, frame)
        if pending is None and self._missed_enough(function, -1):
            self.guarded(function, self._abandon, function)
        return pending

    def _missed_enough(self, function: Watched, deeper: int) -> bool:
        """Count an event that leads to nothing."""
        self.budget.spent += EVENT_NS
        function.missed += 1
        function.depth += deeper
        return function.missed >= (GIVE_UP if function.kind == "function" else GIVE_UP_SUSPENDED)

    def _abandon(self, function: Watched) -> None:
        """Await the function's ends no more; maybe it is on its way to the recursion limit."""
        if function.depth > GIVE_UP // 2:
            self.mute_unwinds()
        self._give_up(function)

    def _await_end(self, function: Watched) -> None:
        events = RETURN
        if "generator" in function.kind:
            events |= YIELD
        # A deep recursion must be noticed on its way down: near the recursion limit there is no
        # frame left for a callback. Calls that may end unseen are noticed at the next start.
        if function.recursive or function.kind != "function" or not self.watching_unwinds:
            events |= START
        self._set(function, events)

    def _give_up(self, function: Watched) -> None:
        for pending in self._pending.of(function):
            self._pending.drop(pending)
        self._rest(function)

    def _rest(self, function: Watched) -> None:
        self._set(function, 0)
        self.budget.settle(function)

    def _set(self, function: Watched, events: int) -> None:
        if not self.running:
            return
        function.events = events
        if function.unseen:
            events |= START
        set_local_events(self._b, function.code, 0)  # so that what was on fires again
        if events:
            set_local_events(self._b, function.code, events)

    def _watch(self, function: Watched) -> None:
        self._set(function, function.events)
