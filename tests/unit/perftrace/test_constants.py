"""Instances that are known by the name that leads to them."""

import collections
from typing import Any

import pytest

from perftrace import snapshot, values
from perftrace.constants import Constants
from perftrace.nodes import InstanceNode, RefNode
from perftrace.restore import decode


class Kind(tuple[str, ...]):
    """As in lexers: kinds are made when they are asked for."""

    parent: "Kind | None" = None

    def __getattr__(self, name: str) -> "Kind":
        if not name[:1].isupper():
            raise AttributeError(name)
        made = Kind((*self, name))
        setattr(self, name, made)
        made.parent = self
        return made


Root = Kind()
Word = Root.Word
Verb = Word.Verb
current = Kind(("current",))


class Level(int):
    """With constants in the class itself."""

    LOW: "Level"

    def __new__(cls, number: int, text: str) -> "Level":
        made = int.__new__(cls, number)
        made.text = text  # type: ignore[attr-defined]
        return made


Level.LOW = Level(1, "low")


class Box:
    """Its state matters, whatever its variable is called."""

    def __init__(self) -> None:
        self.items: list[int] = []


BOX = Box()


class Pair(collections.namedtuple("Pair", "a b")):
    __slots__ = ()


PAIR = Pair(1, 2)


def _unnamed() -> Any:
    class Marker:
        def __bool__(self) -> bool:
            return False

    return Marker()


MARKER = _unnamed()


def name(value: object) -> str:
    node = values.read(snapshot.encode(value, 10_000)[0])
    return f"{node.qualname}" if isinstance(node, RefNode) else type(node).__name__


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Root, "Root"),
        (Word, "Word"),
        (Verb, "Verb"),
        (Word.Noun, "Word.Noun"),
        (Root.Number.Whole, "Root.Number.Whole"),
        (Level.LOW, "Level.LOW"),
        (MARKER, "MARKER"),
        (current, "InstanceNode"),
        (Kind(("Word",)), "InstanceNode"),
        (Level(1, "low"), "InstanceNode"),
        (BOX, "InstanceNode"),
        (PAIR, "InstanceNode"),
    ],
)
def test_what_has_a_name(value: object, expected: str) -> None:
    assert name(value) == expected


def test_it_is_the_same_object_again() -> None:
    def resolve(module: str, qualname: str) -> object:
        assert module == __name__
        found: object = globals()[qualname.partition(".")[0]]
        for part in qualname.split(".")[1:]:
            found = getattr(found, part)
        return found

    blob = snapshot.encode([Verb, Word.Adverb, (Word,)], 10_000)[0]
    found = decode(blob, resolve)
    assert isinstance(found, list)
    assert found[0] is Verb
    assert found[1] is Word.Adverb
    assert found[2][0] is Word


def test_constants_made_later_are_found() -> None:
    constants = Constants()
    assert constants.name(Root) == (__name__, "Root")
    late = [Kind((str(number),)) for number in range(40)]
    for number, kind in enumerate(late):
        setattr(Root, f"Late{number}", kind)
    try:
        named = [constants.name(kind) for kind in late]
    finally:
        for number in range(len(late)):
            delattr(Root, f"Late{number}")
    assert named[0] == (__name__, "Root.Late0")
    assert all(named)


def test_a_variable_that_is_set_anew_names_the_new_object(monkeypatch: pytest.MonkeyPatch) -> None:
    constants = Constants()
    before, after = Verb, Kind(("other",))
    assert constants.name(before) == (__name__, "Verb")
    monkeypatch.setitem(globals(), "Verb", after)
    assert constants.name(before) is None
    assert constants.name(after) == (__name__, "Verb")


def test_an_attribute_that_is_no_name_leads_nowhere() -> None:
    odd = Kind(("odd",))
    vars(Root)["a b"] = odd
    try:
        assert isinstance(values.read(snapshot.encode(odd, 10_000)[0]), InstanceNode)
    finally:
        del vars(Root)["a b"]
