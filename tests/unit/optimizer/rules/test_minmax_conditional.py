"""Tests of the rule minmax-conditional."""

from typing import Any

from perftrace.optimizer.engines.rules.minmax_conditional import MinmaxConditional

RULE = MinmaxConditional()


def test_it_keeps_the_best(case: Any) -> None:
    case(RULE, [([1, True, 3.0, float("nan")],)]).becomes(
        """
        def f(xs):
            best = 0
            for x in xs:
                best = max(best, x)
            return best
        """,
        """
        def f(xs):
            best = 0
            for x in xs:
                if x > best:
                    best = x
            return best
        """,
    )


def test_it_works_a_value_out_once(case: Any) -> None:
    case(RULE, [(["a", "bb"],)]).becomes(
        """
        def f(xs):
            best = 9
            for x in xs:
                best = min(best, len(x))
            return best
        """,
        """
        def f(xs):
            best = 9
            for x in xs:
                if (best_new := len(x)) < best:
                    best = best_new
            return best
        """,
    )


def test_it_becomes_a_choice(case: Any) -> None:
    case(RULE, [(1, True), (True, 1), (2, 1)]).becomes(
        """
        def f(a, b):
            return max(a, b)
        """,
        """
        def f(a, b):
            return b if b > a else a
        """,
    )


def test_inside_an_expression_the_choice_is_in_parentheses(case: Any) -> None:
    case(RULE, [(1, True), (True, 1), (2, 1)]).becomes(
        """
        def f(a, b):
            c = min(a, b) + 1
            return c
        """,
        """
        def f(a, b):
            c = (b if b < a else a) + 1
            return c
        """,
    )


def test_it_leaves_three_values(case: Any) -> None:
    case(RULE, [(1, 2, 3)]).stays("""
        def f(a, b, c):
            return max(a, b, c)
    """)


def test_it_leaves_a_key(case: Any) -> None:
    case(RULE, [(1, 2)]).stays("""
        def f(a, b):
            return max(a, b, key=abs)
    """)


def test_it_leaves_a_shadowed_max(case: Any) -> None:
    case(RULE, [(1, 2)]).stays("""
        def max(a, b): return 0
        def f(a, b):
            return max(a, b)
    """)


def test_it_leaves_a_global(case: Any) -> None:
    case(RULE, [(1,)]).stays("""
        best = 0
        def f(a):
            global best
            best = max(best, len([a]))
            return best
    """)
