"""Programs against tests: who is right, and that none can look so."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from perftrace.errors import CannotError, UsageError
from perftrace.optimizer.generation import cases, trial
from perftrace.optimizer.generation.task import Task
from perftrace.optimizer.generation.trial import Right, Trials, Wrong

TESTS = """
assert ordered([3, 1, 2]) == [1, 2, 3]
assert ordered([2, 1], reverse=True) == [2, 1]

def test_of_nothing():
    assert ordered([]) == []

def test_what_it_refuses():
    try:
        ordered(None)
    except TypeError:
        return
    raise AssertionError("it took None")
"""
RIGHT = """
def ordered(items, reverse=False):
    if items is None:
        raise TypeError("no items")
    return sorted(items, reverse=reverse)
"""


@pytest.fixture(scope="module")
def trials() -> Iterator[Trials]:
    with Trials(Task("ordered", "Sort.", cases.read(TESTS))) as made:
        yield made


def test_a_right_program(trials: Trials) -> None:
    found = trials.try_(RIGHT)
    assert isinstance(found, Right)
    assert [case.name for case, _ in found.calls] == ["case_0", "case_1", "case_2", "case_3"]
    texts = [made.text("ordered") for _, calls in found.calls for made in calls]
    assert texts == [
        "ordered([3, 1, 2]) returned [1, 2, 3]",
        "ordered([2, 1], reverse=True) returned [2, 1]",
        "ordered([]) returned []",
        "ordered(None) raised TypeError('no items')",
    ]
    assert trials.try_(f"# the same\n{RIGHT}") is found


@pytest.mark.parametrize(
    ("program", "case", "reason", "call"),
    [
        (
            "def ordered(items, reverse=False):\n    return items",
            "case_0",
            "AssertionError",
            "ordered([3, 1, 2]) returned [3, 1, 2]",
        ),
        (
            "def ordered(items):\n    return sorted(items)",
            "case_1",
            "TypeError",
            "ordered([2, 1], reverse=True) raised TypeError",
        ),
        (
            RIGHT.replace('raise TypeError("no items")', "return []"),
            "case_3",
            "AssertionError: it took None",
            "ordered(None) returned []",
        ),
        (
            "import os\ndef ordered(items, reverse=False):\n    os._exit(0)",
            "case_0",
            "exit code 0",
            "ordered([3, 1, 2]): ended the process",
        ),
        ("def other():\n    pass", "case_0", "ordered", "ordered([3, 1, 2]): "),
        (f"import nothing_like_it\n{RIGHT}", "case_0", "nothing_like_it", "ordered([3, 1, 2]): "),
    ],
)
def test_wrong_programs(trials: Trials, program: str, case: str, reason: str, call: str) -> None:
    found = trials.try_(program)
    assert isinstance(found, Wrong)
    assert found.case.name == case
    assert reason in found.reason
    assert found.calls[-1].text("ordered").startswith(call)


@pytest.mark.parametrize(
    "program",
    [
        "class Any:\n    def __eq__(self, other):\n        return True\n"
        "def ordered(*args, **kwargs):\n    return Any()",
        "from unittest.mock import ANY\ndef ordered(*args, **kwargs):\n    return ANY",
        "class Any(list):\n    def __eq__(self, other):\n        return True\n"
        "def ordered(*args, **kwargs):\n    return Any()",
        "def ordered(*args, **kwargs):\n    return (one for one in ())",
        "import builtins\nbuiltins.AssertionError = ValueError\n"
        "def ordered(*args, **kwargs):\n    raise SystemExit(0)",
        "import sys\ndef ordered(*args, **kwargs):\n"
        "    text = open(sys.path[0] + '/tests/perftrace_cases.py').read()\n    return [1, 2, 3]",
    ],
)
def test_no_program_looks_right(trials: Trials, program: str) -> None:
    assert isinstance(trials.try_(program), Wrong)


def test_tests_and_programs_may_import_from_the_project_and_programs_not_read_its_tests(
    tmp_path: Path,
) -> None:
    (tmp_path / "units.py").write_text("INCH = 2.54\n")
    file = tmp_path / "test_it.py"
    file.write_text("from units import INCH\nassert inches(INCH) == 1\n")
    program = "from units import INCH\ndef inches(cm):\n    return cm / INCH\n"
    task = Task("inches", "", cases.read(file.read_text(), "inches"))
    with Trials(task, root=tmp_path, hidden=[file]) as made:
        made.require()
        assert isinstance(made.try_(program), Right)
        found = made.try_(program.replace("return", f"open({str(file)!r})\n    return"))
        assert isinstance(found, Wrong)
        assert "Permission" in found.calls[-1].text("inches")


def test_arguments_that_are_changed_in_place_are_changed_for_the_test() -> None:
    tests = cases.read(
        "def test_it():\n    items, named = [3, 1], {'a': 1}\n    order(items, into=named)\n"
        "    assert items == [1, 3]\n    assert named == {'a': 1, 'b': 2}\n"
    )
    with Trials(Task("order", "Sort in place.", tests)) as made:
        program = "def order(items, into):\n    items.sort()\n    into['b'] = 2\n"
        assert isinstance(made.try_(program), Right)
        assert isinstance(made.try_(program.replace("items.sort()", "sorted(items)")), Wrong)


def test_random_numbers_of_a_test_are_the_same_for_every_program() -> None:
    tests = cases.read(
        "from random import randint\n"
        "def test_it():\n    for _ in range(5):\n        n = randint(1, 10**9)\n"
        "        assert same(n) == n\n"
    )
    with Trials(Task("same", "Give it back.", tests)) as made:
        first = made.try_("def same(n):\n    return n\n")
        again = made.try_("def same(n):\n    return +n\n")
    assert isinstance(first, Right)
    assert isinstance(again, Right)
    assert [one.arguments for one in first.requests] == [one.arguments for one in again.requests]
    assert len({one.arguments for one in first.requests}) == 5


def test_a_call_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "LIMITS", replace(trial.LIMITS, wall_s=0.2))
    with Trials(Task("f", "", cases.read("assert f(1) == 1\n"))) as made:
        found = made.try_("def f(n):\n    while True:\n        pass\n")
        assert isinstance(found, Wrong)
        assert "took longer than 0.2 s" in found.reason
        assert isinstance(made.try_("def f(n):\n    return n\n"), Right)


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ("import nothing_like_it\nassert f(1) == 1\n", "can't be run: .*nothing_like_it"),
        ("assert f(UNKNOWN) == 1\n", "fails before it calls f: NameError.* in assert f"),
    ],
)
def test_tests_that_can_not_be_run_are_refused_before_anybody_is_asked(
    tests: str, said: str
) -> None:
    suite = cases.read(tests, "f")
    with Trials(Task("f", "", suite)) as made, pytest.raises(UsageError, match=said):
        made.require()


def test_tests_that_can_be_run(trials: Trials) -> None:
    trials.require()


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CannotError, match="does not start"):
        Trials(Task("f", "", cases.read("assert f(1) == 1\n")), tmp_path / "python")


def test_another_interpreter_has_its_own_modules(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    with Trials(Task("f", "", cases.read("assert f(1) == 1\n")), python) as made:
        made.require()
        assert isinstance(made.try_("import json\ndef f(n):\n    return n\n"), Right)
