"""What counts as the same value: a battery of pairs that must, and must not, be told apart."""

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import io
import math
import operator
import pathlib
import random
import re
import types
import uuid
import zoneinfo
from typing import Any

import pytest

from perftrace.replay.compare import Different, Same, Unknown, canonical, compare
from perftrace.replay.testing import check
from perftrace.snapshot import encode
from perftrace.values import Node, read

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


class Other(Plain):
    pass


class AlwaysEqual(Plain):
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


class Private:
    __slots__ = ("__hidden", "shown")

    def __init__(self, hidden: object) -> None:
        self.__hidden = hidden
        self.shown = 1


class Slotted:
    __slots__ = ("value",)


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


class Number(enum.IntEnum):
    ONE = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Pair(collections.namedtuple("Pair", "a b")):
    __slots__ = ()


class Swapped(collections.namedtuple("Swapped", "b a")):
    __slots__ = ()


class Text(str):
    pass


class Many(list[Any]):
    pass


class Table(dict[Any, Any]):
    pass


class Group(set[Any]):
    pass


class Whole(int):
    pass


class AppError(Exception):
    def __init__(self, code: int, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


class OtherError(ValueError):
    pass


def raised(error: BaseException, cause: BaseException | None = None, note: str = "") -> object:
    if cause is not None:
        error.__cause__ = cause
    if note:
        error.add_note(note)
    return error


def slotted(*values: object) -> Slotted:
    made = Slotted()
    for value in values:
        made.value = value  # type: ignore[attr-defined]
    return made


def with_attribute[T](value: T, attribute: object) -> T:
    value.extra = attribute  # type: ignore[attr-defined]
    return value


def moved(position: int) -> io.StringIO:
    stream = io.StringIO("text")
    stream.seek(position)
    return stream


def drawn(count: int) -> random.Random:
    generator = random.Random(7)
    for _ in range(count):
        generator.random()
    return generator


def ring(*values: object) -> list[object]:
    made: list[object] = list(values)
    made.append(made)
    return made


def one_list_twice() -> list[object]:
    inner = [1]
    return [inner, inner]


def graph(*edges: tuple[int, int]) -> list[Plain]:
    made = [Plain(links=[]) for _ in range(3)]
    for start, end in edges:
        made[start].links.append(made[end])  # type: ignore[attr-defined]
    return made


NAN = math.nan
PARIS = zoneinfo.ZoneInfo("Europe/Paris")
NOON = datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.UTC)
SHARED = [1]

