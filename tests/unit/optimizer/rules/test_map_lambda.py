"""Tests of the rule map-lambda."""

from typing import Any

from perftrace.optimizer.engines.rules.map_lambda import MapLambda

RULE = MapLambda()


def test_it_maps_by_a_comprehension(case: Any) -> None:
    case(RULE, [([1, 2],)]).becomes(
        """
        def f(xs):
            return list(map(lambda x: x + 1, xs))
        """,
        """
        def f(xs):
            return [x + 1 for x in xs]
        """,
    )


def test_it_filters_by_a_comprehension(case: Any) -> None:
    case(RULE, [([1, 0],)]).becomes(
        """
        def f(xs):
            return set(filter(lambda x: x > 0, xs))
        """,
        """
        def f(xs):
            return {x for x in xs if x > 0}
        """,
    )


def test_it_leaves_a_lazy_map(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def f(xs):
            return map(lambda x: x + 1, xs)
    """)


def test_it_leaves_two_parameters(case: Any) -> None:
    case(RULE, [([1], [2])]).stays("""
        def f(xs, ys):
            return list(map(lambda x, y: x + y, xs, ys))
    """)


def test_it_leaves_a_lambda_in_the_lambda(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def f(xs):
            return len(list(map(lambda x: lambda: x, xs)))
    """)


def test_it_leaves_a_shadowed_map(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def map(g, xs): return [0]
        def f(xs):
            return list(map(lambda x: x + 1, xs))
    """)
