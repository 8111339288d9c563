"""Tests of the rule slice-clamp."""

from typing import Any

from perftrace.optimizer.engines.rules.slice_clamp import SliceClamp

RULE = SliceClamp()


def test_a_slice_ends_by_itself(case: Any) -> None:
    calls = [("abcdefg", 2), ("abc", 9), ("", 1), ("abcd", -3), ("abcd", -9), ("abc", 0)]
    case(RULE, calls).becomes(
        """
        def f(s, n):
            return s[1:min(n + 1, len(s))]
        """,
        """
        def f(s, n):
            return s[1:n + 1]
        """,
    )


def test_the_length_may_come_first(case: Any) -> None:
    case(RULE, [([1, 2, 3], 2), ([], 5)]).becomes(
        """
        def f(xs, n):
            return xs[:min(len(xs), n)]
        """,
        """
        def f(xs, n):
            return xs[:n]
        """,
    )


def test_it_leaves_the_length_of_something_else(case: Any) -> None:
    case(RULE, [([1, 2, 3], [1], 2)]).stays("""
        def f(xs, ys, n):
            return xs[:min(len(ys), n)]
    """)


def test_it_leaves_what_is_no_sequence_or_no_number(case: Any) -> None:
    source = """
        def f(xs, n):
            return xs[:min(len(xs), n)]
    """
    case(RULE, [([1, 2, 3], 2.0)]).stays(source)
    case(RULE).stays(source)
