"""Run the user's program as itself, with the recorder inside and the sampler beside it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import perftrace
from perftrace import config
from perftrace.errors import CannotError, UsageError
from perftrace.tracer import passing, sampler
from perftrace.tracer.sampler import Sampler, Sampling
from perftrace.tracer.spool import Finish
from perftrace.tracer.stacks import Samples

OLDEST = (3, 12)
INJECT = Path(__file__).resolve().parent / "inject"
HOME = Path(perftrace.__file__).resolve().parent
ASK_VERSION = "import sys; print(sys.implementation.name, *sys.version_info[:2])"


class Recorder(Enum):
    """Which processes have the recorder inside."""

    NONE = "none"
    PROGRAM = "program"  # and its forks
    CHILDREN = "children"  # also what it starts


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: the words after perftrace's own options, and the command they make."""

    form: str  # script, module or command
    words: tuple[str, ...]
    python: str
    command: tuple[str, ...]
    root: Path  # user code lies under it


def resolve(
    form: str, words: Sequence[str], python: str | None, cwd: Path, *, recorded: bool = True
) -> Program:
    """The program to run; one that is to be recorded needs a Python that can do it.

    Raises:
        UsageError: the script or command does not exist.
        CannotError: the interpreter does not run, or is too old.
    """
    interpreter = find_python(python, cwd, oldest=OLDEST if recorded else (3, 0))
    root = config.find_root(cwd)
    if form == "module":
        command = (interpreter, "-m", *words)
    elif form == "script":
        script = cwd / words[0]
        if not script.exists():
            raise UsageError(
                "no-script", f"{words[0]} does not exist. Give a script, -m MODULE or -- COMMAND."
            )
        if not script.resolve().is_relative_to(root.resolve()):
            root = script.resolve().parent
        command = (interpreter, *words)
    else:
        beside = str(Path(interpreter).parent)
        found = shutil.which(words[0]) or shutil.which(words[0], path=beside)
        if found is None:
            raise UsageError(
                "no-command", f"{words[0]} is not a command. Is it installed, and on PATH?"
            )
        command = (found, *words[1:])
    return Program(form, tuple(words), interpreter, command, root)


def find_python(chosen: str | None, cwd: Path, oldest: tuple[int, int] = OLDEST) -> str:
    """The interpreter: as chosen, of the active or the project's environment, or our own.

    Raises:
        CannotError: it does not run, or is too old.
    """
    if chosen is None:
        folders = [os.environ.get("VIRTUAL_ENV"), str(cwd / ".venv")]
        pythons = [Path(folder) / "bin" / "python" for folder in folders if folder]
        chosen = next((str(path) for path in pythons if path.exists()), sys.executable)
    else:
        chosen = str(cwd / (shutil.which(chosen) or chosen))
    if chosen != sys.executable:
        _require_version(chosen, oldest)
    return chosen


def _require_version(python: str, oldest: tuple[int, int]) -> None:
    try:
        asked = subprocess.run(
            [python, "-I", "-S", "-c", ASK_VERSION],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        name, major, minor = asked.stdout.split()
        version = (int(major), int(minor))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise CannotError("no-python", f"{python} does not run as Python: {error}") from error
    if name != "cpython" or version < oldest:
        raise CannotError(
            "old-python",
            f"{python} is {name} {major}.{minor}; recording needs CPython 3.12 or newer."
            " Name another one: perftrace run --python PATH",
        )


def execute(
    program: Program, folder: Path | None, cwd: Path, sampling: Sampling | str, recorder: Recorder
) -> Finish:
    """Run the program to its end; without a folder it is neither recorded nor sampled.

    `sampling` is how a sampler is to look on, or why none is. `recorder`: whom to record.

    Raises:
        CannotError: it could not be started.
    """
    environment = dict(os.environ)
    if folder and recorder is not Recorder.NONE:
        environment = environment_for(folder, children=recorder is Recorder.CHILDREN)
    began = time.perf_counter()
    with passing.signals_to() as started:
        try:
            process = subprocess.Popen(
                program.command,
                env=environment,
                cwd=cwd,
                preexec_fn=sampler.permission(),  # noqa: PLW1509 - no other thread is running
            )
        except OSError as error:
            raise CannotError(
                "no-start", f"{program.command[0]} cannot be started: {error}"
            ) from error
        started(process.pid)
        beside = None
        if folder and isinstance(sampling, Sampling):
            beside = Sampler.start(process.pid, folder, sampling)
        status, usage = passing.wait(process.pid)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.perf_counter() - began
    unsampled = sampling if isinstance(sampling, str) else "not recorded"
    samples = beside.stop() if beside else Samples((), 0.0, "none", unsampled)
    return Finish(wall_s, usage.ru_utime + usage.ru_stime, process.returncode, samples)


def environment_for(folder: Path, *, children: bool = False) -> dict[str, str]:
    """What leads the interpreter to the recorder; the recorder puts it back."""
    environment = {**os.environ, "PERFTRACE_RUN": str(folder), "PERFTRACE_HOME": str(HOME)}
    if children:
        environment["PERFTRACE_CHILDREN"] = "1"
    theirs = os.environ.get("PYTHONPATH")
    path = [str(INJECT)]
    if theirs is not None:
        environment["PERFTRACE_PYTHONPATH"] = theirs
        path += [theirs] if theirs else []
    environment["PYTHONPATH"] = os.pathsep.join(path)
    return environment
