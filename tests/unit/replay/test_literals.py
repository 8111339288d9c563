"""Recorded values as source text."""

import collections
import datetime
import enum
import os
import re
import struct
import textwrap
import threading
import unicodedata
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perftrace import snapshot, values
from perftrace.replay import compare, testing
from perftrace.replay.imports import Imports
from perftrace.replay.layout import flat, lay_out
from perftrace.replay.literals import NotWritten, Slot, Writer, Written
from perftrace.replay.static import Sources

CAP = 1 << 20


@dataclass
class Item:
    sku: str
    price: object = None


@dataclass(frozen=True)
class Frozen:
    left: object
    right: object


@dataclass
class Checked:
    amount: object

    def __post_init__(self) -> None:
        raise AssertionError("made by its constructor")


@dataclass
class Late:
    name: str
    seen: list[object] = field(init=False, default_factory=list)


class Private:
    def __hidden(self) -> None: ...

    def method(self) -> object:
        return self.__hidden


def advanced(items: Any, count: int) -> Any:
    """An iterator that has given so many items; one more: it knows that it is at its end."""
    made = iter(items)
    for _ in range(count):
        next(made, None)
    return made


class Point(NamedTuple):
    x: object
    y: object


Pair = collections.namedtuple("Pair", "first second")


class Plain:
    def __init__(self) -> None:
        raise AssertionError("made by its constructor")


class Key:
    name: str

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.name == other.name


class Slotted:
    __slots__ = ("__hidden", "a")


class Names(list[Any]):
    pass


class Table(dict[Any, Any]):
    pass


class Metres(float):
    pass


class Queue(deque[Any]):
    pass


class Color(enum.Enum):
    RED = 1
    BLUE = "blue"


class Mode(enum.Flag):
    READ = 1
    WRITE = 2


class OddError(Exception):
    def __init__(self, text: str, code: object) -> None:
        super().__init__(text)
        self.code = code


class OddFileError(OSError):
    pass


def helper() -> None:
    pass


SOURCES = Sources([str(Path(__file__).parents[3]), str(Path(__file__).parents[2])], None)


def nodes(value: object) -> values.Node:
    return values.read(snapshot.encode(value, CAP)[0])


def write(value: object, imports: Imports | None = None, cap: int = CAP) -> Written | NotWritten:
    writer = Writer(imports or Imports(), SOURCES, cap)
    return writer.write([Slot("value", nodes(value))])


def source(value: object) -> str:
    """A program that leaves the value in `value`."""
    imports = Imports()
    made = write(value, imports)
    assert isinstance(made, Written), made
    steps = textwrap.dedent("".join(made.statements))
    text = f"{steps}value = {lay_out(made.values[0], 0)}\n"
    return imports.render(text, for_pytest=False) + text


def text(value: object) -> str:
    """Only the expression."""
    made = write(value)
    assert isinstance(made, Written), made
    return flat(made.values[0])


def evaluated(program: str) -> Any:
    scope: dict[str, Any] = {}
    exec(program, scope)
    return scope["value"]


def reason(value: object) -> str:
    made = write(value)
    assert isinstance(made, NotWritten), made
    return made.reason


# --- every kind of value -------------------------------------------------------------------

ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.binary(max_size=12),
    st.complex_numbers(),
    st.decimals(allow_nan=True),
    st.fractions(),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.none() | st.just(datetime.UTC)),
    st.timedeltas(),
    st.uuids(),
    st.builds(Path, st.sampled_from(["a", "a/b", "."])),
    st.builds(range, st.integers(-9, 9), st.integers(-9, 9)),
    st.builds(bytearray, st.binary(max_size=6)),
    st.builds(Metres, st.floats()),
    st.sampled_from([*Color, Mode.READ, Mode.READ | Mode.WRITE, helper, Plain, int, len]),
    st.sampled_from([re.compile("a+"), re.compile("b", re.IGNORECASE), re.compile(b"c")]),
)
KEYS = st.one_of(st.text(max_size=6), st.integers(), st.tuples(st.booleans(), st.none()))


def compounds(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, max_size=3)
    return st.one_of(
        some,
        some.map(tuple),
        st.dictionaries(KEYS, inner, max_size=3),
        st.dictionaries(KEYS, inner, max_size=3).map(OrderedDict),
        st.dictionaries(KEYS, inner, max_size=3).map(lambda d: defaultdict(list, d)),
        st.sets(KEYS, max_size=3),
        st.frozensets(KEYS, max_size=3),
        st.lists(KEYS, max_size=4).map(Counter),
        st.builds(deque, some, st.none() | st.integers(3, 5)),
        st.builds(Item, st.text(max_size=5), inner),
        st.builds(Frozen, inner, inner),
        st.builds(Point, inner, inner),
        st.builds(Pair, inner, inner),
        st.builds(SimpleNamespace, a=inner, b=inner),
        st.builds(lambda x: testing.restore(Plain, x=x, _y=[x]), inner),
        st.builds(lambda x: testing.restore(Slotted, a=x), inner),
        st.builds(lambda x, y: testing.restore(Names, x, tag=y), some, inner),
        st.builds(OddError, st.text(max_size=5), inner),
        st.builds(lambda x: [x, x], inner),
    )


