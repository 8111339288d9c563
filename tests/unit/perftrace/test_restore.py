"""Values come back as they were: classes, sharing, cycles; none of the user's constructors runs."""

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import gc
import importlib
import io
import logging
import operator
import pathlib
import pickle
import random
import re
import sys
import types
import uuid
import zoneinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perftrace.replay.compare import Same, compare
from perftrace.restore import decode
from perftrace.snapshot import encode
from perftrace.values import read

CAP = 1 << 22


def resolve(module: str, qualname: str) -> object:
    found: object = importlib.import_module(module)
    return functools.reduce(getattr, qualname.split("."), found) if qualname else found


def restored(value: object) -> Any:
    return decode(encode(value, CAP)[0], resolve)


def refuse(self: object, *args: object, **kwargs: object) -> None:
    raise AssertionError("a constructor of the user's ran")


class Guarded:
    """Once built, nothing of its own may run again."""

    armed = False

    def __init__(self, value: object) -> None:
        self.value = value

    def __setattr__(self, name: str, value: object) -> None:
        if Guarded.armed:
            refuse(self)
        super().__setattr__(name, value)

    __reduce_ex__ = refuse  # type: ignore[assignment]
    __setstate__ = refuse


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    x: object


@dataclasses.dataclass(frozen=True)
class Validated:
    x: int

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError(self.x)


class Base:
    __slots__ = ("__private", "first")

    def __init__(self, first: object) -> None:
        self.first = first
        self.__private = [first]

    def private(self) -> object:
        return self.__private


class Derived(Base):
    __slots__ = ("second",)


class Mixed(Base):
    """Slots of its base and attributes of its own."""


class Shade(enum.Enum):
    RED = "r"
    DARK = ("d", 1)

    def __init__(self, *_: object) -> None:
        self.seen = True


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Version(collections.namedtuple("Version", "major minor")):
    __slots__ = ()

    def __new__(cls, text: str) -> "Version":
        return super().__new__(cls, *map(int, text.split(".")))


class Meters(float):
    def __new__(cls, value: float, unit: str) -> "Meters":
        made = super().__new__(cls, value)
        made.unit = unit  # type: ignore[attr-defined]
        return made


class Name(str):
    pass


class Count(int):
    pass


class Rows(list[Any]):
    def __init__(self, title: str, *rows: object) -> None:
        super().__init__(rows)
        self.title = title

    append = refuse
    extend = refuse


class Index(dict[Any, Any]):
    def __setitem__(self, key: object, value: object) -> None:
        refuse(self)


class Ordered(collections.OrderedDict[Any, Any]):
    pass


class Tags(set[Any]):
    pass


class Queue(collections.deque[Any]):
    pass


class Groups(collections.defaultdict[Any, Any]):
    pass


class Buffer(bytearray):
    pass


class Frame(frozenset[Any]):
    pass


class Day(datetime.date):
    pass


class Moment(datetime.datetime):
    pass


class Clock(datetime.time):
    pass


class Span(datetime.timedelta):
    pass


class Price(decimal.Decimal):
    pass


class Zone(datetime.tzinfo):
    def __init__(self, hours: int) -> None:
        self.hours = hours

    def utcoffset(self, when: object) -> datetime.timedelta:
        return datetime.timedelta(hours=self.hours)

    def dst(self, when: object) -> None:
        return None

    def tzname(self, when: object) -> None:
        return None


class Space(types.SimpleNamespace):
    pass


class HttpError(OSError):
    def __init__(self, code: int, url: str) -> None:
        super().__init__(code, f"{code} at {url}")
        self.url = url


class KeywordError(Exception):
    def __init__(self, *, code: int) -> None:
        super().__init__()
        self.code = code


class Shadowed:
    """A property hides the attribute of the same name."""

    def __init__(self, value: object) -> None:
        self.__dict__["value"] = value

    @property
    def value(self) -> object:
        return self.__dict__["value"]


class Meta(type):
    def __call__(cls, *args: object) -> object:
        raise AssertionError("a metaclass ran")


class Made(metaclass=Meta):
    pass


def caused() -> ValueError:
    error = ValueError("a", 1)
    error.__cause__ = KeyError("k")
    error.add_note("note")
    return error


