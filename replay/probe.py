"""Try whether replay can work here: a worker starts, calls, and refuses what it must."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from perftrace.model import Binding, Ending, Kind, Parameter, Process, Run
from perftrace.replay.requests import NotReplayed, Replayed, Request, Target
from perftrace.replay.session import Limits, Session
from perftrace.snapshot import encode

MODULE = "perftrace_probe"
PROGRAM = """\
def double(n):
    return n * 2


def write(n):
    open(__file__ + ".written", "w").close()


def start(n):
    import subprocess

    subprocess.run(["true"])


def connect(n):
    import socket

    socket.create_connection(("127.0.0.1", n), 1)


def fill(n):
    return len(bytearray(n << 30))
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """A call that a worker has to refuse, and what it means if it does not."""

    name: str
    argument: int
    refused: str  # in the reason
    otherwise: str


TRIALS = (
    Trial("write", 0, "would write", "a replayed call can write files"),
    Trial("start", 0, "would start a process", "a replayed call can start processes"),
    Trial("connect", 9, "would use the network", "a replayed call can use the network"),
)
LIMITS = Limits(wall_s=10.0, start_s=30.0)


def probe(python: Path, library: Sequence[str]) -> list[str]:
    """What does not work with this interpreter's worker; nothing, if all is well.

    `library` is where its standard library lies.
    """
    with tempfile.TemporaryDirectory(prefix="perftrace-probe-") as folder:
        (Path(folder) / f"{MODULE}.py").write_text(PROGRAM, encoding="utf-8")
        path = (folder, *library)
        with Session(_process(python, path), limits=LIMITS) as session:
            return list(_problems(session, Path(folder)))


def _problems(session: Session, folder: Path) -> Iterator[str]:
    reply = session.call(_request(folder, "double", 21))
    if isinstance(reply, NotReplayed):
        yield f"a worker does not work: {reply.reason}"
        return
    for trial in TRIALS:
        found = session.call(_request(folder, trial.name, trial.argument))
        if not (isinstance(found, NotReplayed) and trial.refused in found.reason):
            yield trial.otherwise
    for what, reason in zip(("files", "system calls"), session.layers, strict=True):
        if reason:
            yield f"the kernel does not hold back {what}: {reason}"
    filled = session.call(_request(folder, "fill", 2 * (LIMITS.memory >> 30)))
    if isinstance(filled, Replayed) and filled.ending is not Ending.RAISED:
        yield "a replayed call can take any amount of memory: this system does not limit it"


def _request(folder: Path, name: str, argument: int) -> Request:
    line = PROGRAM[: PROGRAM.index(f"def {name}(")].count("\n") + 1
    target = Target(str(folder / f"{MODULE}.py"), name, line, MODULE)
    arguments = encode([argument], 1 << 10)[0]
    return Request(target, arguments, Kind.FUNCTION, (Parameter("n", Binding.EITHER),))


def _process(python: Path, path: tuple[str, ...]) -> Process:
    folder = Path(path[0])
    run = Run.unrecorded(folder, python)
    return Process(0, run, os.getpid(), path, None, None)
