"""Tests of the rule isinstance-tuple."""

from typing import Any

from perftrace.optimizer.engines.rules.isinstance_tuple import IsinstanceTuple

RULE = IsinstanceTuple()


def test_it_asks_once(case: Any) -> None:
    case(RULE, [(1,), ("a",), (2.5,), (None,)]).becomes(
        """
        def f(x):
            if isinstance(x, int) or isinstance(x, str) or isinstance(x, float):
                return 1
            return 2
        """,
        """
        def f(x):
            if isinstance(x, (int, str, float)):
                return 1
            return 2
        """,
    )


def test_it_leaves_what_may_be_something_else(case: Any) -> None:
    for body in (
        "isinstance(x, int) or isinstance(y, str)",
        "isinstance(x, int) and isinstance(x, str)",
        "isinstance(x, int) or isinstance(x, (str, bytes))",
        "isinstance(x, int) or isinstance(x, Missing)",
        "isinstance(x, int) or x",
    ):
        case(RULE, [(1, 2)]).stays(f"def f(x, y):\n    return {body}\n")
    case(RULE).stays("""
        def f(x, int=str):
            return isinstance(x, int) or isinstance(x, float)
    """)
