"""One worker process as its parent sees it: start, messages with deadlines, clocks, end."""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import perftrace
from perftrace.replay.inside import wire

TOO_LONG = "took longer than"
INSIDE = Path(__file__).parent / "inside"
# All that a worker gets of our environment.
PASSED = ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker may use."""

    wall_s: float = 10.0  # per call
    block_s: float = 120.0  # per timed block
    start_s: float = 60.0  # to start and to import the program
    memory: int = 4 << 30  # address space, bytes
    file: int = 64 << 20  # any file it writes, output included
    reply: int = 64 << 20  # a result
    output: int = 64 << 10  # text kept of stdout and of stderr, per call


class Ended(Exception):  # noqa: N818 - an outcome: the text is what the user reads
    """The worker is gone or had to be ended, and why."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The worker's clocks at one moment."""

    cpu_ns: int | None  # None: this system can't tell from outside
    wall_ns: int


class WorkerProcess:
    """A running worker with its private folder and its output."""

    def __init__(self, python: Path, cwd: Path, hash_seed: int, limits: Limits) -> None:
        self._limits = limits
        self._folder = tempfile.TemporaryDirectory(
            prefix="perftrace-replay-", ignore_cleanup_errors=True
        )
        self._outputs: list[BinaryIO] = [_appended_file(), _appended_file()]
        there, self._writing = os.pipe()
        self._reading, back = os.pipe()
        life, self._life = os.pipe()  # its end tells the worker that we are gone
        command = [
            *(str(python), "-B", str(INSIDE / "start.py"), str(Path(perftrace.__file__).parent)),
            *(str(there), str(back), str(life)),
            *(f"AS={limits.memory}", f"FSIZE={limits.file}", "CORE=0"),
        ]
        try:
            self._process = subprocess.Popen(
                command,
                cwd=cwd,
                env=_environment(self._folder.name, hash_seed),
                stdin=subprocess.DEVNULL,
                stdout=self._outputs[0],
                stderr=self._outputs[1],
                pass_fds=(there, back, life),
                start_new_session=True,
            )
        except OSError as error:
            self._release()
            raise Ended(f"cannot start {python} in {cwd}: {error.strerror}") from error
        finally:
            for descriptor in (there, back, life):
                os.close(descriptor)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def folder(self) -> str:
        """The only folder it may write to."""
        return self._folder.name

    def send(self, header: wire.Header, blobs: Sequence[bytes] = ()) -> None:
        """Send a message."""
        self._write(wire.pack(header, blobs), self._limits.start_s)

    def receive(self, seconds: float) -> tuple[dict[str, Any], list[bytes]]:
        """The next message, waiting at most so long.

        Raises:
            Ended: none came.
        """
        deadline = time.monotonic() + seconds
        sizes = wire.SIZES.unpack(self._read(wire.SIZES.size, deadline, seconds))
        if sum(sizes) > self._limits.reply + (1 << 20):
            raise Ended(self._kill("its reply was too large"))
        text, payload = (self._read(size, deadline, seconds) for size in sizes)
        try:
            return wire.unpack(text, payload)
        except (ValueError, RecursionError):
            raise Ended(self._kill("its reply could not be read")) from None

    def signal(self) -> Reading:
        """Let the worker go on; the clocks just before."""
        reading = self._clocks()
        self._write(b"!", self._limits.start_s)
        return reading

    def wait(self, seconds: float) -> Reading:
        """Wait for the worker's signal; the clocks just after.

        Raises:
            Ended: it did not come.
        """
        self._read(1, time.monotonic() + seconds, seconds)
        return self._clocks()

    def output(self) -> tuple[str, str]:
        """What it wrote to stdout and stderr in the last call, as far as it is kept.

        Raises:
            Ended: it was more than a file may hold.
        """
        texts = []
        for file in self._outputs:
            if os.fstat(file.fileno()).st_size >= self._limits.file:
                raise Ended(self._kill(f"writes more than {self._limits.file >> 20} MiB of output"))
            data = os.pread(file.fileno(), self._limits.output, 0)
            texts.append(data.decode(errors="backslashreplace"))
        return texts[0], texts[1]

    def close(self) -> None:
        """End it and whatever it started; harmless once it has ended."""
        if not self._outputs[0].closed:
            self._kill("")

    def _clocks(self) -> Reading:
        cpu = None
        with contextlib.suppress(OSError, AttributeError):
            # The kernel's number for "CPU time of that process" (clock_getcpuclockid(3)): all its
            # threads, to the nanosecond, also those that have ended.
            cpu = time.clock_gettime_ns((~self._process.pid << 3) | 2)
        return Reading(cpu, time.perf_counter_ns())

    def _read(self, size: int, deadline: float, seconds: float) -> bytes:
        parts = []
        poll = select.poll()
        poll.register(self._reading, select.POLLIN)
        while size:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise Ended(self._kill(f"{TOO_LONG} {seconds:.3g} s"))
            part = os.read(self._reading, min(size, 1 << 20))
            if not part:
                raise Ended(self._kill(None))
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _write(self, data: bytes, seconds: float) -> None:
        view = memoryview(data)
        os.set_blocking(self._writing, False)
        poll = select.poll()
        poll.register(self._writing, select.POLLOUT)
        while view:
            if not poll.poll(seconds * 1000):
                raise Ended(self._kill("it stopped reading requests"))
            try:
                view = view[os.write(self._writing, view) :]
            except BrokenPipeError:
                raise Ended(self._kill(None)) from None

    def _kill(self, reason: str | None) -> str:
        """End the process group; the reason, or (None) how the process ended by itself."""
        if reason is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
                reason = self._ending(self._process.returncode)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._release()
        return reason or "closed its pipe"

    def _ending(self, code: int) -> str:
        if code >= 0:
            return f"ended the process with exit code {code}{self._last_words()}"
        return f"was killed by {signal.Signals(-code).name}{self._last_words()}"

    def _last_words(self) -> str:
        size = os.fstat(self._outputs[1].fileno()).st_size
        text = os.pread(self._outputs[1].fileno(), 2000, max(0, size - 2000))
        lines = text.decode(errors="backslashreplace").strip().splitlines()
        return f": {lines[-1][:200]}" if lines else ""

    def _release(self) -> None:
        for descriptor in (self._reading, self._writing, self._life):
            os.close(descriptor)
        for file in self._outputs:
            file.close()
        self._folder.cleanup()


def _environment(folder: str, hash_seed: int) -> dict[str, str]:
    passed = {name: os.environ[name] for name in PASSED if name in os.environ}
    passed |= {name: value for name, value in os.environ.items() if name.startswith("LC_")}
    return {**passed, "TMPDIR": folder, "PYTHONHASHSEED": str(hash_seed)}


def _appended_file() -> BinaryIO:
    """A nameless file; appended to, so that it can be emptied while the worker has it open."""
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the worker
    flags = fcntl.fcntl(file, fcntl.F_GETFL)
    fcntl.fcntl(file, fcntl.F_SETFL, flags | os.O_APPEND)
    return file
