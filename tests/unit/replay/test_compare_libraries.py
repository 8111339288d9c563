"""Values of libraries: pairs that must, and must not, be told apart; each can be restored."""

import copy
import importlib
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from perftrace.replay.canonical import canonical
from perftrace.replay.compare import Different, Same, Unknown, compare
from perftrace.restore import decode
from perftrace.snapshot import encode
from perftrace.values import Node, read

CAP = 1 << 22

type Pairs = dict[str, tuple[Any, Any]]


def nodes(value: object) -> Node:
    return read(encode(value, CAP)[0])


def compared(a: object, b: object) -> Same | Different | Unknown:
    return compare(nodes([a, None]), nodes([b, None]))


MODELS = """
import pydantic


class Plain(pydantic.BaseModel):
    x: int = 1
    y: list[int] = []
    _kept: int = pydantic.PrivateAttr(default=3)


class Extra(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    x: int = 1


class Frozen(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)
    x: int = 1
"""
CLASSES = """
import attrs


@attrs.define
class Slots:
    x: int
    y: list[int]


@attrs.define(eq=False)
class Below(Slots):
    z: int = 0


@attrs.frozen
class Frozen:
    x: int
    y: list[int]


@attrs.define(cache_hash=True, frozen=True)
class Hashed:
    x: int
"""


