"""Sample the program's stacks with py-spy, from outside: no cost in the program's own threads.

py-spy runs as our child, in a session of its own (a Ctrl-C for the program does not end it), and
ends by itself when the program does. Where it cannot be used, `unavailable` says why before the
program is started, so that the recorder can time calls itself (`inside/timing.py`).
"""

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from perftrace.tracer.stacks import Samples, parse

ENOUGH = 5000  # samples: a function that has 1 % of the time is known to 0.3 points
LOWEST_RATE = 50  # samples per second
USUAL_RATE = 250  # for a program whose length is not known yet
# What a sample costs the program, in CPU time: the pause, and the caches that it finds changed.
# Each frame beyond the first ten is read by several system calls (benchmarks/overhead.py, `suite`).
SAMPLE_S, FRAME_S, SHALLOW = 80e-6, 6e-6, 10
SUITE_DEPTH = 60.0  # frames below a test under pytest
PART = 0.5  # of the share asked for: the recorder needs the other half, or more
# The highest rate, by whether py-spy has a core for itself. The program is paused for each sample
# even where it has not: without a pause a third of all samples is charged to the wrong function
# (snowballstemmer: total variation distance to 17,000 samples 0.30 to 0.38, paused 0.02 to 0.05).
RATES = {True: 1000, False: 250}
PATIENCE_S = 10.0  # for py-spy to write what it saw
PR_SET_PDEATHSIG = 1
POLL_S = 0.01
ENDS_ALONE_S = 0.5  # after the program
TRY_S = 20.0  # for py-spy to look into a process once

YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
CAP_SYS_PTRACE = 19
PR_SET_PTRACER = 0x59616D61


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample."""

    rate: int  # samples per second
    native: bool = False  # also the frames of C code


def sampling(
    rate: int | None = None,
    *,
    native: bool = False,
    expected_s: float = 0.0,
    share: float = 0.0,
    depth: float = 0.0,
) -> Sampling:
    """How to sample a program that takes about so much CPU time; 0: not known.

    The shorter the program, the higher the rate, but what the samples cost is to stay within half
    of `share` of its CPU time (0: whatever they cost), with stacks of `depth` frames (0: not
    known). A rate that is given is taken as it is.
    """
    high: float = RATES[_has_spare_core()]
    if share:
        high = min(high, PART * share / (SAMPLE_S + FRAME_S * max(depth - SHALLOW, 0)))
    wanted = ENOUGH / expected_s if expected_s > 0 else USUAL_RATE
    return Sampling(rate or round(max(min(wanted, high), LOWEST_RATE)), native)


def _has_spare_core() -> bool:
    """Whether there is a core for py-spy beside the program's."""
    return _cores() > 1 and os.getloadavg()[0] < _cores()


class Sampler:
    """py-spy at work on a program and its child processes."""

    def __init__(
        self, process: subprocess.Popen[bytes] | None, folder: Path, how: Sampling
    ) -> None:
        self._process = process
        self._folder = folder
        self._output = _output(folder)
        self._log = _log(folder)
        self._how = how

    @classmethod
    def start(
        cls, pid: int, folder: Path, how: Sampling | None = None, *, alone: bool = False
    ) -> Self:
        """Sample the process from now on; the folder holds py-spy's files and must be private.

        Alone: it goes on when this process ends.
        """
        how = how or sampling()
        binary = _binary()
        if binary is None:
            return cls(None, folder, how)
        command = [binary, "record", "--pid", str(pid), "--rate", str(how.rate), "--subprocesses"]
        command += ["--function", "--full-filenames", "--format", "raw"]
        command += ["--output", str(_output(folder))]
        command += ["--native"] if how.native else []
        try:
            with _log(folder).open("wb") as log:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=None if alone else _end_with_us(),  # noqa: PLW1509 - no other thread is running
                )
        except OSError:
            return cls(None, folder, how)
        return cls(process, folder, how)

    def wait(self, seconds: float | None) -> bool:
        """Wait until py-spy ends because the program did, or so long; whether it ended."""
        if self._process is None:
            return True
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> Samples:
        """Wait for py-spy, once the program has ended; what it saw."""
        if self._process is None:
            reason = unavailable() or "py-spy could not be started"
            return Samples((), 1 / self._how.rate, "none", reason)
        _end(self._process)
        return self._seen()

    def leave(self) -> None:
        """Let it run on when this process ends; `stop_left` is for another one to call."""
        pid = 0
        if self._process is not None:
            pid = self._process.pid
            self._process.returncode = 0  # else its destructor complains
        _left(self._folder).write_text(json.dumps([pid, self._how.rate, ""]), encoding="utf-8")

    def _seen(self) -> Samples:
        interval_s = 1 / self._how.rate
        try:
            text = self._output.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return Samples((), interval_s, "none", self._complaint())
        stacks = parse(text)
        note = "" if stacks else "py-spy saw no Python code: the program was too short, or slept"
        return Samples(stacks, interval_s, "py-spy", note)

    def _complaint(self) -> str:
        """The first line py-spy printed of its error."""
        with contextlib.suppress(OSError):
            for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith("Error:"):
                    return f"py-spy could not look into the program: {line[6:].strip()}"
        return "py-spy had no time to look into the program"


