"""Classes whose `__init__` only keeps what it is given."""

import ast
import textwrap

import pytest

from perftrace.replay.construction import Construction, construction
from perftrace.values import DictNode, ListNode, Node


def read(body: str, head: str = "class Basket:") -> Construction | None:
    tree = ast.parse(f"{head}\n{textwrap.indent(textwrap.dedent(body), '    ')}")
    node = tree.body[0]
    assert isinstance(node, ast.ClassDef)
    return construction(node)


PLAIN = '''
limit = 3
def __init__(self, owner: str, size=1, *, note=None) -> None:
    """Keeps it."""
    self.owner = owner
    self._size: int = size
    self.remark = note
    self.items = []
    self.index = dict()
    self.count = 0
    self.last = None
def add(self, item):
    self.items.append(item)
'''


def test_what_is_kept_and_what_is_made() -> None:
    assert read(PLAIN) == Construction(
        {"owner": "owner", "size": "_size", "note": "remark"},
        {"items": list, "index": dict, "count": 0, "last": None},
    )
    assert read(PLAIN, "class Basket(object):") == read(PLAIN)


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"items": ListNode([1])}, False),
        ({"items": DictNode([])}, False),
        ({"count": 0.0}, False),
        ({"count": False}, False),
        ({"last": 1}, False),
        ({"more": 1}, False),
        ({"owner": 7, "remark": "x"}, True),
    ],
)
def test_an_object_fits_where_a_call_would_make_it(changes: dict[str, Node], fits: bool) -> None:
    found = read(PLAIN)
    assert found is not None
    attributes: dict[str, Node] = {"owner": "Ann", "_size": 1, "remark": None}
    attributes |= {"items": ListNode([]), "index": DictNode([]), "count": 0, "last": None}
    assert found.fits(attributes | changes) is fits


@pytest.mark.parametrize(
    "body",
    [
        "def add(self): pass",
        "def __init__(self): self.a = 1; open('x')",
        "def __init__(self, a): self.a = a + 1",
        "def __init__(self, a): self.a = [a]",
        "def __init__(self, a): self.a = self.b = a",
        "def __init__(self, a): self.a = a; self.b = a",
        "def __init__(self, a): self.a = 1; self.a = a",
        "def __init__(self, a): pass",
        "def __init__(self, a): self.__a = a",
        "def __init__(self, *a): self.a = a",
        "def __init__(self, list): self.a = list; self.b = list()",
        "def __init__(self, a, /): self.a = a",
        "def __init__(self, a): other.a = a",
        "def __init__(self, a):\n    if a: self.a = a",
        "@decorated\ndef __init__(self, a): self.a = a",
        "a = Descriptor()\ndef __init__(self, a): self.a = a",
        "a: int = Descriptor()\ndef __init__(self, a): self.a = a",
        "def a(self): pass\ndef __init__(self, a): self.a = a",
        "def __setattr__(self, n, v): pass\ndef __init__(self, a): self.a = a",
        "def __new__(cls, a): pass\ndef __init__(self, a): self.a = a",
    ],
)
def test_where_it_does_more_it_is_not_believed(body: str) -> None:
    assert read(body) is None


@pytest.mark.parametrize(
    "head",
    ["class A(Base):", "class A(metaclass=M):", "@decorated\nclass A:", "class A(Generic[T]):"],
)
def test_where_another_class_has_a_say_it_is_not_believed(head: str) -> None:
    assert read("def __init__(self, a): self.a = a", head) is None
