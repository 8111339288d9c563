"""Comparing outcomes: what is compared with what, and how a difference is told."""

import collections
import copy
import dataclasses
import decimal
import enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perftrace.model import Ending
from perftrace.replay.compare import Different, Same, Unknown, canonical, compare
from perftrace.snapshot import encode
from perftrace.values import ListNode, Node, read

CAP = 1 << 22


def nodes(value: object) -> Node:
    return read(encode(value, CAP)[0])


def outcome(payload: object, after: object = None) -> Node:
    return nodes([payload, after])


def compared(a: object, b: object, **kwargs: object) -> Same | Different | Unknown:
    return compare(outcome(a), outcome(b), **kwargs)  # type: ignore[arg-type]


class Plain:
    def __init__(self, **attributes: object) -> None:
        self.__dict__.update(attributes)

    def method(self) -> None: ...


class OneSlot:
    __slots__ = "value"  # noqa: PLC0205 - a string is one slot

    def __init__(self, value: object) -> None:
        self.value = value


@dataclasses.dataclass
class Point:
    x: object
    y: object = dataclasses.field(default=0, compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    x: object


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Pair(collections.namedtuple("Pair", "a b")):
    __slots__ = ()


class Many(list[Any]):
    pass


def one_list_twice() -> list[object]:
    inner = [1]
    return [inner, inner]


# --- properties -------------------------------------------------------------------------------

atoms = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
others = (
    st.decimals(allow_nan=False)
    | st.datetimes()
    | st.sampled_from(Color)
    | st.fractions()
    | st.uuids()
)
keys = atoms | others | st.tuples(atoms, atoms) | st.frozensets(atoms, max_size=3)


def grow(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4)
        | st.sets(keys, max_size=4)
        | st.builds(Point, inner, inner)
        | st.builds(Frozen, inner)
        | st.builds(OneSlot, inner)
        | st.builds(Pair, inner, inner)
        | st.tuples(inner, inner)
    )


values = st.recursive(atoms | others, grow, max_leaves=20)


@given(values)
def test_any_value_is_the_same_as_its_copy(value: object) -> None:
    assert compared(value, copy.deepcopy(value)) == Same()
    assert canonical(nodes(value)) == canonical(nodes(copy.deepcopy(value)))


@given(st.lists(values, min_size=1, max_size=4), st.data())
def test_one_planted_edit_is_found_where_it_is(items: list[object], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(items) - 1))
    edited = copy.deepcopy(items)
    edited[at] = [edited[at]]
    found = compared(items, edited)
    assert isinstance(found, Different)
    assert found.where.startswith(f"result[{at}]")


@given(values, values)
def test_the_digest_agrees_with_the_comparison(a: object, b: object) -> None:
    same = compared(a, b) == Same()
    assert same == (canonical(nodes(a)) == canonical(nodes(b)))


# --- where and how a difference is told ---------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "where", "expected", "got"),
    [
        ({"total": 0.12}, {"total": decimal.Decimal("0.12")}, "['total']", "0.12 (float)", None),
        (1, True, "", "1 (int)", "True (bool)"),
        ([1, 2, 3], [9, 2], "[0]", "1", "9"),
        ([1, 2], [1, 2, 3], "[2]", "nothing", "3"),
        ([1, 2, 3], [1, 2], "[2]", "3", "nothing"),
        ({1, 2}, {1, 3}, "", "with 2", "without 2"),
        ({"a": 1}, {}, "['a']", "1", "nothing"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "", "keys in the order 'a', 'b'", None),
        (Plain(seen=[1]), Plain(seen=[2]), ".seen[0]", "1", "2"),
        (Plain(a=1), Plain(), ".a", "1", "nothing"),
        (Many([1]), Many([2]), "[0]", "1", "2"),
        (Pair(1, 2), Pair(1, 3), "[1]", "2", "3"),
        (one_list_twice(), [[1], [1]], "[0]", "the same object as result[1]", None),
        ("x" * 99 + "a", "x" * 99 + "b", "", "…'xxxxxxxxxxa' (from character 89)", None),
        (decimal.Decimal("1.0"), decimal.Decimal("1.00"), "", "Decimal('1.0')", None),
    ],
)
def test_a_difference_is_told_in_the_programs_own_words(
    a: object, b: object, where: str, expected: str, got: str | None
) -> None:
    found = compared(a, b)
    assert isinstance(found, Different)
    assert found.where == f"result{where}"
    assert found.expected == expected
    assert got is None or found.got == got


def test_an_exceptions_args_are_named() -> None:
    found = compared(ValueError("a"), ValueError("b"), ending=Ending.RAISED)
    assert found == Different("exception.args[0]", "'a'", "'b'")


def test_a_changed_argument_is_named_after_its_parameter() -> None:
    before, after = outcome(None, [[[1], 2], None]), outcome(None, [[[1], 3], None])
    assert compare(before, after, names=["rows", "key"]) == Different("rows[1]", "2", "3")


