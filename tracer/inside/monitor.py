"""Which events are on and what they do.

Tool A sees the first start of every code object and, while they are rare, exceptions that leave
a frame. Tool B has events on single functions only:

    off --arm--> START --a call begins--> RETURN (and YIELD) --it ends--> off, queued for later

A function that is off costs nothing. Events never fire inside a callback, so no lock is taken
twice by one thread; the control thread keeps out of callbacks by being `busy`.
"""

import builtins
from _thread import get_ident
from gc import get_referents
from itertools import count
from sys import _getframe, is_finalizing
from time import monotonic_ns

from . import journal, scope
from .capture import arguments, item, outcome, shape
from .contexts import Contexts
from .effects import EVENT_NS, Effects
from .function import Watched, caller
from .guard import Guard
from .pending import GIVE_UP, Pending, PendingCalls, hopeless
from .tools import CALL, DISABLE, RETURN, START, UNWIND, YIELD, Tools, current_frames
from .turns import Turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

    from .budget import Budget
    from .process import Process

# Programs patch `len` or `time.time`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

MOST_UNWINDS = 2000  # exceptions leaving a frame between two rounds of the control thread
MOST_SWITCHES = 1 << 20  # the interpreter's counter of them overflows at 1 << 24
COPIES = 8  # code objects of one function: programs that compile it again and again
WRAPPED = "async_generator_wrapped_value"


