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
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from perftrace.store import Store

# Samples per second. Pausing the program for each one is more exact (total variation to truth
# 0.13 against 0.16 at 100 Hz) and costs it 1.5 %, but only where py-spy has a core for itself.
BLOCKING_RATE = 200
SHARED_RATE = 100
PATIENCE_S = 10.0  # for py-spy to write what it saw
POLL_S = 0.01
ENDS_ALONE_S = 0.5  # after the program

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
class Samples:
    """What was sampled: stacks and how often each was seen."""

    stacks: Sequence[tuple[Stack, int]]
    interval_s: float
    name: str  # "py-spy", "timing" or "none"
    note: str  # what went wrong; empty when nothing did


class Sampler:
    """py-spy at work on a program and its child processes."""

    def __init__(self, process: subprocess.Popen[bytes] | None, folder: Path, rate: int) -> None:
        self._process = process
        self._folder = folder
        self._output = _output(folder)
        self._log = _log(folder)
        self._rate = rate

    @classmethod
    def start(cls, pid: int, folder: Path) -> Self:
        """Sample the process from now on; the folder holds py-spy's files and must be private."""
        rate = BLOCKING_RATE if _cores() > 1 else SHARED_RATE
        binary = _binary()
        if binary is None:
            return cls(None, folder, rate)
        command = [binary, "record", "--pid", str(pid), "--rate", str(rate), "--subprocesses"]
        command += ["--function", "--full-filenames", "--format", "raw"]
        command += ["--output", str(_output(folder))]
        if _cores() == 1:
            command.append("--nonblocking")
        try:
            with _log(folder).open("wb") as log:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError:
            return cls(None, folder, rate)
        return cls(process, folder, rate)

    def stop(self) -> Samples:
        """Wait for py-spy, once the program has ended; what it saw."""
        if self._process is None:
            return Samples(
                (), 1 / self._rate, "none", unavailable() or "py-spy could not be started"
            )
        _end(self._process)
        return self._seen()

    def leave(self) -> None:
        """Let it run on when this process ends; `stop_left` is for another one to call."""
        pid = 0
        if self._process is not None:
            pid = self._process.pid
            self._process.returncode = 0  # else its destructor complains
        _left(self._folder).write_text(json.dumps([pid, self._rate, ""]), encoding="utf-8")

    def _seen(self) -> Samples:
        try:
            text = self._output.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return Samples((), 1 / self._rate, "none", self._complaint())
        stacks = parse(text)
        note = "" if stacks else "py-spy saw no Python code: the program was too short, or slept"
        return Samples(stacks, 1 / self._rate, "py-spy", note)

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
    return Sampler(None, folder, rate)._seen()


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


# --- stacks as text ---------------------------------------------------------------------

FRAME = re.compile(r"(?P<qualname>.+?) \((?P<file>.+?):(?P<line>\d+)\)(?:;|$)")


def parse(text: str) -> list[tuple[Stack, int]]:
    """The stacks in py-spy's raw format, one a line: `process 7:"…";f (a.py:1);g (b.py:2) 12`.

    A command line with line breaks splits its line; the last piece holds the frames. Lines
    without frames (the rest of a command line, native threads) are left out.
    """
    counts: Counter[Stack] = Counter()
    for line in text.split("\n"):
        names, _, count = line.rpartition(" ")
        if count.isdecimal() and (stack := _stack(names.rpartition('";')[2])):
            counts[stack] += int(count)
    return list(counts.items())


def _stack(text: str) -> Stack:
    """The frames of `f (a.py:1);g (b.py:2)`; none if anything in it is not a frame."""
    return tuple(_frames(text)) if text.endswith(")") else ()


def _frames(text: str) -> Iterator[FrameKey]:
    for found in FRAME.finditer(text):
        yield FrameKey(found["file"], found["qualname"], int(found["line"]))


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
        "user": int(is_user(file)),
    }
    return store.intern("frame", row, identity=("file", "qualname", "line"))
