"""The project's own tests as a further oracle: those that were seen to reach a function.

Recorded with a test suite, each test knows which functions started while it ran. Those of a changed
function are run with the change in the place of its file. They run as they always do, not shut in:
only what was found to be right and faster comes here.
"""

import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perftrace import replay
from perftrace.model import Function, Run
from perftrace.store import Store

MOST = 200  # tests that are run
SECONDS = 60.0  # for each time they are run
INJECT = Path(str(replay.__file__)).parent / "inject"
LONGEST = 200  # characters of a test's message
PASSED, FAILED = "passed", "failed"

SEEN = """
SELECT context.name AS name, context.run_id AS run_id
FROM reach JOIN context ON context.id = context_id
WHERE function_id = ? ORDER BY run_id DESC, name
"""
# Arguments: where to write what became of the tests, and the tests.
PYTEST = """
import json, sys
import pytest
told, *words = sys.argv[1:]
sys.argv[1:] = words
states = {}
class Told:
    def pytest_runtest_logreport(self, report):
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            states[report.nodeid] = ["failed", str(crash.message if crash else report.longrepr)]
        elif report.when == "call" or report.skipped:
            states.setdefault(report.nodeid, [report.outcome, ""])
pytest.main(["-q", "-p", "no:cacheprovider", *words], plugins=[Told()])
with open(told, "w", encoding="utf-8") as out:
    json.dump(states, out)
"""
UNITTEST = """
import json, sys, unittest
told, *words = sys.argv[1:]
sys.argv[1:] = []
states = {}
class Told(unittest.TextTestResult):
    def addSuccess(self, test):
        super().addSuccess(test)
        states.setdefault(test.id(), ["passed", ""])
    def addFailure(self, test, error):
        super().addFailure(test, error)
        states[test.id()] = ["failed", f"{error[0].__name__}: {error[1]}"]
    addError = addFailure
    def addSubTest(self, test, inner, error):
        super().addSubTest(test, inner, error)
        if error is not None:
            states[test.id()] = ["failed", f"{error[0].__name__}: {error[1]}"]
suite = unittest.defaultTestLoader.loadTestsFromNames(words)
unittest.TextTestRunner(resultclass=Told).run(suite)
with open(told, "w", encoding="utf-8") as out:
    json.dump(states, out)
"""

type Files = Mapping[str, str | None]  # absolute path -> source text
type States = Mapping[str, tuple[str, str]]  # test -> "passed", "failed" or "skipped"; message


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests that reach a function, and where they were recorded."""

    run: Run
    names: tuple[str, ...]
    left_out: int = 0  # of those that reach it, beyond `MOST`


@dataclass(frozen=True, slots=True)
class Hold:
    """All that pass without the change pass with it."""

    passed: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A test passes without the change and fails with it, twice."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class NotUsed:
    """Why the tests say nothing."""

    reason: str


type Answer = Hold | Broken | NotUsed


class _Failed(Exception):  # noqa: N818 - an outcome
    """The tests did not get to be run."""


def tests_of(store: Store, function: Function) -> Suite | None:
    """The tests that were seen to reach a function, in the newest run that has any.

    Raises:
        TraceError: the trace file is damaged.
    """
    rows = list(store.rows(SEEN, function.id))
    if not rows:
        return None
    newest = rows[0]["run_id"]
    names = [str(row["name"]) for row in rows if row["run_id"] == newest]
    run = next(run for run in store.runs() if run.id == newest)
    return Suite(run, tuple(names[:MOST]), len(names[MOST:]))


def ask(tests: Suite, old: Files, new: Files) -> Answer:
    """Run the tests with the new files, and those that fail with the old ones too.

    Args:
        tests: what to run; in the interpreter and folder that they were recorded in.
        old: the files that change, as they are.
        new: the same files with the change.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="perftrace-") as folder:
            return _ask(tests, Path(folder), old, new)
    except _Failed as error:
        return NotUsed(str(error))


def _ask(tests: Suite, folder: Path, old: Files, new: Files) -> Answer:
    found = _states(tests, tests.names, folder, new)
    suspect = _failing(found)
    if not found or not set(suspect) <= set(tests.names):  # a module could not be loaded
        suspect = list(tests.names)
    if suspect:
        before = _states(tests, suspect, folder, old)
        passing = [name for name, (state, _) in before.items() if state == PASSED]
        again = _states(tests, passing, folder, new) if passing else {}
        for name in passing:
            state, message = again.get(name, (FAILED, "it could not be run"))
            if state == FAILED:
                return Broken(name, message.strip().partition("\n")[0][:LONGEST])
    passed = sum(state == PASSED for state, _ in found.values())
    return Hold(passed) if passed else NotUsed("none of them passes without the change either")


def _failing(states: States) -> list[str]:
    return [name for name, (state, _) in states.items() if state == FAILED]


def _states(tests: Suite, names: Sequence[str], folder: Path, files: Files) -> States:
    """What becomes of the tests; nothing of those that could not be loaded.

    Raises:
        _Failed: they did not get to be run.
    """
    overlay, told = folder / "overlay.json", folder / "told.json"
    overlay.write_text(json.dumps(dict(files)), encoding="utf-8")
    told.unlink(missing_ok=True)
    paths = [str(INJECT), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PERFTRACE_OVERLAY": str(overlay),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }
    boot = PYTEST if "::" in names[0] else UNITTEST
    command = [str(tests.run.python), "-c", boot, str(told), *names]
    _wait(command, _folder(tests), environment)
    if not told.exists():
        raise _Failed("they did not get to be run")
    read: dict[str, list[str]] = json.loads(told.read_text(encoding="utf-8"))
    return {name: (state, message) for name, (state, message) in read.items()}


def _folder(tests: Suite) -> Path:
    """Where the tests are run: pytest's names begin with a file."""
    file = tests.names[0].partition("::")[0]
    run = tests.run
    return next((here for here in (run.cwd, run.root) if (here / file).exists()), run.cwd)


def _wait(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    """Run to the end.

    Raises:
        _Failed: it does not start, or takes too long.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise _Failed(f"they can't be started: {error}") from error
    late = threading.Event()

    def end() -> None:
        late.set()
        os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(SECONDS, end)
    timer.start()
    try:
        process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        timer.cancel()
    if late.is_set():
        raise _Failed(f"they take longer than {SECONDS:.0f} s")