DIFFERENT: dict[str, list[tuple[object, object]]] = {
    "numbers": [
        (1, 2),
        (1, True),
        (0, False),
        (1, 1.0),
        (True, 1.0),
        (0.0, -0.0),
        (0.1 + 0.2, 0.3),
        (1e9, 1e9 + 0.5),
        (1e15, 1e15 + 1e5),
        (2**62, 2**62 + 1),
        (10**40, 10**40 + 1),
        (-1, 1),
        (255, 256),
        (NAN, 0.0),
        (NAN, math.inf),
        (math.inf, -math.inf),
        (1, None),
        (1, "1"),
        (1j, 1),
        (1j, complex(-0.0, 1)),
        (complex(0, NAN), complex(0, 0)),
        (1, Whole(1)),
        (Whole(1), Whole(2)),
        (decimal.Decimal("1.0"), decimal.Decimal("1.00")),
        (decimal.Decimal("0"), decimal.Decimal("-0")),
        (decimal.Decimal("0.1"), 0.1),
        (decimal.Decimal("NaN"), decimal.Decimal("sNaN")),
        (fractions.Fraction(1, 2), fractions.Fraction(1, 3)),
        (fractions.Fraction(1, 2), 0.5),
        (fractions.Fraction(2, 1), 2),
    ],
    "text": [
        ("a", "b"),
        ("a", "A"),
        ("", " "),
        ("é", "e\u0301"),
        ("a", b"a"),
        (b"a", bytearray(b"a")),
        (b"", None),
        (bytearray(b"a"), bytearray(b"b")),
        ("a", Text("a")),
        (Text("a"), with_attribute(Text("a"), 1)),
        ("\ud800", "\ud801"),
        ("a" * 500 + "b", "a" * 500 + "c"),
    ],
    "containers": [
        ([1], [2]),
        ([1], [1, 1]),
        ([1], []),
        ([], ()),
        ([1, 2], [2, 1]),
        ([1], (1,)),
        ((1,), (True,)),
        ([1], [1.0]),
        ([[1]], [[True]]),
        ({1}, {1.0}),
        ({1}, {True}),
        ({1}, {2}),
        ({1}, {1, 2}),
        ({1}, frozenset({1})),
        ({(1, 2)}, {(2, 1)}),
        ({frozenset({1})}, {frozenset({2})}),
        (set(), {0}),
        (set(), {}),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {"a": 1.0}),
        ({1: "a"}, {True: "a"}),
        ({1: "a"}, {1.0: "a"}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": None}, {}),
        ({(1,): 1}, {(1.0,): 1}),
        ([1], Many([1])),
        (Many([1]), Many([2])),
        (Many([1]), with_attribute(Many([1]), 1)),
        ({"a": 1}, Table(a=1)),
        (Table(a=1), Table(a=2)),
        ({1}, Group({1})),
        (Group({1}), Group({2})),
        (Pair(1, 2), (1, 2)),
        (Pair(1, 2), Swapped(1, 2)),
        (Pair(1, 2), Pair(1, 3)),
        (range(3), [0, 1, 2]),
        (range(3), range(0, 4, 2)),
        (slice(1), slice(2)),
        ({1: 1}.keys(), {True: 1}.keys()),
        ({1: 1}.keys(), {1: 1}.values()),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (array.array("i", [1]), array.array("l", [1])),
        (array.array("i", [1]), array.array("i", [2])),
        (array.array("i", [1]), [1]),
    ],
    "collections": [
        (collections.OrderedDict(a=1, b=2), collections.OrderedDict(b=2, a=1)),
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.Counter(a=1), collections.Counter(a=1, b=0)),
        (collections.Counter(a=1), {"a": 1}),
        (collections.deque([1]), collections.deque([1], 3)),
        (collections.deque([1], 4), collections.deque([1], 3)),
        (collections.deque([1]), collections.deque([2])),
        (collections.defaultdict(list), collections.defaultdict(set)),
        (collections.defaultdict(list), collections.defaultdict(None)),
        (collections.defaultdict(list, a=[1]), collections.defaultdict(list, a=[2])),
        (collections.ChainMap({"a": 1}), collections.ChainMap({"a": 2})),
        (types.SimpleNamespace(a=1), types.SimpleNamespace(a=2)),
        (types.SimpleNamespace(a=1), types.SimpleNamespace(b=1)),
    ],
    "instances": [
        (Plain(a=1), Plain(a=2)),
        (Plain(a=1), Plain(a=1.0)),
        (Plain(a=1), Plain(a=1, b=None)),
        (Plain(a=1), Other(a=1)),
        (Plain(a=1), types.SimpleNamespace(a=1)),
        (Plain(), {}),
        (AlwaysEqual(a=1), AlwaysEqual(a=2)),
        ({AlwaysEqual(a=1)}, {AlwaysEqual(a=2)}),
        (Private(1), Private(2)),
        (slotted(), slotted(None)),
        (slotted(1), slotted(2)),
        (OneSlot("a"), OneSlot("b")),
        (Point(1), Point(1.0)),
        (Point(1, 1), Point(1, 2)),
        (Frozen(1), Frozen(True)),
        (Frozen([1]), Frozen((1,))),
        (Plain(inner=Plain(a=[1])), Plain(inner=Plain(a=[2]))),
        (Plain, Other),
        (Plain, Plain()),
        (len, max),
        (math.sin, math.cos),
        ([].append, [1].append),
        ("a".join, "b".join),
        (Plain(a=1).method, Plain(a=2).method),
        (functools.partial(int, base=2), functools.partial(int, base=3)),
        (functools.partial(len), functools.partial(max)),
        (operator.itemgetter(1), operator.itemgetter(2)),
        (operator.attrgetter("a"), operator.itemgetter("a")),
        (Color.RED, Color.BLUE),
        (Color.RED, 1),
        (Number.ONE, 1),
        (Access.READ, Access.WRITE),
        (Access.READ, Access.READ | Access.WRITE),
        (list[int], list[str]),
    ],
    "time and others": [
        (datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)),
        (datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 1)),
        (NOON, NOON.replace(tzinfo=None)),
        (NOON, NOON.astimezone(PARIS)),
        (NOON, NOON.astimezone(datetime.timezone(datetime.timedelta(hours=1)))),
        (datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 1, fold=1)),
        (datetime.time(1), datetime.time(2)),
        (datetime.timedelta(1), datetime.timedelta(2)),
        (datetime.UTC, zoneinfo.ZoneInfo("UTC")),
        (uuid.UUID(int=1), uuid.UUID(int=2)),
        (uuid.UUID(int=1), str(uuid.UUID(int=1))),
        (pathlib.PurePosixPath("a"), pathlib.PurePosixPath("b")),
        (pathlib.PurePosixPath("a"), pathlib.PureWindowsPath("a")),
        (pathlib.PurePosixPath("a"), "a"),
        (re.compile("a"), re.compile("a", re.IGNORECASE)),
        (re.compile("a"), re.compile(b"a")),
        (io.StringIO("a"), io.StringIO("b")),
        (moved(0), moved(1)),
        (io.BytesIO(b"a"), io.BytesIO(b"b")),
        (drawn(0), drawn(1)),
        (random.Random(1), random.Random(2)),
    ],
    "exceptions": [
        (ValueError("a"), ValueError("b")),
        (ValueError("a"), ValueError()),
        (ValueError("a"), TypeError("a")),
        (ValueError("a"), OtherError("a")),
        (ValueError(1), ValueError(True)),
        (KeyError("a"), KeyError("b")),
        (SystemExit(1), SystemExit(2)),
        (SystemExit(None), SystemExit(0)),
        (StopIteration(1), StopIteration(2)),
        (OSError(2, "a"), OSError(2, "b")),
        (FileNotFoundError(2, "a", "x"), FileNotFoundError(2, "a", "y")),
        (FileNotFoundError(2, "a"), PermissionError(2, "a")),
        (AppError(1, "a"), AppError(1, "b")),
        (AppError(1, "a"), raised(AppError(1, "a"), note="n")),
        (raised(ValueError(), note="a"), raised(ValueError(), note="b")),
        (RuntimeError("a"), raised(RuntimeError("a"), cause=ValueError("b"))),
        (
            raised(RuntimeError("a"), cause=ValueError("b")),
            raised(RuntimeError("a"), cause=ValueError("c")),
        ),
        (raised(RuntimeError("a"), cause=ValueError("b")), ValueError("b")),
        (ExceptionGroup("g", [ValueError("a")]), ValueError("a")),
        (ExceptionGroup("g", [ValueError("a")]), ExceptionGroup("g", [ValueError("b")])),
        (ExceptionGroup("g", [ValueError("a")]), ExceptionGroup("h", [ValueError("a")])),
        (with_attribute(ValueError("a"), 1), ValueError("a")),
        (ImportError("a", name="b"), ImportError("a", name="c")),
        (
            UnicodeDecodeError("utf-8", b"a", 0, 1, "r"),
            UnicodeDecodeError("utf-8", b"b", 0, 1, "r"),
        ),
    ],
    "sharing": [
        (one_list_twice(), [[1], [1]]),
        ([[1], [1]], one_list_twice()),
        ((SHARED, SHARED), ([1], [1])),
        ({"a": SHARED, "b": SHARED}, {"a": [1], "b": [1]}),
        (Plain(a=SHARED, b=SHARED), Plain(a=[1], b=[1])),
        ([bytearray(b"a")] * 2, [bytearray(b"a"), bytearray(b"a")]),
        ([collections.deque()] * 2, [collections.deque(), collections.deque()]),
        ([Plain(a=1)] * 2, [Plain(a=1), Plain(a=1)]),
        ([set()] * 2, [set(), set()]),
        (ring(1), ring(2)),
        (ring(1), [1, [1]]),
        (ring(), [ring()]),
        (graph((0, 1), (1, 2)), graph((0, 1), (1, 0))),
        ([SHARED, SHARED, [1]], [SHARED, [1], SHARED]),
    ],
}

