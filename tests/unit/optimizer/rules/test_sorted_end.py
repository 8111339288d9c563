"""Tests of the rule sorted-end."""

from typing import Any

from perftrace.optimizer.engines.rules.sorted_end import SortedEnd

RULE = SortedEnd()


def test_it_takes_the_smallest(case: Any) -> None:
    case(RULE, [([3, 1],), ([],)]).becomes(
        """
        def f(xs):
            if not xs:
                return None
            return sorted(xs)[0]
        """,
        """
        def f(xs):
            if not xs:
                return None
            return min(xs)
        """,
    )


def test_it_takes_the_largest(case: Any) -> None:
    case(RULE, [(["a", "b"],), ([],)]).becomes(
        """
        def f(xs):
            if len(xs) > 0:
                return sorted(xs)[-1]
            return ""
        """,
        """
        def f(xs):
            if len(xs) > 0:
                return max(xs)
            return ""
        """,
    )


def test_it_leaves_a_list_that_may_be_empty(case: Any) -> None:
    case(RULE, [([3, 1],)]).stays("""
        def f(xs):
            return sorted(xs)[0]
    """)


def test_it_leaves_floats_because_of_nan(case: Any) -> None:
    case(RULE, [([3.0],)]).stays("""
        def f(xs):
            if not xs:
                return None
            return sorted(xs)[0]
    """)


def test_it_leaves_mixed_elements_that_can_be_equal_and_different(case: Any) -> None:
    case(RULE, [([3, True],)]).stays("""
        def f(xs):
            if not xs:
                return None
            return sorted(xs)[0]
    """)


def test_it_leaves_a_list_that_shrinks_after_the_test(case: Any) -> None:
    case(RULE, [([3, 1],)]).stays("""
        def f(xs):
            if not xs:
                return None
            xs.pop()
            return sorted(xs)[0]
    """)


def test_it_leaves_a_key(case: Any) -> None:
    case(RULE, [([3, 1],)]).stays("""
        def f(xs):
            if not xs:
                return None
            return sorted(xs, key=lambda x: -x)[0]
    """)
