"""Arguments outside the recorded types."""

import copy
import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from perftrace.replay.inside.outside import HUGE, outsiders


def made(calls: Sequence[list[Any]], bindings: Sequence[str] = ("either",)) -> list[list[Any]]:
    return list(outsiders([partial(copy.deepcopy, call) for call in calls], bindings))


def first(*values: Any) -> list[Any]:
    """What is made in the place of the only argument."""
    return [one[0] for one in made([[value] for value in values])]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[1, 2]], [None, (1, 2), [], 0, ""]),
        (["ab"], [None, "", b"ab", 0, []]),
        ([b"ab"], [None, b"", "ab", 0]),
        ([3], [None, -4, "3", 3.5, HUGE]),
        ([True], [None, "True", []]),
        ([{"a": 1, "b": 2}], [None, {}, [("a", 1), ("b", 2)], {"b": 2}, {"a": 1}]),
        ([[{"a": 1}]], [[{}], [None], [""]]),
        ([[1, 2]], [[None, 2], [[], 2], [-2, 2], [HUGE, 2]]),
        ([{"a": [1]}], [{"a": None}, {"a": (1,)}]),
    ],
)
def test_each_type_is_replaced_by_others(values: list[Any], expected: list[Any]) -> None:
    found = first(*values)
    for one in expected:
        assert one in found
    assert len(found) <= 20


def test_what_was_recorded_is_not_outside() -> None:
    found = first([1], [], None, (2,), [None], [-3])
    assert [] not in found
    assert None not in found
    assert (1,) not in found
    assert [None] not in found
    assert [-2] not in found
    assert [HUGE] in found


def test_not_a_number_and_infinity_are_outside_of_floats() -> None:
    found = first(1.5)
    assert any(type(one) is float and math.isnan(one) for one in found)
    assert math.inf in found


def test_a_missing_key_is_one_that_every_dict_had() -> None:
    found = first({"a": 1, "b": 2}, {"a": 3})
    assert {"b": 2} in found
    assert {"a": 1} not in found


def test_each_parameter_has_its_turn() -> None:
    found = made([[[1], "x"]], ["either", "keyword"])
    assert found[0] == [None, "x"]
    assert found[1] == [[1], None]


def test_the_tuple_of_a_star_stays_a_tuple() -> None:
    found = made([[(1, 2)]], ["star"])
    assert found
    assert {type(one) for (one,) in found} == {tuple}


class Thing:
    """An object of the program's own."""


def test_a_methods_own_object_is_left_alone() -> None:
    thing = Thing()
    found = list(outsiders([lambda: [thing, thing]], ["either", "either"]))
    assert found == [[thing, None]]


def test_without_calls_there_is_nothing() -> None:
    assert list(outsiders([], [])) == []
    assert made([[]], []) == []