def silenced() -> ValueError:
    error = ValueError()
    error.__suppress_context__ = True
    return error


def attributed[T](value: T, **attributes: object) -> T:
    for name, attribute in attributes.items():
        setattr(value, name, attribute)
    return value


VALUES = [
    *(
        None,
        True,
        0,
        -1,
        2**100,
        1.5,
        -0.0,
        float("nan"),
        "a\ud800é",
        b"a",
        1j,
        ...,
        NotImplemented,
    ),
    *([1, [2]], (1, (2,)), {"a": {1: 2}}, {1, "a"}, frozenset({1}), bytearray(b"a")),
    *(range(3), slice(1, 2, 3), {"a": 1}.keys(), {"a": 1}.values(), {"a": 1}.items()),
    types.MappingProxyType({"a": 1}),
    Guarded([1]),
    Frozen([1]),
    Validated(1),
    Base(1),
    attributed(Derived(1), second=2),
    Derived(1),
    attributed(Mixed(1), free=2),
    Shade.RED,
    Shade.DARK,
    Access.READ,
    Access.READ | Access.WRITE,
    Version("1.2"),
    Meters(1.5, "m"),
    Name("n"),
    attributed(Name("n"), extra=1),
    Count(3),
    Rows("title", 1, 2),
    Index(a=1),
    Ordered(b=1, a=2),
    Tags({1, 2}),
    Queue([1, 2], 5),
    Groups(list, a=[1]),
    Buffer(b"abc"),
    Frame({1, 2}),
    Day(2024, 1, 2),
    attributed(Moment(2024, 1, 2, 3, fold=1), extra=1),
    Moment(2024, 1, 2, tzinfo=Zone(2)),
    Clock(1, 2),
    Span(days=1, seconds=2),
    Price("1.10"),
    Space(a=1),
    Shadowed(1),
    type.__call__(Made),
    datetime.date(2024, 1, 2),
    datetime.time(1, 2, 3, 4),
    datetime.datetime(2024, 1, 2, 3, 4, 5, 6),
    datetime.datetime(2024, 1, 2, fold=1, tzinfo=zoneinfo.ZoneInfo("Europe/Paris")),
    datetime.UTC,
    datetime.timezone(datetime.timedelta(hours=1), "X"),
    datetime.timedelta(-1, 2, 3),
    decimal.Decimal("-0.10"),
    fractions.Fraction(1, 3),
    uuid.UUID(int=7),
    pathlib.PurePosixPath("/a/b"),
    pathlib.Path(),
    re.compile(r"a+", re.IGNORECASE),
    collections.deque([1, [2]], 4),
    collections.OrderedDict(b=1, a=2),
    attributed(collections.OrderedDict(b=1), extra=1),
    collections.Counter("aab"),
    collections.defaultdict(list, a=[1]),
    collections.ChainMap({"a": 1}, {"b": 2}),
    functools.partial(int, "3", base=4),
    operator.itemgetter(1, 2),
    operator.attrgetter("a.b"),
    operator.methodcaller("m", 1),
    array.array("d", [1.5]),
    io.StringIO("ab"),
    io.BytesIO(b"ab"),
    random.Random(3),
    types.SimpleNamespace(a=[1]),
    logging.getLogger("perftrace.test"),
    list[int],
    *(len, str.upper, resolve("math", "sin"), Frozen, Base(1).private, [1].append),
    *(sys, type(None), ValueError("a"), KeyError("k"), SystemExit(3), StopIteration(4)),
    FileNotFoundError(2, "no", "f", None, "g"),
    UnicodeDecodeError("utf-8", b"a", 0, 1, "r"),
    SyntaxError("bad", ("f", 1, 2, "text", 3, 4)),
    ExceptionGroup("g", [ValueError("a"), TypeError("b")]),
    HttpError(404, "u"),
    KeywordError(code=1),
    caused(),
    silenced(),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_the_same(value: object) -> None:
    blob, _ = encode([value, None], CAP)
    Guarded.armed = True
    try:
        back = decode(blob, resolve)
    finally:
        Guarded.armed = False
    assert type(back[0]) is type(value)  # type: ignore[index]
    assert compare(read(blob), read(encode(back, CAP)[0])) == Same()


def test_enum_members_are_the_members() -> None:
    assert restored([Shade.RED, Access.READ | Access.WRITE]) == [Shade.RED, Access(3)]
    assert restored(Shade.DARK) is Shade.DARK


def test_what_has_a_name_is_that_very_thing() -> None:
    for value in (Frozen, len, str.upper, sys, None, logging.getLogger("perftrace.test")):
        assert restored(value) is value


def test_restored_objects_work() -> None:
    assert restored(Base(5)).private() == [5]
    assert restored(Version("1.2")).minor == 2
    assert restored(collections.defaultdict(list))["new"] == []
    assert restored(functools.partial(int, base=2))("11") == 3
    assert restored(Base(7).private)() == [7]
    assert str(restored(HttpError(404, "u"))) == "[Errno 404] 404 at u"
    ours, theirs = random.Random(5), restored(random.Random(5))
    assert ours.random() == theirs.random()


def test_sharing_and_cycles_come_back() -> None:
    inner = [1]
    ring: list[object] = [inner]
    ring.append(ring)
    owner = Guarded(ring)
    ring.append(owner)
    back = restored([inner, ring, owner])
    assert back[1][0] is back[0]
    assert back[1][1] is back[1]
    assert back[1][2] is back[2]
    assert back[2].value is back[1]


def test_cycles_through_a_list_or_dict_of_another_name_come_back() -> None:
    rows = Rows("t")
    list.append(rows, rows)
    back = restored(rows)
    assert back[0] is back
    index = Index()
    dict.__setitem__(index, "self", index)
    back = restored(index)
    assert back["self"] is back


def test_a_restored_object_keeps_inline_attributes() -> None:
    back = restored(Validated(1))
    assert back.x == 1
    assert not any(type(held) is dict for held in gc.get_referents(back))


def test_an_exception_keeps_its_cause_and_flag() -> None:
    back = restored(caused())
    assert isinstance(back.__cause__, KeyError)
    assert back.__notes__ == ["note"]
    assert not back.__suppress_context__ or caused().__suppress_context__
    assert restored(silenced()).__suppress_context__
    assert not restored(ValueError()).__suppress_context__


# --- what the bytes may not do ------------------------------------------------------------------


@pytest.mark.parametrize(
    "blob",
    [
        pickle.dumps(print, protocol=5),
        b"cos\nsystem\n(S'true'\ntR.",
        b"\x80\x05\x8c\x13_perftrace.snapshot\x8c\x06encode\x93.",
    ],
)
def test_only_the_marks_can_be_named(blob: bytes) -> None:
    with pytest.raises(pickle.UnpicklingError, match="not one of perftrace's marks"):
        decode(blob, resolve)


def test_what_resolve_does_not_find_is_an_error() -> None:
    def nothing(module: str, qualname: str) -> object:
        raise LookupError(f"{module}.{qualname}")

    with pytest.raises(LookupError, match=r"builtins\.len"):
        decode(encode(len, CAP)[0], nothing)


# --- properties ---------------------------------------------------------------------------------

atoms = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
leaves = atoms | st.decimals(allow_nan=False) | st.datetimes() | st.sampled_from(Shade) | st.uuids()
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(leaves, inner, max_size=4)
        | st.sets(leaves, max_size=4)
        | st.builds(Frozen, inner)
        | st.builds(Guarded, inner)
        | st.builds(Base, inner)
        | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@given(values)
def test_any_value_comes_back_and_is_written_the_same(value: object) -> None:
    blob, opaque = encode([value, None], CAP)
    assert opaque == 0
    again, _ = encode(decode(blob, resolve), CAP)
    assert compare(read(blob), read(again)) == Same()


@given(st.lists(values, min_size=2, max_size=4), st.data())
def test_shared_parts_come_back_shared(items: list[object], data: st.DataObject) -> None:
    items.append(items[data.draw(st.integers(0, len(items) - 1))])
    items.append(items)
    blob, _ = encode([items, None], CAP)
    again, _ = encode(decode(blob, resolve), CAP)
    assert compare(read(blob), read(again)) == Same()
