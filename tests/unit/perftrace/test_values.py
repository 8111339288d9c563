"""The strict reader: nodes for what was recorded, BadValue for all else; and values as text."""

import collections
import contextlib
import dataclasses
import decimal
import enum
import math
import pickle
import random
import re
import struct
import sys
import threading
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from perftrace.snapshot import encode
from perftrace.values import (
    BadValue,
    ByteArrayNode,
    DictNode,
    FrozenSetNode,
    InstanceNode,
    ListNode,
    MethodNode,
    Node,
    OpaqueNode,
    ReduceNode,
    RefNode,
    SetNode,
    TupleNode,
    read,
    show,
    type_name,
)

CAP = 1 << 22


def nodes(value: object) -> Node:
    return read(encode(value, CAP)[0])


@dataclasses.dataclass
class Item:
    name: str
    qty: int = 1


class Basket(list[Any]):
    pass


class Color(enum.Enum):
    RED = 1


class Pair(collections.namedtuple("Pair", "a b")):
    pass


ATOMS = [
    *(None, True, False, 0, 1, 255, 256, 65535, 65536, -1, 2**31, -(2**31), 2**63, -(2**2000)),
    *(0.0, -0.0, 1.5, math.inf, "", "a", "é\ud800", "x" * 300, "y" * 70_000, b"", b"a", b"b" * 300),
]


@pytest.mark.parametrize("value", ATOMS, ids=lambda value: type(value).__name__)
def test_atoms_are_pythons_own(value: object) -> None:
    node = nodes(value)
    assert type(node) is type(value)
    assert node == value


def test_containers_keep_their_items_and_order() -> None:
    node = nodes(
        [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {"b": 1, "a": [2]}, {3}, frozenset({4})]
    )
    assert isinstance(node, ListNode)
    *tuples, table, members, frozen = node.items
    assert [part.items for part in tuples if isinstance(part, TupleNode)] == [
        [],
        [1],
        [1, 2],
        [1, 2, 3],
        [1, 2, 3, 4],
    ]
    assert isinstance(table, DictNode)
    assert [key for key, _ in table.items] == ["b", "a"]
    assert isinstance(members, SetNode)
    assert members.items == [3]
    assert isinstance(frozen, FrozenSetNode)
    assert frozen.items == [4]
    data = nodes(bytearray(b"ab"))
    assert isinstance(data, ByteArrayNode)
    assert data.data == b"ab"


def test_large_containers_are_read_whole() -> None:
    node: Any = nodes([list(range(5000)), dict.fromkeys(range(5000)), set(range(5000))])
    assert [len(part.items) for part in node.items] == [5000] * 3


def test_one_object_is_one_node() -> None:
    inner = [1]
    ring: list[object] = [inner, inner]
    ring.append(ring)
    ring.append((ring,))
    node = nodes(ring)
    assert isinstance(node, ListNode)
    assert node.items[0] is node.items[1]
    assert node.items[2] is node
    assert isinstance(node.items[3], TupleNode)
    assert node.items[3].items[0] is node


def test_marks_become_nodes() -> None:
    node = nodes([Item("a", 2), Basket([1]), Item, "x".join, memoryview(b"a")])
    assert isinstance(node, ListNode)
    item, basket, cls, bound, lock = node.items
    assert isinstance(item, InstanceNode)
    assert item.attributes == {"name": "a", "qty": 2}
    assert item.base is None
    assert item.items is None
    assert isinstance(basket, InstanceNode)
    assert basket.items is not None
    assert basket.items.items == [1]
    assert isinstance(cls, RefNode)
    assert cls is item.cls
    assert (cls.module, cls.qualname) == (__name__, "Item")
    assert isinstance(bound, MethodNode)
    assert (bound.owner, bound.name) == ("x", "join")
    assert isinstance(lock, OpaqueNode)
    assert (lock.type_name, lock.reason, lock.number, lock.seen) == (
        "memoryview",
        "its state is kept in C, out of reach",
        0,
        False,
    )


