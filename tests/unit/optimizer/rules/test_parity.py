"""Tests of the rule parity."""

from typing import Any

from perftrace.optimizer.engines.rules.parity import Parity

RULE = Parity()


def test_it_looks_at_the_last_bit(case: Any) -> None:
    case(RULE, [([-3, -2, 0, 1],)]).becomes(
        """
        def f(xs):
            return [x for x in xs if x % 2 == 0]
        """,
        """
        def f(xs):
            return [x for x in xs if (not x & 1)]
        """,
    )


def test_it_serves_odd_numbers(case: Any) -> None:
    case(RULE, [(3,), (-4,)]).becomes(
        """
        def f(x):
            if x > 1 and x % 2 != 0:
                return "odd"
            return "even"
        """,
        """
        def f(x):
            if x > 1 and (x & 1):
                return "odd"
            return "even"
        """,
    )


def test_it_leaves_a_result(case: Any) -> None:
    case(RULE, [(3,)]).stays("""
        def f(x):
            return x % 2 == 0
    """)


def test_it_leaves_floats(case: Any) -> None:
    case(RULE, [(3.0,)]).stays("""
        def f(x):
            if x % 2 == 0:
                return 1
    """)


def test_it_leaves_other_divisors(case: Any) -> None:
    case(RULE, [(3,)]).stays("""
        def f(x):
            if x % 3 == 0:
                return 1
    """)


def test_it_leaves_a_comparison_that_is_counted(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            return sum([x % 2 == 0 for x in xs])
    """)
