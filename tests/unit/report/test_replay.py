"""What `perftrace replay --write` says of new tests."""

from pathlib import Path

from perftrace.model import Function, Kind
from perftrace.replay.author import Coverage, Covered, Reached, Uncovered
from perftrace.replay.files import Folder
from perftrace.replay.subjects import CLASS_BODY, MODULE_CODE, TEST_ITSELF
from perftrace.report import replay


def test_slow_tests_are_told_the_slowest_first() -> None:
    spent = {("till", "test_a"): 0.9, ("till", "test_b"): 1.0, ("work", "test_main"): 8.04}
    assert list(replay.slow(spent)) == [
        "work: test_main takes 8.0 s, as the recorded call did",
        "till: test_b takes 1.0 s, as the recorded call did",
    ]


def function(number: int) -> Function:
    return Function(number, "shop.py", f"f{number}", 1, "shop", Kind.FUNCTION, ())


def said(coverage: list[Coverage]) -> list[str]:
    names = {one.function.id: one.function.qualname for one in coverage}
    return list(replay.summary([], coverage, names, Folder(Path(), Path("tests"))))


def test_what_has_no_test_is_listed_and_what_never_has_one_is_counted() -> None:
    reasons = [MODULE_CODE, "over 4 KiB", TEST_ITSELF, CLASS_BODY, TEST_ITSELF]
    gaps = [Uncovered(function(number), reason) for number, reason in enumerate(reasons)]
    assert said([Covered(function(7), 2), Reached(function(8), "shop:f7"), *gaps]) == [
        "1 functions have tests, 1 more are run by them",
        "  f8 via shop:f7",
        "1 have none:",
        "  f1: over 4 KiB",
        "2 without one: part of a test itself",
        "1 without one: the code of a module: runs on import",
        "1 without one: the body of a class: runs on import",
    ]


def test_long_lists_are_cut() -> None:
    lines = said([Uncovered(function(number), "over 4 KiB") for number in range(60)])
    assert lines[1] == "60 have none:"
    assert lines[-1] == "  and 35 more: --json lists all"
    assert len(lines) == 2 + 25 + 1