def leave_none(folder: Path, note: str) -> None:
    """No sampler looks on, and why."""
    _left(folder).write_text(json.dumps([0, 1, note]), encoding="utf-8")


def stop_left(folder: Path) -> Samples:
    """Stop the sampler that another process started and left; what it saw."""
    try:
        pid, rate, note = json.loads(_left(folder).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Samples((), 0.0, "none", "the program deleted the sampler's files")
    if not pid:
        return Samples((), 1 / rate, "none", note or "py-spy could not be started")
    with contextlib.suppress(ProcessLookupError):  # it ended by itself
        if not _ended(pid):
            os.kill(pid, signal.SIGINT)
        patience = time.monotonic() + PATIENCE_S
        while not _ended(pid):
            if time.monotonic() > patience:
                os.kill(pid, signal.SIGKILL)
                break
            time.sleep(POLL_S)
    return Sampler(None, folder, Sampling(rate))._seen()


def _ended(pid: int) -> bool:
    """Whether the process is gone, or another one has its id by now."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except ProcessLookupError:
        return True
    except OSError:  # there is no /proc on this system
        return False
    name, _, rest = state.partition("(")[2].rpartition(")")
    return "py-spy" not in name or rest.split()[0] == "Z"


def unavailable(*, own_child: bool = True) -> str:
    """Why py-spy can't be used here; empty if it can. Is the program a child of this process?"""
    if _binary() is None:
        return "py-spy is not installed: pip install py-spy"
    if sys.platform == "darwin" and os.geteuid() != 0:
        return "macOS lets only root look into another process: sudo perftrace run …"
    if _yama() >= 2 and not _may_trace_all():
        return (
            "the system forbids looking into another process"
            f" (kernel.yama.ptrace_scope = {_yama()}): run as root, or set it to 1"
        )
    if not own_child and _yama() == 1 and not _may_trace_all():
        return "the system lets py-spy look only into what it starts: perftrace run -m pytest"
    return ""


def permission() -> Callable[[], None] | None:
    """What the program's process must do before it starts, so that py-spy may look into it.

    Under Yama's usual setting a process is open only to its ancestors. py-spy is its sibling; so
    the process names our own, and with it our descendants. That outlasts the exec.
    """
    if _yama() != 1 or _may_trace_all():
        return None
    prctl = ctypes.CDLL(None).prctl
    ours = os.getpid()
    return lambda: prctl(PR_SET_PTRACER, ours, 0, 0, 0) and None


def try_out() -> str:
    """Really look into a Python process of ours; what went wrong, or empty."""
    binary = _binary()
    reason = unavailable()
    if reason or binary is None:
        return reason
    command = [sys.executable, "-I", "-c", "import time; print(flush=True); time.sleep(60)"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        preexec_fn=permission(),  # noqa: PLW1509 - no other thread is running
    ) as target:
        try:
            assert target.stdout is not None
            target.stdout.readline()
            done = subprocess.run(
                [binary, "dump", "--pid", str(target.pid)],
                capture_output=True,
                text=True,
                timeout=TRY_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"py-spy cannot be used: {error}"
        finally:
            target.kill()
    if done.returncode == 0 and "<module>" in done.stdout:
        return ""
    said = (done.stderr or done.stdout).strip().splitlines()
    return f"py-spy could not look into a program: {said[0] if said else 'it said nothing'}"


def closed(pid: int) -> str:
    """Why a process that we did not start can't be looked into, and the way out; empty if it can.

    Raises:
        ProcessLookupError: there is none.
    """
    try:
        os.kill(pid, 0)
        theirs = False
    except PermissionError:
        theirs = True
    again = f"sudo perftrace sample --pid {pid}"
    if theirs and not _may_trace_all():
        return f"it belongs to another user: {again}"
    if _yama() == 1 and not _may_trace_all():
        return (
            "the system lets a program look only into those that it started"
            f" (kernel.yama.ptrace_scope = 1): {again}, or start it with perftrace sample"
        )
    return ""


def _end_with_us() -> Callable[[], None] | None:
    """What makes py-spy end, and let go of the program, when we are killed: Linux can do that."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0) and None


def _yama() -> int:
    try:
        return int(YAMA.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _may_trace_all() -> bool:
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return False
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return found is not None and bool(int(found[1], 16) >> CAP_SYS_PTRACE & 1)


def _binary() -> str | None:
    """py-spy as installed with us, else from PATH."""
    return shutil.which("py-spy", path=Path(sys.executable).parent) or shutil.which("py-spy")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def cores() -> int:
    """The cores that a program may use here."""
    return _cores()


def _output(folder: Path) -> Path:
    return folder / "py-spy.raw"


def _left(folder: Path) -> Path:
    return folder / "py-spy.json"


def _log(folder: Path) -> Path:
    return folder / "py-spy.log"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let py-spy write its file; ask it to if some descendant of the program lives on."""
    try:
        process.wait(ENDS_ALONE_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
