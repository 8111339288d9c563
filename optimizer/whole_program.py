"""What accepted changes mean for the whole program: the recorded command, old against new."""

import itertools
import json
import math
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from perftrace import replay
from perftrace.model import Run
from perftrace.optimizer import instructions, interval
from perftrace.optimizer.instructions import Count, Counted, NotCounted
from perftrace.optimizer.interval import Interval
from perftrace.secret import REMOVED

FEWEST, MOST = 3, 7  # pairs
NARROW = 1.1  # the ratio of the interval's ends from which on no further pair is needed
SLOWER, SPARE_S = 4, 60.0  # a run may take so many times the recorded time, and a bit
REPLAY = Path(str(replay.__file__)).parent

type Files = Mapping[str, str | None]  # absolute path -> source text; None: no such file


@dataclass(frozen=True, slots=True)
class Compared:
    """Old time over new time of the whole program; above 1 is faster."""

    cpu: Interval
    wall: Interval
    pairs: int
    steady: bool  # it printed the same each time; else its output could not be compared
    noise: float  # the old program's time over its own, from two runs of it


@dataclass(frozen=True, slots=True)
class OutputChanged:
    """The program prints something else with the changes: they must not be applied."""

    line: int
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class NotCompared:
    """Why there is no figure."""

    reason: str


type Comparison = Compared | OutputChanged | NotCompared


@dataclass(frozen=True, slots=True)
class _Ran:
    """One run of the program."""

    cpu_s: float
    wall_s: float
    output: bytes


class _Failed(Exception):  # noqa: N818 - an outcome
    """The program could not be run again as it was recorded."""


def compare(run: Run, old: Files, new: Files, seconds: float) -> Comparison:
    """Run the recorded command again and again, old and new in turn.

    Args:
        run: what was recorded; its command is run in its folder, with nothing on stdin.
        old: the files that are to be changed, as they are.
        new: the same files with the changes.
        seconds: about how long it may take.
    """
    if any(REMOVED in word for word in run.command):
        return NotCompared("its command line holds a secret, which was not recorded")
    with tempfile.TemporaryDirectory(prefix="perftrace-") as folder:
        program = _Program(run, Path(folder))
        try:
            return _compare(program, seconds, program.version(old), program.version(new))
        except _Failed as error:
            return NotCompared(str(error))


def count(run: Run, old: Files, new: Files) -> Count:
    """Run the recorded command once with the old files and once with the new, under callgrind.

    It takes some fifty times as long as the program does, twice.
    """
    valgrind = instructions.tool()
    if valgrind is None:
        return NotCounted("Valgrind is not installed")
    if any(REMOVED in word for word in run.command):
        return NotCounted("the command line holds a secret, which was not recorded")
    with tempfile.TemporaryDirectory(prefix="perftrace-") as name:
        folder = Path(name)
        program = _Program(run, folder, slower=instructions.SLOWDOWN)
        found = []
        for number, files in enumerate((old, new)):
            file = folder / f"callgrind.{number}"
            try:
                program.run(program.version(files), 0, instructions.command(valgrind, file))
            except _Failed as error:
                return NotCounted(str(error))
            found.append(instructions.read(file))
    if None in found:
        return NotCounted("callgrind wrote no count: the program ends before it can")
    return Counted(*filter(None, found))


def _compare(program: "_Program", seconds: float, old: Path, new: Path) -> Comparison:
    seed = _hash_seed()
    first, second = program.run(old, seed), program.run(old, seed)
    pair_s = first.wall_s + second.wall_s
    pairs = math.floor(seconds / pair_s) - 1
    if pairs < FEWEST:
        needed = pair_s * (FEWEST + 1)
        return NotCompared(
            f"running it often enough takes {needed:.0f} s, over its {seconds:.0f} s"
        )
    steady = first.output == second.output
    ran: list[tuple[_Ran, _Ran]] = []
    for _ in range(min(pairs, MOST)):
        before, after = _pair(program, old, new)
        if steady and before.output != after.output:
            return _changed(before.output, after.output)
        ran.append((before, after))
        so_far = interval.of_logs([math.log(a.cpu_s / b.cpu_s) for a, b in ran])
        if len(ran) >= FEWEST and so_far.low > 1 and so_far.high < so_far.low * NARROW:
            break
    return Compared(
        cpu=interval.of_logs([math.log(a.cpu_s / b.cpu_s) for a, b in ran]),
        wall=interval.of_logs([math.log(a.wall_s / b.wall_s) for a, b in ran]),
        pairs=len(ran),
        steady=steady,
        noise=first.cpu_s / second.cpu_s,
    )


