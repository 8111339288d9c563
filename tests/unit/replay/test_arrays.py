"""Which arrays share memory."""

from typing import Any

import pytest

from perftrace.replay.inside.arrays import sharing
from perftrace.replay.inside.spoil import spoil

np: Any = pytest.importorskip("numpy", reason="numpy is not installed")
FIRST, ARGUMENT = "array 1 of the result", "array 1 of the arguments"


def rows() -> Any:
    return np.arange(12.0).reshape(3, 4)


def test_a_view_of_an_argument_is_told_and_a_copy_is_not() -> None:
    for view in (rows().T, rows()[::-1, ::-1], rows()[1:], rows().view("int64"), rows().ravel()):
        base = view if view.base is None else view.base
        assert sharing({"a": view}, [base]) == [[FIRST, ARGUMENT]]
        assert sharing({"a": view.copy()}, [base]) == []


def test_the_same_array_is_left_to_the_comparison() -> None:
    array = rows()
    assert sharing(array, [array, array]) == []


def test_halves_of_one_array_share_nothing() -> None:
    array = rows()
    assert sharing([array[:1], array[1:]], []) == []
    assert len(sharing([array[:2], array[1:]], [])) == 1


def test_an_array_is_changed_where_it_can_be() -> None:
    array, zeros, fixed = rows(), np.zeros(3), rows()
    fixed.flags.writeable = False
    assert spoil([array, zeros, fixed, np.array([None, 1])], ()) == 3
    assert not array.any()
    assert zeros.all()
    assert fixed[2, 3] == 11
