"""How a worker process comes to life: started anew, or forked by a server that runs already."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import perftrace

INSIDE = Path(__file__).parent / "inside"
# All that a worker gets of our environment.
PASSED = ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH")


class CannotStart(Exception):  # noqa: N818 - an outcome: the text is what the user reads
    """There is no worker, and why."""


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

    @property
    def arguments(self) -> list[str]:
        """The limits that a process sets for itself, as `NAME=VALUE`."""
        return [f"AS={self.memory}", f"FSIZE={self.file}", "CORE=0"]


@dataclass(frozen=True, slots=True)
class Plumbing:
    """What a worker is given: descriptors, and the only folder it may write to."""

    reading: int
    writing: int
    life: int  # its end tells the worker that we are gone
    outputs: tuple[int, int]  # stdout, stderr
    folder: str
    hidden: tuple[str, ...] = ()  # files and folders that it may not read


class Child(Protocol):
    """A worker process that was started."""

    @property
    def pid(self) -> int:
        """Its process id, and that of its process group."""
        ...

    def wait(self, seconds: float) -> int | None:
        """Its exit code (of a signal: negative); None: it runs still, or nobody knows."""
        ...


class Launcher(Protocol):
    """Starts workers."""

    @property
    def forks(self) -> bool:
        """Whether a worker begins with what a server has loaded."""
        ...

    @property
    def home(self) -> str | None:
        """The folder that the workers' private folders have to lie in; None: any."""
        ...

    def __call__(self, plumbing: Plumbing) -> Child:
        """Start one.

        Raises:
            CannotStart: it can't be done.
        """
        ...


@dataclass(frozen=True, slots=True)
class Cold:
    """Starts each worker as a new process of the interpreter."""

    python: Path
    cwd: Path
    hash_seed: int
    limits: Limits
    forks: bool = False
    home: str | None = None

    def __call__(self, plumbing: Plumbing) -> Child:
        """Start one."""
        descriptors = (plumbing.reading, plumbing.writing, plumbing.life)
        return _Started(
            start(
                self.python,
                [
                    *(str(INSIDE / "start.py"), root(), *map(str, descriptors)),
                    *self.limits.arguments,
                ],
                self.cwd,
                environment(plumbing.folder, self.hash_seed),
                plumbing.outputs,
                descriptors,
            )
        )


class _Started:
    """A process of our own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self, seconds: float) -> int | None:
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


def start(
    python: Path,
    arguments: list[str],
    cwd: Path,
    env: dict[str, str],
    outputs: tuple[int, int],
    passed: tuple[int, ...],
) -> subprocess.Popen[bytes]:
    """A process group of the recorded interpreter.

    Raises:
        CannotStart: there is no such interpreter or folder.
    """
    try:
        return subprocess.Popen(
            [str(python), "-B", *arguments],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=outputs[0],
            stderr=outputs[1],
            pass_fds=passed,
            start_new_session=True,
        )
    except OSError as error:
        raise CannotStart(f"cannot start {python} in {cwd}: {error.strerror}") from error


def root() -> str:
    """Our own folder, which a worker imports from."""
    return str(Path(perftrace.__file__).parent)


def environment(folder: str, hash_seed: int) -> dict[str, str]:
    """All variables that a worker sees."""
    passed = {name: os.environ[name] for name in PASSED if name in os.environ}
    passed |= {name: value for name, value in os.environ.items() if name.startswith("LC_")}
    return {**passed, "TMPDIR": folder, "PYTHONHASHSEED": str(hash_seed)}
