"""Tests of what recorded calls say."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from perftrace import values
from perftrace.model import (
    Binding,
    Call,
    Ending,
    Function,
    Kind,
    Outcome,
    Parameter,
    Recorded,
    Unrecorded,
)
from perftrace.optimizer.facts import CALLS, NOTHING, Lengths, describe, gather, observe
from perftrace.optimizer.shapes import FLOAT, INT, NONE, STR, Shape, common, items_of, join
from perftrace.snapshot import encode
from perftrace.store import Store

F = Function(
    1,
    "/m.py",
    "f",
    1,
    "m",
    Kind.FUNCTION,
    (Parameter("xs", Binding.EITHER), Parameter("n", Binding.EITHER)),
)


INTS = Shape.of("list", items=INT)


class Blobs(Store):
    """A store that holds values only."""

    def __init__(self) -> None:
        self.blobs: dict[bytes, bytes] = {}

    def blob(self, value: Recorded) -> bytes:
        return self.blobs[value.digest]

    def value(self, thing: object) -> Recorded:
        data, opaque = encode(thing, 100_000)
        self.blobs[data] = data
        return Recorded(data, len(data), opaque)

    def call(
        self,
        arguments: Sequence[object],
        payload: object = None,
        after: object = None,
        ending: Ending = Ending.RETURNED,
    ) -> Call:
        outcome = Outcome(ending, self.value([payload, after]))
        return Call(1, F, 1, 1, None, self.value(list(arguments)), outcome, 0, 1)


def test_types_lengths_results_and_repeats_are_gathered() -> None:
    store = Blobs()
    calls = [
        store.call(([1, 2], 3), "a"),
        store.call(([1, 2], 3), "a"),
        store.call(([], None), "b"),
    ]
    facts = gather(store, F, calls)
    assert (facts.calls, facts.distinct) == (3, 2)
    assert facts.repeat_rate == pytest.approx(1 / 3)
    assert facts.parameters["xs"].types == {"list": 3}
    assert facts.parameters["xs"].elements == {"int"}
    assert facts.parameters["xs"].lengths == Lengths(0, 2, 2)
    assert facts.parameters["n"].types == {"int": 2, "NoneType": 1}
    assert facts.shape("n") == join(INT, NONE)
    assert facts.result == STR
    assert not facts.parameters["xs"].hashable
    assert facts.parameters["n"].hashable


def test_exceptions_are_counted_by_type() -> None:
    store = Blobs()
    calls = [store.call(([], 1), ValueError("no"), ending=Ending.RAISED), store.call(([], 1), 2)]
    facts = gather(store, F, calls)
    assert facts.exceptions == {"ValueError": 1}
    assert facts.result == INT


def test_calls_with_parts_that_are_not_recorded_are_not_repeats() -> None:
    store = Blobs()
    calls = [store.call(((i for i in [1]), 3)) for _ in range(3)]  # a generator is not recorded
    assert [call.arguments for call in calls[1:]] == [calls[0].arguments] * 2
    numbered = [replace(call, id=number) for number, call in enumerate(calls)]
    assert gather(store, F, numbered).repeat_rate == 0


def test_calls_without_a_gap_are_enough_where_there_are_some() -> None:
    store = Blobs()
    gap, whole = store.call(((i for i in [1]), 3)), store.call(([1], 3))
    assert gather(store, F, [gap, whole, gap]).parameters["xs"].types == {"list": 1}
    assert gather(store, F, [gap]).parameters["xs"].types == {"generator": 1}


def test_arguments_may_be_nested_deeply() -> None:
    store = Blobs()
    deep: list[object] = []
    for _ in range(300):
        deep = [deep, deep]
    facts = gather(store, F, [store.call((deep, 1), after=[deep, None])])
    assert not facts.parameters["xs"].mutated
    before, after = values.ListNode([]), values.ListNode([])
    for _ in range(100_000):
        before, after = values.ListNode([before]), values.ListNode([after])
    assert not observe([before], [after]).mutated
    assert observe([before], [values.ListNode([after])]).mutated


def test_changed_arguments_are_noticed() -> None:
    store = Blobs()
    same, changed = ([[1, 2], None]), ([[1, 2, 3], None])
    assert not gather(store, F, [store.call(([1, 2], 3), after=same)]).parameters["xs"].mutated
    assert gather(store, F, [store.call(([1, 2], 3), after=changed)]).parameters["xs"].mutated


def test_calls_without_arguments_are_left_out() -> None:
    store = Blobs()
    call = store.call(([1], 2))
    bare = Call(
        2, F, 1, 1, None, Unrecorded("too big"), Outcome(Ending.UNKNOWN, Unrecorded("")), 0, 1
    )
    assert gather(store, F, [bare, call]).calls == 1


def test_a_bounded_number_of_calls_is_read() -> None:
    store = Blobs()
    call = store.call(([1], 2))
    assert gather(store, F, [call] * (CALLS + 5)).calls == CALLS


def test_nothing_is_known_without_calls() -> None:
    assert gather(Blobs(), F, []).shape("xs") is None
    assert NOTHING.repeat_rate == 0


def test_attributes_that_every_object_has_are_known() -> None:
    def made(**attributes: values.Node) -> values.Node:
        node = values.InstanceNode(values.RefNode("m", "A"), None)
        node.attributes = attributes
        return node

    facts = observe([made(rate=1.5, name="a"), made(rate=2.5)])
    assert facts.attributes == {"rate": FLOAT}
    assert observe([made(rate=1.5), 3]).attributes == {}


def test_a_tuple_s_parts_are_known_where_all_have_one_length() -> None:
    shape = describe(values.ListNode([values.TupleNode(["a", 1]), values.TupleNode(["b", 2])]))
    assert shape is not None
    assert shape.items is not None
    assert shape.items.parts == (STR, INT)
    mixed = describe(values.ListNode([values.TupleNode(["a", 1]), values.TupleNode(["b"])]))
    assert mixed is not None
    assert mixed.items is not None
    assert mixed.items.parts is None


def test_of_an_empty_list_the_elements_are_unknown() -> None:
    assert observe([values.ListNode([])]).shape == Shape.of("list")
    assert observe([values.ListNode([]), values.ListNode([1])]).shape == Shape.of("list", items=INT)


@pytest.mark.parametrize(
    ("shape", "hashable", "builtin", "ordered"),
    [
        (INT, True, True, True),
        (join(INT, STR), True, True, False),
        (FLOAT, True, True, False),
        (Shape.of("list", items=INT), False, True, False),
        (Shape.of("list"), False, False, False),
        (Shape.of("tuple", items=INT), True, True, False),
        (Shape(frozenset({"tuple"}), INT, None, (INT, STR)), True, True, True),
        (Shape.of("tuple"), False, False, False),
        (Shape.of("dict", items=STR, values=INT), False, True, False),
        (Shape.of("dict", items=STR), False, False, False),
        (Shape.of("m.A"), False, False, False),
        (join(INT, Shape.of("list", items=STR)), False, True, False),
    ],
)
def test_a_shape_says_what_runs_built_in_code_only(
    shape: Shape | None, hashable: bool, builtin: bool, ordered: bool
) -> None:
    assert shape is not None
    assert (shape.hashable, shape.builtin, shape.ordered) == (hashable, builtin, ordered)


def test_joining_keeps_what_is_known_and_loses_what_is_not() -> None:
    assert join(INT, None) is None
    assert join(Shape(), INT) == INT
    assert join(INTS, NONE) == Shape(frozenset({"list", "NoneType"}), INT)
    assert join(INTS, Shape.of("list")) == Shape.of("list")
    assert common([INT, STR, INT]) == join(INT, STR)


def test_strings_hold_strings_and_unknown_things_hold_unknown_things() -> None:
    assert items_of(STR) == STR
    assert items_of(Shape.of("range")) == INT
    assert items_of(Shape.of("m.A")) is None
