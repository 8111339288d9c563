"""Tests of the rule find-in."""

from typing import Any

from perftrace.optimizer.engines.rules.find_in import FindIn

RULE = FindIn()


def test_it_asks_whether(case: Any) -> None:
    for test, word in (("!= -1", "in"), ("== -1", "not in"), (">= 0", "in"), ("< 0", "not in")):
        case(RULE, [("abc", "b"), ("", "x"), ("a", "")]).becomes(
            f"def f(s, t):\n    return s.find(t) {test}\n",
            f"def f(s, t):\n    return t {word} s\n",
        )


def test_it_keeps_parentheses_and_takes_bytes(case: Any) -> None:
    case(RULE, [(b"ab",), (b"c",)]).becomes(
        """
        def f(s):
            return (s.find(b"b") > -1) == True
        """,
        """
        def f(s):
            return (b"b" in s) == True
        """,
    )


def test_it_leaves_places_and_other_types(case: Any) -> None:
    for body in ("s.find(t)", "s.find(t) > 0", "s.find(t, 1) != -1", "s.find(t) != -2"):
        case(RULE, [("abc", "b")]).stays(f"def f(s, t):\n    return {body}\n")
    case(RULE, [(b"abc", 98)]).stays("def f(s, t):\n    return s.find(t) != -1\n")
    case(RULE, [("abc", "b")]).stays("def f(s, t):\n    return s.find(t()) != -1\n")
