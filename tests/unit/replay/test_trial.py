"""New replay tests are run before they are written: three times, in both orders."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import pytest

from perftrace.errors import CannotError
from perftrace.replay import cases, review, runner, trial
from perftrace.replay.author import Page
from perftrace.replay.files import Folder

STEADY = "def test_steady():\n    assert [] is not None\n"
ORDERED = "SEEN = []\ndef test_first():\n    SEEN.append(1)\ndef test_second():\n    assert SEEN\n"
HASHED = "def test_hashed():\n    assert hash('a') % 1000 == {}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "tests" / "replay"
    path.mkdir(parents=True)
    return Folder(tmp_path, path)


def page(folder: Folder, module: str, text: str, added: int = 1, *, unsteady: bool = False) -> Page:
    path = folder.path / f"test_replay_{module}.py"
    return Page(module, path, "", text, added, (), unsteady)


def left(folder: Folder) -> list[str]:
    """What lies there, besides what Python keeps compiled."""
    return [path.name for path in folder.path.iterdir() if path.name != "__pycache__"]


def tried(folder: Folder, *pages: Page) -> trial.Tried:
    return trial.run(Path(sys.executable), folder, pages, {})


def test_what_needs_an_order_or_a_hash_seed_fails(folder: Folder) -> None:
    found = tried(
        folder,
        page(folder, "steady", STEADY),
        page(folder, "ordered", ORDERED),
        page(folder, "hashed", HASHED.format(hash("a") % 1000)),
    )
    assert found.failing == {("ordered", "test_second"), ("hashed", "test_hashed")}
    assert set(found.seconds) == {
        *{("steady", "test_steady"), ("hashed", "test_hashed")},
        *{("ordered", "test_first"), ("ordered", "test_second")},
    }
    assert all(seconds >= 0 for seconds in found.seconds.values())


def test_what_needs_another_test_before_it_fails(folder: Folder) -> None:
    text = "SEEN = []\ndef test_a():\n    SEEN.append(1)\n"
    text += "def test_b():\n    assert SEEN\ndef test_c():\n    SEEN.append(1)\n"
    assert tried(folder, page(folder, "between", text)).failing == {("between", "test_b")}


def test_what_ends_python_fails_when_it_is_alone(tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    test.write_text("import os\ndef test_ends():\n    os._exit(0)\ndef test_not():\n    pass\n")
    python = Path(sys.executable)
    found = runner.try_pytest(python, tmp_path, [str(test)], "alone", 0)
    assert [(one.name, one.state) for one in found.tests] == [
        *[("test_ends", "failed"), ("test_not", "passed")]
    ]


def test_a_plugin_that_has_an_order_of_its_own_does_not_decide(tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    names = [f"test_{letter}" for letter in "abcdefgh"]
    test.write_text("".join(f"def {name}():\n    pass\n" for name in names))
    (tmp_path / "conftest.py").write_text(
        "import pytest\n@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_collection_modifyitems(items):\n    items[:] = items[3:] + items[:3]\n"
    )
    for order, expected in (("forwards", names), ("alone", names), ("backwards", names[::-1])):
        found = runner.try_pytest(Path(sys.executable), tmp_path, [str(test)], order, 0)
        assert [one.name for one in found.tests] == expected


def test_where_some_calls_vary_the_tests_are_run_more_often(folder: Folder) -> None:
    seen: list[tuple[list[str], int]] = []

    def attempt(_: Path, __: Path, tests: list[str], order: str, seed: int) -> runner.Result:
        files = [Path(test).stem for test in tests]
        seen.append((files, seed))
        state = "failed" if seed == trial.MORE[-1][1] else "passed"
        return runner.Result(tuple(runner.Ran(file, "test_it", state, "", 0.1) for file in files))

    def failing(*words: Any) -> runner.Result:
        ran = attempt(*words).tests
        return runner.Result(tuple(dataclasses.replace(one, state="failed") for one in ran))

    pages = [page(folder, "steady", STEADY), page(folder, "varying", STEADY, unsteady=True)]
    found = trial.run(Path(sys.executable), folder, pages, {}, attempt)
    assert found.failing == {("varying", "test_it")}
    assert [files for files, _ in seen] == (
        [["test_replay_steady", "test_replay_varying"]] * 3 + [["test_replay_varying"]] * 8
    )
    assert len(seen) == 11
    seen.clear()
    trial.run(Path(sys.executable), folder, pages, {}, failing)  # others take its place: later
    assert len(seen) == 3


def test_no_seed_is_used_twice() -> None:
    seeds = [seed for _, seed in (*trial.RUNS, *trial.MORE)]
    every = [*seeds, *review.SEEDS, *cases.SEEDS]
    assert len(set(every)) == len(every)


def test_nothing_stays_in_the_folder_but_its_conftest(folder: Folder) -> None:
    tried(folder, page(folder, "steady", STEADY))
    assert left(folder) == ["conftest.py"]


def test_pages_without_new_tests_are_not_run(folder: Folder) -> None:
    assert tried(folder, page(folder, "broken", "syntax error", added=0)) == trial.Tried()
    assert left(folder) == []


def test_what_pytest_can_not_collect_is_said(folder: Folder) -> None:
    (folder.root / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    with pytest.raises(CannotError, match="pytest ended with code 4"):
        tried(folder, page(folder, "steady", STEADY))
    assert left(folder) == ["conftest.py"]


def test_what_is_no_test_of_ours_is_passed_over(folder: Folder) -> None:
    text = f"{STEADY}class TestTheirs:\n    def test_it(self):\n        raise ValueError\n"
    assert tried(folder, page(folder, "steady", text)).failing == frozenset()
