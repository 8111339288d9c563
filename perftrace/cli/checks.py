"""What `perftrace doctor` looks at: each check tries the thing itself and says what to do next."""

import importlib.metadata
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from perftrace import compress, config
from perftrace.config import Settings
from perftrace.errors import PerftraceError
from perftrace.key import user_key
from perftrace.replay.probe import probe
from perftrace.store import Store
from perftrace.tracer import launch, sampler, spool

type State = Literal["ok", "warn", "fail"]

LOOK_S = 60.0  # for an interpreter or git to answer
COARSE_NS = 10_000  # a clock that can't tell calls of this length apart
IN_CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"))
SPACE = 256 << 20  # bytes: what the journals of a run may take
NEEDED_IDS = 2  # of sys.monitoring, from those that are for tools like us
ASK = """
import importlib.metadata, json, sys
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
monitoring = getattr(sys, "monitoring", None)
json.dump({
    "version": sys.version.split()[0],
    "implementation": sys.implementation.name,
    "taken": {i: monitoring.get_tool(i) for i in (3, 4, 5) if monitoring.get_tool(i)},
    "path": [entry for entry in sys.path if entry.startswith(sys.base_prefix)],
    "pytest": version("pytest"),
    "plugins": sorted(
        one.name for one in importlib.metadata.entry_points(group="pytest11")
        if one.value.partition(".")[0] == "perftrace"
    ),
}, sys.stdout)
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What a check saw."""

    state: State
    text: str
    advice: str = ""  # what to do next


@dataclass(frozen=True, slots=True)
class Place:
    """What the checks look at."""

    cwd: Path
    root: Path
    settings: Settings
    database: Path
    python: str  # empty: there is none
    asked: dict[str, Any]  # what the interpreter says of itself


type Check = Callable[[Place], Found]


def ask(python: str) -> dict[str, Any]:
    """What an interpreter says of itself; empty if it does not answer."""
    try:
        done = subprocess.run([python, "-c", ASK], capture_output=True, timeout=LOOK_S, check=True)
        answer = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}
    return answer if isinstance(answer, dict) else {}


# --- recording --------------------------------------------------------------------------


def check_python(place: Place) -> Found:
    """The interpreter that `perftrace run` would take, and why that one."""
    try:
        python = launch.find_python(None, place.cwd)
    except PerftraceError as error:
        return Found("fail", str(error), "Activate another environment, or use run --python PATH.")
    if not place.asked:
        return Found("fail", f"{python} does not answer", "Repair it, or use run --python PATH.")
    active = os.environ.get("VIRTUAL_ENV", "")
    how = "perftrace's own, for no environment is active and there is no .venv here"
    if active and python.startswith(active):
        how = "of the active environment"
    elif python.startswith(str(place.cwd / ".venv")):
        how = "of .venv in this folder"
    return Found("ok", f"{place.asked['version']}, {python} ({how})")


def check_monitoring(place: Place) -> Found:
    """The ids of sys.monitoring that the recorder needs."""
    taken = place.asked.get("taken")
    if taken is None:
        return Found("fail", "not known: there is no interpreter to ask", "See python above.")
    free = 3 - len(taken)
    if free >= NEEDED_IDS:
        return Found("ok", f"{free} of 3 ids are free when Python starts")
    names = ", ".join(f"{number} {name}" for number, name in taken.items())
    return Found("fail", f"ids are taken: {names}", "Record without those tools.")


def check_sampling(_place: Place) -> Found:
    """Whether py-spy can look into a program: it really does."""
    reason = sampler.try_out()
    if not reason:
        return Found("ok", "py-spy looked into a program of ours")
    advice = "Without it run times calls from inside, which is less exact."
    if any(mark.exists() for mark in IN_CONTAINER) and "installed" not in reason:
        advice = f"Start the container with --cap-add SYS_PTRACE. {advice}"
    return Found("warn", reason, advice)


def check_clock(_place: Place) -> Found:
    """The smallest step that the clock of CPU time really takes."""
    steps = []
    for _ in range(200):
        began = now = time.thread_time_ns()
        while now == began:
            now = time.thread_time_ns()
        steps.append(now - began)
    step = min(steps)
    if step > COARSE_NS:
        advice = "Budgets and short calls are measured coarsely; results stay right."
        return Found("warn", f"CPU time moves in steps of {step / 1000:.0f} us", advice)
    return Found("ok", f"CPU time is told to {step} ns")


def check_cores(_place: Place) -> Found:
    """Whether there is a core for py-spy, and quiet for measuring."""
    cores, load = sampler.cores(), os.getloadavg()[0]
    text = f"{cores} core{'s' if cores > 1 else ''}, load {load:.1f}"
    if cores < 2:
        return Found("warn", text, "Sampling shares the program's core and is less exact.")
    if load >= cores:
        return Found("warn", text, "Other programs have the cores: timings will be noisy. Wait.")
    return Found("ok", text)


def check_journal(place: Place) -> Found:
    """The folder that the journals of runs lie in; those of other projects are not ours to add."""
    try:
        databases = [Path(plan.database) for _, plan in spool.left_behind()]
        free = shutil.disk_usage(spool.folder()).free
    except (PerftraceError, OSError) as error:
        return Found("fail", str(error), "Set TMPDIR to a folder of your own.")
    left = databases.count(place.database)
    waiting = (
        f"; {left} run{'s' * (left != 1)} left to be added by the next command" if left else ""
    )
    text = f"{free >> 20:,} MB free in {tempfile.gettempdir()}{waiting}"
    if free < SPACE:
        return Found("warn", text, "Recordings may be cut short: set TMPDIR, or make room.")
    return Found("ok", text)


