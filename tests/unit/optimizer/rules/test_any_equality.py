"""Tests of the rule any-equality."""

from typing import Any

from perftrace.optimizer.engines.rules.any_equality import AnyEquality

RULE = AnyEquality()


def test_it_makes_a_set_of_keys_before_the_loop(case: Any) -> None:
    case(RULE, [([{"id": 1}, {"id": 2}], [{"to": 2}])]).becomes(
        """
        def f(nodes, edges):
            return [n for n in nodes if all(e["to"] != n["id"] for e in edges)]
        """,
        """
        def f(nodes, edges):
            known_e = {e["to"] for e in edges}
            return [n for n in nodes if n["id"] not in known_e]
        """,
    )


def test_not_any_becomes_not_in(case: Any) -> None:
    case(RULE, [([1, 2, 5], [2]), ([1], [])]).becomes(
        """
        def f(xs, ys):
            kept = []
            for x in xs:
                if not any(y == x for y in ys):
                    kept.append(x)
            return kept
        """,
        """
        def f(xs, ys):
            kept = []
            known_y = set(ys)
            for x in xs:
                if x not in known_y:
                    kept.append(x)
            return kept
        """,
    )


def test_it_tests_membership_without_a_loop_around(case: Any) -> None:
    case(RULE, [([1, 2], 2), ([], 1)]).becomes(
        """
        def f(xs, y):
            return any(x == y for x in xs)
        """,
        """
        def f(xs, y):
            return (y in xs)
        """,
    )


def test_it_leaves_floats_because_of_nan(case: Any) -> None:
    case(RULE, [([1.0, 2.0], 2.0)]).stays("""
        def f(xs, y):
            return any(x == y for x in xs)
    """)


def test_it_leaves_other_comparisons(case: Any) -> None:
    case(RULE, [([1, 2], 2)]).stays("""
        def f(xs, y):
            return any(x >= y for x in xs) and all(x == y for x in xs)
    """)


def test_it_leaves_a_generator_with_a_condition(case: Any) -> None:
    case(RULE, [([1, 2], 2)]).stays("""
        def f(xs, y):
            return any(x == y for x in xs if x)
    """)


def test_it_leaves_unknown_types(case: Any) -> None:
    case(RULE, []).stays("""
        def f(xs, y):
            return any(x == y for x in xs)
    """)