class Monitor:
    """The callbacks and what they know."""

    def __init__(self, process: "Process", rule: scope.Scope, budget: "Budget") -> None:
        self.process = process
        self.scope = rule
        self.budget = budget
        self.running = False
        self.unwound = 0  # exceptions that left a frame since the control thread looked
        self.watching_unwinds = False
        self.contexts = Contexts(process, budget, self._watch)
        self._functions: dict[int, Watched] = {}  # by id of the code
        self._copies: dict[tuple[str, str, int], list[int]] = {}  # identity -> numbers
        self._pending = PendingCalls()
        guard = Guard(process, budget, self.fail)
        self.busy, self._inside = guard.busy, guard.inside
        self.guarded, self._judge = guard.do, guard.judge
        self.turns = Turns()
        self.effects = Effects(
            process, self._pending, self._functions, budget, (guard.do, guard.judge)
        )
        self._calls = count(1)
        self._switches = 0
        self._tools = Tools(guard.judge)

    # --- on and off -----------------------------------------------------------------------

    def start(self, *, effects: bool = True) -> bool:
        """Take two free tool ids and begin; False: there are none."""
        taken = self._tools.take(
            {START: self._discover, UNWIND: self._on_unwind, CALL: self.effects.on_call},
            {START: self._on_start, RETURN: self._on_return, YIELD: self._on_yield},
        )
        if taken:
            if effects:
                self.effects.start(self._tools.watch_calls)
            self.running = True
            self.watch_unwinds(on=True)
        return taken

    def stop(self) -> None:
        """Leave sys.monitoring as it was found."""
        if not self.running:
            return
        self.running = False
        functions, self._functions = self._functions, {}  # should an event be left: it does nothing
        codes = [function.code for function in list(functions.values())]
        codes += self.contexts.stop()
        self._tools.give_back(self.effects.stop(), codes)

    def fail(self, error: BaseException) -> None:
        """Stop for good and say why; whatever is wrong, it does not get out."""
        running = self.running
        for step in (self.stop, lambda: self.process.failed(error)):
            try:
                if running:
                    step()
            except Exception:  # noqa: BLE001 - the program goes on
                self.process.gave_up()

    def unseen(self, work: "Callable[[], None]") -> None:
        """Do work of the recorder's own thread where none of the program's tools sees it."""
        self._tools.unseen(work)

    def soon(self, code: "CodeType", work: "Callable[[], None]") -> None:
        """Do work when this code, which is running, goes on."""
        if self.running:
            self._tools.soon(code, work)

    def arm(self, function: Watched) -> None:
        """Capture the function's next call."""
        self._set(function, START)

    def look_round(self) -> None:
        """Note which functions run now: too crude to rank them, enough to share the budget."""
        for frame in current_frames().values():
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
        self._tools.watch(START | UNWIND if on else START)
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
            if id(code) in self.turns.codes:
                self.turns.begin()
                return None
            if id(code) in self._functions or is_finalizing():
                return DISABLE
            reason = self.scope.reason(code.co_filename)
            if reason != scope.OURS:
                self.effects.look(code)
            if reason is None:
                done = self.guarded(None, self._first, code, _getframe(1))
                return DISABLE if done else None
            if reason != scope.OURS and scope.is_function(code):
                self.process.not_watched(reason)
                self.budget.spent += EVENT_NS
                if self.turns.add(code):
                    return None
                if self.contexts.is_runner(code):
                    self._tools.set(code, START | RETURN)
                    self.guarded(None, self.contexts.begin, _getframe(1))
        except RecursionError:
            return None
        except BaseException as error:  # noqa: BLE001 - it looks whose it is
            self._judge(error)
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
            return None  # noqa: TRY300 - out there an error would be the program's
        except RecursionError:
            return None
        except BaseException as error:  # noqa: BLE001
            self._judge(error)
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
        except BaseException as error:  # noqa: BLE001
            self._judge(error)

    def _on_yield(self, code: "CodeType", _: int, value: object) -> None:
        try:
            pending = self._of_frame(code, _getframe(1))
            if pending is not None:
                self.guarded(pending.function, self._yielded, pending, _getframe(1), value)
        except RecursionError:
            return
        except BaseException as error:  # noqa: BLE001
            self._judge(error)

    def _on_unwind(self, code: "CodeType", _: int, error: BaseException) -> None:
        try:
            self.unwound += 1
            if self.unwound > MOST_UNWINDS:
                self.guarded(None, self.mute_unwinds)
            function = self._functions.get(id(code))
            if function is not None and function.pending:
                pending = self._of_frame(code, _getframe(1))
                if pending is not None:
                    how = ("suspended" if type(error) is GeneratorExit else "raised", error)
                    self.guarded(pending.function, self._end, pending, _getframe(1), how)
        except RecursionError:
            return
        except BaseException as problem:  # noqa: BLE001
            self._judge(problem)

    # --- what they do ---------------------------------------------------------------------

    def _first(self, code: "CodeType", frame: "FrameType") -> Pending | None:
        if not self.running:
            return None
        file = self.scope.absolute(code.co_filename)
        self.process.note()  # each time: a program sets sys.path and the like as it goes
        self.process.note_file(file)
        if not scope.is_function(code):
            self.effects.imported(frame)
            return None
        identity = (file, code.co_qualname, code.co_firstlineno)
        numbers = self._copies.setdefault(identity, [])
        if len(numbers) >= COPIES:
            self.process.not_watched(scope.AGAIN)
            return None
        numbers.append(number := numbers[0] if numbers else len(self._copies))
        module = dict.get(frame.f_globals, "__name__")
        function = Watched(code, number, identity, module, self.budget.cap)
        self.effects.look_closely(code, frame.f_globals)
        self._functions[id(code)] = function
        self.contexts.reached(function)
        if self.budget.open():
            return self._begin(function, frame)
        self.budget.settle(function)
        return None

    def _begin(self, function: Watched, frame: "FrameType") -> Pending | None:
        started = monotonic_ns()
        stale = self._pending.at(frame)
        if stale is not None:
            self._give_up(stale.function)
        if self.budget.passes(function, shape(function, frame)):
            return None
        pending = Pending(function, frame, next(self._calls), get_ident())
        given = arguments(pending, frame)
        function.captured += 1
        function.missed = function.depth = 0
        calling = caller(frame, self._functions)
        if function.reads is None:
            function.reads = self.effects.reads(function.code, frame.f_globals)
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
        self.effects.again()
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
        if function is None:
            return None
        if not function.pending:  # an exception in here left the event on
            self.guarded(function, self.arm, function)
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
        return hopeless(function)

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
        self._tools.set(function.code, events | START if function.unseen else events)

    def _watch(self, function: Watched) -> None:
        self._set(function, function.events)