# --- what is kept -----------------------------------------------------------------------


def check_trace(place: Place) -> Found:
    """The trace file: whether it can be read, by whom, and what is in it."""
    path = place.database
    if not path.exists():
        return Found("ok", f"none yet in {path}", "Record a program: perftrace run")
    try:
        with Store.open(path) as store:
            runs = len(store.runs())
        mode = stat.S_IMODE(path.stat().st_mode)
    except (PerftraceError, OSError) as error:
        return Found("fail", str(error))
    text = f"{runs} runs, {path.stat().st_size / 1e6:.1f} MB, {path}"
    if mode & 0o077:
        return Found("warn", f"others may read it: {text}", f"chmod 600 {path}")
    return Found("ok", text)


def check_key(_place: Place) -> Found:
    """This user's key."""
    path = config.key_file()
    if not path.exists():
        return Found("ok", f"none yet; it will be made in {path}")
    try:
        user_key()
        mode = stat.S_IMODE(path.stat().st_mode)
    except (PerftraceError, OSError) as error:
        return Found("fail", str(error))
    if mode & 0o077:
        return Found("fail", f"others may read {path}", f"chmod 600 {path}")
    return Found("ok", f"{path}, for you alone")


def check_git(place: Place) -> Found:
    """Whether git leaves the trace file out: it holds the program's data."""
    folder = place.database.parent
    if not any((above / ".git").exists() for above in (place.root, *place.root.parents)):
        return Found("ok", "the project is not in a git repository")
    if not place.database.is_relative_to(place.root):
        return Found("ok", "the trace file lies outside the project")
    name = f"{folder.relative_to(place.root)}/"
    if not folder.exists():
        return Found("ok", f"{name} will be made with a .gitignore of its own")
    try:
        command = ["git", "check-ignore", "-q", str(place.database)]
        done = subprocess.run(
            command, cwd=place.root, capture_output=True, timeout=LOOK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Found("warn", f"git does not answer: {error}")
    return _ignored(done.returncode, name)


def _ignored(code: int, name: str) -> Found:
    """What the exit code of `git check-ignore` means."""
    if code == 0:
        return Found("ok", f"git ignores {name}")
    if code == 1:
        return Found("warn", f"git does not ignore {name}", f"Add {name} to .gitignore.")
    return Found("warn", f"git check-ignore ended with code {code}")


def check_config(place: Place) -> Found:
    """The settings in pyproject.toml."""
    path = place.root / "pyproject.toml"
    try:
        settings = config.load(place.root)
    except PerftraceError as error:
        return Found("fail", str(error))
    missing = config.missing_sources(settings, place.root)
    if missing:
        names = ", ".join(missing)
        return Found("warn", f"source: no folder {names}", f"Correct source in {path}.")
    return Found("ok", str(path) if path.exists() else f"defaults; the project is {place.root}")


# --- replay -----------------------------------------------------------------------------


def check_replay(place: Place) -> Found:
    """The worker that calls functions again: it is started and has to refuse a few things."""
    if not place.asked:
        return Found("fail", "not known: there is no interpreter to start", "See python above.")
    problems = probe(Path(place.python), place.asked["path"])
    if not problems:
        refused = "files, processes, network and memory are held back, by Landlock and seccomp too"
        return Found("ok", f"a worker works; {refused}")
    works = not problems[0].startswith("a worker does not work")
    advice = "Look at what your functions do before you replay them." if works else ""
    return Found("warn" if works else "fail", "; ".join(problems), advice)


def check_pytest(place: Place) -> Found:
    """The pytest in the program's environment: the replay tests are run by it."""
    version = place.asked.get("pytest")
    if not version:
        advice = f"{place.python or 'python'} -m pip install pytest"
        return Found("warn", "none in your program's environment; replay tests need it", advice)
    plugins = place.asked.get("plugins")
    return Found("ok", f"{version}{'; plugin ' + ', '.join(plugins) if plugins else ''}")


# --- perftrace itself -------------------------------------------------------------------


def check_install(_place: Place) -> Found:
    """The requirements of perftrace itself; none needs a C compiler."""
    wanted = [re.split(r"[^\w.-]", one)[0] for one in _requirements()]
    missing = []
    for name in wanted:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Found("fail", f"not installed: {', '.join(missing)}", "Install perftrace anew.")
    return Found("ok", f"all {len(wanted)} requirements are there; no C compiler is needed")


def _requirements() -> Iterator[str]:
    """Those of every installation on this Python."""
    for text in importlib.metadata.requires("perftrace") or []:
        if "extra ==" not in text and not ("python_version" in text and not _applies(text)):
            yield text


def _applies(text: str) -> bool:
    """Whether `… ; python_version < "3.14"` holds here; other markers are not used."""
    found = re.search(r"python_version\s*<\s*[\"'](\d+)\.(\d+)", text)
    return found is None or sys.version_info < (int(found[1]), int(found[2]))


def check_zstd(_place: Place) -> Found:
    """Compression, there and back."""
    blob = b"perftrace " * 1000
    codec, packed = compress.pack(blob)
    if codec != "zstd" or compress.unpack(codec, packed, len(blob)) != blob:
        return Found("fail", "values do not survive compression", "Install backports.zstd anew.")
    return Found("ok", compress.backend())


CHECKS: dict[str, Check] = {
    "python": check_python,
    "monitoring": check_monitoring,
    "sampling": check_sampling,
    "clock": check_clock,
    "cores": check_cores,
    "journal": check_journal,
    "trace file": check_trace,
    "key": check_key,
    "git": check_git,
    "settings": check_config,
    "replay": check_replay,
    "pytest": check_pytest,
    "install": check_install,
    "zstd": check_zstd,
}