VALUES = st.recursive(ATOMS, compounds, max_leaves=8)


# PERFTRACE_VALUES=100000: so many, others each time.
COUNT = os.environ.get("PERFTRACE_VALUES", "")
BATCH = 10


@pytest.mark.timeout(7200)
@given(st.lists(VALUES, min_size=BATCH, max_size=BATCH))
@settings(
    max_examples=int(COUNT or 3200) // BATCH,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=not COUNT,
)
def test_a_value_is_strictly_the_same_after_it_went_through_its_source(batch: list[Any]) -> None:
    for value in batch:
        made = write(value)
        if isinstance(made, NotWritten):
            assert "secret" in made.reason
            continue
        program = source(value)
        again = evaluated(program)
        assert compare.canonical(nodes(again)) == compare.canonical(nodes(value)), program
        assert source(again) == program
        testing.check(again, value)


@pytest.mark.parametrize("name", ["¼", "ﬁ", "x²", "²", "\u0663"])
def test_names_that_python_reads_otherwise(name: str) -> None:
    shared: list[int] = []
    for value in (
        {name: [shared, shared], unicodedata.normalize("NFKC", name): [[shared], shared]},
        testing.restore(Plain, **{name: [shared, shared]}),
    ):
        testing.check(evaluated(source(value)), value)


# --- how things look -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), 'float("nan")'),
        (float("-inf"), 'float("-inf")'),
        (-0.0, "-0.0"),
        ("it's", '"it\'s"'),
        ('say "x"', "'say \"x\"'"),
        (b"a", 'b"a"'),
        ((1,), "(1,)"),
        (set(), "set()"),
        ({3, 1, 2}, "{1, 2, 3}"),
        (frozenset(), "frozenset()"),
        (Item("A-1", Decimal("9.99")), 'Item(sku="A-1", price=Decimal("9.99"))'),
        (Point(1, 2), "Point(x=1, y=2)"),
        (Pair(1, 2), "Pair(first=1, second=2)"),
        (Color.BLUE, "Color.BLUE"),
        (Mode.READ | Mode.WRITE, "Mode(3)"),
        (datetime.datetime(2020, 1, 2, 3, 4), "datetime(2020, 1, 2, 3, 4)"),
        (datetime.timezone.utc, "timezone.utc"),  # noqa: UP017 - the text is what counts
        (datetime.timedelta(days=1), "timedelta(days=1)"),
        (re.compile("a", re.IGNORECASE), 're.compile("a", re.IGNORECASE)'),
        (deque([1], 3), "deque([1], maxlen=3)"),
        (Path("a"), 'Path("a")'),
        (KeyError("x"), 'KeyError("x")'),
        (FileNotFoundError(2, "gone"), 'FileNotFoundError(2, "gone")'),
        ("x".upper, '"x".upper'),
        (re.compile("a").match, 're.compile("a").match'),
        (Item("a").__eq__, 'Item(sku="a", price=None).__eq__'),
        ({"a": 1}.keys(), '{"a": 1}.keys()'),
        (threading.Lock(), "Lock()"),
        (threading.RLock(), "RLock()"),
        (advanced([1, 2, 3], 0), "iter([1, 2, 3])"),
        (advanced([1, 2, 3], 2), "iter([3])"),
        (advanced([1], 2), "iter([])"),
        (advanced((1, 2), 1), "iter((2,))"),
        (advanced("abc", 1), 'iter("bc")'),
        (advanced("→bc", 1), 'iter("bc")'),
        (advanced(b"abc", 1), 'iter(b"bc")'),
        (advanced(range(5), 2), "iter(range(2, 5, 1))"),
        (
            Private().method(),
            "MethodType(Private._Private__hidden, restore(Private))",
        ),
        (enumerate(["a"], 3), 'enumerate(iter(["a"]), 3)'),
        (zip([1], (2,), strict=False), "zip(iter([1]), iter((2,)))"),
        (map(str, [1]), "map(str, iter([1]))"),
        (reversed([1, 2]), "reversed([1, 2])"),
    ],
)
def test_a_value_is_written_as_people_would(value: object, expected: str) -> None:
    assert text(value) == expected


