from collections import deque
from typing import Any

import pytest

from perftrace import near
from perftrace.near import LARGE, Neighbours
from perftrace.restore import Unreplayable, decode
from perftrace.snapshot import TooBig, Unencodable, encode
from perftrace.values import OpaqueNode, read


class Node:
    def __init__(self, number: int) -> None:
        self.number = number
        self.next: Node | None = None
        self.held: Any = None


def chain(length: int) -> Node:
    first = node = Node(0)
    for number in range(1, length):
        node.next = Node(number)
        node = node.next
    node.next = first
    return first


def resolve(_module: str, qualname: str) -> object:
    return {"Node": Node, "deque": deque}[qualname]


def the_only(values: Any) -> Any:
    (value,) = values
    return value


def recorded(value: object, near: int) -> Any:
    blob, _ = encode(value, 1 << 20, near=near)
    return decode(blob, resolve)


def test_the_nearest_instances_are_kept_and_one_further_says_that_it_is_not_there() -> None:
    blob, opaque = encode([chain(10_000)], 16 << 10, near=3)
    assert opaque == 1
    first = the_only(decode(blob, resolve))
    assert first.next.next.number == 2
    with pytest.raises(
        Unreplayable, match=r"Node that could not be recorded: it is far from the arguments"
    ):
        _ = first.next.next.next.number


def test_cycles_and_shared_values_stay_what_they_are() -> None:
    first = chain(3)
    (copy,) = recorded([first], near=3)
    assert copy.next.next.next is copy
    first.held = [first.next, first.next]
    (copy,) = recorded([first], near=3)
    assert copy.held[0] is copy.held[1] is copy.next


@pytest.mark.parametrize("kind", [list, tuple, set, deque, dict.fromkeys])
def test_a_large_container_in_an_attribute_is_left_out_and_a_small_one_is_not(kind: Any) -> None:
    node, other = Node(1), Node(2)
    node.held = other.held = kind(range(LARGE + 1))
    copy, again = recorded([node, other], near=9)
    assert copy.number == 1
    assert copy.__dict__["held"] is again.__dict__["held"]  # it is one
    with pytest.raises(Unreplayable):
        len(copy.held)
    node.held = kind(range(LARGE))
    (copy,) = recorded([node], near=9)
    assert copy.held == node.held


def test_a_large_argument_itself_is_not_left_out() -> None:
    with pytest.raises(TooBig):
        encode([list(range(100_000))], 16 << 10, near=9)
    assert recorded([list(range(2000)), Node(1)], near=9)[0] == list(range(2000))
    with pytest.raises(TooBig):
        encode([[*range(2000), Node(1)], Node(1)], 1 << 20, near=9)


def test_all_that_the_arguments_hold_is_kept_or_nothing() -> None:
    nodes = [Node(number) for number in range(20)]
    for node in nodes:
        node.next = chain(100)
    copy = recorded([nodes, 5], near=20)
    assert [node.number for node in copy[0]] == list(range(20))
    for more in ([nodes, Node(1)], [{"a": [nodes]}, (Node(1),)]):
        with pytest.raises(TooBig):
            encode(more, 1 << 20, near=20)


def test_breadth_comes_first() -> None:
    root = Node(0)
    root.held = [chain(50), chain(50)]
    kept = [each.number for each, _ in Neighbours([root], 5).kept.values()]  # type: ignore[attr-defined]
    assert kept == [0, 0, 0, 1, 1]


def test_values_without_attributes_of_their_own_are_kept_wherever_they_are() -> None:
    node = chain(5)
    node.held = {"a": 1.5, "b": (None, True, b"x"), "c": object}
    blob, _ = encode([node], 16 << 10, near=1)
    copy = the_only(decode(blob, lambda module, _: object if module == "builtins" else Node))
    assert copy.held == node.held


def test_what_is_left_out_is_named_by_its_type() -> None:
    node = Node(1)
    node.held = list(range(1000))
    blob, _ = encode(node, 16 << 10, near=1)
    held = read(blob).attributes["held"]  # type: ignore[union-attr]
    assert isinstance(held, OpaqueNode)
    assert held.type_name == "list"


def test_what_another_thread_changes_meanwhile_is_a_reason_and_no_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def changing(_: object) -> object:
        raise RuntimeError("dictionary changed size during iteration")

    monkeypatch.setitem(changing.__globals__, "__name__", "perftrace.near")
    monkeypatch.setattr(near, "reduce", changing)
    with pytest.raises(Unencodable, match="changed while it was being recorded"):
        encode([Node(1)], 16 << 10, near=3)
