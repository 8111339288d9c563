"""Tests of the rule join-replace."""

from typing import Any

import pytest

from perftrace.optimizer.engines.rules.join_replace import JoinReplace

RULE = JoinReplace()


TEXTS = [("a,b,,c",), ("",), (",",), ("\u00e9,\U0001f600",)]


def test_one_character_for_another(case: Any) -> None:
    case(RULE, TEXTS).becomes(
        """
        def f(s):
            return "".join([" " if c == "," else c for c in s])
        """,
        """
        def f(s):
            return s.replace(",", " ")
        """,
    )


@pytest.mark.parametrize(
    ("made", "code"),
    [
        ("[c if c != ',' else '' for c in s]", "s.replace(',', '')"),
        ("c for c in s if c != ','", "s.replace(',', \"\")"),
        ("['--' if ',' == c else c for c in s]", "s.replace(',', '--')"),
        ("[c for c in s if c not in 'b,']", "s.translate(dict.fromkeys(map(ord, 'b,')))"),
    ],
)
def test_the_forms(case: Any, made: str, code: str) -> None:
    (found,) = case(RULE, TEXTS).proposed(f"""
        def f(s):
            return ''.join({made})
    """)
    assert f"return {code}" in found


def test_characters_that_are_a_parameter(case: Any) -> None:
    calls = [("abcabc", "ac"), ("", "a"), ("abc", ""), ("\u00e9a", "\u00e9")]
    case(RULE, calls).becomes(
        """
        def f(s, c):
            return "".join([char for char in s if char not in c])
        """,
        """
        def f(s, c):
            return s.translate(dict.fromkeys(map(ord, c)))
        """,
    )


@pytest.mark.parametrize(
    "made",
    [
        "[c if c == ',' else ' ' for c in s]",
        "[' ' if c == 'ab' else c for c in s]",
        "[c for c in s if c in ',']",
        "[c.upper() for c in s if c != ',']",
    ],
)
def test_it_leaves_other_forms(case: Any, made: str) -> None:
    case(RULE, TEXTS).stays(f"""
        def f(s):
            return ''.join({made})
    """)


def test_it_leaves_lists(case: Any) -> None:
    case(RULE, [(["a", "bc"], ["a"])]).stays("""
        def f(xs, ys):
            return ''.join([x for x in xs if x not in ys])
    """)
