"""A change goes onto an edited file only where all that it was measured with is as it was."""

import pytest

from perftrace.model import Candidate, Function, Kind
from perftrace.optimizer import patch
from perftrace.optimizer.rebase import Rebased, Refused, is_made, rebase

BEFORE = '''\
"""Prices."""

import json
import random

RATE = 3


class Basket:
    limit = 5

    def __init__(self, items):
        self.items = items

    def total(self):
        return sum(price(one) for one in self.items)

    def name(self):
        return "basket"


def rounded(n):
    return round(n) + RATE


def price(n):
    text = ""
    for item in [n]:
        text = text + str(rounded(item))
    return int(text)


def other(n):
    return n


def configure(new):
    global RATE
    RATE = new


if __name__ == "__main__":
    print(price(3), other(2))
'''
NEW = BEFORE.replace("import random\n", 'import random\n\n_EMPTY = ""\n').replace(
    '    text = ""\n', "    text = _EMPTY\n"
)


def change(source: str = NEW, name: str = "price", original: str = BEFORE) -> Candidate:
    line = next(one.first for one in patch.places(original) if one.qualname == name)
    function = Function(1, "/mod.py", name, line, "mod", Kind.FUNCTION, ())
    return Candidate(function, "rules", ("rule",), "why", original, source)


def onto(text: str, *known: Candidate, one: Candidate | None = None) -> Rebased | Refused:
    return rebase(one or change(), text, text, known)


UNRELATED = {
    "a comment at the end": BEFORE + "# mine\n",
    "a function at the end": BEFORE + "\n\ndef fresh(text):\n    return text\n",
    "a comment above": BEFORE.replace("RATE = 3", "RATE = 3  # per cent"),
    "another function": BEFORE.replace(
        "    return n\n\n\ndef configure", "    return n + 1\n\n\ndef configure"
    ),
    "a removed function": BEFORE.replace("def other(n):\n    return n\n\n\n", ""),
    "an import of another name": BEFORE.replace("import json\n", "import json\nimport math\n"),
    "another import gone": BEFORE.replace("import json\n", ""),
    "the guarded part": BEFORE.replace("print(price(3)", "print(price(4)"),
    "a new class": BEFORE
    + "\n\nclass Fresh:\n    limit = 1\n\n    def __init__(self):\n        pass\n",
    "a method that is not used": BEFORE.replace('"basket"', '"a basket"'),
    "a global of the name of a variable": BEFORE.replace("RATE = 3", "RATE = 3\nitem = 9"),
    "its place": BEFORE.replace("RATE = 3", "RATE = 3\n\n\ndef above():\n    pass"),
}


@pytest.mark.parametrize("text", UNRELATED.values(), ids=UNRELATED.keys())
def test_an_edit_elsewhere_is_kept_and_the_function_is_the_accepted_one(text: str) -> None:
    assert text != BEFORE
    found = onto(text)
    assert isinstance(found, Rebased), found
    assert found.text == text.replace("import random\n", 'import random\n\n_EMPTY = ""\n').replace(
        '    text = ""\n', "    text = _EMPTY\n"
    )
    assert is_made(change(), found.text)


RELATED = {
    "the function": (BEFORE.replace("int(text)", "int(text) + 1"), "price itself was changed"),
    "a comment in it": (BEFORE.replace("int(text)", "int(text)  # !"), "price itself was changed"),
    "a function it calls": (BEFORE.replace("round(n)", "round(n, 0)"), "`rounded` was changed"),
    "what that one reads": (BEFORE.replace("RATE = 3", "RATE = 4"), "`RATE` was changed"),
    "a second value for it": (
        BEFORE.replace("RATE = 3", "RATE = 3\nRATE = 5"),
        "`RATE` was changed",
    ),
    "a name like a built-in's": (BEFORE + "\n\ndef str(n):\n    return 1\n", "`str` was added"),
    "who sets what it reads": (BEFORE.replace("RATE = new", "RATE = 9"), "`configure` was changed"),
    "a name that the change adds": (
        BEFORE.replace("RATE = 3", "RATE = 3\n_EMPTY = 1"),
        "`_EMPTY` was added",
    ),
    "a star": (BEFORE.replace("import json\n", "from json import *\n"), "was added"),
    "a special method": (
        BEFORE.replace("= items", "= list(items)"),
        "`Basket.__init__` was changed",
    ),
    "a field": (BEFORE.replace("limit = 5", "limit = 6"), "`Basket.limit` was changed"),
    "a base": (BEFORE.replace("class Basket:", "class Basket(dict):"), "`Basket` was changed"),
    "a call that may change it": (BEFORE + "configure(3)\n", "`configure(3)` was added"),
    "gone": (BEFORE.replace("def price", "def prices"), "price is no longer in it"),
    "not Python": (BEFORE + "def\n", "not valid Python"),
}


@pytest.mark.parametrize(("text", "reason"), RELATED.values(), ids=RELATED.keys())
def test_what_the_function_may_depend_on_stops_it_and_is_named(text: str, reason: str) -> None:
    found = onto(text)
    assert isinstance(found, Refused)
    assert reason in found.reason


def test_a_method_depends_on_the_methods_of_the_names_it_uses() -> None:
    source = BEFORE.replace("sum(price(one) for one in self.items)", "sum(map(price, self.items))")
    total = change(source, "Basket.total")
    assert isinstance(onto(BEFORE + "# mine\n", one=total), Rebased)
    assert isinstance(onto(BEFORE.replace('"basket"', '"b"'), one=total), Rebased)
    refused = onto(BEFORE.replace("int(text)", "int(text) + 1"), one=total)
    assert refused == Refused(
        "`price` was changed since Basket.total was measured, which may depend on it"
    )


def test_the_setter_beside_a_property_is_told_apart() -> None:
    before = (
        "class C:\n    @property\n    def x(self):\n        return self.y + 1\n\n"
        "    @x.setter\n    def x(self, value):\n        self.y = value\n"
    )
    getter = change(before.replace("self.y + 1", "1 + self.y"), "C.x", before)
    changed = onto(before.replace("self.y = value", "self.y = -value"), one=getter)
    assert isinstance(changed, Refused)
    assert "`C.x` was changed" in changed.reason


def test_an_accepted_change_that_was_written_before_is_no_obstacle() -> None:
    faster = BEFORE.replace("round(n) + RATE", "RATE + round(n)")
    rounded = change(faster, "rounded")
    assert isinstance(onto(faster), Refused)
    found = onto(faster + "# mine\n", rounded)
    assert isinstance(found, Rebased)
    assert is_made(rounded, found.text)
    assert is_made(change(), found.text)


def test_a_change_is_made_only_where_function_and_additions_are_there() -> None:
    assert is_made(change(), NEW + "# mine\n")
    assert not is_made(change(), BEFORE)
    assert not is_made(change(), NEW.replace('_EMPTY = ""', '_EMPTY = " "'))
    assert not is_made(change(), NEW.replace("int(text)", "int(text)  # mine"))
    assert not is_made(change(), "def")


def test_an_addition_never_comes_above_what_it_needs() -> None:
    before = "import re\n\n\ndef f(s):\n    return re.match('a', s)\n"
    after = "import re\n\n_A = re.compile('a')\n\n\ndef f(s):\n    return _A.match(s)\n"
    moved = "def f(s):\n    return re.match('a', s)\n\n\nimport re\n"
    assert isinstance(onto(moved, one=change(after, "f", before)), Refused)
