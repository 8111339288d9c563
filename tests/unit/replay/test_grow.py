"""Arguments at four times their size."""

import copy
from functools import partial
from typing import Any

import pytest

from perftrace.replay.inside.grow import grown

LINES = "one line\nanother line\n"


def made(*values: Any) -> list[list[Any]]:
    return list(grown([partial(copy.deepcopy, list(values))]))


def both(value: Any) -> tuple[Any, Any]:
    """The value repeated, and with different parts."""
    [[same], [other]] = made(value)
    return same, other


@pytest.mark.parametrize("value", [[1, 2, 3], ["a", "b7"], list(range(9)), [[1], [2]]])
def test_lists_are_four_times_as_long(value: list[Any]) -> None:
    same, other = both(value)
    assert same == value * 4
    assert len(other) == 4 * len(value)
    assert other[: len(value)] == value


def test_different_parts_are_different() -> None:
    _, other = both([f"code {one}" for one in range(10)])
    assert len(set(other)) == 40
    assert all(type(one) is str and one.startswith("code ") for one in other)


def test_equal_values_become_equal_ones() -> None:
    [_, [orders, known]] = made(["a1", "b2", "a1"], ["b2", "c3"])
    assert len(orders) == 12
    assert len(set(orders) & set(known)) == 4


def test_copies_are_objects_of_their_own() -> None:
    same, _ = both([[1]])
    assert len({id(one) for one in same}) == 4


def test_tables_and_sets_get_other_keys() -> None:
    table = {f"k{one}": one for one in range(20)}
    assert len(both(table)[0]) == 80
    assert len(both({1, 2, 3})[0]) == 12


def test_records_keep_their_places() -> None:
    same, _ = both({"name": "x", "rows": [1, 2]})
    assert same == {"name": "x", "rows": [1, 2] * 4}
    same, _ = both(("x", 3, [1, 2]))
    assert same == ("x", 3, [1, 2] * 4)


def test_long_texts_are_repeated() -> None:
    assert made(LINES)[0] == [LINES * 4]
    assert made("name", [1])[0] == ["name", [1] * 4]


def test_where_nothing_else_has_a_size_numbers_and_short_texts_may_be_one() -> None:
    assert made(7, 0.5) == [[28, 0.5]]
    assert made("abc", None) == [["abc" * 4, None]]
    assert made(0.5, None, True) == []
    assert made(10**9) == []
