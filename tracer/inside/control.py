"""The control thread: twenty times a second it spends what the budget allows; and forks."""

import builtins
from _signal import (  # type: ignore[import-not-found]
    SIG_SETMASK,
    pthread_sigmask,
    valid_signals,
)
from _thread import allocate_lock, get_ident, get_native_id, start_new_thread
from atexit import register
from sys import _getframe
from time import monotonic_ns, sleep, thread_time_ns

from .private import os
from .turns import NEVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType

    from .budget import Budget
    from .monitor import Monitor
    from .process import Process
    from .timing import Timing

# Programs patch `time.sleep`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

ROUND_S = 0.05
IDLE = 4  # times that, while the budget is used up: there is nothing to arm
POLL_S = 0.0002
# A thread that wants the interpreter's lock from a program that lets go of it for microseconds at
# a time (an event loop does so in each turn) is woken each time, and mostly too late: it may take
# half a second, and the program is slower by a quarter meanwhile (measured: 1.25x). What our own
# thread uses of that, being woken in vain, shows it.
STARVED_NS = 1_000_000
STARVED_COST = 3  # times that
LONGEST_PAUSE_NS = 10_000_000_000
UNWIND_NS = 150  # what an exception's leaving a frame costs
UNWIND_SHARE = 0.005  # of CPU time: above it they are not watched for a while
LONGEST_MUTE = 1200  # rounds; a minute
NO_THREAD = (-1, -1)
ATTEMPTS = 100  # to end the thread, where a signal's handler or a fault of ours interrupts


