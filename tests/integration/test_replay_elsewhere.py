"""Replay tests where something is other than usual: wide values, other places, broken files."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WIDE = """
def longest(text):
    return max(text.split(), key=len)


def beside(path):
    return path.parent / "other.txt"


def lengths(words):
    return {word: len(word) for word in words}
"""
OTHER = "def twice(n):\n    return n * 2\n"
MAIN = """
from pathlib import Path
import other
import wide

wide.longest(" ".join(f"word{n}" for n in range(1200)))
wide.beside(Path(__file__).resolve())
wide.lengths(["a", "bc"])
other.twice(4)
"""


def perftrace(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from perftrace.cli import main; sys.exit(main())"
    inherited = {key: value for key, value in os.environ.items() if key != "CI"}
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env={**inherited, "XDG_CONFIG_HOME": str(folder / "config")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / ".git").mkdir()
    for name, text in (("wide", WIDE), ("other", OTHER), ("demo", MAIN)):
        (folder / f"{name}.py").write_text(text)
    done = perftrace(folder, "run", "--overhead", "50%", "--python", sys.executable, "demo.py")
    assert done.returncode == 0, done.stderr
    done = perftrace(folder, "replay", "--write", "--json")
    assert done.returncode == 0, done.stderr
    (folder / "written.json").write_text(done.stdout)
    shutil.copytree(folder / "tests" / "replay", folder / "fresh")
    return folder


@pytest.fixture
def project(recorded: Path) -> Path:
    """The project with its tests freshly written."""
    replay = recorded / "tests" / "replay"
    replay.unlink() if replay.is_file() else shutil.rmtree(replay)
    shutil.copytree(recorded / "fresh", replay)
    (recorded / "wide.py").write_text(WIDE)
    return recorded


def test_the_one_wide_test_of_a_function_holds_once_it_is_written(project: Path) -> None:
    text = (project / "tests" / "replay" / "test_replay_wide.py").read_text()
    assert len(text.partition("def test_longest_")[2]) > 8000
    done = perftrace(project, "replay", "--check")
    assert done.returncode == 0, done.stdout


def test_a_call_that_names_a_folder_of_this_machine_gets_no_test(project: Path) -> None:
    rows = {
        row["function"]: row
        for row in json.loads((project / "written.json").read_text())["functions"]
    }
    assert rows["wide:beside"]["reason"] == "names a folder of this machine"
    assert all(
        str(project) not in path.read_text()
        for path in (project / "tests" / "replay").glob("test_*.py")
    )


def test_what_is_other_in_order_alone_is_no_change_unless_the_test_fails(project: Path) -> None:
    path = project / "wide.py"
    turned = WIDE.replace("for word in words}", "for word in reversed(words)}")
    path.write_text(turned)
    done = perftrace(project, "replay", "--check")
    assert "test_lengths_" in done.stdout  # the same words in another order
    assert "1 of 2 replay tests are out of date (1 changed)" in done.stderr.replace("of 3", "of 2")


def test_tests_for_unittest_need_no_pytest(project: Path) -> None:
    shutil.rmtree(project / "tests" / "replay")
    done = perftrace(project, "replay", "--write", "--style", "unittest")
    assert done.returncode == 0, done.stderr
    without = (
        "import sys, unittest\nclass No:\n    def find_spec(name, *_):\n"
        "        if name == 'pytest':\n            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, No)\n"
        "unittest.main(None, argv=['x', 'discover', '-s', 'tests/replay'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", without], cwd=project, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "Ran 3 tests" in ran.stderr


def test_a_folder_that_can_not_be_made_is_one_clear_line(project: Path) -> None:
    shutil.rmtree(project / "tests" / "replay")
    (project / "tests" / "replay").write_text("")
    done = perftrace(project, "replay", "--write")
    assert done.returncode == 3, done.stderr
    assert "conftest.py can't be written: " in done.stderr
    assert "internal error" not in done.stderr


def test_a_merge_conflict_is_called_one_and_other_files_go_on(project: Path) -> None:
    broken = project / "tests" / "replay" / "test_replay_wide.py"
    text = broken.read_text()
    place = text.index("    check(")
    broken.write_text(f"{text[:place]}<<<<<<< HEAD\n=======\n>>>>>>> theirs\n{text[place:]}")
    done = perftrace(project, "replay", "--check")
    assert done.returncode == 3
    assert "test_replay_wide.py has merge conflict markers. Take either side" in done.stderr
    assert perftrace(project, "replay", "--check", "wide").returncode == 3
    other = perftrace(project, "replay", "--check", "other")
    assert (other.returncode, other.stdout) == (0, "1 replay tests hold\n")
    assert perftrace(project, "replay", "other").returncode == 0


def test_agreeing_to_nothing_is_wrong_usage(project: Path) -> None:
    for words in (("--check", "--yes"), ("--yes",)):
        done = perftrace(project, "replay", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert "--yes agrees to --update or --prune" in done.stderr
