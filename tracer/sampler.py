"""Sample the program's stacks with py-spy, from outside: no cost in the program's own threads.

py-spy runs as our child, in a session of its own (a Ctrl-C for the program does not end it), and
ends by itself when the program does. Where it cannot be used, `unavailable` says why before the
program is started, so that the recorder can time calls itself (`inside/timing.py`).
"""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from perftrace.store import Store

ENOUGH = (
    1250  # samples: at 1,000 a function of 10 % is known to 2 points; some are lost at the start
)
USUAL_RATE = 250  # samples per second, for a program whose length is not known yet
# The lowest and highest rate, by whether py-spy has a core for itself. With one, pausing the
# program for each sample is more exact (total variation to truth 0.13 against 0.16 at 100 Hz), and
# its CPU time is the same up to 1,000 Hz: 0.97 to 1.01 (7 interleaved pairs each, on 2 cores).
RATES = {True: (100, 1000), False: (100, 250)}
PATIENCE_S = 10.0  # for py-spy to write what it saw
PR_SET_PDEATHSIG = 1
ENDS_ALONE_S = 0.5  # after the program
TRY_S = 20.0  # for py-spy to look into a process once

TIMED_SAMPLE = 1_000_000  # the weight of a window of `inside/timing.py` that was all program

YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
CAP_SYS_PTRACE = 19
PR_SET_PTRACER = 0x59616D61


class FrameKey(NamedTuple):
    """The code object of a sampled frame."""

    file: str
    qualname: str
    line: int  # co_firstlineno


OWN_THREAD = Path(__file__).resolve().parent / "inside"

type Stack = tuple[FrameKey, ...]  # outermost first


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample."""

    rate: int  # samples per second
    blocking: bool  # pause the program for each sample
    native: bool = False  # also the frames of C code


def sampling(rate: int | None = None, *, native: bool = False, expected_s: float = 0.0) -> Sampling:
    """How to sample a program that takes about so much CPU time; 0: not known.

    The shorter the program, the higher the rate. One that is given is taken as it is.
    """
    spare = _has_spare_core()
    low, high = RATES[spare]
    wanted = round(ENOUGH / expected_s) if expected_s > 0 else USUAL_RATE
    # The stack of C code can be read only while the program is paused.
    return Sampling(rate or min(max(wanted, low), high), spare or native, native)


def _has_spare_core() -> bool:
    """Whether there is a core for py-spy beside the program's."""
    return _cores() > 1 and os.getloadavg()[0] < _cores()


@dataclass(frozen=True, slots=True)
class Samples:
    """What was sampled: stacks and how often each was seen."""

    stacks: Sequence[tuple[Stack, int]]
    interval_s: float
    name: str  # "py-spy", "timing" or "none"
    note: str  # what went wrong; empty when nothing did


class Sampler:
    """py-spy at work on a program and its child processes."""

    def __init__(
        self, process: subprocess.Popen[bytes] | None, folder: Path, how: Sampling
    ) -> None:
        self._process = process
        self._output = _output(folder)
        self._log = _log(folder)
        self._how = how

    @classmethod
    def start(cls, pid: int, folder: Path, how: Sampling | None = None) -> Self:
        """Sample the process from now on; the folder holds py-spy's files and must be private."""
        how = how or sampling()
        binary = _binary()
        if binary is None:
            return cls(None, folder, how)
        command = [binary, "record", "--pid", str(pid), "--rate", str(how.rate), "--subprocesses"]
        command += ["--function", "--full-filenames", "--format", "raw"]
        command += ["--output", str(_output(folder))]
        command += [] if how.blocking else ["--nonblocking"]
        command += ["--native"] if how.native else []
        try:
            with _log(folder).open("wb") as log:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=_end_with_us(),  # noqa: PLW1509 - no other thread is running
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
        interval_s = 1 / self._how.rate
        if self._process is None:
            return Samples((), interval_s, "none", unavailable() or "py-spy could not be started")
        _end(self._process)
        try:
            text = self._output.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return Samples((), interval_s, "none", self._complaint())
        stacks = parse(text, native=self._how.native)
        note = "" if stacks else "py-spy saw no Python code: the program was too short, or slept"
        return Samples(stacks, interval_s, "py-spy", note)

    def _complaint(self) -> str:
        """The first line py-spy printed of its error."""
        with contextlib.suppress(OSError):
            for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith("Error:"):
                    return f"py-spy could not look into the program: {line[6:].strip()}"
        return "py-spy had no time to look into the program"