SAME: list[tuple[object, object]] = [
    (None, None),
    (1, 1),
    (10**30, 10**30),
    (-1, -1),
    (0.1, 0.1),
    (-0.0, -0.0),
    (NAN, float("nan")),
    (NAN, -float("nan")),
    (complex(0, NAN), complex(0, float("nan"))),
    ("é", "é"),
    ("\ud800", "\ud800"),
    (b"a" * 70_000, b"a" * 70_000),
    ([NAN], [float("nan")]),
    ({NAN}, {float("nan")}),
    ({NAN: 1}, {float("nan"): 1}),
    ((), ()),
    ([], []),
    ({}, {}),
    (set(), set()),
    (list(range(3000)), list(range(3000))),
    ({1, 2, 3}, {3, 2, 1}),
    ({"a", "b", ("c", 1)}, {("c", 1), "b", "a"}),
    ({0, 8, 16}, {16, 8, 0}),
    ({frozenset({1, 2}), frozenset({3})}, {frozenset({3}), frozenset({2, 1})}),
    ({frozenset({frozenset({0, 8}), 1})}, {frozenset({1, frozenset({8, 0})})}),
    ({frozenset({0, 8}): 1}, {frozenset({8, 0}): 1}),
    ([(1, "a"), (1, "a")], [(1, "a")] * 2),
    ([("a" * 3,)] * 2, [("aaa",), ("a" + "aa",)]),
    ({"a": 1, "b": 2}, {"a": 1, "b": 2}),
    (Plain(a=1, b=2), Plain(b=2, a=1)),
    (slotted(1), slotted(0, 1)),
    (slotted(), slotted()),
    (Point(NAN), Point(float("nan"))),
    (Frozen(NAN), Frozen(float("nan"))),
    (Private([1]), Private([1])),
    ({Frozen(1), Frozen(2)}, {Frozen(2), Frozen(1)}),
    (Pair(1, [2]), Pair(1, [2])),
    (Many([1]), Many([1])),
    (Table(a=1), Table(a=1)),
    (Group({1, 2}), Group({2, 1})),
    (Text("a"), Text("a")),
    (Color.RED, Color(1)),
    (Number.ONE, Number(1)),
    (Access.READ | Access.WRITE, Access.WRITE | Access.READ),
    (Plain, Plain),
    (len, len),
    (Plain(a=1).method, Plain(a=1).method),
    ([1].append, [1].append),
    (functools.partial(int, base=2), functools.partial(int, base=2)),
    (operator.itemgetter(1), operator.itemgetter(1)),
    (decimal.Decimal("1.10"), decimal.Decimal("1.10")),
    (decimal.Decimal("NaN"), decimal.Decimal("NaN")),
    (fractions.Fraction(1, 2), fractions.Fraction(2, 4)),
    (NOON, datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.UTC)),
    (NOON.astimezone(PARIS), NOON.astimezone(PARIS)),
    ([datetime.timedelta(1)] * 2, [datetime.timedelta(1), datetime.timedelta(1)]),
    (uuid.UUID(int=1), uuid.UUID(int=1)),
    (pathlib.PurePosixPath("a/b"), pathlib.PurePosixPath("a", "b")),
    ([pathlib.PurePosixPath("a")] * 2, [pathlib.PurePosixPath("a"), pathlib.PurePosixPath("a")]),
    (re.compile("a"), re.compile("a")),
    (io.StringIO("a"), io.StringIO("a")),
    (drawn(3), drawn(3)),
    (collections.Counter("ab"), collections.Counter("ab")),
    (collections.deque([1], 2), collections.deque([0, 1, 1][1:2], 2)),
    (array.array("d", [NAN]), array.array("d", [NAN])),
    (ValueError("a"), ValueError("a")),
    (AppError(1, "a"), AppError(1, "a")),
    (raised(ValueError(), ValueError("b"), "n"), raised(ValueError(), ValueError("b"), "n")),
    (ExceptionGroup("g", [ValueError("a")]), ExceptionGroup("g", [ValueError("a")])),
    (ring(1), ring(1)),
    (one_list_twice(), one_list_twice()),
    (graph((0, 1), (1, 0)), graph((0, 1), (1, 0))),
    ({1: 1}.items(), {1: 1}.items()),
]

