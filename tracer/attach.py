"""Sample a program that is already running: nothing in it changes, and it goes on."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from perftrace.config import Settings
from perftrace.errors import CannotError, UsageError
from perftrace.tracer import ingest, sampler, spool
from perftrace.tracer.launch import Program
from perftrace.tracer.record import Choices, Result, add, plan
from perftrace.tracer.sampler import Sampler
from perftrace.tracer.spool import Finish

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # of the sampling, not of the program
LOOK_S = 0.2  # between two looks whether to go on


def attach(
    pid: int, seconds: float | None, cwd: Path, root: Path, settings: Settings, choices: Choices
) -> Result:
    """Sample the process for so long, or until it ends or a signal asks us to stop.

    Raises:
        UsageError: there is no such process.
        CannotError: we may not look into it, or it is not Python.
    """
    _require_open(pid)
    ingest.recover(choices.database)
    program = Program("process", ("--pid", str(pid), *_words(pid)), _python(pid), (), root)
    planned = plan(program, _folder(pid) or cwd, settings, choices, parent=os.getpid())
    folder = spool.create(planned, timing=False)
    began = time.perf_counter()
    before = now = _cpu_s(pid)
    with _until_signalled() as over:
        beside = Sampler.start(pid, folder, sampler.sampling(choices.rate, native=choices.native))
        while not beside.wait(LOOK_S) and not over.is_set():
            now = max(now, _cpu_s(pid))
            if seconds is not None and time.perf_counter() - began >= seconds:
                break
        samples = beside.stop()
    if not samples.stacks:
        spool.remove(folder)
        raise CannotError("no-sample", f"Process {pid} was not sampled: {samples.note}")
    return add(folder, Finish(time.perf_counter() - began, now - before, 0, samples))


def require_sampler() -> None:
    """Make sure that programs can be sampled here.

    Raises:
        CannotError: they can't, and what to do about it.
    """
    reason = sampler.unavailable()
    if reason:
        raise CannotError("no-sampler", f"Cannot sample here: {reason}")


def _require_open(pid: int) -> None:
    require_sampler()
    try:
        reason = sampler.closed(pid)
    except (ProcessLookupError, OverflowError) as error:
        raise UsageError("no-process", f"There is no process {pid}.") from error
    if reason:
        raise CannotError("no-sampler", f"Cannot look into process {pid}: {reason}")


@contextmanager
def _until_signalled() -> Iterator[threading.Event]:
    """A Ctrl-C or its like ends the sampling, and what was seen is kept."""
    over = threading.Event()
    before = {number: signal.signal(number, lambda *_: over.set()) for number in ENDING}
    try:
        yield over
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# --- what the system says of a process: Linux tells, others may not ---------------------


def _words(pid: int) -> tuple[str, ...]:
    with suppress(OSError):
        text = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0")
        return tuple(os.fsdecode(word) for word in text.split(b"\0"))
    return ()


def _python(pid: int) -> str:
    with suppress(OSError):
        return str(Path(f"/proc/{pid}/exe").readlink())
    return sys.executable


def _folder(pid: int) -> Path | None:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cwd").readlink()
    return None


def _cpu_s(pid: int) -> float:
    """The CPU time of all its threads; 0 where it can't be told or the process has ended."""
    with suppress(OSError, AttributeError):
        # The kernel's number for "CPU time of that process" (clock_getcpuclockid(3)).
        return time.clock_gettime((~pid << 3) | 2)
    return 0.0
