"""From a model's words to a change of one function."""

import pytest

from perftrace.optimizer import patch
from perftrace.optimizer.models.answers import Read, Unreadable, read

SOURCE = '''"""A shop."""

import math

LIMIT = 3


def helper(row):
    return row[1]


def total(rows):
    """The sum."""
    result = 0
    for row in rows:  # each
        result += helper(row)
    return result


class Till:
    rate = 2

    @property
    def sum(self):
        out = 0
        for one in self.rows:
            out += one
        return out
'''
BODY = "def total(rows):\n    return sum(map(helper, rows))\n"


def changed(answer: str, source: str = SOURCE, name: str = "total") -> str:
    found = outcome(answer, source, name)
    assert isinstance(found, Read), found
    return found.source


def outcome(answer: str, source: str = SOURCE, name: str = "total") -> Read | Unreadable:
    place = next(one for one in patch.places(source) if one.qualname == name)
    return read(answer, source, patch.excerpt(source, place))


def block(code: str, word: str = "python") -> str:
    return f"It loops in C.\n\n```{word}\n{code}```\n"


def test_the_function_of_a_code_block_takes_the_place_of_the_old_one() -> None:
    found = outcome(block(BODY))
    assert isinstance(found, Read)
    assert found.explanation == "It loops in C."
    before, after = SOURCE.split("    result = 0\n")
    after = after.partition("    return result\n")[2]
    assert found.source == f"{before}    return sum(map(helper, rows))\n{after}"


def test_the_docstring_and_decorators_stay_where_they_were_left_out() -> None:
    text = changed(block("def sum(self):\n    return sum(self.rows)\n"), name="Till.sum")
    assert "    @property\n    def sum(self):\n        return sum(self.rows)\n" in text
    assert '"""The sum."""' in changed(block(BODY))
    assert '"""Other."""' in changed(block('def total(rows):\n    """Other."""\n    return 1\n'))


@pytest.mark.parametrize(
    "code",
    [
        "class Till:\n    def sum(self):\n        return sum(self.rows)\n",
        "    def sum(self):\n        return sum(self.rows)\n",
        "class Till(Base):\n    @property\n    def sum(self):\n        return sum(self.rows)\n",
    ],
)
def test_a_method_may_come_with_its_class_or_indented(code: str) -> None:
    assert "        return sum(self.rows)\n" in changed(block(code), name="Till.sum")


def test_what_it_needs_is_put_above_it() -> None:
    code = "import math\nfrom operator import itemgetter\n\n_SECOND = itemgetter(1)\n\n\n" + BODY
    code += "\n\ndef _twice(n):\n    # two\n    return 2 * n\n"
    text = changed(block(code))
    assert text.count("import math\n") == 1
    assert "from operator import itemgetter\n" in text
    assert text.index("_SECOND = itemgetter(1)") < text.index("def total")
    assert "def _twice(n):\n    # two\n    return 2 * n\n" in text
    compile(text, "x", "exec")


@pytest.mark.parametrize(
    "copy",
    [
        "def helper(row):\n    return row[1]\n",
        'def helper(row: tuple) -> int:\n    """As it is."""\n    return row[1]\n',
        "def helper(row):\n    ...  # unchanged\n",
        'def helper(row):\n    """Unchanged."""\n',
    ],
)
def test_copies_of_neighbours_are_left_out(copy: str) -> None:
    assert changed(block(f"LIMIT = 3\n\n{copy}\n\n{BODY}")) == changed(block(BODY))


def test_a_neighbour_that_is_changed_and_used_goes_back_with_the_reason() -> None:
    other = "def helper(row):\n    return row[0]\n\n\n"
    assert outcome(block(other + BODY)) == Unreadable(
        "`helper` is there already and stays as it is. Give what you would have it do to a helper"
        " with a name of its own."
    )
    unused = "def total(rows):\n    return sum(row[1] for row in rows)\n"
    assert changed(block(other + unused)) == changed(block(unused))


def test_a_changed_method_beside_it_goes_back_too() -> None:
    source = SOURCE + "\n    def twice(self):\n        return 2 * self.sum\n"
    code = "class Till:\n    @property\n    def sum(self):\n        return sum(self.rows)\n\n"
    code += "    def twice(self):\n        return self.sum << 1\n"
    found = outcome(block(code), source, "Till.twice")
    assert isinstance(found, Unreadable)
    assert "`Till.sum` is there already" in found.reason


def test_of_several_blocks_the_last_with_the_function_counts() -> None:
    first = block("def total(rows):\n    return 1\n")
    assert changed(f"{first}\nBetter:\n{block(BODY)}\n{block('x = 1', 'text')}") == changed(
        block(BODY)
    )


def test_windows_line_ends_and_tabs_stay() -> None:
    source = "def total(rows):\r\n\tresult = 0\r\n\treturn result\r\n"
    text = changed(block("def total(rows):\n    return 0\n").replace("\n", "\r\n"), source)
    assert text == "def total(rows):\r\n\treturn 0\r\n"


SEARCH = "<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n"


def test_search_and_replace_changes_the_function_alone() -> None:
    old = "    for row in rows:  # each\n        result += helper(row)\n"
    edit = SEARCH.format(old=old, new="    result = sum(map(helper, rows))\n")
    text = changed(f"Less to do.\n\n{edit}")
    assert text == SOURCE.replace(old, "    result = sum(map(helper, rows))\n")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("I would use sum().", "no code block"),
        (block("def other(rows):\n    return 1\n"), "does not define total"),
        (block("def total(rows:\n    return 1\n"), "not valid Python"),
        (block("def total(rows):\n    return '\0'\n"), "not valid Python"),
        (block("total = lambda rows: 1\n"), "does not define total"),
        (block(BODY, "javascript"), "no code block"),
        (SEARCH.format(old="    result = 9\n", new="x\n"), "0 times"),
        (SEARCH.format(old="", new="x\n"), "0 times"),
        (SEARCH.format(old="LIMIT = 3\n", new="LIMIT = 2\n"), "0 times"),  # outside the function
        (SEARCH.format(old="    return result\n", new="    return (\n"), "not valid Python"),
        ("```python\ndef total(rows):\n    return 1\n", "no code block"),  # cut off
        ("x" * 1_000_000, "no code block"),
        ("``` ``` ```", "no code block"),
    ],
)
def test_what_is_no_change_goes_back_with_the_reason(answer: str, reason: str) -> None:
    found = outcome(answer)
    assert isinstance(found, Unreadable)
    assert reason in found.reason
    assert len(found.reason) < 400


def test_work_beside_the_function_is_not_left_out_in_silence() -> None:
    work = "_known = {}\nfor n in range(3):\n    _known[n] = n\n\n"
    assert outcome(block(f"{work}{BODY}")) == Unreadable(
        "`for n in range(3):` can't be added. Beside the function there may be imports, helpers and"
        " constants made of literals."
    )


def test_examples_of_calls_are_left_out() -> None:
    calls = "\nprint(total([]))\nassert total([]) == 0\nif __name__ == '__main__':\n    total([])\n"
    assert "print" not in changed(block(f"{BODY}{calls}"))


def test_a_text_that_is_there_twice_is_not_replaced() -> None:
    source = "def total(rows):\n    a = 1\n    a = 1\n    return a\n"
    found = outcome(SEARCH.format(old="    a = 1\n", new="    a = 2\n"), source)
    assert isinstance(found, Unreadable)
    assert "2 times" in found.reason
