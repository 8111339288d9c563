"""Tests of the rule common-subexpression."""

from typing import Any

from perftrace.optimizer.engines.rules.common_subexpression import CommonSubexpression

RULE = CommonSubexpression()


def test_it_computes_a_repeated_call_once(case: Any) -> None:
    case(RULE, [([1, 2],), ([3],)]).becomes(
        """
        def f(xs):
            if sum(xs) > 2:
                return sum(xs) + 1
            return 0
        """,
        """
        def f(xs):
            sum_xs = sum(xs)
            if sum_xs > 2:
                return sum_xs + 1
            return 0
        """,
    )


def test_it_leaves_what_changes_in_between(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            a = len(xs)
            xs.append(1)
            return a + len(xs)
    """)


def test_it_leaves_what_is_only_sometimes_evaluated_first(case: Any) -> None:
    case(RULE, [([], 1)]).stays("""
        def f(xs, y):
            if y > 1 and max(xs) > 1:
                return max(xs)
            return 0
    """)


def test_it_leaves_new_lists_that_are_kept(case: Any) -> None:
    case(RULE, [([2, 1],)]).stays("""
        def f(xs):
            a = sorted(xs)
            b = sorted(xs)
            a.append(1)
            return a, b
    """)


def test_it_leaves_calls_that_are_not_known(case: Any) -> None:
    case(RULE, [([2, 1],)]).stays("""
        def g(xs): return xs.pop()
        def f(xs):
            return g(xs) + g(xs)
    """)


def test_it_leaves_what_unknown_code_could_change(case: Any) -> None:
    case(RULE, [([2, 1],)]).stays("""
        def g(xs): xs.pop()
        def f(xs):
            a = len(xs)
            g(xs)
            return a + len(xs)
    """)
