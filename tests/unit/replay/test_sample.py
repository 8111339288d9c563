import dataclasses
import pickle
from pathlib import Path

import pytest

from perftrace.model import Call, Ending, Function, Kind, Outcome, Recorded, Unrecorded
from perftrace.replay.sample import Seen, choose, look, shape_of, tell_most
from perftrace.store import Store
from perftrace.values import read

FUNCTION = Function(1, "/app.py", "f", 1, "app", Kind.FUNCTION, ())


def seen(
    number: int,
    *,
    digest: str = "",
    shape: str = "int",
    error: str = "",
    lines: set[int] | None = None,
    ending: Ending = Ending.RETURNED,
    size: int = 10,
    duration: int | None = 100,
) -> Seen:
    arguments = Recorded((digest or str(number)).encode(), size, 0)
    outcome = Outcome(ending, Unrecorded("not needed"))
    call = Call(number, FUNCTION, 1, 1, None, arguments, outcome, number, duration)
    return Seen(call, shape, error, frozenset(lines or ()))


def ids(calls: list[Seen], limit: int = 24) -> list[int]:
    return [chosen.call.id for chosen in tell_most(calls, limit)]


def whys(calls: list[Seen]) -> dict[int, str]:
    return {chosen.call.id: chosen.why for chosen in tell_most(calls)}


def test_calls_with_the_same_arguments_count_once() -> None:
    assert ids([seen(1, digest="a"), seen(2, digest="a"), seen(3, digest="b")]) == [1, 3]


def test_of_equal_calls_one_whose_end_was_seen_is_taken() -> None:
    assert ids([seen(1, digest="a", ending=Ending.UNKNOWN), seen(2, digest="a")]) == [2]


def test_calls_without_arguments_are_never_taken() -> None:
    one = seen(1)
    lost = dataclasses.replace(one, call=dataclasses.replace(one.call, arguments=Unrecorded("big")))
    assert ids([lost, seen(2)]) == [2]


def test_new_lines_come_first_the_most_at_once() -> None:
    calls = [
        seen(1, lines={1}),
        seen(2, lines={1, 2, 3}),
        seen(3, lines={2, 9}),
        seen(4, lines={3}),
    ]
    assert ids(calls)[:2] == [2, 3]
    assert whys(calls)[2] == "runs 3 lines that none before it does"


def test_each_ending_and_each_shape_is_represented() -> None:
    calls = [
        *(seen(number) for number in range(1, 50)),
        seen(50, ending=Ending.RAISED, error="ValueError"),
        seen(51, ending=Ending.RAISED, error="KeyError"),
        seen(52, shape="str"),
    ]
    assert {50, 51, 52} <= set(ids(calls, 5))
    assert whys(calls)[50] == "raised ValueError"
    assert whys(calls)[52] == "takes str"


def test_the_slowest_and_the_largest_are_taken() -> None:
    calls = [seen(n) for n in range(1, 30)]
    calls += [seen(30, duration=9999), seen(31, size=5000), seen(32, duration=None)]
    assert whys(calls)[30] == "the slowest"
    assert whys(calls)[31] == "the largest"


def test_the_rest_is_spread_over_the_run() -> None:
    chosen = ids([seen(n) for n in range(1, 101)], 12)
    assert len(chosen) == 12
    rest = chosen[3:]
    assert rest == sorted(rest)
    assert rest[0] < 20
    assert rest[-1] > 80


@pytest.mark.parametrize("limit", [0, 1, 2, 5])
def test_the_limit_holds_and_the_choice_is_deterministic(limit: int) -> None:
    calls = [seen(n, shape=str(n % 7), lines={n % 3}) for n in range(40)]
    assert ids(calls, limit) == ids(list(reversed(calls)), limit)
    assert len(ids(calls, limit)) == limit


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (1, "int"),
        ([], "list[]"),
        ([1, "a", None], "list[NoneType | int | str]"),
        ({"a": [1.5]}, "dict[str, list[float]]"),
        ((1, "a"), "tuple[int, str]"),
        ((1,) * 9, "tuple[int]"),
        ({1, 2}, "set[int]"),
        ([[[[1]]]], "list[list[list[list]]]"),
    ],
)
def test_a_shape_is_the_exact_types(value: object, shape: str) -> None:
    assert shape_of(read(pickle.dumps(value, 5))) == shape


def test_calls_are_looked_up_in_the_trace(tmp_path: Path) -> None:
    with Store.open_to_write(tmp_path / "trace.db") as store:
        values = [[1, ["a"]], [2, ["a"]], [3, []]]
        calls = []
        for number, arguments in enumerate(values):
            blob = pickle.dumps(arguments, 5)
            value = Recorded(store.add_value(blob, 0), len(blob), 0)
            call = seen(number).call
            calls.append(dataclasses.replace(call, arguments=value))
        assert look(store, calls[0]).shape == "int, list[str]"
        assert {call.id for call in choose(store, calls, 2)} == {0, 2}


def noticing(number: int, *mistakes: int, size: int = 10) -> Seen:
    return dataclasses.replace(seen(number, size=size), notices=frozenset(mistakes))


def test_what_notices_most_mistakes_that_no_other_does_is_taken() -> None:
    calls = [noticing(1, 1, 2), noticing(2, 1), noticing(3, 3), noticing(4, 2, 3, 4)]
    assert ids(calls, 3) == [1, 4, 2]  # the first of its shape; what adds two; the slowest
    assert whys(calls)[4] == "notices 2 small mistakes that none before it does"


def test_where_it_is_known_what_calls_notice_a_few_are_enough() -> None:
    assert len(ids([noticing(number, 1) for number in range(20)], 12)) == 6
    assert len(ids([noticing(number, number) for number in range(20)], 12)) == 12
    assert len(ids([seen(number) for number in range(20)], 12)) == 12
