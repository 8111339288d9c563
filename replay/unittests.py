"""Runs replay tests of the style "unittest" where the project's interpreter has no pytest."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from perftrace.errors import CannotError
from perftrace.replay import testing
from perftrace.replay.runner import Ran, Result

# Arguments: the file of the helpers, where to write what became of the tests, the order ("alone":
# each in a process of its own), the folder with conftest.py, and the tests: files, or FILE::NAME.
BOOT = """
import importlib.util, json, os, sys, time, unittest, warnings
helpers, told, order, folder, *wanted = sys.argv[1:]
sys.argv[1:] = []
sys.path.insert(0, folder)
import conftest
name = "perftrace.replay.testing"
try:
    found = importlib.util.find_spec(name)
except ImportError:
    found = None
if found is None:
    spec = importlib.util.spec_from_file_location(name, helpers)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
rows = []
class Told(unittest.TextTestResult):
    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()
    def tell(self, test, state, error=None):
        message = "" if error is None else f"{error[0].__name__}: {error[1]}"
        rows.append([test.file, test.id(), state, message, time.monotonic() - self.began])
    def addSuccess(self, test):
        super().addSuccess(test)
        self.tell(test, "passed")
    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.tell(test, "failed", error)
    def addError(self, test, error):
        super().addError(test, error)
        self.tell(test, "failed", error)
    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.tell(test, "skipped", (unittest.SkipTest, reason))
def cases_of(suite):
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from cases_of(one)
        else:
            yield one
cases = []
for file in dict.fromkeys(word.partition("::")[0] for word in wanted):
    where, pattern = os.path.split(file)
    where, pattern = (file, "test_replay_*.py") if os.path.isdir(file) else (where, pattern)
    for case in cases_of(unittest.TestLoader().discover(where, pattern, where)):
        function = getattr(case, "_testFunc", None)
        case.file = function.__module__ if function else os.path.splitext(pattern)[0]
        whole = file in wanted or function is None
        if whole or f"{file}::{case.id()}" in wanted:
            cases.append(case)
if order == "backwards":
    cases.reverse()
runner = unittest.TextTestRunner(resultclass=Told)
def apart(case):
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # threads that a module started on import
        child = os.fork()
    if not child:
        try:
            runner.run(case)
            with os.fdopen(writing, "w", encoding="utf-8") as pipe:
                json.dump(rows, pipe)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else [[case.file, case.id(), "failed", "it ends Python", 0.0]]
if order == "alone" and hasattr(os, "fork"):
    rows = [row for case in cases for row in apart(case)]
    good = all(row[2] != "failed" for row in rows)
else:
    good = runner.run(unittest.TestSuite(cases)).wasSuccessful()
with open(told, "w", encoding="utf-8") as out:
    json.dump(rows, out)
sys.exit(0 if good else 1)
"""


def try_unittest(python: Path, root: Path, tests: list[str], order: str, seed: int) -> Result:
    """Run tests without a word, as `runner.try_pytest` does.

    Raises:
        CannotError: they did not get to be run.
    """
    folder = Path(tests[0].partition("::")[0]).parent.parent  # tests are tried in a folder within
    given = {"PYTHONHASHSEED": str(seed)}
    with tempfile.TemporaryDirectory(prefix="perftrace-") as scratch:
        told = Path(scratch) / "told.json"
        command = _command(python, told, order, folder, tests)
        done = subprocess.run(
            command, cwd=root, env={**os.environ, **given}, capture_output=True, check=False
        )
        return _result(told, done.returncode, done.stderr.decode(errors="replace"))


def run_unittest(
    python: Path, root: Path, folder: Path, tests: Sequence[str], *, quiet: bool
) -> Result:
    """Run tests of this folder; what unittest says goes to stderr.

    Raises:
        CannotError: they did not get to be run.
    """
    with tempfile.TemporaryDirectory(prefix="perftrace-") as scratch:
        told = Path(scratch) / "told.json"
        command = _command(python, told, "", folder, tests)
        done = subprocess.run(command, cwd=root, stdout=sys.stderr if quiet else None, check=False)
        return _result(told, done.returncode, "see its output above")


def _command(python: Path, told: Path, order: str, folder: Path, tests: Sequence[str]) -> list[str]:
    words = [testing.__file__, told, order, folder, *tests]
    return [str(python), "-c", BOOT, *map(str, words)]


def _result(told: Path, code: int, said: str) -> Result:
    if told.exists():
        return Result(tuple(Ran(*row) for row in json.loads(told.read_text("utf-8"))))
    last = said.strip().rpartition("\n")[2]
    raise CannotError("replay-unittest", f"unittest ended with code {code}: {last}")
