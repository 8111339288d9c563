"""One worker process as its parent sees it: start, messages with deadlines, clocks, end."""

import contextlib
import fcntl
import os
import select
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from perftrace.replay.inside import wire
from perftrace.replay.launching import CannotStart, Launcher, Limits, Plumbing

TOO_LONG = "took longer than"
DYING_S = 30.0  # for the system to end what was killed


class Ended(Exception):  # noqa: N818 - an outcome: the text is what the user reads
    """The worker is gone or had to be ended, and why."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The worker's clocks at one moment."""

    cpu_ns: int | None  # None: this system can't tell from outside
    wall_ns: int


class WorkerProcess:
    """A running worker with its private folder and its output."""

    def __init__(self, launch: Launcher, limits: Limits, hidden: Sequence[str] = ()) -> None:
        self._limits = limits
        self._folder = tempfile.TemporaryDirectory(
            prefix="perftrace-replay-", dir=launch.home, ignore_cleanup_errors=True
        )
        self._outputs: list[BinaryIO] = [_appended_file(), _appended_file()]
        there, self._writing = os.pipe()
        self._reading, back = os.pipe()
        life, self._life = os.pipe()
        out, err = (file.fileno() for file in self._outputs)
        try:
            pipes, folder = (there, back, life), self._folder.name
            self._child = launch(Plumbing(*pipes, (out, err), folder, tuple(hidden)))
        except CannotStart as error:
            self._release()
            raise Ended(str(error)) from error
        finally:
            for descriptor in (there, back, life):
                os.close(descriptor)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._child.pid

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
            cpu = time.clock_gettime_ns((~self._child.pid << 3) | 2)
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
            code = self._child.wait(1)
            reason = None if code is None else self._ending(code)
        for end in (os.killpg, os.kill):  # a worker that was forked just now has no group yet
            with contextlib.suppress(ProcessLookupError, PermissionError):
                end(self._child.pid, signal.SIGKILL)
        self._child.wait(DYING_S)
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


def _appended_file() -> BinaryIO:
    """A nameless file; appended to, so that it can be emptied while the worker has it open."""
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the worker
    flags = fcntl.fcntl(file, fcntl.F_GETFL)
    fcntl.fcntl(file, fcntl.F_SETFL, flags | os.O_APPEND)
    return file
