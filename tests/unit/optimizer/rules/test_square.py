"""Tests of the rule square."""

from typing import Any

from perftrace.optimizer.engines.rules.square import Square

RULE = Square()


def test_it_multiplies_integers(case: Any) -> None:
    case(RULE, [(3,), (-2,)]).becomes(
        """
        def f(x):
            return x ** 2
        """,
        """
        def f(x):
            return (x * x)
        """,
    )


def test_it_leaves_floats(case: Any) -> None:
    case(RULE, [(3.1,)]).stays("""
        def f(x):
            return x ** 2
    """)


def test_it_leaves_bools(case: Any) -> None:
    case(RULE, [(True,)]).stays("""
        def f(x):
            return x ** 2
    """)


def test_it_leaves_other_powers(case: Any) -> None:
    case(RULE, [(3,)]).stays("""
        def f(x):
            return x ** 5
    """)


def test_it_leaves_calls(case: Any) -> None:
    case(RULE, [([3],)]).stays("""
        def f(x):
            return len(x) ** 2
    """)
