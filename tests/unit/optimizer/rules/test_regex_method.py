"""Tests of the rule regex-method."""

import re
import sys
from typing import Any

import pytest

from perftrace.optimizer.engines.rules.regex_method import RegexMethod

RULE = RegexMethod()
TEXTS = [("Hello, World 42",), ("",), ("  a \t\n b\x1c\x85\xa0\u2028c  ",), ("\xe9A-Z",)]


def test_a_class_of_characters_becomes_a_table(case: Any) -> None:
    case(RULE, TEXTS).becomes(
        """
        import re

        def f(s):
            return re.sub("[a-e]", "", s)
        """,
        """
        import re

        _F_TABLE = str.maketrans("", "", 'abcde')

        def f(s):
            return s.translate(_F_TABLE)
        """,
    )


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (r're.sub(r"\s+", "", s)', '"".join(s.split())'),
        (r're.sub(r"\s", "", s)', '"".join(s.split())'),
        ('re.sub(", ", "-", s)', 's.replace(", ", "-")'),
        ('re.split(", ", s)', 's.split(", ")'),
        ('re.sub("[A-Z]+", "", s.strip())', "s.strip().translate(_F_TABLE)"),
        ('re.sub("[lo]", "01", s)', "s.translate(_F_TABLE)"),
    ],
)
def test_the_forms(case: Any, call: str, code: str) -> None:
    (found,) = case(RULE, TEXTS).proposed(f"import re\n\ndef f(s):\n    return {call}\n")
    assert f"return {code}\n" in found


@pytest.mark.parametrize(
    "call",
    [
        're.sub("[a-e]+", "x", s)',
        're.sub("[^a-e]", "", s)',
        're.sub("a.c", "", s)',
        r're.sub("a", r"\g<0>", s)',
        're.sub("a", "b", s, 1)',
        're.sub("a", "b", s, flags=re.I)',
        're.sub("[\xe9]", "", s)',
        r're.sub(r"\s+", " ", s)',
        r're.sub(r"[\d]", "", s)',
        're.split("", s)',
        're.split("[a-e]", s)',
        're.sub("(a)", "", s)',
    ],
)
def test_it_leaves_other_forms(case: Any, call: str) -> None:
    case(RULE, TEXTS).stays(f"import re\n\ndef f(s):\n    return {call}\n")


def test_it_leaves_bytes(case: Any) -> None:
    case(RULE, [(b"abc",)]).stays('import re\n\ndef f(s):\n    return re.sub(b"a", b"", s)\n')


def test_spaces_are_the_same_characters() -> None:
    every = [chr(code) for code in range(sys.maxunicode + 1)]
    space = re.compile(r"\s")
    assert [one for one in every if space.fullmatch(one)] == [
        one for one in every if not one.split()
    ]
