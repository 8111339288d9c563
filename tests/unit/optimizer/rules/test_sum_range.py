"""Tests of the rule sum-range."""

from perftrace.optimizer.engines.rules.sum_range import SumRange

RULE = SumRange()


def test_it_uses_the_formula(case):
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


def test_it_serves_a_plain_stop(case):
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


def test_it_leaves_a_start(case):
    case(RULE, [(5,)]).stays("""
        def f(n):
            return sum(range(2, n))
    """)


def test_it_leaves_bools(case):
    case(RULE, [(True,)]).stays("""
        def f(n):
            return sum(range(n))
    """)


def test_it_leaves_a_shadowed_range(case):
    case(RULE, [(5,)]).stays("""
        def range(n): return [n]
        def f(n):
            return sum(range(n))
    """)