DIFFERENT_PAIRS = [
    pytest.param(a, b, id=f"{group}-{index}")
    for group, pairs in DIFFERENT.items()
    for index, (a, b) in enumerate(pairs)
]


def test_the_battery_is_as_large_as_it_says() -> None:
    assert len(DIFFERENT_PAIRS) >= 120
    assert len(SAME) >= 60


@pytest.mark.parametrize(("a", "b"), DIFFERENT_PAIRS)
def test_a_pair_that_differs_is_told_apart_both_ways(a: object, b: object) -> None:
    there, back = compared(a, b), compared(b, a)
    assert isinstance(there, Different)
    assert isinstance(back, Different)
    assert there.expected != there.got
    assert len(there.expected + there.got) < 300


@pytest.mark.parametrize(("a", "b"), DIFFERENT_PAIRS)
def test_a_pair_that_differs_has_two_digests(a: object, b: object) -> None:
    assert canonical(nodes(a)) != canonical(nodes(b))


@pytest.mark.parametrize(("a", "b"), SAME)
def test_a_pair_that_is_the_same_is_not_told_apart(a: object, b: object) -> None:
    assert compared(a, b) == Same()
    assert canonical(nodes(a)) == canonical(nodes(b))


@pytest.mark.parametrize(("a", "b"), [*DIFFERENT_PAIRS, *SAME])
def test_every_value_is_the_same_as_itself(a: object, b: object) -> None:
    for value in (a, b):
        assert compared(value, value) == Same()
        assert compared([value, {"k": value}], [value, {"k": value}]) == Same()


@pytest.mark.parametrize(("a", "b"), DIFFERENT_PAIRS)
def test_what_a_verdict_tells_apart_a_replay_test_does(a: object, b: object) -> None:
    for one, other in ((a, b), (b, a)):
        with pytest.raises(AssertionError, match="replay differs at "):
            check(one, other)


@pytest.mark.parametrize(("a", "b"), SAME)
def test_what_is_the_same_for_a_verdict_is_for_a_replay_test(a: object, b: object) -> None:
    check(a, b)
    check(b, a)
