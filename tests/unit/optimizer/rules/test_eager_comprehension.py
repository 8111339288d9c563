"""Tests of the rule eager-comprehension."""

from typing import Any

from perftrace.optimizer.engines.rules.eager_comprehension import EagerComprehension

RULE = EagerComprehension()


def test_it_gives_join_a_list(case: Any) -> None:
    case(RULE, [(["a", "b"],)]).becomes(
        """
        def f(xs):
            return ",".join(x.upper() for x in xs)
        """,
        """
        def f(xs):
            return ",".join([x.upper() for x in xs])
        """,
    )


def test_it_sums_a_list(case: Any) -> None:
    case(RULE, [([1, 2],)]).becomes(
        """
        def f(xs):
            return sum((x * x for x in xs), 10)
        """,
        """
        def f(xs):
            return sum([x * x for x in xs], 10)
        """,
    )


def test_it_makes_a_set(case: Any) -> None:
    case(RULE, [([1, 2],)]).becomes(
        """
        def f(xs):
            return set(x % 2 for x in xs)
        """,
        """
        def f(xs):
            return {x % 2 for x in xs}
        """,
    )


def test_it_leaves_any_which_stops_early(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            return any(x > 1 for x in xs)
    """)


def test_it_leaves_sums_of_unknown_objects(case: Any) -> None:
    case(RULE, []).stays("""
        def f(xs):
            return sum(x for x in xs)
    """)


def test_it_leaves_calls_of_next(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            it = iter(xs)
            return list(next(it) for _ in [1])
    """)


def test_it_leaves_a_shadowed_builtin(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def sum(xs): return next(xs)
        def f(xs):
            return sum(x for x in xs)
    """)
