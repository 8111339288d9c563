"""Which functions of a trace differ between two revisions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perftrace.cli.compare import exit_code
from perftrace.model import Evidence, Inconclusive, Measurement, Rejected, Witness
from perftrace.optimizer.changes import Change, Changes, Files, find
from perftrace.optimizer.compare import Compared, NotReplayable, Outcome, Result, speed_word
from perftrace.optimizer.measure import NotMeasured
from perftrace.optimizer.whole_program import Comparison, NotCompared, OutputChanged
from perftrace.replay import recorded

OLD = """RATE = 2


def f(x):
    return x * RATE


def g(x):
    return f(x) + 1


def h(x):
    return x
"""
NAMES = {"f": ["x"], "g": ["x"], "h": ["x"]}

type Make = Callable[..., Any]


def between(lab: Any, old: str | None, new: str | None, **more: str | None) -> Changes:
    """The changes of `app.py`, and of files named by `more` that are new."""
    root = lab.file.parent
    olds = {str(lab.file): old, **{str(root / f"{name}.py"): None for name in more}}
    news = {str(lab.file): new, **{str(root / f"{name}.py"): text for name, text in more.items()}}
    changed = {path for path in olds if olds[path] != news[path]}
    files = Files(
        old={path: olds[path] for path in sorted(changed)},
        new={path: news[path] for path in sorted(changed)},
        overlays=(olds, news),
        root=root,
        others=(),
        unreadable=(),
    )
    functions = [lab.function(name) for name in lab.ids]
    return find(lab.store, functions, files, ("HEAD", "WORKTREE"))


def named(changes: Changes) -> dict[str, str]:
    return {one.function.qualname: one.what for one in changes.listed}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", {}),
        ("# a comment\n", "", {}),
        ("return x\n", "return +x\n", {"h": "changed"}),
        ("RATE = 2", "RATE = 3", {"f": "uses RATE, which changed"}),
        ("def h(x)", "def k(x)", {"h": "renamed to k"}),
        ("\n\ndef h(x):\n    return x\n", "", {"h": "deleted"}),
        ("RATE = 2", "RATE = 2\nprint()", dict.fromkeys("fgh", "its module runs other code")),
    ],
)
def test_what_differs_is_said_of_each_function(
    make_lab: Make, old: str, new: str, expected: dict[str, str]
) -> None:
    lab = make_lab(OLD, NAMES)
    found = named(between(lab, OLD, OLD.replace(old, new, 1) if old else OLD))
    assert found.keys() == expected.keys()
    assert all(found[name].startswith(what) for name, what in expected.items())


def test_a_function_in_another_file_now_is_called_there(make_lab: Make) -> None:
    lab = make_lab(OLD, NAMES)
    moved = "def h(x):\n    return x\n"
    changes = between(lab, OLD, OLD.replace(moved, ""), other=f"import os\n\n\n{moved}")
    assert named(changes) == {"h": "moved to other.py:h"}
    here = changes.new.targets[recorded.target(lab.store, lab.function("h"))]
    assert here.target is not None
    assert (Path(here.target.file).name, here.target.module) == ("other.py", "other")
    assert (here.target.line, here.refused) == (4, "")


def test_other_parameters_refuse_the_recorded_calls_in_both_revisions(make_lab: Make) -> None:
    lab = make_lab(OLD, NAMES)
    changes = between(lab, OLD, OLD.replace("def h(x):", "def h(x, y):"))
    target = recorded.target(lab.store, lab.function("h"))
    for revision in (changes.old, changes.new):
        assert revision.targets[target].refused.startswith("its parameters changed")


def test_only_what_is_recorded_is_compared_with_the_recording(make_lab: Make) -> None:
    lab = make_lab(OLD, NAMES)
    other = OLD.replace("RATE = 2", "RATE = 3")
    assert between(lab, OLD, other).old.as_recorded
    assert not between(lab, other, OLD).old.as_recorded


def test_changed_definitions_without_calls_are_named(make_lab: Make) -> None:
    lab = make_lab(OLD, {"f": ["x"]})
    changes = between(lab, OLD, OLD.replace("return x\n", "return -x\n"))
    assert (changes.untraced, changes.listed) == (("app.py:h",), ())
    assert changes.unshared == frozenset()


def test_names_of_one_revision_alone_are_known(make_lab: Make) -> None:
    lab = make_lab(OLD, NAMES)
    changes = between(lab, OLD, OLD.replace("RATE", "FEE"))
    assert changes.unshared == {"RATE", "FEE"}


# --- exit codes -----------------------------------------------------------------------------

SLOW = Measurement(0.8, 0.78, 0.82, 9, 1e-6, 1e-6, "cpu")
NO_RUN = NotCompared("not asked for")
WITNESS = Witness(1, "f(1)", "result", "1", "2")


def result(make_lab: Make, outcome: Outcome, callers: tuple[Witness, ...] = ()) -> Result:
    function = make_lab(OLD, {"f": ["x"]}).function()
    return Result(Change(function, "", "changed", None, None), outcome, (), callers)


@pytest.mark.parametrize(
    ("outcome", "whole", "slower_fails", "code"),
    [
        (Compared(Evidence(1, 1, 0), SLOW), NO_RUN, False, 0),
        (Compared(Evidence(1, 1, 0), SLOW), NO_RUN, True, 1),
        (Compared(Evidence(1, 1, 0), NotMeasured("why")), NO_RUN, True, 0),
        (Compared(Evidence(1, 1, 0), SLOW), OutputChanged(1, "a", "b"), False, 1),
        (Rejected("differs", WITNESS), NO_RUN, False, 1),
        (Inconclusive("why"), NO_RUN, False, 3),
        (NotReplayable("why"), NO_RUN, False, 3),
    ],
)
def test_the_exit_code_says_what_was_found(
    make_lab: Make,
    outcome: Outcome,
    whole: Comparison,
    slower_fails: bool,
    code: int,
) -> None:
    assert exit_code([result(make_lab, outcome)], whole, slower_fails=slower_fails) == code


def test_a_caller_that_differs_is_a_difference(make_lab: Make) -> None:
    found = result(make_lab, Compared(Evidence(1, 1, 0), SLOW), (WITNESS,))
    assert exit_code([found], NO_RUN, slower_fails=False) == 1


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(1.02, 1.1, "faster"), (1.005, 1.02, "same"), (0.98, 0.995, "same"), (0.7, 0.98, "slower")],
)
def test_a_change_of_speed_is_one_that_the_whole_interval_shows(
    low: float, high: float, word: str
) -> None:
    assert speed_word(Measurement(1.0, low, high, 9, 1e-6, 1e-6, "cpu")) == word
