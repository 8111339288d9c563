"""Snapshots of live values: nothing of the user's runs, nothing changes, nothing large is made."""

import builtins
import collections
import dataclasses
import datetime
import enum
import functools
import gc
import io
import signal
import subprocess
import sys
import threading
import types
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from perftrace import snapshot
from perftrace.snapshot import TooBig, TooSlow, Unencodable, encode, immutable
from perftrace.values import ListNode, OpaqueNode, RefNode, read, show

CAP = 1 << 20


def shown(value: object) -> str:
    return show(read(encode(value, CAP)[0]), 200)


class Assigned:
    def __init__(self, a: object, b: object = None) -> None:
        self.a = a
        self.b = b

    def method(self) -> None: ...


@dataclasses.dataclass
class Record:
    x: int
    y: str = "y"
    z: list[int] = dataclasses.field(default_factory=list)


# --- nothing of the user's runs -----------------------------------------------------------------

ran: list[str] = []


def trap(name: str) -> object:
    def method(self: object, *args: object, **kwargs: object) -> object:
        ran.append(name)
        raise SystemExit(name)

    return method


TRAPS = (
    *("reduce", "reduce_ex", "getstate", "getattr", "getattribute", "iter", "len", "hash", "eq"),
    *("bool", "repr", "str", "copy", "deepcopy", "getnewargs", "getnewargs_ex", "sizeof", "dir"),
    *(
        "contains",
        "getitem",
        "index",
        "int",
        "float",
        "next",
        "get",
        "instancecheck",
        "length_hint",
    ),
    *("call", "format", "bytes", "fspath", "buffer", "missing", "reversed", "class_getitem"),
)


def hostile_body() -> dict[str, object]:
    body: dict[str, object] = {f"__{name}__": trap(name) for name in TRAPS}
    body["__class__"] = property(trap("class"))  # type: ignore[arg-type]
    body["__dict__"] = property(trap("dict"))  # type: ignore[arg-type]
    body["__module__"] = __name__
    return body


class HostileMeta(type):
    __getattribute__ = trap("meta getattribute")  # type: ignore[assignment, misc]
    __eq__ = trap("meta eq")  # type: ignore[assignment]
    __hash__ = trap("meta hash")  # type: ignore[assignment]
    __instancecheck__ = trap("meta instancecheck")  # type: ignore[assignment]
    __subclasscheck__ = trap("meta subclasscheck")  # type: ignore[assignment]
    __mro_entries__ = trap("meta mro entries")
    __call__ = trap("meta call")  # type: ignore[assignment]
    __bool__ = trap("meta bool")
    __repr__ = trap("meta repr")  # type: ignore[assignment]


BASES = (object, list, dict, set, frozenset, tuple, int, float, str, bytes, bytearray, complex)
MORE_BASES = (
    collections.deque,
    collections.OrderedDict,
    collections.defaultdict,
    collections.Counter,
    datetime.datetime,
    datetime.timedelta,
    types.SimpleNamespace,
    ValueError,
    io.StringIO,
)


def hostile(base: type) -> tuple[object, type]:
    body = hostile_body()
    name = f"Hostile_{base.__name__}"
    body["__qualname__"] = name
    if base is not object:
        for missing in ("get", "buffer"):
            body.pop(f"__{missing}__")
    made = HostileMeta.__new__(HostileMeta, name, (base,), body)
    globals()[name] = made
    arguments = {datetime.datetime: (2024, 1, 1), ValueError: ("a",)}.get(base, ())
    return base.__new__(made, *arguments), made  # type: ignore[call-overload]


@pytest.mark.parametrize("base", [*BASES, *MORE_BASES])
def test_no_hook_of_a_hostile_object_runs(base: type) -> None:
    value, cls = hostile(base)
    ran.clear()
    encode([value, value, {"k": (value,)}], CAP)
    encode([cls], CAP)
    immutable(value)
    assert ran == []


class Key:
    def __init__(self, name: str) -> None:
        self.name = name

    def __hash__(self) -> int:
        ran.append("hash")
        return 1

    def __eq__(self, other: object) -> bool:
        ran.append("eq")
        return self is other


def test_keys_and_members_are_not_hashed_again() -> None:
    keys = [Key("a"), Key("b")]
    values = [
        dict.fromkeys(keys),
        set(keys),
        frozenset(keys),
        collections.OrderedDict.fromkeys(keys),
        collections.Counter(keys),
        collections.defaultdict(int, dict.fromkeys(keys)),
        type("Sub", (frozenset,), {})(keys),
    ]
    ran.clear()
    encode(values, CAP)
    assert ran == []


