"""Signals that reach perftrace while a program runs: passed on, unless the program got them too.

Ctrl-C, a closing terminal, GNU timeout and systemd signal the whole process group, and with it the
program; a supervisor signals the process that it started, which is perftrace. A process is not told
which of the two it was. So a witness stands in the group, a process that nobody knows: what reaches
it was sent to all.
"""

import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

WITH_THE_GROUP = (signal.SIGINT, signal.SIGQUIT)  # without a witness: as a terminal sends them
ALONE = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
LOOKS, LOOK_S = 5, 0.004  # a signal to a group reaches one process a moment before the other
ANSWER_S = 2.0  # the witness may have to wait for a processor


@contextmanager
def signals_to() -> Iterator[Callable[[int], None]]:
    """Pass signals on to the process whose number is told, those too that came before it was.

    Those that are ignored stay ignored. Handlers, unlike `SIG_IGN`, are not inherited by the
    program.
    """
    numbers = [
        number
        for number in (*WITH_THE_GROUP, *ALONE)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]
    passing = _Passing()
    before = {number: signal.signal(number, passing.take) for number in numbers}
    try:
        passing.witness = _Witness.start(numbers)
        yield passing.started
    finally:
        if passing.witness:
            passing.witness.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


class _Passing:
    """Takes signals, one after the other."""

    def __init__(self) -> None:
        self.witness: _Witness | None = None
        self._child: int | None = None
        self._early: list[int] = []  # came before the child did
        self._arrived: list[int] = []
        self._busy = False

    def take(self, number: int, _: FrameType | None) -> None:
        """The handler; it may be interrupted by itself at any place."""
        self._arrived.append(number)
        while self._arrived and not self._busy:  # otherwise the loop below comes to it
            self._busy = True
            while self._arrived:
                self._pass_on(self._arrived.pop(0))
            self._busy = False

    def _pass_on(self, number: int) -> None:
        to_all = self.witness.saw(number) if self.witness else number in WITH_THE_GROUP
        if self._child is None:
            self._early.append(number)
        elif not to_all:
            _send(self._child, number)

    def started(self, pid: int) -> None:
        """From now on the program is there."""
        self._child = pid
        while self._early:
            _send(pid, self._early.pop(0))


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):  # it ended meanwhile
        os.kill(pid, number)


def wait(pid: int) -> tuple[int, resource.struct_rusage]:
    """The status and the use of resources of a child, once it has ended.

    `os.wait4` alone would miss a signal that comes a moment before it begins to wait: the handler
    would run when the next one comes.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.signal(signal.SIGCHLD, lambda *_: None)
    woken = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        while True:
            ended, status, usage = os.wait4(pid, os.WNOHANG)
            if ended:
                return status, usage
            select.select([reading], [], [])
            os.read(reading, 1 << 10)
    finally:
        signal.set_wakeup_fd(woken)
        signal.signal(signal.SIGCHLD, before)
        os.close(reading)
        os.close(writing)


class _Witness:
    """A process of our group that tells which signals reach it; it ends with us."""

    def __init__(self, pid: int, asking: int, told: int) -> None:
        self._pid = pid
        self._asking = asking
        self._told = told

    @classmethod
    def start(cls, numbers: list[signal.Signals]) -> "_Witness | None":
        """One for these signals; None: there can't be one."""
        asked, asking = os.pipe()
        told, telling = os.pipe()
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        try:
            pid = os.fork()
            if not pid:
                _stand_by(asked, telling, close=(asking, told, 0, 1, 2))
        except OSError:
            os.close(asking)
            os.close(told)
            return None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            os.close(asked)
            os.close(telling)
        return cls(pid, asking, told)

    def saw(self, number: int) -> bool:
        """Whether this signal, which just reached us, reached the witness as well."""
        try:
            os.write(self._asking, bytes([number]))
        except OSError:  # somebody ended it
            return False
        return bool(select.select([self._told], [], [], ANSWER_S)[0]) and (
            os.read(self._told, 1) == b"y"
        )

    def stop(self) -> None:
        """End it."""
        os.close(self._asking)
        os.close(self._told)
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _stand_by(asked: int, telling: int, close: tuple[int, ...]) -> None:
    """The witness: signals stay blocked, so that the kernel keeps them until it is asked."""
    try:
        for descriptor in close:
            with suppress(OSError):
                os.close(descriptor)
        while question := os.read(asked, 1):
            os.write(telling, b"y" if _came(question[0]) else b"n")
    finally:
        os._exit(0)


def _came(number: int) -> bool:
    """Whether a blocked signal has come; it is taken then."""
    for _ in range(LOOKS):
        if number in signal.sigpending():
            signal.sigwait([number])
            return True
        time.sleep(LOOK_S)
    return False
