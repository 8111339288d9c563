"""A run's folder: what the parent command and the traced processes leave for `ingest`.

It lies in the temporary directory, for the user alone, and not in `.perftrace`, which the
program may delete. It holds the recorder's settings, the plan of the run, the journals, the
sampler's files and, once the program has ended, how it ended.
"""

import contextlib
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from perftrace.errors import CannotError
from perftrace.tracer.inside.function import SMALLEST_CAP
from perftrace.tracer.inside.settings import Settings
from perftrace.tracer.stacks import FrameKey, Samples

PLAN = "run.json"
FINISH = "end.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is about to be run."""

    uuid: str
    database: str
    command: tuple[str, ...]
    form: str  # script, module or command
    cwd: str
    root: str
    python: str
    started: str  # ISO 8601, UTC
    parent: int  # pid of the parent command
    overhead: float
    sources: tuple[str, ...]  # folders of user code
    includes: tuple[str, ...]  # globs
    excludes: tuple[str, ...]
    effects: bool = True  # what calls do outside is noted
    redact: tuple[str, ...] | None = ()  # names of secrets; None: they are recorded too
    children: bool = False  # they are recorded too
    retain: int = 256 << 20  # bytes of the trace file; older runs make room
    value_bytes: int = SMALLEST_CAP  # of a recorded value, at first


@dataclass(frozen=True, slots=True)
class Finish:
    """How it ended."""

    wall_s: float
    cpu_s: float
    exit_code: int  # negative: by that signal
    samples: Samples


def create(plan: Plan, *, timing: bool) -> Path:
    """Make the run's folder, with the plan and the recorder's settings.

    Raises:
        CannotError: there is no place for it.
    """
    try:
        folder = _base() / plan.uuid
        folder.mkdir(mode=0o700)
        (folder / PLAN).write_text(json.dumps(asdict(plan)), encoding="utf-8")
        Settings(
            cwd=plan.cwd,
            sources=plan.sources,
            includes=plan.includes,
            excludes=plan.excludes,
            share=plan.overhead,
            timing=timing,
            effects=plan.effects,
            cap=plan.value_bytes,
        ).write(str(folder))
    except OSError as error:
        raise CannotError("no-spool", f"no place for the journal: {error}") from error
    return folder


def finish(folder: Path, end: Finish) -> None:
    """Note how the program ended."""
    part = folder / f"{FINISH}.part"
    part.write_text(json.dumps(asdict(end)), encoding="utf-8")
    part.replace(folder / FINISH)


def read_plan(folder: Path) -> Plan:
    """The plan of the run in this folder.

    Raises:
        OSError, ValueError, TypeError: there is none, or it is damaged.
    """
    found = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    tuples = {name: tuple(v) for name, v in found.items() if isinstance(v, list)}
    return Plan(**{**found, **tuples})


def read_finish(folder: Path) -> Finish | None:
    """How the program ended; None: the parent command was killed before."""
    try:
        found = json.loads((folder / FINISH).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    samples = found.pop("samples")
    samples["stacks"] = [
        (tuple(FrameKey(*frame) for frame in stack), count) for stack, count in samples["stacks"]
    ]
    return Finish(**found, samples=Samples(**samples))


def left_behind() -> Iterator[tuple[Path, Plan]]:
    """The folders of runs whose parent command is gone."""
    try:
        folders = sorted(_base().iterdir())
    except (OSError, CannotError):
        return
    for folder in folders:
        try:
            plan = read_plan(folder)
        except (OSError, ValueError, TypeError):
            continue  # it is only being made
        if not _alive(plan.parent):
            yield folder, plan


def living(folder: Path) -> list[int]:
    """The processes of the run that still run: with a journal, or about to have one."""
    pids = {int(path.name.partition("-")[0]) for path in folder.glob("*-*.?????")}
    return [pid for pid in sorted(pids | _starting(folder)) if _alive(pid)]


def _starting(folder: Path) -> set[int]:
    """The Python processes whose environment leads here, where the system tells (Linux)."""
    mark = b"PERFTRACE_RUN=" + os.fsencode(folder)
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended, or is somebody else's
            if "python" in (process / "exe").readlink().name and mark in (
                process / "environ"
            ).read_bytes().split(b"\0"):
                found.add(int(process.name))
    return found


def remove(folder: Path) -> None:
    """Remove a folder whose contents are in the trace file."""
    shutil.rmtree(folder, ignore_errors=True)


def globs(patterns: Sequence[str], base: Path) -> tuple[str, ...]:
    """Patterns as the user writes them (a file glob, a folder, a package) as globs of files."""
    found: list[str] = []
    for pattern in patterns:
        package = package_of(pattern)
        if package:
            inner = package.replace(".", os.sep)
            places = ["*-packages", "*/python3.??"] if is_standard(package) else ["*-packages"]
            for place in places:  # site- or dist-packages, the standard library
                found += (f"{place}/{inner}/*", f"{place}/{inner}.py")
        if package == pattern:
            continue
        if pattern.startswith(("*", os.sep)):
            found.append(pattern)
        else:
            path = os.path.normpath(base / pattern)
            found.append(f"{path}/*" if Path(path).is_dir() else path)
    return tuple(found)


def package_of(pattern: str) -> str:
    """The package that a pattern names: `json`, `json.decoder`, `json.*`; empty: it is of files."""
    name = pattern.removesuffix(".*")
    known = all(part.replace("-", "_").isidentifier() for part in name.split("."))
    return name if known and not name.endswith(".py") else ""


def is_standard(package: str) -> bool:
    """Whether a package or module belongs to Python itself."""
    return package.partition(".")[0] in sys.stdlib_module_names


def folder() -> Path:
    """Where the folders of this user's runs lie.

    Raises:
        CannotError: somebody else may look in or has made it.
    """
    return _base()


def _base() -> Path:
    """The folder of this user's runs; nobody else may look in or have made it."""
    base = Path(tempfile.gettempdir()) / f"perftrace-{os.getuid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    state = base.lstat()
    private = state.st_uid == os.getuid() and not state.st_mode & 0o077
    if not private or not stat.S_ISDIR(state.st_mode):
        raise CannotError("spool-unsafe", f"{base} belongs to somebody else or is open to others")
    return base


def _alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not waited for does not."""
    with contextlib.suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return state[0] not in {"Z", "X"}
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