def unavailable() -> str:
    """Why py-spy can't be used here; empty if it can."""
    if _binary() is None:
        return "py-spy is not installed: pip install py-spy"
    if sys.platform == "darwin" and os.geteuid() != 0:
        return "macOS lets only root look into another process: sudo perftrace run …"
    if _yama() >= 2 and not _may_trace_all():
        return (
            "the system forbids looking into another process"
            f" (kernel.yama.ptrace_scope = {_yama()}): run as root, or set it to 1"
        )
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


# --- stacks as text ---------------------------------------------------------------------

FRAME = re.compile(r"(?P<qualname>.+?) \((?P<file>.+?):(?P<line>\d+)\)(?:;|$)")
# With C code: a library has no lines.
ANY_FRAME = re.compile(r"(?P<qualname>.+?) \((?P<file>.+?)(?::(?P<line>\d+))?\)(?:;|$)")
C_CODE = frozenset({".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".pyx", ".rs", ".s", ".S", ".f90"})


def parse(text: str, *, native: bool = False) -> list[tuple[Stack, int]]:
    """The stacks in py-spy's raw format, one a line: `process 7:"…";f (a.py:1);g (b.py:2) 12`.

    A command line with line breaks splits its line; the last piece holds the frames. Lines
    without frames (the rest of a command line, native threads) are left out. `native` says that
    there are frames of C code: `f (lib.so)`, and `f (a.c:7)` with the line that it is at.
    """
    pattern = ANY_FRAME if native else FRAME
    counts: Counter[Stack] = Counter()
    for line in text.split("\n"):
        names, _, count = line.rpartition(" ")
        if count.isdecimal() and (stack := _stack(names.rpartition('";')[2], pattern)):
            if native and not any(map(_is_python, stack)):
                continue
            counts[stack] += int(count)
    return list(counts.items())


def _stack(text: str, pattern: re.Pattern[str] = FRAME) -> Stack:
    """The frames of `f (a.py:1);g (b.py:2)`; none if anything in it is not a frame."""
    return tuple(_frames(text, pattern)) if text.endswith(")") else ()


def _frames(text: str, pattern: re.Pattern[str]) -> Iterator[FrameKey]:
    for found in pattern.finditer(text):
        frame = FrameKey(found["file"], found["qualname"], int(found["line"] or 0))
        yield frame if _is_python(frame) else frame._replace(line=0)


def _is_python(frame: FrameKey) -> bool:
    """Whether it is a frame of Python code: one of C code has no first line."""
    return frame.line > 0 and os.path.splitext(frame.file)[1] not in C_CODE  # noqa: PTH122


def from_timing(timed: Iterable[tuple[str, int]], cpu_s: float) -> Samples:
    """Samples made of what the recorder timed: stacks as text, with their weights.

    Each window counts as one sample. Rests are carried over, so that many small shares add up to
    what they are together.
    """
    totals: Counter[str] = Counter()
    for text, weight in timed:
        totals[text] += weight
    stacks: list[tuple[Stack, int]] = []
    rest = 0
    for text, weight in sorted(totals.items()):
        count, rest = divmod(rest + weight, TIMED_SAMPLE)
        if count and (stack := _stack(text)):
            stacks.append((stack, count))
    seen = sum(count for _, count in stacks)
    if not seen:
        return Samples((), 0.0, "none", "the program was too short to be timed")
    return Samples(stacks, cpu_s / seen, "timing", "")


# --- storing ----------------------------------------------------------------------------


def store_samples(
    store: Store, run_id: int, samples: Samples, is_user: Callable[[str], bool]
) -> None:
    """Write the stacks into the trace file; relative file names count from the run's folder."""
    cwd = next(run.cwd for run in store.runs() if run.id == run_id)
    known: dict[FrameKey, int] = {}
    theirs = [(stack, count) for stack, count in samples.stacks if not _is_ours(stack)]
    for stack, _ in theirs:
        for frame in stack:
            if frame not in known:
                known[frame] = _intern(store, frame, cwd, is_user)
    for stack, count in theirs:
        frames = " ".join(str(known[frame]) for frame in stack)
        store.add("stack", {"run_id": run_id, "frames": frames, "count": count})


def _is_ours(stack: Stack) -> bool:
    """Whether it is a stack of the recorder's own thread."""
    return bool(stack) and Path(stack[0].file).parent == OWN_THREAD


def _intern(store: Store, frame: FrameKey, cwd: Path, is_user: Callable[[str], bool]) -> int:
    # A name such as <string> is no file, and stays as it is.
    file = frame.file if frame.file.startswith("<") else os.path.normpath(cwd / frame.file)
    row = {
        "file": file,
        "qualname": frame.qualname,
        "line": frame.line,
        "user": int(_is_python(frame) and is_user(file)),
    }
    return store.intern("frame", row, identity=("file", "qualname", "line"))
