"""Replay tests in the style of unittest, run without pytest."""

import subprocess
import sys
from pathlib import Path

import pytest

from perftrace.errors import CannotError
from perftrace.replay import trial
from perftrace.replay.author import Page
from perftrace.replay.emit import AROUND, Style
from perftrace.replay.files import Folder
from perftrace.replay.unittests import run_unittest, try_unittest

FIRST, _, LAST = AROUND[Style.UNITTEST]
TESTS = """\
from perftrace.replay.testing import check
from shop import double

SEEN = []


def test_double():
    check(double(2), 4)


def test_second():
    check(SEEN, [])
    SEEN.append(1)


def test_wrong():
    check(double(2), 5)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "shop.py").write_text("def double(n):\n    return n * 2\n")
    path = tmp_path / "tests" / "replay"
    path.mkdir(parents=True)
    found = Folder(tmp_path, path)
    found.write_conftest({"shop": tmp_path / "src"})
    (path / "test_replay_shop.py").write_text(FIRST + TESTS + LAST)
    return found


def states(folder: Folder, *tests: str) -> dict[str, str]:
    ran = run_unittest(Path(sys.executable), folder.root, folder.path, tests, quiet=True)
    assert {one.file for one in ran.tests} == {"test_replay_shop"}
    return {one.name: one.state for one in ran.tests}


def test_a_folder_and_single_tests_are_run(folder: Folder) -> None:
    assert states(folder, str(folder.path)) == {
        "test_double": "passed",
        "test_second": "passed",
        "test_wrong": "failed",
    }
    one = f"{folder.path / 'test_replay_shop.py'}::test_double"
    assert states(folder, one) == {"test_double": "passed"}


def test_what_differs_is_said(folder: Folder) -> None:
    ran = run_unittest(
        Path(sys.executable), folder.root, folder.path, [str(folder.path)], quiet=True
    )
    [failed] = [one for one in ran.tests if one.state == "failed"]
    assert failed.message == "AssertionError: replay differs at result: 4, recorded 5"
    assert ran.failed == 1


def test_unittest_itself_finds_them_with_the_helpers_beside(folder: Folder) -> None:
    folder.write_helpers()
    folder.write_conftest({})
    code = (
        "import sys, unittest\nsys.modules['perftrace'] = None\nclass No:\n"
        "    def find_spec(name, *_):\n        if name == 'pytest':\n"
        "            raise ModuleNotFoundError(name)\nsys.meta_path.insert(0, No)\n"
        "unittest.main(None, argv=['x', 'discover', '-s', 'tests/replay'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder.root, capture_output=True, text=True, check=False
    )
    assert "Ran 3 tests" in done.stderr, done.stderr
    assert "FAILED (failures=1)" in done.stderr


def test_pytest_runs_them_as_well(folder: Folder) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    for mode in ("prepend", "importlib"):
        done = subprocess.run(
            [*command, f"--import-mode={mode}", str(folder.path)],
            cwd=folder.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "1 failed, 2 passed" in done.stdout, done.stdout


def test_a_module_that_can_not_be_imported_fails(folder: Folder) -> None:
    (folder.path / "test_replay_shop.py").write_text(f"{FIRST}import nowhere\n{LAST}")
    ran = run_unittest(
        Path(sys.executable), folder.root, folder.path, [str(folder.path)], quiet=True
    )
    assert [one.state for one in ran.tests] == ["failed"]
    assert "nowhere" in ran.tests[0].message


def test_an_interpreter_that_ends_is_one_clear_error(folder: Folder) -> None:
    (folder.path / "test_replay_shop.py").write_text("import os\nos._exit(3)\n")
    with pytest.raises(CannotError, match="unittest ended with code 3"):
        states(folder, str(folder.path))


def test_new_tests_are_tried_with_it(folder: Folder) -> None:
    path = folder.path / "test_replay_shop.py"
    text = path.read_text()
    path.unlink()
    page = Page("shop", path, "", text, 3, ())
    found = trial.run(Path(sys.executable), folder, [page], {}, try_unittest)
    assert found.failing == {("shop", "test_wrong")}
    assert len(found.seconds) == 3
    assert not path.exists()


def test_each_is_tried_alone_too(folder: Folder) -> None:
    path = folder.path / ".trial" / "test_replay_shop.py"
    path.parent.mkdir()
    between = "def test_needs():\n    check(len(SEEN) > 0, True)\n\n\n"
    between += "def test_last():\n    SEEN.append(1)\n\n\ndef test_ends():\n    import os\n\n"
    between += "    os._exit(0)\n"
    path.write_text(f"{FIRST}{TESTS}\n\n{between}{LAST}")
    found = try_unittest(Path(sys.executable), folder.root, [f"{path}"], "alone", 0)
    passed = {one.name for one in found.tests if one.state == "passed"}
    assert passed == {"test_double", "test_second", "test_last"}
    assert {one.name for one in found.tests} - passed == {"test_wrong", "test_needs", "test_ends"}
