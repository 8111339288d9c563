"""Tests of the rule trial-division."""

from typing import Any

from perftrace.optimizer.engines.rules.trial_division import TrialDivision

RULE = TrialDivision()


def test_it_stops_at_the_root(case: Any) -> None:
    case(RULE, [(n,) for n in range(-2, 60)]).becomes(
        """
        def f(n):
            if n < 2:
                return False
            for i in range(2, n):
                if n % i == 0:
                    return False
            return True
        """,
        """
        from math import isqrt

        def f(n):
            if n < 2:
                return False
            for i in range(2, isqrt(n) + 1 if n > 3 else 2):
                if n % i == 0:
                    return False
            return True
        """,
    )


def test_it_serves_all_and_a_lower_bound(case: Any) -> None:
    case(RULE, [(n,) for n in range(-2, 60)]).becomes(
        """
        import math
        def f(n):
            return n > 1 and all(n % i != 0 for i in range(2, n // 2 + 1))
        """,
        """
        import math
        def f(n):
            return n > 1 and all(n % i != 0 for i in range(2, math.isqrt(n) + 1 if n > 3 else 2))
        """,
    )


def test_it_leaves_a_bound_that_misses_four(case: Any) -> None:
    case(RULE, [(4,)]).stays("""
        def f(n):
            for i in range(2, n // 2):
                if n % i == 0:
                    return False
            return True
    """)


def test_it_leaves_a_loop_that_tells_the_divisor(case: Any) -> None:
    case(RULE, [(9,)]).stays("""
        def f(n):
            for i in range(2, n):
                if n % i == 0:
                    return i
            return n
    """)


def test_it_leaves_a_loop_that_collects_divisors(case: Any) -> None:
    case(RULE, [(12,)]).stays("""
        def f(n):
            found = 0
            for i in range(2, n):
                if n % i == 0:
                    found += 1
            return found
    """)


def test_it_leaves_floats(case: Any) -> None:
    case(RULE, [(9.0,)]).stays("""
        def f(n):
            return all(n % i for i in range(2, n)) if n < 0 else n
    """)