@pytest.mark.parametrize("taken", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("items", [[1, 2, 3], (1, 2, 3), "abc", "→bc", b"abc", range(3)])
def test_an_iterator_is_written_with_what_is_left(items: Any, taken: int) -> None:
    used = advanced(items, taken)
    again = evaluated(source(used))
    testing.check(again, used)
    assert list(again) == list(items[taken:])
    if taken < 3:
        with pytest.raises(AssertionError):
            testing.check(evaluated(source(used)), advanced(items, taken + 1))


def test_locks_are_the_same_unless_one_is_held() -> None:
    held = threading.Lock()
    testing.check([held, threading.RLock()], [threading.Lock(), threading.RLock()])
    with held, pytest.raises(AssertionError):
        testing.check(held, threading.Lock())
    with pytest.raises(AssertionError):
        testing.check([held, held], [threading.Lock(), threading.Lock()])


def test_a_class_with_an_own_way_of_being_made_is_restored() -> None:
    assert text(testing.restore(Checked, amount=3)) == "restore(Checked, amount=3)"
    assert text(Late("x")) == 'restore(Late, name="x", seen=[])'
    assert text(testing.restore(Plain, **{"a b": 1})) == 'restore(Plain, **{"a b": 1})'


@pytest.mark.parametrize("error", [OddError("same", "same"), OddFileError(2, "gone")])
def test_an_exception_keeps_an_attribute_that_is_its_argument(error: Exception) -> None:
    testing.check(evaluated(source(error)), error)


def test_a_shared_object_gets_one_name() -> None:
    item = Item("a")
    assert source([item, item]).endswith('item = Item(sku="a", price=None)\nvalue = [item, item]\n')


def test_a_cycle_is_filled_after_it_is_made() -> None:
    rows: list[Any] = []
    rows.append(rows)
    assert source(rows).startswith("value = []\nvalue.append(value)\n")
    plain = testing.restore(Plain)
    plain.me = plain
    assert "plain = restore(Plain)\nfill(plain, me=plain)\n" in source(plain)
    again = evaluated(source((plain, rows)))
    testing.check(again, (plain, rows))


def test_an_object_in_a_cycle_has_what_its_hash_needs_before_it_is_a_key() -> None:
    key = testing.restore(Key, name="a")
    key.parts, key.last = [key], 1
    value = {key: 0}
    assert 'key = restore(Key, name="a")\n' in source(value)
    assert "fill(key, parts=[key], last=1)\n" in source(value)
    testing.check(evaluated(source(value)), value)


def test_attributes_in_the_order_of_the_alphabet_are_given_before_the_cycle() -> None:
    key = testing.restore(Key)  # what a call leaves is recorded in that order
    key.all, key.name = [key], "a"
    value = {key: 0}
    assert 'key = restore(Key, name="a")\n' in source(value)
    assert "fill(key, all=[key])\n" in source(value)
    testing.check(evaluated(source(value)), value)


def test_a_long_value_is_broken_one_item_a_line() -> None:
    program = source([Item("A" * 30), Item("B" * 30), Item("C" * 30)])
    assert program.splitlines()[-5:] == [
        "value = [",
        *(f'    Item(sku="{letter * 30}", price=None),' for letter in "ABC"),
        "]",
    ]
    assert all(len(line) <= 100 for line in program.splitlines())


def test_what_has_no_source_says_why() -> None:
    assert "function without an importable name" in reason(lambda: None)
    deep: list[Any] = []
    for _ in range(60):
        deep = [deep]
    assert reason(deep) == "nested too deeply"
    made = write(["x" * 5000], cap=4096)
    assert made == NotWritten("over 4 KiB")


@pytest.mark.parametrize(
    "value",
    [
        {"password": "hunter2"},
        {"X-Api-Key": ["abc"]},
        {"password": {"old": ("abc",)}},
        testing.restore(Plain, userToken="abc123def456ghi789"),
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        {"id": "9b74c9897bac770ffc029102a200c5de9b74c9897bac770f"},
    ],
)
def test_what_looks_like_a_secret_is_not_written(value: object) -> None:
    assert "secret" in reason(value)


@pytest.mark.parametrize(
    "value",
    [
        *({"tokens": 3}, {"passenger": "Ann"}, "the quick brown fox jumps", "a" * 64),
        *({"token": "plus"}, {"tokens": ["a b", "(", "12345678901234567890"]}),
    ],
)
def test_what_only_resembles_a_secret_is_written(value: object) -> None:
    assert isinstance(write(value), Written)


def test_two_things_of_one_name_are_imported_by_two() -> None:
    imports = Imports()
    assert imports.use("a.shop", "Item") == "Item"
    assert imports.use("b.store", "Item") == "store_Item"
    assert imports.use("shop", "check") == "shop_check"
    assert imports.render("Item, store_Item, shop_check, check", for_pytest=False) == (
        "from perftrace.replay.testing import check\n\n"
        "from a.shop import Item\n"
        "from b.store import Item as store_Item\n"
        "from shop import check as shop_check\n"
    )


def test_a_numpy_array_of_numbers_is_written_without_numpy() -> None:
    dtype = values.ReduceNode(
        values.RefNode("numpy", "dtype"), values.TupleNode(["f8", False, True])
    )
    dtype.state = values.TupleNode([3, "<", None, None, None, -1, -1, 0])
    data = struct.pack("<4d", 1.0, 2.0, -0.0, float("inf"))
    array = values.ReduceNode(
        values.RefNode("numpy._core.numeric", "_frombuffer"),
        values.TupleNode([data, dtype, values.TupleNode([2, 2]), "C"]),
    )
    made = Writer(Imports(), SOURCES, CAP).write([Slot("value", array)])
    assert isinstance(made, Written)
    assert flat(made.values[0]) == ('array([[1.0, 2.0], [-0.0, float("inf")]], dtype="float64")')
    array.arguments.items[3] = "F"
    assert "numpy array" in str(Writer(Imports(), SOURCES, CAP).write([Slot("value", array)]))
