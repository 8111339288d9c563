"""Runs the replay tests with the pytest of the project's interpreter."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from perftrace.errors import CannotError
from perftrace.replay import testing

FAILED = 1  # pytest's exit code
# Of what is only tried nobody reads how it failed, and pytest would read a large file each time.
QUICK = ("--tb=no",)
# Gives the tests their helpers where perftrace is not installed. Only once pytest has loaded its
# plugins: it warns of those, ours may be one, that were imported before it could rewrite them.
# "alone" runs each test in a process forked for it, where there is fork; in an order of ours, the
# one of a plugin (pytest-randomly) does not count.
BOOT = """
import importlib.util, json, os, sys, warnings
import pytest
from _pytest.runner import runtestprotocol
name, file, order = "perftrace.replay.testing", sys.argv.pop(1), sys.argv.pop(1)
class Helpers:
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items):
        before = list(items)
        result = yield
        if order:
            left = set(map(id, items))
            items[:] = [item for item in before if id(item) in left]
        if order == "backwards":
            items.reverse()
        return result
    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self):
        try:
            found = importlib.util.find_spec(name)
        except ImportError:
            found = None
        if found is None:
            spec = importlib.util.spec_from_file_location(name, file)
            sys.modules[name] = module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item):
        if order != "alone" or not hasattr(os, "fork"):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in apart(item):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True
def apart(item):
    hook, config = item.config.hook, item.config
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # threads that a module started on import
        child = os.fork()
    if not child:
        try:
            reports = runtestprotocol(item, nextitem=None, log=False)
            packed = hook.pytest_report_to_serializable
            with os.fdopen(writing, "w", encoding="utf-8") as pipe:
                json.dump([packed(config=config, report=one) for one in reports], pipe)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    if not text:
        why = "it ends Python"
        return [pytest.TestReport(item.nodeid, item.location, {}, "failed", why, "call")]
    unpacked = hook.pytest_report_from_serializable
    return [unpacked(config=config, data=one) for one in json.loads(text)]
sys.exit(pytest.main(sys.argv[1:], plugins=[Helpers()]))
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """One test, as pytest ran it."""

    file: str  # its name without the ending
    name: str
    state: str  # "passed", "failed" or "skipped"
    message: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """What pytest found."""

    tests: tuple[Ran, ...]

    @property
    def failed(self) -> int:
        """How many tests failed."""
        return sum(test.state == "failed" for test in self.tests)


def project_python(root: Path) -> Path:
    """The project's interpreter, where nothing recorded says which it is."""
    folders = [os.environ.get("VIRTUAL_ENV", ""), str(root / ".venv")]
    for folder in filter(None, folders):
        for inner in ("bin/python", "Scripts/python.exe"):
            if (Path(folder) / inner).exists():
                return Path(folder) / inner
    return Path(sys.executable)


def run_pytest(python: Path, root: Path, tests: list[str], *, quiet: bool) -> Result:
    """Run tests; pytest's own output goes to stdout, or where quiet to stderr.

    Raises:
        CannotError: there is no pytest, or it did not get to run the tests.
    """
    _require_pytest(python)
    with tempfile.TemporaryDirectory(prefix="perftrace-") as folder:
        xml = Path(folder) / "results.xml"
        command = _command(python, xml, tests)
        done = subprocess.run(command, cwd=root, stdout=sys.stderr if quiet else None, check=False)
        found = _result(xml, done.returncode)
        if found is None:
            raise CannotError(
                "replay-pytest", f"pytest ended with code {done.returncode}; see its output above."
            )
        return found


def try_pytest(python: Path, root: Path, tests: list[str], order: str, seed: int) -> Result:
    """Run tests without a word, under this hash seed: "forwards", "backwards" or each "alone".

    Raises:
        CannotError: there is no pytest, or it did not get to run the tests.
    """
    _require_pytest(python)
    with tempfile.TemporaryDirectory(prefix="perftrace-") as folder:
        xml = Path(folder) / "results.xml"
        done = subprocess.run(
            _command(python, xml, [*QUICK, *tests], order),
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        found = _result(xml, done.returncode)
        if found is None:
            said = (done.stderr or done.stdout).strip().rpartition("\n")[2]
            raise CannotError("replay-pytest", f"pytest ended with code {done.returncode}: {said}")
        return found


def _command(python: Path, xml: Path, tests: list[str], order: str = "") -> list[str]:
    options = ["-q", "-p", "no:cacheprovider", f"--junit-xml={xml}"]
    return [str(python), "-c", BOOT, str(testing.__file__), order, *options, *tests]


def _result(xml: Path, code: int) -> Result | None:
    """What pytest found; None: it did not get to run the tests."""
    ran = [_ran(case) for case in _cases(xml)] if xml.exists() else []
    failed = any(one.state == "failed" for one in ran)
    return Result(tuple(ran)) if code in {0, FAILED} or failed else None


def has_pytest(python: Path) -> bool:
    """Whether an interpreter has pytest.

    Raises:
        CannotError: it does not start.
    """
    try:
        done = subprocess.run([python, "-c", "import pytest"], capture_output=True, check=False)
    except OSError as error:
        raise CannotError("replay-python", f"{python} does not start: {error}.") from error
    return done.returncode == 0


def _require_pytest(python: Path) -> None:
    if not has_pytest(python):
        raise CannotError(
            "replay-no-pytest",
            f"Replay tests need pytest, which {python} does not have. Install it there:"
            f" {python} -m pip install pytest. Or have them written for unittest: perftrace replay"
            " --write --style unittest",
        )


def _cases(xml: Path) -> Iterator[ElementTree.Element]:
    return ElementTree.parse(xml).iter("testcase")  # noqa: S314 - pytest wrote it just now


def _ran(case: ElementTree.Element) -> Ran:
    file, name = case.get("classname", "").rpartition(".")[2], case.get("name", "")
    seconds = float(case.get("time", "0"))
    for tag, state in (("failure", "failed"), ("error", "failed"), ("skipped", "skipped")):
        found = case.find(tag)
        if found is not None:
            return Ran(file, name, state, found.get("message", ""), seconds)
    return Ran(file, name, "passed", "", seconds)
