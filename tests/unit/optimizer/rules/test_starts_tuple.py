"""Tests of the rule starts-tuple."""

from pathlib import Path
from typing import Any

from perftrace.optimizer.engines.rules.starts_tuple import StartsTuple

RULE = StartsTuple()


def test_it_asks_once(case: Any) -> None:
    case(RULE, [("http://x",), ("ftp",), ("",)]).becomes(
        """
        def f(s):
            return s.startswith("http:") or s.startswith('ftp') or s.startswith("x")
        """,
        """
        def f(s):
            return s.startswith(("http:", 'ftp', "x"))
        """,
    )


def test_it_asks_for_ends_and_keeps_parentheses(case: Any) -> None:
    case(RULE, [(b"a.py",), (b"b",)]).becomes(
        """
        def f(s):
            return (s.endswith(b".py") or s.endswith(b".pyc")) == True
        """,
        """
        def f(s):
            return (s.endswith((b".py", b".pyc"))) == True
        """,
    )


def test_it_leaves_other_texts_methods_and_types(case: Any) -> None:
    for body in (
        "s.startswith('a') or t.startswith('b')",
        "s.startswith('a') or s.endswith('b')",
        "s.startswith('a', 1) or s.startswith('b')",
        "s.startswith('a') or s.startswith(t)",
        "s.startswith('a') and s.startswith('b')",
        "s.startswith('a') or s",
    ):
        case(RULE, [("ab", "b")]).stays(f"def f(s, t):\n    return {body}\n")
    case(RULE, [(Path("a"),)]).stays("""
        def f(s):
            return s.startswith("a") or s.startswith("b")
    """)