class Control:
    """A raw thread: `threading` would show it to the program."""

    def __init__(
        self,
        monitor: "Monitor",
        process: "Process",
        budget: "Budget",
        timing: "Timing | None" = None,
    ) -> None:
        self._monitor = monitor
        self._process = process
        self._budget = budget
        self._timing = timing
        self._wake = allocate_lock()  # released: end
        self._started = False
        self._ended = False  # for good: the interpreter is about to end, too
        self._thread: tuple[int, int] | None = None  # ident and the operating system's id
        self._theirs: BaseException | None = None  # a signal handler's, met in a fork
        self._random = monotonic_ns()
        self._cpu = 0
        self._rest_ns = 0  # more than the usual pause, where rounds are dear
        self._mute = 20  # rounds without exceptions, doubled each time
        self._muted = 0

    def start(self) -> None:
        """Start the thread, and keep it away from forks."""
        os.register_at_fork(before=self._before_fork, after_in_child=self._in_child)
        register(self._at_exit)
        self._start()
        while self._started and self._thread is None:  # the program's tools must not see it begin
            sleep(0)

    def stop(self) -> None:
        """End the thread, and write what it would have written next."""
        self._ended = True
        self._end()
        self._stop_timing()
        self._process.clocks(self._budget.refresh(), self._budget.spent)
        self._raise_theirs()

    # --- the thread -----------------------------------------------------------------------

    def _start(self) -> None:
        if self._started or self._ended or not self._monitor.running:
            return
        self._wake = allocate_lock()
        self._wake.acquire(blocking=False)  # some tools forbid to wait in an event loop
        self._thread = None
        try:
            start_new_thread(self._run, (self._wake,))
        except RuntimeError:  # no more threads here: what is armed is still captured
            return
        self._started = True

    def _run(self, wake: "LockType") -> None:
        """All of the thread; the border to the program: never raise, Python would print it."""
        try:
            self._work(wake)
            self._leave()
        except BaseException as error:  # noqa: BLE001
            self._monitor.fail(error)
            self._stop_timing()
            self._leave()

    def _work(self, wake: "LockType") -> None:
        pthread_sigmask(SIG_SETMASK, valid_signals())  # they are the program's threads' to take
        self._monitor.busy.add(get_ident())
        self._monitor.unseen(lambda: self._rounds(wake))

    def _leave(self) -> None:
        self._monitor.busy.discard(get_ident())
        if self._thread is None:
            self._thread = NO_THREAD

    def _stop_timing(self) -> None:
        try:
            if self._timing is not None:
                self._timing.stop()
        except Exception:  # noqa: BLE001 - why all stops is noted already
            self._process.gave_up()

    def _rounds(self, wake: "LockType") -> None:
        self._thread = (get_ident(), get_native_id())
        while self._monitor.running:
            pause = self._pause()
            self._monitor.turns.due = monotonic_ns() + int(pause * 1e9)
            began = thread_time_ns()
            ended = wake.acquire(timeout=pause)
            self._monitor.turns.due = NEVER  # no event loop is to wait for a thread that is gone
            if ended:
                return
            before = thread_time_ns()
            self._waited(before - began)
            self._round()
            self._budget.spent += thread_time_ns() - before

    def _waited(self, ns: int) -> None:
        """To wait took so much CPU time: for the interpreter's lock, at the program's expense."""
        if ns < STARVED_NS:
            self._rest_ns //= 2
            return
        cost = ns * STARVED_COST
        self._budget.spent += cost
        self._rest_ns = min(self._budget.time_for(cost), LONGEST_PAUSE_NS)

    def _round(self) -> None:
        cpu = self._budget.refresh()
        self._judge_unwinds(cpu)
        self._monitor.look_round()
        for function in self._budget.choose():
            self._monitor.arm(function)
        self._process.note()
        self._monitor.contexts.write()
        self._process.clocks(cpu, self._budget.spent)
        if self._timing is not None:
            self._timing.round()

    def _judge_unwinds(self, cpu: int) -> None:
        monitor = self._monitor
        cost = monitor.unwound * UNWIND_NS
        monitor.unwound = 0
        self._budget.spent += cost
        if not monitor.watching_unwinds:
            self._muted += 1
            if self._muted >= self._mute and self._budget.open():
                self._muted = 0
                self._mute = min(self._mute * 2, LONGEST_MUTE)
                monitor.watch_unwinds(on=True)
        elif cost > UNWIND_SHARE * (cpu - self._cpu):
            monitor.watch_unwinds(on=False)
        self._cpu = cpu

    def _pause(self) -> float:
        """A round's length, jittered so as not to beat with the program's own rhythm."""
        self._random = (self._random * 1103515245 + 12345) & 0x7FFFFFFF
        usual = ROUND_S if self._budget.open() else ROUND_S * IDLE
        return usual * (0.5 + self._random / 0x7FFFFFFF) + self._rest_ns / 1e9

    # --- forks ----------------------------------------------------------------------------

    def _before_fork(self) -> None:
        """Python warns of forks in a process with threads: ours must be gone by then.

        It starts again when the fork has returned: Python may look for threads only then, and
        what a signal's handler raises in a hook is lost.
        """
        try:
            self._end()
            back = _getframe(0).f_back
            if back is not None and self._monitor.running:
                self._monitor.soon(back.f_code, self._go_on)
        except BaseException as error:  # noqa: BLE001 - Python prints what a hook raises
            self._judge(error)
            self._end()

    def _at_exit(self) -> None:
        """A thread that the interpreter's end cuts short may abort the process."""
        try:
            self._ended = True
            self._end()
        except BaseException as error:  # noqa: BLE001
            self._judge(error)
            self._end()

    def _end(self) -> None:
        for _ in range(ATTEMPTS):
            try:
                self._end_thread()
            except BaseException as error:  # noqa: BLE001 - it is tried again
                self._judge(error)
            else:
                return

    def _go_on(self) -> None:
        try:
            self._start()
            self._raise_theirs()
        except BaseException as error:
            if self._process.foreign(error):
                raise
            self._monitor.fail(error)

    def _raise_theirs(self) -> None:
        theirs, self._theirs = self._theirs, None
        if theirs is not None:
            raise theirs

    def _in_child(self) -> None:
        try:
            self._started = False
            self._theirs = None
            if self._monitor.running:
                self._begin_again()
        except Exception as error:  # noqa: BLE001
            self._monitor.fail(error)

    def _begin_again(self) -> None:
        self._process.begin_again()
        self._process.note()
        self._monitor.contexts.begin_again()
        self._budget.begin_again()
        self._monitor.forget_pending()
        if self._timing is not None:
            self._timing.forget()
        self._start()

    def _judge(self, error: BaseException) -> None:
        """An exception in a hook: if it is a signal handler's, it is raised after the fork."""
        if self._process.foreign(error):
            self._theirs = error
        else:
            self._monitor.fail(error)

    def _end_thread(self) -> None:
        if not self._started:
            return
        while self._thread is None:  # it is only about to run
            sleep(POLL_S)
        ident, native = self._thread
        if ident == get_ident():
            return
        if self._wake.locked():
            self._wake.release()
        while _alive(native) or ident in self._monitor.busy:
            sleep(POLL_S)
        self._started = False


def _alive(native: int) -> bool:
    """Whether the operating system still has the thread (known on Linux alone)."""
    try:
        os.stat(f"/proc/self/task/{native}")
    except OSError:
        return False
    return True