def test_iterators_are_not_used_up() -> None:
    generator = (i for i in "ab")
    sources: list[Any] = [
        generator,
        iter([1, 2]),
        map(str, "ab"),
        iter({1: 2}),
        zip("ab"),
    ]
    assert encode(sources, CAP)[1] == 2  # the generator's, and that of a dict
    assert [len(list(source)) for source in sources[:1]] == [2]
    assert [next(source) for source in sources[1:]] == [1, "a", 1, ("a",)]


def test_a_lazy_module_is_not_loaded() -> None:
    class Lazy(types.ModuleType):
        def __getattribute__(self, name: str) -> object:
            ran.append(name)
            raise AttributeError(name)

    sys.modules["lazy_module"] = Lazy("lazy_module")
    try:
        ran.clear()
        Assigned.__module__ = "lazy_module"
        node = read(encode([Assigned(1), sys.modules["lazy_module"]], CAP)[0])
    finally:
        Assigned.__module__ = __name__
        del sys.modules["lazy_module"]
    assert ran == []
    assert isinstance(node, ListNode)
    assert isinstance(node.items[1], RefNode)


def test_patched_builtins_are_not_used() -> None:
    value = [Record(1), {"a": Assigned(2)}, datetime.date(2024, 1, 1), ValueError("a")]
    before = encode(value, CAP)
    names = ("len", "type", "isinstance", "issubclass", "list", "dict", "id", "all", "zip", "map")
    real = {name: getattr(builtins, name) for name in names}
    ran.clear()
    try:
        vars(builtins).update(dict.fromkeys(names, trap("builtin")))
        after = encode(value, CAP)
    finally:
        vars(builtins).update(real)
    assert ran == []
    assert after == before


def test_a_new_reference_is_not_kept() -> None:
    made = type("Passing", (), {"__module__": __name__})
    globals()["Passing"] = made
    encode([made(), made], CAP)
    alive = weakref.ref(made)
    del globals()["Passing"], made
    gc.collect()
    assert alive() is None


def encode_for_ever(value: object) -> None:
    while True:
        encode(value, 1 << 24)


@pytest.fixture
def no_gc_callbacks() -> Iterator[None]:
    """Python swallows what is raised in one of them; hypothesis adds one."""
    before = gc.callbacks[:]
    gc.callbacks.clear()
    yield
    gc.callbacks[:] = before


@pytest.mark.usefixtures("no_gc_callbacks")
def test_an_error_of_the_programs_own_passes_through() -> None:
    class StopWorkError(Exception):
        pass

    rings = 0

    def interrupt(*_: object) -> None:
        nonlocal rings
        rings += 1
        raise StopWorkError

    before = signal.signal(signal.SIGALRM, interrupt)
    timer = signal.getitimer(signal.ITIMER_REAL)
    value = [Record(i) for i in range(3000)]
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.002, 0.5)
        with pytest.raises(StopWorkError):
            encode_for_ever(value)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *timer)
    assert rings == 1


def test_it_loads_little_more_than_the_c_pickler() -> None:
    code = (
        "import sys, _pickle; before = set(sys.modules); import perftrace.snapshot;"
        "print(*sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-S", "-c", code]
    path = str(snapshot.__file__).rpartition("/perftrace/")[0]
    found = subprocess.run(command, capture_output=True, check=True, env={"PYTHONPATH": path})
    foreign = [name for name in found.stdout.decode().split() if "perftrace" not in name]
    assert set(foreign) <= {"__future__", "gc", "types"}


# --- bounds -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "x" * 5000,
        b"x" * 5000,
        bytearray(5000),
        list(range(5000)),
        ["x" * 5000],
        [{"deep": ["x" * 80_000]}],
        [[list(range(100_000))]],
        dict.fromkeys(range(5000)),
        [Assigned(i) for i in range(4000)],
        [Assigned(b"x" * 100_000)],
    ],
)
def test_a_value_past_the_cap_is_refused(value: object) -> None:
    with pytest.raises(TooBig):
        encode(value, 4096)


def test_the_cap_is_exact_for_small_values() -> None:
    size = len(encode([1, "text"], CAP)[0])
    assert encode([1, "text"], size)
    with pytest.raises(TooBig):
        encode([1, "text"], size - 1)


def test_endless_nesting_is_refused_with_a_reason() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(Unencodable, match="nested too deeply"):
        encode(value, CAP)


def test_cycles_are_written() -> None:
    ring: list[object] = []
    ring.append(ring)
    value = Assigned(ring)
    value.b = value
    assert shown(value) == "Assigned(a=[...], b=...)"