@pytest.fixture(autouse=True)
def own_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the classes made here can be found by name; gone with the test."""
    for name in ("library_models", "library_attrs"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))


def made(name: str, text: str) -> Any:
    """A module of this text."""
    module = sys.modules[name]
    exec(text, vars(module))
    return module


def library(name: str) -> Any:
    return pytest.importorskip(name, reason=f"{name} is not installed")


def read_only(array: Any) -> Any:
    made = array.copy("K")
    made.flags.writeable = False
    return made


def changed(value: Any, act: Callable[[Any], object]) -> Any:
    """A copy that something was done to."""
    made = copy.deepcopy(value)
    act(made)
    return made


# --- numpy ----------------------------------------------------------------------------------------


def numpy_pairs() -> tuple[Pairs, Pairs]:
    np = library("numpy")
    rows = np.arange(6.0).reshape(2, 3)
    objects = np.array([1, "a", None], dtype=object)
    days = np.array(["2020-01-01"], dtype="M8[D]")
    record = np.zeros(2, dtype=[("a", "i4")])
    one: list[int] = []
    different = {
        "type": (rows, rows.astype("f4")),
        "order": (rows, np.asfortranarray(rows)),
        "shape": (rows, rows.reshape(3, 2)),
        "one column": (np.zeros(3), np.zeros((3, 1))),
        "empty": (np.zeros((0, 3)), np.zeros((3, 0))),
        "may be written": (rows, read_only(rows)),
        "columns left out": (rows[:, ::2], rows[:, ::2].copy()),
        "reversed": (rows[:, ::-1], rows[:, ::-1].copy()),
        "a column": (rows[:, 0], rows[:, 0].copy()),
        "columns of what may not be written": (rows[:, ::2], read_only(rows)[:, ::2]),
        "sign of zero": (np.array([0.0]), np.array([-0.0])),
        "one bit": (np.array([0.1]), np.nextafter(np.array([0.1]), 1)),
        "byte order": (rows, rows.astype(">f8")),
        "matrix": (rows, np.matrix(rows)),
        "names of fields": (record, np.zeros(2, dtype=[("b", "i4")])),
        "scalar": (np.float64(1), np.array(1.0)),
        "numpy's integer": (np.int64(1), 1),
        "width": (np.int64(1), np.int32(1)),
        "width of text": (np.array(["a"], "U1"), np.array(["a"], "U5")),
        "unit": (days, days.astype("M8[s]")),
        "days that may not be written": (days, read_only(days)),
        "objects": (objects, np.array([1, "a", 0], dtype=object)),
        "type of an object": (objects, np.array([1.0, "a", None], dtype=object)),
        "objects that may not be written": (objects, read_only(objects)),
        "an object twice": (
            np.array([one, one, 0], dtype=object),
            np.array([[], [], 0], dtype=object),
        ),
        "NaN or none": (np.array([np.nan]), np.array([0.0])),
        "a type": (np.dtype("f8"), np.dtype("f4")),
    }
    same = {
        "copy": (rows, rows.copy()),
        "Fortran's": (np.asfortranarray(rows), rows.copy("F")),
        "columns left out": (rows[:, ::2], rows.copy()[:, ::2]),
        "NaN": (np.array([np.nan, 1]), -np.array([np.nan, -1])),
        "NaN in complex": (np.array([complex(np.nan, 1)]), np.array([complex(-np.nan, 1)])),
        "NaN of half width": (np.array([np.nan], "f2"), -np.array([np.nan], "f2")),
        "NaN alone": (np.float64("nan"), -np.float64("nan")),
        "objects": (objects, objects.copy()),
        "objects in objects": (np.array([1, [2]], object), np.array([1, [2]], object)),
        "what may not be written": (read_only(objects), read_only(objects)),
        "days": (days, days.copy()),
        "record": (record, record.copy()),
        "long": (np.zeros(2, "g"), np.zeros(2, "g")),
    }
    return different, same


def masked_pairs() -> tuple[Pairs, Pairs]:
    np = library("numpy")
    ma = np.ma
    plain = ma.array([1, 2], mask=[0, 1])
    different = {
        "mask": (plain, ma.array([1, 2], mask=[1, 0])),
        "no mask": (ma.array([1, 2]), ma.array([1, 2], mask=[0, 0])),
        "behind the mask": (plain, ma.array([1, 3], mask=[0, 1])),
        "fill value": (plain, ma.array([1, 2], mask=[0, 1], fill_value=7)),
        "hard mask": (plain, changed(plain, lambda one: one.harden_mask())),
        "not masked at all": (ma.array([1, 2]), np.array([1, 2])),
        "entries dropped": (plain, ma.array([1], mask=[0])),
        "may be written": (ma.array([1, 2]), ma.array(read_only(np.array([1, 2])))),
        "order": (ma.array(np.eye(2)[:, :1]), ma.array(np.eye(2)[:, :1].copy())),
        "masked": (ma.masked, ma.array(0.0, mask=True)),
        "objects": (
            ma.array([[1], "a"], mask=[0, 1], dtype=object),
            ma.array([[2], "a"], mask=[0, 1], dtype=object),
        ),
        "fields": (
            ma.array([(1, 2)], dtype="i4,i4", mask=[(0, 1)]),
            ma.array([(1, 2)], dtype="i4,i4", mask=[(1, 0)]),
        ),
    }
    same = {
        "copy": (plain, ma.array([1, 2], mask=[0, 1])),
        "used": (plain, changed(plain, lambda one: (one.sum(), str(one), one[0]))),
        "masked": (ma.masked, ma.masked),
        "objects": (
            ma.array([[1], "a"], mask=[0, 1], dtype=object),
            ma.array([[1], "a"], mask=[0, 1], dtype=object),
        ),
        "fill value": (
            ma.array([1.5], fill_value=7),
            ma.array([1.5], fill_value=7).copy(),
        ),
    }
    return different, same


# --- pandas ---------------------------------------------------------------------------------------


def frame_pairs() -> tuple[Pairs, Pairs]:
    pd = library("pandas")
    frame = pd.DataFrame({"a": [1, 2], "b": [1.5, 2.5]})
    mixed = pd.DataFrame({"a": [1, 3], "b": [1.5, 2.0], "c": [2, 1]})
    inserted = pd.DataFrame({"b": [1.5, 2.0]})
    inserted.insert(0, "a", [1, 3])
    inserted.insert(2, "c", [2, 1])
    named = changed(frame, lambda one: one.attrs.update(k=1))
    different = {
        "value": (frame, frame + 1),
        "index": (frame, frame.set_axis([1, 2])),
        "kind of index": (frame, frame.set_axis(pd.Index([0, 1]))),
        "columns": (frame, frame.set_axis(["a", "c"], axis=1)),
        "order of columns": (frame, frame[["b", "a"]]),
        "name of the index": (frame, frame.rename_axis("i")),
        "name of the columns": (frame, frame.rename_axis("i", axis=1)),
        "type": (frame, frame.astype({"a": "i4"})),
        "type that knows NA": (frame, frame.astype({"a": "Int64"})),
        "attrs": (frame, named),
        "value in attrs": (named, changed(frame, lambda one: one.attrs.update(k=2))),
        "flags": (frame, frame.set_flags(allows_duplicate_labels=False)),
        "series or frame": (frame["a"], frame[["a"]]),
        "name": (pd.Series([1], name="a"), pd.Series([1], name="b")),
        "None or NaN": (
            pd.Series([None, "a"], dtype=object),
            pd.Series([float("nan"), "a"], dtype=object),
        ),
        "text or objects": (pd.Series(["a"], dtype="string"), pd.Series(["a"], dtype=object)),
        "sparse": (pd.Series([0, 1]), pd.Series([0, 1], dtype="Sparse[int]")),
    }
    same = {
        "copy": (frame, frame.copy()),
        "used": (frame, changed(frame, lambda one: (one["a"], one.index.get_loc(1), str(one)))),
        "columns added": (mixed, mixed[["a", "b"]].assign(c=[2, 1])),
        "columns inserted": (mixed, inserted),
        "columns joined": (
            pd.DataFrame({"a": [1, 2], "b": [3, 4]}),
            pd.concat([pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"b": [3, 4]})], axis=1),
        ),
        "columns chosen": (mixed, mixed[["c", "b", "a"]][["a", "b", "c"]]),
        "made of rows": (
            pd.DataFrame({"a": [1, 3], "b": [3, 4]}),
            pd.DataFrame([[1, 3], [3, 4]], columns=["a", "b"]),
        ),
        "column": (frame["a"], pd.Series([1, 2], name="a")),
        "text": (pd.Series(["a", None]), pd.Series(["a", None])),
        "NA": (pd.Series([1, None], dtype="Int64"), pd.Series([1, None], dtype="Int64")),
    }
    return different, same


def index_pairs() -> tuple[Pairs, Pairs]:
    pd = library("pandas")
    days = pd.date_range("2020-01-01", periods=3, freq="D")
    letters = pd.Categorical(["a", "b"])
    tuples = pd.MultiIndex.from_tuples([(1, "a")])
    different = {
        "frequency": (days, pd.DatetimeIndex(list(days))),
        "time zone": (days, days.tz_localize("UTC")),
        "order of categories": (letters, pd.Categorical(["a", "b"], categories=["b", "a"])),
        "ordered": (letters, pd.Categorical(["a", "b"], ordered=True)),
        "more categories": (letters, pd.Categorical(["a", "b"], categories=["a", "b", "c"])),
        "time": (pd.Timestamp("2020"), pd.Timestamp("2020", tz="UTC")),
        "period": (pd.Period("2020", "M"), pd.Period("2020-01", "D")),
        "step": (pd.RangeIndex(3), pd.RangeIndex(0, 3, 2)),
        "range": (pd.RangeIndex(3), pd.Index([0, 1, 2])),
        "closed": (pd.interval_range(0, 2), pd.interval_range(0, 2, closed="left")),
        "levels": (tuples, pd.MultiIndex.from_tuples([(1, "b")])),
        "names": (tuples, pd.MultiIndex.from_tuples([(1, "a")], names=["x", "y"])),
        "offset": (pd.offsets.Day(1), pd.offsets.Day(2)),
        "missing": (pd.NaT, pd.NA),
    }
    same = {
        "used": (days, changed(days, lambda one: (str(one), one.year, one.is_unique))),
        "letters": (letters, pd.Categorical(["a", "b"])),
        "tuples": (tuples, pd.MultiIndex.from_tuples([(1, "a")])),
        "missing": ([pd.NaT, pd.NA], [pd.NaT, pd.NA]),
        "intervals": (pd.interval_range(0, 2), pd.interval_range(0, 2)),
        "periods": (pd.period_range("2020", periods=2), pd.period_range("2020", periods=2)),
    }
    return different, same


# --- the others -----------------------------------------------------------------------------------


def sparse_pairs() -> tuple[Pairs, Pairs]:
    np, sparse = library("numpy"), library("scipy.sparse")
    eye = sparse.csr_matrix(np.eye(3))
    places = ([0, 1, 2], [0, 1, 2])
    with_zero = sparse.csr_matrix((np.array([0.0, 1.0, 1.0]), places), shape=(3, 3))
    without = sparse.csr_matrix((np.array([1.0, 1.0]), ([1, 2], [1, 2])), shape=(3, 3))
    ends = np.array([0, 2])
    sorted_, mixed = (
        sparse.csr_matrix((np.array(data), np.array(at), ends), shape=(1, 3))
        for data, at in (([2.0, 1.0], [0, 2]), ([1.0, 2.0], [2, 0]))
    )
    different = {
        "a zero that is kept": (with_zero, without),
        "format": (eye, eye.tocsc()),
        "matrix or array": (eye, sparse.csr_array(eye)),
        "places": (eye, eye.tocoo()),
        "type": (eye, eye.astype("f4")),
        "order of what is kept": (mixed, sorted_),
        "shape": (eye, sparse.csr_matrix(np.eye(3, 4))),
        **{
            one: (eye.asformat(one), (2 * eye).asformat(one))
            for one in ("dok", "lil", "dia", "bsr")
        },
    }
    same = {
        "copy": (eye, eye.copy()),
        "used": (
            eye.copy(),
            changed(eye, lambda one: (one.has_sorted_indices, one.has_canonical_format)),
        ),
        "array": (sparse.csr_array(np.eye(2)), sparse.csr_array(np.eye(2))),
        **{
            one: (eye.asformat(one), eye.asformat(one))
            for one in ("dok", "lil", "dia", "coo", "bsr")
        },
    }
    return different, same


def model_pairs() -> tuple[Pairs, Pairs]:
    library("pydantic")
    models = made("library_models", MODELS)
    plain, extra, frozen = models.Plain, models.Extra, models.Frozen
    private = plain()
    private._kept = 4
    different = {
        "field": (plain(x=1), plain(x=2)),
        "set or by default": (plain(), plain(x=1)),
        "private": (plain(), private),
        "extra": (extra(x=1, z=1), extra(x=1, z=2)),
        "no extra": (extra(), extra(z=1)),
        "class": (extra(), frozen()),
        "list": (plain(y=[1]), plain(y=[2])),
        "frozen": (frozen(x=1), frozen(x=2)),
    }
    same = {
        "equal": (plain(x=1, y=[1]), plain(x=1, y=[1])),
        "copy": (plain(x=1), plain(x=1).model_copy()),
        "extra": (extra(x=1, z=1), extra(x=1, z=1)),
        "hashed": (frozen(x=1), changed(frozen(x=1), hash)),
    }
    return different, same


def attrs_pairs() -> tuple[Pairs, Pairs]:
    library("attrs")
    classes = made("library_attrs", CLASSES)
    slots, below, frozen, hashed = classes.Slots, classes.Below, classes.Frozen, classes.Hashed
    different = {
        "list": (slots(1, [1]), slots(1, [2])),
        "class": (slots(1, []), frozen(1, [])),
        "of the class below": (below(1, [], 0), below(1, [], 1)),
        "not set": (slots.__new__(slots), slots(1, [])),
        "frozen": (frozen(1, [1]), frozen(1, [2])),
    }
    same = {
        "equal": (slots(1, [1]), slots(1, [1])),
        "copy": (frozen(1, [1]), copy.deepcopy(frozen(1, [1]))),
        "hashed": (hashed(1), changed(hashed(1), hash)),
    }
    return different, same


LIBRARIES = {
    "numpy": numpy_pairs,
    "masked arrays": masked_pairs,
    "frames": frame_pairs,
    "indexes": index_pairs,
    "sparse": sparse_pairs,
    "pydantic": model_pairs,
    "attrs": attrs_pairs,
}


# numpy says so of its matrices, which programs use all the same.
pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass")


@pytest.mark.parametrize("name", LIBRARIES)
def test_what_differs_is_told_apart(name: str) -> None:
    different, _ = LIBRARIES[name]()
    for how, (a, b) in different.items():
        assert isinstance(compared(a, b), Different), how
        assert isinstance(compared(b, a), Different), how
        assert canonical(nodes(a)) != canonical(nodes(b)), how


@pytest.mark.parametrize("name", LIBRARIES)
def test_what_is_the_same_is_not(name: str) -> None:
    _, same = LIBRARIES[name]()
    for how, (a, b) in same.items():
        assert compared(a, b) == Same(), how
        assert canonical(nodes(a)) == canonical(nodes(b)), how


@pytest.mark.parametrize("name", LIBRARIES)
def test_what_is_recorded_can_be_restored(name: str) -> None:
    different, same = LIBRARIES[name]()
    for how, (a, b) in [*different.items(), *same.items()]:
        for value in (a, b):
            restored = decode(encode([value], CAP)[0], resolve)
            assert isinstance(restored, list)
            assert compared(value, restored[0]) == Same(), how


def resolve(module: str, qualname: str) -> object:
    found: Any = importlib.import_module(module)
    for part in qualname.split(".") if qualname else ():
        found = getattr(found, part)
    return found
