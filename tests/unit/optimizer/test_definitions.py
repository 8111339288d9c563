"""What differs between two texts of a file."""

import ast

import pytest

from perftrace.model import Binding, Parameter
from perftrace.optimizer.definitions import changed_around, pairs, refuses, same, side

EITHER, STAR, KEYWORD = Binding.EITHER, Binding.STAR, Binding.KEYWORD
DOUBLE = Binding.DOUBLE_STAR


def parameters(text: str) -> tuple[Parameter, ...]:
    """Those of `def f(TEXT)`, as they are recorded."""
    [node] = ast.parse(f"def f({text}): pass").body
    assert isinstance(node, ast.FunctionDef)
    now = node.args
    found = [Parameter(one.arg, Binding.POSITIONAL) for one in now.posonlyargs]
    found += [Parameter(one.arg, EITHER) for one in now.args]
    found += [Parameter(now.vararg.arg, STAR)] if now.vararg else []
    found += [Parameter(one.arg, KEYWORD) for one in now.kwonlyargs]
    found += [Parameter(now.kwarg.arg, DOUBLE)] if now.kwarg else []
    return tuple(found)


def refusal(was: str, now: str) -> str:
    [node] = ast.parse(f"def f({now}): pass").body
    assert isinstance(node, ast.FunctionDef)
    return refuses(parameters(was), node)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("a, b", "a, b"),
        ("a, b", "a, c"),  # arguments are passed by place
        ("a, b", "a, b, c=1"),
        ("a, b", "a, /, b"),
        ("a, b", "a, *rest"),
        ("a, *, b", "a, b"),
        ("a, *, b", "a, **more"),
        ("a, *rest", "a, *others"),
        ("a, **more", "a, **others"),
        ("", "*, a=1"),
    ],
)
def test_recorded_calls_can_be_made_with_parameters_that_take_them(was: str, now: str) -> None:
    assert refusal(was, now) == ""


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("a, b", "b, a"),
        ("a, b", "a"),
        ("a", "a, b"),
        ("a, b", "a, *, b"),
        ("a, *rest", "a"),
        ("a, *rest", "a, b=1, *rest"),
        ("a, *, b", "a"),
        ("a, **more", "a"),
        ("a", "a, *, b"),
    ],
)
def test_other_parameters_refuse_recorded_calls(was: str, now: str) -> None:
    assert refusal(was, now).startswith("its parameters changed: (")


def test_definitions_are_paired_by_place_then_by_code_then_by_name() -> None:
    old = side({"/a.py": "def f(): return 1\ndef g(): return 2\ndef h(): return 3\n"})
    new = side(
        {"/a.py": "def f(): return 9\ndef other(): return 2\n", "/b.py": "def h(): return 4\n"}
    )
    assert pairs(old, new) == {
        ("/a.py", "f", 0): ("/a.py", "f", 0),
        ("/a.py", "g", 0): ("/a.py", "other", 0),
        ("/a.py", "h", 0): ("/b.py", "h", 0),
    }


def test_what_could_be_either_of_two_is_paired_with_none() -> None:
    old = side({"/a.py": "def f(): pass\ndef g(): pass\n"})
    new = side({"/a.py": "def x(): pass\ndef y(): pass\n"})
    assert pairs(old, new) == {}


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("A = 1\n", "A = 2\n", {"A"}),
        ("A = 1\nB = 1\n", "B = 1\nA = 1\n", set()),
        ("import a\n", "import a.b as a\n", {"a"}),
        ("class C:\n x = 1\n", "class C:\n x = 2\n", {"C.x"}),
        ("class C:\n def f(self): pass\n", "class C:\n def f(self): return 1\n", set()),
        ("class C: pass\n", "class C(int): pass\n", {"C"}),
        ("try:\n import a\nexcept ImportError:\n a = 1\n", "import a\n", {"a"}),
        ("start(1)\n", "start(2)\n", {""}),
        ('if __name__ == "__main__":\n f()\n', 'if __name__ == "__main__":\n g()\n', None),
    ],
)
def test_the_code_around_functions_goes_by_the_names_that_it_binds(
    old: str, new: str, names: set[str] | None
) -> None:
    found = changed_around(side({"/a.py": old}), side({"/a.py": new}))
    expected = {"__name__ == '__main__'"} if names is None else names
    assert {name for _, name in found if name != "C" or names == {"C"}} == expected


def test_a_renamed_definition_has_the_same_code() -> None:
    places = side({"/a.py": "def f(x): return x\ndef g(x): return x\ndef h(x): return -x\n"}).places
    f, g, h = (places["/a.py", name, 0] for name in "fgh")
    assert same(f, g)
    assert not same(f, h)


def test_a_file_that_can_not_be_parsed_says_why() -> None:
    found = side({"/a.py": "def f(:\n", "/b.py": None})
    assert (dict(found.places), list(found.broken)) == ({}, ["/a.py"])


def test_an_import_changes_the_names_that_it_brings_alone() -> None:
    old = side({"a.py": "from .util import escape, unikey\nimport os, re\n"})
    new = side({"a.py": "from .util import escape, make_key\nimport os, re as regex\n"})
    assert changed_around(old, new) == {
        *(("a.py", "unikey"), ("a.py", "make_key")),
        *(("a.py", "re"), ("a.py", "regex")),
    }
    moved = side({"a.py": "from .other import escape, unikey\nimport os, re\n"})
    assert changed_around(old, moved) == {("a.py", "escape"), ("a.py", "unikey")}
