"""Tests of finding, replacing and merging."""

from collections.abc import Sequence
from types import CodeType

import pytest

from perftrace.errors import StaleError
from perftrace.optimizer import patch
from perftrace.optimizer.patch import Addition, Conflict, Merged, Place

SOURCE = '''\
"""Module."""
from __future__ import annotations

import os  # why

X = 1


class A:
    @property
    def size(self):
        return 1

    @size.setter
    def size(self, value):
        pass

    class B:
        @staticmethod
        @os.fspath
        def deep(): return 1


if X:
    def twice():
        return 1
else:
    def twice():
        return 2


def outer():
    def inner():
        return 1
    return inner
'''


def changed(
    source: str,
    qualname: str,
    line: int,
    change: tuple[str, str],
    additions: Sequence[Addition] = (),
) -> str | None:
    """The source with a text of one function replaced, through the syntax tree."""
    old, new = change
    cut = patch.excerpt(source, patch.place_of(source, qualname, line))
    code = cut.module.code_for_node(cut.function)
    tree = patch.excerpt(source.replace(old, new), patch.place_of(source, qualname, line))
    assert old in code
    return patch.replace(source, cut, tree.function, additions)


@pytest.mark.parametrize(
    ("qualname", "line", "ordinal"),
    [
        ("A.size", 10, 0),
        ("A.size", 14, 1),
        ("A.B.deep", 19, 0),
        ("twice", 25, 0),
        ("twice", 28, 1),
        ("outer", 32, 0),
        ("outer.<locals>.inner", 33, 0),
    ],
)
def test_a_definition_is_found_by_name_and_first_line_and_by_ordinal(
    qualname: str, line: int, ordinal: int
) -> None:
    assert patch.ordinal_of(SOURCE, qualname, line) == ordinal
    assert patch.line_of(SOURCE, qualname, ordinal) == line


def test_the_first_line_is_the_one_of_the_code_object() -> None:
    source = "import functools\n@functools.cache\n@functools.wraps(len)\ndef f():\n    pass\n"
    code = next(one for one in compile(source, "m", "exec").co_consts if isinstance(one, CodeType))
    assert patch.line_of(source, code.co_qualname, 0) == code.co_firstlineno


def test_a_global_function_has_the_name_that_python_gives_it() -> None:
    source = "def f():\n    global g\n    def g():\n        pass\n"
    assert patch.line_of(source, "g", 0) == 3


def test_a_moved_function_is_stale() -> None:
    with pytest.raises(StaleError, match="no longer defined on line 9"):
        patch.ordinal_of(SOURCE, "outer", 9)
    with pytest.raises(StaleError, match="no longer defined in the file"):
        patch.line_of(SOURCE, "twice", 2)


@pytest.mark.parametrize("place", patch.places(SOURCE), ids=lambda place: place.qualname)
def test_nothing_changes_where_nothing_is_replaced(place: Place) -> None:
    cut = patch.excerpt(SOURCE, place)
    assert patch.replace(SOURCE, cut, cut.function) == SOURCE


@pytest.mark.parametrize(
    "source",
    [
        "def f():\r\n    # note\r\n    return   1  # one\r\nx = 1\r\n",
        "class A:\n\tdef f(self):\n\t\treturn 1 \\\n\t\t\t+ 1\n",
        "\ufeffdef f():\n    return 'é'\n",
        "def f():\n    return 1",
        "def f(): return 1\n",
        "def f():\n    return '''a\n  b\x0cc\x1cd\u2028'''\nx = 1\n",
        "class A:\n   class B:\n      def f(self):\n         if 1:\n            return 1\n",
    ],
)
def test_every_byte_is_kept(source: str) -> None:
    (place,) = patch.places(source)
    cut = patch.excerpt(source, place)
    assert patch.replace(source, cut, cut.function) == source


def test_only_the_function_is_touched() -> None:
    source = "x  =  1\ndef f():\n    return 1\ny  =  2\n"
    assert changed(source, "f", 2, ("return 1", "return 7")) == source.replace(
        "return 1", "return 7"
    )


def test_additions_come_after_docstring_future_and_imports() -> None:
    addition = Addition("_T = {1: 2}", "_T")
    new = changed(SOURCE, "outer", 32, ("return inner", "return inner, _T"), [addition])
    assert new is not None
    assert "import os  # why\n\n_T = {1: 2}\n\nX = 1\n" in new


def test_additions_keep_the_file_s_line_ends() -> None:
    source = "import re\r\n\r\n\r\ndef f():\r\n    return 1\r\n"
    addition = Addition("_T = {\n    1: 2,\n}", "_T")
    new = changed(source, "f", 4, ("return 1", "return _T"), [addition])
    assert new is not None
    assert new.replace("\r\n", "").count("\n") == 0
    assert new.startswith("import re\r\n\r\n_T = {\r\n    1: 2,\r\n}\r\n\r\n\r\ndef f")


def test_an_addition_that_needs_a_later_import_has_no_place() -> None:
    source = "def f():\n    return 1\n\nimport re\n"
    addition = Addition("_P = re.compile('a')", "_P", after=4)
    assert changed(source, "f", 1, ("return 1", "return _P"), [addition]) is None


def test_the_diff_is_a_unified_one() -> None:
    text = patch.diff("a\nb", "a\nc", "m.py")
    assert text.startswith("--- a/m.py\n+++ b/m.py\n")
    assert "-b\n\\ No newline at end of file\n+c" in text
    assert patch.diff("a", "b", "/lib/m.py").startswith("--- a/lib/m.py\n+++ b/lib/m.py\n")


BASE = "import os\n\ndef f():\n    return 1\n\ndef g():\n    return 2\n"


def test_changes_of_two_functions_merge() -> None:
    first, second = BASE.replace("return 1", "return 10"), BASE.replace("return 2", "return 20")
    merged = first.replace("return 2", "return 20")
    assert patch.merge(BASE, [first, second]) == Merged(merged)


def test_the_same_import_is_added_once() -> None:
    added = BASE.replace("import os\n", "import os\nimport re\n")
    first, second = added.replace("return 1", "return re"), added.replace("return 2", "return re")
    merged = patch.merge(BASE, [first, second])
    assert isinstance(merged, Merged)
    assert merged.text.count("import re\n") == 1


def test_different_insertions_at_one_place_follow_each_other() -> None:
    first = BASE.replace("import os\n", "import os\nimport re\n_A = 1\n")
    second = BASE.replace("import os\n", "import os\nimport re\n_B = 2\n")
    merged = patch.merge(BASE, [first, second])
    assert isinstance(merged, Merged)
    assert merged.text.startswith("import os\nimport re\n_A = 1\n_B = 2\n")


def test_changes_of_one_line_conflict() -> None:
    first, second = BASE.replace("return 1", "return 3"), BASE.replace("return 1", "return 4")
    assert patch.merge(BASE, [first, second]) == Conflict("two changes touch line 4")


def test_one_name_for_two_things_is_a_conflict() -> None:
    first = BASE.replace("import os\n", "import os\n_A = 1\n")
    second = BASE.replace("import os\n", "import os\n_A = 2\n")
    assert patch.merge(BASE, [first, second]) == Conflict("two changes define _A differently")