def test_a_result_that_is_no_longer_the_argument_is_a_difference() -> None:
    rows = [1]
    found = compare(outcome(rows, [rows]), outcome([1], [rows]), names=["rows"])
    assert found == Different("result", "the same object as rows", "another object than rows")
    found = compare(outcome([1], [rows]), outcome(rows, [rows]), names=["rows"])
    assert found == Different("result", "another object than rows", "the same object as rows")


def test_arguments_that_were_not_recorded_are_skipped() -> None:
    assert compare(outcome(1), outcome(1, [[1]])) == Same()
    assert compare(outcome(1, [None, [1]]), outcome(1, [[5], [1]])) == Same()


def test_arguments_that_the_replay_did_not_record_are_unknown() -> None:
    assert isinstance(compare(outcome(1, [[1]]), outcome(1), names=["rows"]), Unknown)
    found = compare(outcome(1, [[1]]), outcome(1, [None]), names=["rows"])
    assert found == Unknown("rows", "how the replay left it was not recorded")


def test_a_module_may_go_by_two_names() -> None:
    ours = nodes([Plain(a=1), None])
    name = Plain.__module__
    Plain.__module__ = "__main__"
    try:
        import sys

        sys.modules["__main__"].Plain = Plain  # type: ignore[attr-defined]
        theirs = nodes([Plain(a=1), None])
    finally:
        Plain.__module__ = name
        del sys.modules["__main__"].Plain
    assert isinstance(compare(theirs, ours), Different)
    assert compare(theirs, ours, aliases={"__main__": name}) == Same()


# --- parts that were not recorded ---------------------------------------------------------------


def test_a_part_that_was_not_recorded_is_never_equal() -> None:
    view = memoryview(b"a")
    found = compared(view, view)
    assert isinstance(found, Unknown)
    assert "memoryview" in found.reason


def test_a_difference_counts_more_than_what_is_unknown() -> None:
    view = memoryview(b"a")
    assert isinstance(compared([view, 1], [view, 2]), Different)


def test_a_value_of_another_type_than_an_unrecorded_one_differs() -> None:
    assert isinstance(compared(iter([1]), [1]), Different)
    assert isinstance(compared((i for i in "a"), iter([1])), Different)


# --- generators ---------------------------------------------------------------------------------


def yielded(*items: object, how: str = "returned", final: object = None) -> Node:
    return outcome([[encode(item, CAP)[0] for item in items], how, final])


@pytest.mark.parametrize(
    ("expected", "got", "found"),
    [
        (yielded(1, 2), yielded(1, 2), Same()),
        (yielded(1, 2), yielded(1, 3), Different("result[1]", "2", "3")),
        (yielded(1, 2), yielded(1), Different("result[1]", "2", "yielded nothing")),
        (yielded(1), yielded(1, 2), Different("result[1]", "yielded nothing", "2")),
        (yielded(1, final=5), yielded(1, final=6), Different("returned value", "5", "6")),
        (yielded(1, how="suspended"), yielded(1, 2, how="truncated"), Same()),
        (yielded(1, how="truncated"), yielded(1, 2, 3), Same()),
        (
            yielded(1),
            yielded(1, how="raised", final=ValueError()),
            Different("result", "returned after 1 items", "raised after 1 items"),
        ),
        (
            yielded(how="raised", final=ValueError("a")),
            yielded(how="raised", final=ValueError("b")),
            Different("exception.args[0]", "'a'", "'b'"),
        ),
        (
            yielded(1),
            yielded(1, how="suspended"),
            Unknown("result", "the replay was suspended, so its end is not known"),
        ),
    ],
)
def test_a_generator_is_compared_item_by_item(expected: Node, got: Node, found: object) -> None:
    assert compare(expected, got, ending=Ending.YIELDED) == found


# --- large, deep and hostile values -------------------------------------------------------------


def test_shared_tuples_do_not_blow_up() -> None:
    value: object = [1]
    for _ in range(80):
        value = (value, value)
    assert compared(value, value) == Same()
    assert canonical(nodes(value)) == canonical(nodes(value))


def test_sets_of_objects_that_hold_sets_end() -> None:
    people = [Plain(name=i, friends=set()) for i in range(60)]
    for i, person in enumerate(people):
        person.friends.update(people[i - 5 : i])  # type: ignore[attr-defined]
    assert compared(people, people) == Same()


def test_deep_nesting_is_walked() -> None:
    value: list[object] = []
    for _ in range(300):
        value = [value]
    assert compared(value, value) == Same()
    node: Node = ListNode([])
    for _ in range(50_000):
        node = ListNode([node])
    assert compare(ListNode([node, None]), ListNode([node, None])) == Same()
    assert len(canonical(node)) == 16


def test_what_is_not_laid_out_as_an_outcome_is_unknown() -> None:
    assert isinstance(compare(nodes(1), nodes(1)), Unknown)
    assert isinstance(compare(nodes([1]), nodes([1])), Unknown)
    assert isinstance(compare(outcome(1), outcome(1), ending=Ending.YIELDED), Unknown)
    items = outcome([[b"junk"], "returned", None])
    assert isinstance(compare(items, items, ending=Ending.YIELDED), Unknown)
