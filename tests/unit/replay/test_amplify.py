"""Variants of recorded arguments: the same types, other values, the same for the same seed."""

import copy
import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from perftrace.replay.inside.amplify import Amplifier, shrunk


def variants(*calls: Callable[[], list[Any]], count: int = 200, seed: int = 1) -> list[list[Any]]:
    return list(Amplifier(calls, seed).variants(count))


def types_in(value: Any) -> set[type]:
    match value:
        case dict():
            return {dict}.union(*(types_in(part) for pair in value.items() for part in pair))
        case list() | tuple() | set() | frozenset():
            return {type(value)}.union(*map(types_in, value))
        case _:
            return {type(value)}


@pytest.mark.parametrize(
    "value",
    [
        True,
        7,
        2.5,
        "a b",
        b"xy",
        [1, 2, 3],
        (1, "a", 2.0),
        {"a": 1, "b": [2, 3]},
        {"a", "b"},
        frozenset({1, 2}),
        [("a", 1), ("b", 2)],
    ],
    ids=lambda value: type(value).__name__,
)
def test_types_stay_and_values_differ(value: Any) -> None:
    found = variants(lambda: [copy.deepcopy(value), 1])
    assert all(type(one[0]) is type(value) and type(one[1]) is int for one in found)
    assert all(types_in(one) <= types_in([value, 1]) for one in found)
    assert len({repr(one[0]) for one in found}) > (1 if value is True else 5)


def test_the_same_seed_gives_the_same_variants() -> None:
    def call() -> list[Any]:
        return [["a", "b"], {"k": {1, 2, 3}}, 2.0]

    assert variants(call) == variants(call)
    assert variants(call) != variants(call, seed=2)


def test_arguments_are_exchanged_between_calls_and_their_parts_too() -> None:
    found = variants(lambda: [["a"], 1], lambda: [["b", "c"], 2])
    assert [["b", "c"], 1] in found
    assert any(one[0] == ["c"] for one in found)


class Own:
    def __init__(self, items: list[int]) -> None:
        self.items = items

    def __eq__(self, other: object) -> bool:
        raise AssertionError("the program's own code must not run")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise AssertionError("the program's own code must not run")


def test_objects_of_the_programs_own_are_left_as_they_are() -> None:
    kept = [Own([1, 2])]
    found = variants(lambda: [kept[0], 5])
    assert all(one[0] is kept[0] for one in found)
    assert kept[0].items == [1, 2]
    assert len({one[1] for one in found}) > 3


class Named:
    """Hashable, and its `repr` must not be asked for."""

    def __repr__(self) -> str:
        raise AssertionError("the program's own code must not run")


def test_a_set_of_such_objects_is_left_as_it_is() -> None:
    held = {Named(), Named()}
    assert all(one[0] == held and len(held) == 2 for one in variants(lambda: [held, 1]))


def test_what_shares_a_container_sees_it_change() -> None:
    def call() -> list[Any]:
        rows = [1, 2, 3]
        return [rows, {"rows": rows}]

    changed = [one for one in variants(call) if one[0] != [1, 2, 3] and one[1].get("rows")]
    assert any(one[1]["rows"] is one[0] for one in changed)


def test_bounds_are_tried() -> None:
    found = variants(lambda: [[1, 2, 3], "text", 5, 0.5])
    assert any(one[0] == [] for one in found)
    assert any(one[1] == "" for one in found)
    assert {0, 1, -1} <= {one[2] for one in found}
    assert any(one[3] == 0 and math.copysign(1, one[3]) < 0 for one in found)
    assert any(len(one[0]) == 12 for one in found)


def test_sizes_stay_moderate() -> None:
    found = variants(lambda: [list(range(3000)), "x" * 3000, 10**6])
    assert max(len(one[0]) for one in found) <= 3001
    # each of two changes at most doubles it, with a character at either end
    assert max(len(one[1]) for one in found) <= 2 * (2 * 3000 + 2) + 2
    assert max(abs(one[2]) for one in found) <= 4 * 10**6


def test_a_call_without_arguments_has_no_variants() -> None:
    assert variants(list) == []


def test_large_arguments_are_shrunk_through_all_containers() -> None:
    value = [
        list(range(1000)),
        dict.fromkeys(range(100), "x" * 500),
        (("a" * 300,) * 50,),
        {*range(99)},
    ]
    small = shrunk(value, random.Random(1))
    assert len(small[0]) <= 12
    assert len(small[1]) <= 12
    assert {len(text) for text in small[1].values()} == {200}
    assert len(small[2][0]) <= 12
    assert len(small[3]) <= 12
    assert types_in(small) == types_in([*value])
    assert small[0] == list(range(small[0][0], small[0][-1] + 1))


def test_dictionaries_in_a_row_with_the_same_keys_are_records_and_keep_them() -> None:
    rows = [{"sku": "a", "size": {"x": 1, "y": 2}}, {"sku": "b", "size": {"x": 3, "y": 4}}]
    found = variants(lambda: [copy.deepcopy(rows), 1])
    changed = [row for one in found for row in one[0]]
    assert {tuple(row) for row in changed} == {("sku", "size")}
    assert {tuple(row["size"]) for row in changed} == {("x", "y")}
    assert len({row["sku"] for row in changed}) > 5
    assert len({row["size"]["y"] for row in changed}) > 5


@pytest.mark.parametrize(
    "value",
    [{"a": 1, "b": 2, "c": 3}, [{"a": 1, "b": 2}, {"a": 1}], [{1: 2, 3: 4}, {1: 5, 3: 6}]],
    ids=["one alone", "other keys beside it", "keys that are no names"],
)
def test_keys_of_other_dictionaries_come_and_go(value: Any) -> None:
    found = variants(lambda: [copy.deepcopy(value)])
    dicts = [one for made in found for one in (made[0] if type(value) is list else made)]
    assert len({tuple(one) for one in dicts}) > 3


def test_a_part_that_is_there_twice_is_a_copy() -> None:
    found = variants(lambda: [[[number] for number in range(9)]])
    doubled = [one[0] for one in found if len({repr(part) for part in one[0]}) < len(one[0])]
    assert len(doubled) > 10
    assert all(len({id(part) for part in made}) == len(made) for made in doubled)


def test_what_was_one_object_in_the_call_stays_one() -> None:
    def call() -> list[Any]:
        row = [1, 2]
        return [[row, row, [3]]]

    assert any(len(one[0]) > 1 and one[0][0] is one[0][1] for one in variants(call))


def test_objects_of_the_programs_own_are_not_copied() -> None:
    kept = Own([1])
    found = variants(lambda: [[[kept], [kept]]])
    assert all(part is kept for one in found for row in one[0] for part in row)


def test_lists_of_one_part_and_of_two_are_tried() -> None:
    sizes = [len(one[0]) for one in variants(lambda: [list(range(40))])]
    assert sizes.count(1) >= 5
    assert sizes.count(2) >= 5
    assert sizes.count(0) >= 1


def test_numbers_lie_anywhere_up_to_twice_the_recorded_one() -> None:
    found = variants(lambda: [100, 0.5, -40])
    for place, low, high in ((0, 0, 200), (1, 0.0, 1.0), (2, -80, 0)):
        assert len({one[place] for one in found if low <= one[place] <= high}) >= 15
    assert all(type(one[place]) is kind for one in found for place, kind in ((0, int), (1, float)))


def test_integers_too_large_for_a_float_are_varied_too() -> None:
    assert len({one[0] for one in variants(lambda: [7**900])}) > 8
