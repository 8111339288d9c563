"""Looking into values and changing them, running none of the program's code."""

from collections import OrderedDict, defaultdict, deque
from types import SimpleNamespace
from typing import Any

import pytest

from perftrace.replay.inside.spoil import MARK, spoil
from perftrace.replay.inside.within import DEEPEST, MOST, within
from perftrace.snapshot import encode


class Odd:
    """Whatever is asked of it is a mistake."""

    def __init__(self) -> None:
        object.__getattribute__(self, "__dict__")["rows"] = [1]

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)

    def __setattr__(self, name: str, value: object) -> None:
        raise AssertionError(name)


class Loud(dict[str, int]):
    def __setitem__(self, key: str, value: int) -> None:
        raise AssertionError

    def __iter__(self) -> Any:
        raise AssertionError


class Slotted:
    __slots__ = ("a",)


CYCLE: list[Any] = []
CYCLE.append(CYCLE)
VALUES: dict[str, tuple[Any, int]] = {
    "a list": ([1], 1),
    "lists in a list": ([[1], [[2]]], 4),
    "a list in a tuple": (([1], 2), 1),
    "a dict and what it holds": ({"a": [1]}, 2),
    "other dicts": ([defaultdict(list, a=[1]), OrderedDict(), Loud()], 5),
    "a set": ({1}, 1),
    "a deque": (deque([1]), 1),
    "bytes that can change": (bytearray(b"a"), 1),
    "an instance": (SimpleNamespace(), 0),  # made in C: its class is not the program's
    "an instance of the program's": (Odd(), 2),
    "a cycle": (CYCLE, 1),
    "an atom": (1, 0),
    "a tuple of atoms": ((1, "a"), 0),
    "a class": (Odd, 0),
    "an instance with slots alone": (Slotted(), 0),
}


@pytest.mark.parametrize("name", VALUES)
def test_each_container_within_is_changed(name: str) -> None:
    value, count = VALUES[name]
    before = encode(value, 10_000)[0]
    assert spoil(value, None) == count
    assert (encode(value, 10_000)[0] != before) == (count > 0)


def test_what_is_to_be_spared_is_left_alone() -> None:
    shared = [1]
    value = [shared, [2]]
    assert spoil(value, (shared,)) == 2
    assert value == [[1], [2, MARK], MARK]


def test_only_so_much_is_looked_at() -> None:
    deep: Any = []
    for _ in range(9):
        deep = [deep]
    assert len(list(within(deep))) == DEEPEST + 1
    assert len(list(within([[] for _ in range(9 * MOST)]))) == MOST
