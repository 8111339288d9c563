"""The control thread: twenty times a second it spends what the budget allows; and forks."""

import builtins
from _thread import allocate_lock, get_ident, get_native_id, start_new_thread
from time import monotonic_ns, sleep, thread_time_ns

from . import journal
from .private import os

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
POLL_S = 0.0002
UNWIND_NS = 150  # what an exception's leaving a frame costs
UNWIND_SHARE = 0.005  # of CPU time: above it they are not watched for a while
LONGEST_MUTE = 1200  # rounds; a minute


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
        self._thread: tuple[int, int] | None = None  # ident and the operating system's id
        self._random = monotonic_ns()
        self._cpu = 0
        self._mute = 20  # rounds without exceptions, doubled each time
        self._muted = 0

    def start(self) -> None:
        """Start the thread, and keep it away from forks."""
        os.register_at_fork(
            before=self._before_fork, after_in_parent=self._start, after_in_child=self._in_child
        )
        self._start()

    def stop(self) -> None:
        """End the thread, and write what it would have written next."""
        self._before_fork()
        if self._timing is not None:
            self._timing.stop()
        self._process.clocks(self._budget.refresh(), self._budget.spent)

    # --- the thread -----------------------------------------------------------------------

    def _start(self) -> None:
        if not self._monitor.running:
            return
        self._wake = allocate_lock()
        self._wake.acquire()
        self._thread = None
        try:
            start_new_thread(self._run, (self._wake,))
        except RuntimeError:  # no more threads here: what is armed is still captured
            return
        self._started = True

    def _run(self, wake: "LockType") -> None:
        ident = get_ident()
        self._monitor.busy.add(ident)
        self._thread = (ident, get_native_id())
        try:
            while self._monitor.running and not wake.acquire(timeout=self._pause()):
                before = thread_time_ns()
                self._round()
                self._budget.spent += thread_time_ns() - before
        except Exception as error:  # noqa: BLE001 - the border to the program: never print in it
            self._process.failed(error)
            self._monitor.stop()
        finally:
            self._monitor.busy.discard(ident)

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
        return ROUND_S * (0.5 + self._random / 0x7FFFFFFF)

    # --- forks ----------------------------------------------------------------------------

    def _before_fork(self) -> None:
        """Python warns of forks in a process with threads: ours must be gone by then."""
        if not self._started:
            return
        while self._thread is None:  # it is only about to run
            sleep(POLL_S)
        ident, native = self._thread
        if ident == get_ident():
            return
        self._started = False
        self._wake.release()
        while _alive(native) or ident in self._monitor.busy:
            sleep(POLL_S)

    def _in_child(self) -> None:
        self._started = False
        if not self._monitor.running:
            return
        try:
            self._process.begin_again()
            self._process.note()
            self._monitor.contexts.begin_again()
        except (journal.FullError, OSError):
            self._monitor.stop()
            return
        self._budget.begin_again()
        self._monitor.forget_pending()
        if self._timing is not None:
            self._timing.forget()
        self._start()


def _alive(native: int) -> bool:
    """Whether the operating system still has the thread (known on Linux alone)."""
    try:
        os.stat(f"/proc/self/task/{native}")
    except OSError:
        return False
    return True
