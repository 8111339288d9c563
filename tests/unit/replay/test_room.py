"""The order in which tests get into a file that may get full."""

from perftrace.replay import emit
from perftrace.replay.room import LARGEST, most_telling, room


def order(names: tuple[str, ...], gains: dict[str, int], sizes: dict[str, int]) -> list[str]:
    drafts = [emit.Test(name[0], name, "x" * sizes.get(name, 10)) for name in names]
    return [test.name for test in most_telling(drafts, gains)]


def test_each_function_has_its_first_test_before_any_has_its_second() -> None:
    names = ("a1", "a2", "a3", "b1", "c1", "c2")
    assert order(names, {}, {}) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_small_first_tests_come_before_large_ones() -> None:
    names = ("a1", "a2", "b1", "c1")
    assert order(names, {}, {"a1": 99, "b1": 50}) == ["c1", "b1", "a1", "a2"]


def test_those_that_notice_more_for_their_size_come_next() -> None:
    names = ("a1", "a2", "a3", "b1", "b2", "c1", "c2")
    gains = {"a1": 9, "a2": 1, "a3": 1, "b2": 3, "c2": 4}
    assert order(names, gains, {}) == ["a1", "b1", "c1", "c2", "b2", "a2", "a3"]
    assert order(names, gains, {"c2": 100}) == ["a1", "b1", "c1", "b2", "a2", "a3", "c2"]


def test_a_file_with_many_functions_may_be_larger() -> None:
    assert room(["a"]) == LARGEST
    assert room([f"f{n}" for n in range(100)]) == 300 * 1024
