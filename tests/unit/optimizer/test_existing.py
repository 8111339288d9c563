"""The project's own tests as a further oracle."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import pytest

from perftrace.model import Run
from perftrace.optimizer import existing
from perftrace.optimizer.existing import Broken, Hold, NotUsed, Suite, ask

SHOP = "def double(n):\n    return n * 2\n"
SLOWLY = "def double(n):\n    return n + n\n"
WRONG = "def double(n):\n    return n * 2 if n < 3 else 7\n"
PYTEST = """\
import pytest, shop
@pytest.mark.parametrize("n", [1, 3])
def test_double(n):
    assert shop.double(n) == 2 * n
def test_failing():
    assert shop.double(1) == 5
@pytest.mark.skip
def test_skipped(): pass
"""
UNITTEST = """\
import unittest, shop
class ShopTest(unittest.TestCase):
    def test_double(self):
        for n in (1, 3):
            with self.subTest(n=n):
                self.assertEqual(shop.double(n), 2 * n)
    def test_failing(self):
        self.assertEqual(shop.double(1), 5)
"""
IDS = tuple(
    f"test_shop.py::{name}"
    for name in ("test_double[1]", "test_double[3]", "test_failing", "test_skipped")
)
NAMES = ("test_cases.ShopTest.test_double", "test_cases.ShopTest.test_failing")


@pytest.fixture
def project(tmp_path: Path, run: Run) -> Run:
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "test_shop.py").write_text(PYTEST)
    (tmp_path / "test_cases.py").write_text(UNITTEST)
    return dataclasses.replace(run, cwd=tmp_path, root=tmp_path, python=Path(sys.executable))


@pytest.fixture
def run(make_lab: Any) -> Run:
    found: Run = make_lab(SHOP, {"double": ["n"]}).run
    return found


def asked(project: Run, text: str, names: tuple[str, ...]) -> existing.Answer:
    file = str(project.root / "shop.py")
    return ask(Suite(project, names), {file: SHOP}, {file: text})


@pytest.mark.parametrize(("names", "count"), [(IDS, 2), (NAMES, 1)])
def test_a_change_that_no_test_minds_holds(
    project: Run, names: tuple[str, ...], count: int
) -> None:
    assert asked(project, SLOWLY, names) == Hold(count)
    assert (project.cwd / "shop.py").read_text() == SHOP


@pytest.mark.parametrize(("names", "name"), [(IDS, IDS[1]), (NAMES, NAMES[0])])
def test_a_test_that_fails_with_it_is_named(
    project: Run, names: tuple[str, ...], name: str
) -> None:
    found = asked(project, WRONG, names)
    assert isinstance(found, Broken)
    assert found.name == name
    assert "7" in found.message
    assert "\n" not in found.message


@pytest.mark.parametrize("names", [IDS, NAMES])
def test_a_module_that_can_not_be_imported_any_more_is_broken(
    project: Run, names: tuple[str, ...]
) -> None:
    found = asked(project, "import nowhere\n" + SHOP, names)
    assert isinstance(found, Broken)
    assert found.name in names


def test_tests_that_fail_anyway_say_nothing(project: Run) -> None:
    found = asked(project, SLOWLY, (IDS[2],))
    assert found == NotUsed("none of them passes without the change either")


def test_one_that_fails_now_and_then_breaks_nothing(project: Run) -> None:
    flaky = """\
import os, shop
def test_flaky():
    first = not os.path.exists("ran")
    open("ran", "w").close()
    assert shop.double(1) == 2 and not first
"""
    (project.cwd / "test_shop.py").write_text(flaky + "def test_steady(): pass\n")
    names = ("test_shop.py::test_flaky", "test_shop.py::test_steady")
    assert asked(project, SLOWLY, names) == Hold(1)


def test_names_that_are_gone_say_nothing(project: Run) -> None:
    assert isinstance(asked(project, SLOWLY, ("test_gone.py::test_a",)), NotUsed)
    assert isinstance(asked(project, SLOWLY, ("test_gone.Case.test_a",)), NotUsed)


def test_those_that_take_too_long_say_nothing(
    project: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(existing, "SECONDS", 1.0)
    (project.cwd / "test_shop.py").write_text("def test_slow():\n    while True: pass\n")
    found = asked(project, SLOWLY, ("test_shop.py::test_slow",))
    assert found == NotUsed("they take longer than 1 s")


def test_an_interpreter_that_is_gone_says_nothing(project: Run) -> None:
    found = asked(dataclasses.replace(project, python=Path("/nowhere")), SLOWLY, IDS)
    assert isinstance(found, NotUsed)
    assert "can't be started" in found.reason


def test_those_named_from_the_project_root_are_run_there(project: Run) -> None:
    inner = project.cwd / "inner"
    inner.mkdir()
    assert asked(dataclasses.replace(project, cwd=inner), SLOWLY, (IDS[0],)) == Hold(1)
