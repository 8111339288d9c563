"""Tests of the rule sum-range."""

from typing import Any

from perftrace.optimizer.engines.rules.sum_range import SumRange

RULE = SumRange()


def test_it_uses_the_formula(case: Any) -> None:
    case(RULE, [(n,) for n in range(-3, 8)]).becomes(
        """
        def f(n):
            return sum(range(n + 1))
        """,
        """
        def f(n):
            return (n * (n + 1) // 2 if n > 0 else 0)
        """,
    )


def test_it_serves_a_plain_stop(case: Any) -> None:
    case(RULE, [(n,) for n in range(-3, 8)]).becomes(
        """
        def f(n):
            return sum(range(n))
        """,
        """
        def f(n):
            return (n * (n - 1) // 2 if n > 0 else 0)
        """,
    )


def test_it_leaves_a_start(case: Any) -> None:
    case(RULE, [(5,)]).stays("""
        def f(n):
            return sum(range(2, n))
    """)


def test_it_leaves_bools(case: Any) -> None:
    case(RULE, [(True,)]).stays("""
        def f(n):
            return sum(range(n))
    """)


def test_it_leaves_a_shadowed_range(case: Any) -> None:
    case(RULE, [(5,)]).stays("""
        def range(n): return [n]
        def f(n):
            return sum(range(n))
    """)
