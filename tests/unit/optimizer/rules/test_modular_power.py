"""Tests of the rule modular-power."""

from typing import Any

from perftrace.optimizer.engines.rules.modular_power import ModularPower

RULE = ModularPower()


CALLS = [(n, p) for n in (-1, 0, 1, 2, 5, 100) for p in (-3, -1, 0, 1, 2, 7, 101)]


def test_it_is_a_power(case: Any) -> None:
    case(RULE, CALLS).becomes(
        """
        def f(n, p):
            r = 1
            for i in range(n):
                r = 2 * r % p
            return r
        """,
        """
        def f(n, p):
            r = 1
            if n > 0 and p > 0:
                r = r * pow(2, n, p) % p
            else:
                for i in range(n):
                    r = 2 * r % p
            return r
        """,
    )


def test_the_factor_may_be_a_name(case: Any) -> None:
    (found,) = case(RULE, [(n, p, c) for n, p in CALLS for c in (-2, 0, 3)]).proposed("""
        def f(n, p, c):
            r = c
            for _ in range(n):
                r = (r * c) % p
            return r
    """)
    assert "r = r * pow(c, n, p) % p" in found


def test_it_leaves_a_factor_that_changes(case: Any) -> None:
    case(RULE, CALLS).stays("""
        def f(n, p):
            r = 1
            for i in range(n):
                r = i * r % p
            return r
    """)


def test_it_leaves_other_numbers(case: Any) -> None:
    case(RULE, [(2, 7.0)]).stays("""
        def f(n, p):
            r = 1
            for i in range(n):
                r = 2 * r % p
            return r
    """)
