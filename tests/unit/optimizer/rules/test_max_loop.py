"""Tests of the rule max-loop."""

from typing import Any

import pytest

from perftrace.optimizer.engines.rules.max_loop import MaxLoop

RULE = MaxLoop()


def test_the_first_item_may_be_the_largest(case: Any) -> None:
    case(RULE, [([3, 5, 4],), ([7],), ([],), ([1.5, float("nan"), 2.5],), ("hello",)]).becomes(
        """
        def f(xs):
            best = xs[0]
            for x in xs:
                if x > best:
                    best = x
            return best
        """,
        """
        def f(xs):
            best = xs[0]
            best = max(xs)
            return best
        """,
    )


def test_a_start_of_its_own_stays_in_the_running(case: Any) -> None:
    case(RULE, [([3, 5, 4],), ([],), ([-3],)]).becomes(
        """
        def f(xs):
            least = 0
            for x in xs:
                if least > x:
                    least = x
            return least
        """,
        """
        def f(xs):
            least = 0
            least = min(least, min(xs, default=least))
            return least
        """,
    )


@pytest.mark.parametrize("calls", [[([1.5, 2.5],)], [([True, 2],)], [(["a", 1],)], []])
def test_it_leaves_what_may_not_be_ordered(case: Any, calls: Any) -> None:
    case(RULE, []).stays("""
        def f(xs):
            best = 0
            for x in xs:
                if x > best:
                    best = x
            return best
    """)


def test_it_leaves_floats_with_a_start_of_their_own(case: Any) -> None:
    case(RULE, [([1.5, float("nan"), 2.5],)]).stays("""
        def f(xs):
            best = 0.0
            for x in xs:
                if x > best:
                    best = x
            return best
    """)


def test_it_leaves_a_loop_that_does_more(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            best = xs[0]
            where = 0
            for x in xs:
                if x > best:
                    best = x
                    where += 1
            return best, where
    """)


def test_it_leaves_a_variable_that_is_used_after(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            best = xs[0]
            for x in xs:
                if x > best:
                    best = x
            return best, x
    """)


def test_it_leaves_equal_items_that_replace_each_other(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            best = xs[0]
            for x in xs:
                if x >= best:
                    best = x
            return best
    """)


def test_it_leaves_a_local_name_max(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            max = xs[0]
            for x in xs:
                if x > max:
                    max = x
            return max
    """)