def _pair(program: "_Program", old: Path, new: Path) -> tuple[_Ran, _Ran]:
    """Both under one hash seed, in an order by the toss of a coin."""
    seed = _hash_seed()
    if secrets.randbelow(2):
        before = program.run(old, seed)
        return before, program.run(new, seed)
    after = program.run(new, seed)
    return program.run(old, seed), after


def _hash_seed() -> int:
    return secrets.randbelow(2**32)


def _changed(expected: bytes, got: bytes) -> OutputChanged:
    """The first line that differs."""
    lines = itertools.zip_longest(
        expected.decode(errors="replace").splitlines(), got.decode(errors="replace").splitlines()
    )
    for number, (old, new) in enumerate(lines, start=1):
        if old != new:
            return OutputChanged(number, _shown(old), _shown(new))
    return OutputChanged(0, f"{len(expected)} bytes", f"{len(got)} bytes")


def _shown(line: str | None) -> str:
    return "no such line" if line is None else repr(line[:80])


class _Program:
    """The recorded program, ready to be run under overlays."""

    def __init__(self, run: Run, folder: Path, slower: int = SLOWER) -> None:
        self._run = run
        self._folder = folder
        self._limit_s = run.wall_s * slower + SPARE_S

    def version(self, files: Files) -> Path:
        """A new overlay file."""
        path = self._folder / f"{secrets.token_hex(4)}.json"
        path.write_text(json.dumps(dict(files)), encoding="utf-8")
        return path

    def run(self, overlay: Path, seed: int, under: Sequence[str] = ()) -> _Ran:
        """One run; under: the command of a tool that runs it.

        Raises:
            _Failed: it does not start, takes too long, or ends with another code than recorded.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            began = time.perf_counter()
            command = [*under, *self._command(overlay)]
            process = self._start(command, overlay, seed, out, err)
            cpu_s = self._wait(process)
            wall_s = time.perf_counter() - began
            out.seek(0)
            err.seek(0)
            if process.returncode != self._run.exit_code:
                raise _Failed(_otherwise(process.returncode, self._run.exit_code, err.read()))
            return _Ran(max(cpu_s, 1e-6), wall_s, out.read())

    def _start(
        self, command: list[str], overlay: Path, seed: int, out: IO[bytes], err: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        if self._run.form == "command":
            environment["PERFTRACE_OVERLAY"] = str(overlay)
            paths = [str(REPLAY / "inject"), os.environ.get("PYTHONPATH", "")]
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        try:
            return subprocess.Popen(
                command,
                cwd=self._run.cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        except OSError as error:
            raise _Failed(f"the program can't be started again: {error}") from error

    def _command(self, overlay: Path) -> list[str]:
        run = self._run
        if run.form != "command":
            runner = str(REPLAY / "inside" / "runner.py")
            return [str(run.python), runner, str(overlay), run.form, *run.command]
        name = run.command[0]
        found = shutil.which(name) or shutil.which(name, path=str(run.python.parent))
        return [found or name, *run.command[1:]]

    def _wait(self, process: subprocess.Popen[bytes]) -> float:
        """Wait for the end; CPU time of the program and of the children that it waited for."""
        late = threading.Event()

        def end() -> None:
            late.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(self._limit_s, end)
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if late.is_set():
            raise _Failed(f"the program took longer than {self._limit_s:.0f} s this time")
        return usage.ru_utime + usage.ru_stime


def _otherwise(code: int, recorded: int, complaint: bytes) -> str:
    words = complaint.decode(errors="replace").strip().rpartition("\n")[2]
    why = f" ({words[:200]})" if words else ""
    return f"the program ended with code {code} this time, {recorded} when it was recorded{why}"