def test_reductions_become_nodes() -> None:
    node = nodes([decimal.Decimal("1.5"), collections.deque([1], 2), collections.Counter("aa")])
    assert isinstance(node, ListNode)
    price, queue, counter = node.items
    assert isinstance(price, ReduceNode)
    assert price.arguments.items == ["1.5"]
    assert isinstance(queue, ReduceNode)
    assert queue.list_items == [1]
    assert isinstance(counter, ReduceNode)
    assert counter.dict_items == [("a", 2)]
    state = nodes(random.Random(1))
    assert isinstance(state, ReduceNode)
    assert isinstance(state.state, TupleNode)


# --- what is refused ----------------------------------------------------------------------------

MARK = b"\x8c\x13_perftrace.snapshot\x8c\x03ref\x93"


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"N.",
        b"\x80\x04N.",
        b"\x80\x05",
        b"\x80\x05.",
        b"\x80\x05N",
        b"\x80\x05N.N",
        b"\x80\x05NN.",
        b"\x80\x05(N.",
        b"\x80\x05e.",
        b"\x80\x05t.",
        b"\x80\x05Na.",
        b"\x80\x05N(Ne.",
        b"\x80\x05}(Nu.",
        b"\x80\x05NNs.",
        b"\x80\x05\x94.",
        b"\x80\x05h\x00.",
        b"\x80\x05j\xff\xff\xff\xff.",
        b"\x80\x05\x85.",
        b"\x80\x05\x8c\x05abc.",
        b"\x80\x05\x8c\x01\xff.",
        b"\x80\x05\x8b\xff\xff\xff\xff\x00.",
        b"\x80\x05\x8e\xff\xff\xff\xff\xff\xff\xff\xffa.",
        b"\x80\x05G\x00.",
        b"\x80\x05N)R.",
        b"\x80\x05NNb.",
        b"\x80\x05N)\x81.",
        b"\x80\x05\x8f(" + MARK + b"\x90.",
        b"\x80\x05" + MARK + b".",
        b"\x80\x05]" + MARK + b"a.",
        b"\x80\x05" + MARK + b")R.",
        b"\x80\x05" + MARK + b"NN\x86R.",
        b"\x80\x05" + MARK.replace(b"\x03ref", b"\x04fill") + b"NN\x86R.",
        b"\x80\x05" + MARK.replace(b"\x03ref", b"\x04make") + b"NN\x86R.",
        b"\x80\x05" + MARK.replace(b"\x03ref", b"\x03run") + b".",
        b"\x80\x05\x8c\x02os\x8c\x06system\x93.",
        b"\x80\x05cos\nsystem\n.",
        b"\x80\x05P1\n.",
        b"\x80\x05\x82\x01.",
        b"\x80\x05\x97.",
        pickle.dumps(print, protocol=5),
        pickle.dumps(decimal.Decimal(1), protocol=5),
        pickle.dumps(Item("a"), protocol=5),
        pickle.dumps([1], protocol=2),
    ],
)
def test_anything_else_is_refused(blob: bytes) -> None:
    with pytest.raises(BadValue):
        read(blob)


def test_a_claimed_size_costs_nothing() -> None:
    blob = b"\x80\x05\x8e" + struct.pack("<Q", 1 << 60) + b"abc."
    with pytest.raises(BadValue, match="ends too early"):
        read(blob)


@given(st.binary(max_size=200))
@example(b"(" * 100)
def test_arbitrary_bytes_never_crash_it(data: bytes) -> None:
    with contextlib.suppress(BadValue):
        show(read(b"\x80\x05" + data))


