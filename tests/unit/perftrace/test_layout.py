"""Attributes are read where they are: objects stay as quick to use as they were."""

import dataclasses
import gc

import pytest

from perftrace.snapshot import encode
from perftrace.values import InstanceNode, read, show

CAP = 1 << 20


def shown(value: object) -> str:
    return show(read(encode(value, CAP)[0]), 200)


class Assigned:
    def __init__(self, a: object, b: object = None) -> None:
        self.a = a
        self.b = b

    def method(self) -> None: ...


class Later:
    """Its attributes are set from outside: no code of its own names them."""


class Defaulted:
    a = None
    b = 0

    def __init__(self) -> None:
        self.a = None
        self.c = 1


@dataclasses.dataclass
class Record:
    x: int
    y: str = "y"
    z: list[int] = dataclasses.field(default_factory=list)


class Sloped:
    __slots__ = ("__dict__", "slot")

    def __init__(self) -> None:
        self.slot = {"s": 1}
        self.free = {"f": 1}


class Optional:
    def __init__(self, *, more: bool) -> None:
        self.a = None
        if more:
            self.b = None
        self.c = None


class Box[T]:
    def __init__(self, value: T) -> None:
        self.value = value


def later(**attributes: object) -> Later:
    made = Later()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def has_dict(value: object) -> bool:
    return any(type(held) is dict for held in gc.get_referents(value))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Assigned(1), "Assigned(a=1, b=None)"),
        (lambda: Assigned(None, None), "Assigned(a=None, b=None)"),
        (Defaulted, "Defaulted(a=None, c=1)"),
        (lambda: Record(1), "Record(x=1, y='y', z=[])"),
        (lambda: Optional(more=True), "Optional(a=None, b=None, c=None)"),
        (lambda: Optional(more=False), "Optional(a=None, c=None)"),
    ],
)
def test_reading_an_object_does_not_move_its_attributes_to_a_dict(make: object, text: str) -> None:
    for _ in range(3):
        value = make()  # type: ignore[operator]
        assert not has_dict(value)
        assert shown(value) == text
        assert not has_dict(value)


def test_an_object_made_by_a_generic_alias_is_read_as_others_are() -> None:
    value = Box[int](1)
    assert shown(value).startswith("Box(value=1, __orig_class__=")
    assert not has_dict(value)


def test_attributes_set_from_outside_are_learned_from_one_object() -> None:
    assert shown(later(p=1, q=2)) == "Later(p=1, q=2)"
    second = later(p=3, q=4)
    assert shown(second) == "Later(p=3, q=4)"
    assert not has_dict(second)


def test_an_attribute_that_is_a_dict_is_not_taken_for_the_objects_own() -> None:
    assert shown(later(only={"p": 1})) == "Later(only={'p': 1})"
    assert shown(Assigned({"a": 1}, {})) == "Assigned(a={'a': 1}, b={})"
    assert shown(later(only={})) == "Later(only={})"


def test_an_object_whose_dict_was_asked_for_is_read_from_it() -> None:
    value = Assigned(1, 2)
    value.__dict__["unheard"] = 3
    assert shown(value) == "Assigned(a=1, b=2, unheard=3)"
    del value.__dict__["a"]
    assert shown(value) == "Assigned(b=2, unheard=3)"


def test_slots_and_attributes_are_both_read() -> None:
    assert shown(Sloped()) == "Sloped(slot={'s': 1}, free={'f': 1})"


def test_many_attributes_are_read() -> None:
    value = later(**{f"name{i}": i for i in range(60)})
    node = read(encode(value, CAP)[0])
    assert isinstance(node, InstanceNode)
    assert node.attributes == {f"name{i}": i for i in range(60)}


def test_an_attribute_under_a_property_is_read_past_it() -> None:
    class_dict = dict(vars(Assigned))
    try:
        value = Assigned(1, 2)
        shown(value)
        setattr(Assigned, "a", property(lambda self: pytest.fail("ran")))  # noqa: B010
        assert shown(value) == "Assigned(a=1, b=2)"
    finally:
        delattr(Assigned, "a")
        assert class_dict.keys() == dict(vars(Assigned)).keys()