# --- what stands for what -----------------------------------------------------------------------

_MISSING = object()
SENTINEL = type("Sentinel", (), {"__module__": __name__, "__qualname__": "Sentinel"})()
Sentinel = type(SENTINEL)


HELD, HELD_AGAIN = threading.Lock(), threading.RLock()
HELD.acquire()
HELD_AGAIN.acquire()


class Mood(enum.Enum):
    GOOD = 1


@functools.lru_cache
def cached() -> None: ...


def nested() -> object:
    def inner() -> None: ...

    return inner


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (len, "len"),
        (str.upper, "str.upper"),
        (Record, f"{__name__}.Record"),
        (Mood.GOOD, "Mood.GOOD"),
        (sys, "sys"),
        (type(None), "types.NoneType"),
        (..., "Ellipsis"),
        (cached, f"{__name__}.cached"),
        (_MISSING, f"{__name__}._MISSING"),
        (SENTINEL, f"{__name__}.SENTINEL"),
        (Assigned(1).method, "Assigned(a=1, b=None).method"),
        (Record(1).z.append, "[].append"),
        ({"a": 1}.keys(), "{'a': 1}.keys()"),
        (lambda: 1, "<function: a function without an importable name>"),
        (nested(), "<function: a function without an importable name>"),
        (threading.Lock(), "threading.Lock()"),
        (HELD, "<_thread.lock: a lock that is held>"),
        (HELD_AGAIN, "<_thread.RLock: a lock that is held>"),
        ((i for i in "a"), "<generator: a generator can't be copied without running it>"),
        (iter([1]), "iter([1])"),
        (iter({1: 2}), "<dict_keyiterator: an iterator can't be read without using it up>"),
        (memoryview(b"a"), "<memoryview: its state is kept in C, out of reach>"),
        (property(), "<property: a property>"),
    ],
)
def test_what_is_not_plain_data_is_named(value: object, text: str) -> None:
    assert shown(value) == text


class Frozen(datetime.datetime):
    """As tools that stop the clock put in the place of `datetime.datetime`."""


def test_a_class_may_stand_in_the_place_of_the_one_it_is_made_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(datetime, "datetime", Frozen)
    assert shown(Frozen(2020, 1, 2)) == "Frozen(datetime(2020, 1, 2, 0, 0, 0, 0))"


def test_a_function_that_nobody_else_holds_is_freed() -> None:
    function: Any = nested()
    freed = weakref.ref(function)
    encode([function], CAP)
    del function
    assert freed() is None


def test_standard_streams_are_found_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", stream)
    assert shown(stream) == "sys.stdout"


def test_an_instance_of_a_local_class_is_opaque() -> None:
    class Local:
        pass

    node = read(encode(Local(), CAP)[0])
    assert isinstance(node, OpaqueNode)
    assert node.reason == "an instance of a class without an importable name"


def test_opaque_parts_are_counted_and_numbered() -> None:
    view = memoryview(b"a")
    blob, count = encode([view, view, memoryview(b"a")], CAP)
    assert count == 2
    node = read(blob)
    assert isinstance(node, ListNode)
    first, again, second = node.items
    assert first is again
    assert isinstance(first, OpaqueNode)
    assert isinstance(second, OpaqueNode)
    assert (first.number, second.number) == (0, 1)


def test_marks_are_written_under_one_name() -> None:
    for mark in (snapshot.ref, snapshot.make, snapshot.fill, snapshot.method, snapshot.opaque):
        assert mark.__module__ == "_perftrace.snapshot"
    sys.modules.pop("_perftrace.snapshot", None)
    assert b"_perftrace.snapshot" in encode([len], CAP)[0]


@pytest.mark.parametrize("value", [None, 1, "a", 1.5, (1, "a"), ((1,), 2), len, sys, range(3)])
def test_what_can_not_change_is_known(value: object) -> None:
    assert immutable(value)


@pytest.mark.parametrize("value", [[], {}, ([],), (((1,),),), Record(1), (1,) * 100, Mood.GOOD])
def test_what_may_change_is_not_taken_for_immutable(value: object) -> None:
    assert not immutable(value)


def test_patience_ends_though_there_is_room() -> None:
    values = [OrderedLike(number) for number in range(50_000)]  # a second's work
    with pytest.raises(TooSlow):
        encode(values, 1 << 30, patience_ns=1_000_000)
    assert encode(values[:2], 1 << 30, patience_ns=10**12)[0]


class OrderedLike:
    def __init__(self, number: int) -> None:
        self.number = number