SEEDS = [
    encode(value, CAP)[0]
    for value in (
        [1, 2.5, "text", b"bytes", None, True, 10**30, {"a": [1, (2, 3)]}, {1, 2}, frozenset({3})],
        [Item("a"), Item("b"), Basket([Item("c")]), Color.RED, Pair(1, [2])],
        [decimal.Decimal("1.5"), collections.deque([1], 2), collections.Counter("aab"), len],
        [
            ValueError("a", [1]),
            memoryview(b"a"),
            threading.Lock(),
            iter([1]),
            "x".join,
            bytearray(b"ab"),
            re.compile("a"),
        ],
    )
]


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=6))
def test_damaged_values_never_crash_it(blob: bytes, edits: list[tuple[int, int]]) -> None:
    data = bytearray(blob)
    for at, byte in edits:
        data[at % len(data)] = byte
    try:
        node = read(bytes(data))
    except BadValue:
        return
    assert isinstance(show(node), str)
    assert isinstance(type_name(node), str)


@given(st.sampled_from(SEEDS), st.integers(0), st.integers(0), st.integers(0))
def test_values_with_parts_moved_never_crash_it(
    blob: bytes, start: int, size: int, to: int
) -> None:
    start, to = start % len(blob), to % len(blob)
    part = blob[start : start + size % 40]
    with contextlib.suppress(BadValue):
        show(read(blob[:to] + part + blob[to:]))


# --- text ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1, "a", None, 1.5], "[1, 'a', None, 1.5]"),
        ((1,), "(1,)"),
        ((), "()"),
        ({"a": [1]}, "{'a': [1]}"),
        (set(), "set()"),
        ({1}, "{1}"),
        (frozenset(), "frozenset()"),
        (bytearray(b"a"), "bytearray(b'a')"),
        (Item("a", 2), "Item(name='a', qty=2)"),
        (Basket([1, 2]), "Basket([1, 2])"),
        (Pair(1, 2), "Pair(1, 2)"),
        (Color.RED, "Color.RED"),
        (ValueError("a", 1), "ValueError('a', 1)"),
        (decimal.Decimal("1.10"), "Decimal('1.10')"),
        (collections.Counter("aa"), "Counter({'a': 2})"),
        (collections.deque([1], 3), "deque([1], maxlen=3)"),
        (re.compile("a"), "re.compile('a', 32)"),
        (len, "len"),
        (sys, "sys"),
        (math.sin, "math.sin"),
        (memoryview(b"a"), "<memoryview: its state is kept in C, out of reach>"),
        (threading.Lock(), "threading.Lock()"),
    ],
)
def test_values_are_shown_as_people_write_them(value: object, text: str) -> None:
    assert show(nodes(value)) == text


@pytest.mark.parametrize("width", [10, 20, 40, 80])
def test_long_values_are_cut_to_the_width(width: int) -> None:
    deep: list[object] = []
    for _ in range(200):
        deep = [deep]
    for value in (
        list(range(1000)),
        "x" * 1000,
        {"key" * 9: "v" * 99},
        [Item("n" * 50)] * 9,
        10**99,
        deep,
    ):
        text = show(nodes(value), width)
        assert len(text) <= width
        assert "…" in text


def test_an_enormous_number_is_shown_cut() -> None:
    assert show(nodes(1 << 100_000), 20) == "0x10000000000000000…"


def test_cycles_are_shown_as_dots() -> None:
    ring: list[object] = [1]
    ring.append({"again": ring})
    assert show(nodes(ring)) == "[1, {'again': ...}]"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "NoneType"),
        (True, "bool"),
        (1, "int"),
        ("a", "str"),
        ([], "list"),
        ((), "tuple"),
        ({}, "dict"),
        (set(), "set"),
        (frozenset(), "frozenset"),
        (bytearray(), "bytearray"),
        (Item("a"), f"{__name__}.Item"),
        (Color.RED, f"{__name__}.Color"),
        (Pair(1, 2), f"{__name__}.Pair"),
        (ValueError(), "ValueError"),
        (decimal.Decimal(1), "decimal.Decimal"),
        (re.compile("a"), "re.Pattern"),
        ({}.keys(), "dict_keys"),
        ([].append, "method"),
        (len, "reference"),
        (sys, "module"),
        (memoryview(b"a"), "memoryview"),
        (threading.Lock(), "threading.Lock"),
        (iter([1]), "iterator"),
    ],
)
def test_the_types_name_is_told(value: object, name: str) -> None:
    assert type_name(nodes(value)) == name
