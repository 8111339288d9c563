"""Tests of the rule membership-set."""

from typing import Any

from perftrace.optimizer.engines.rules.membership_set import MembershipSet

RULE = MembershipSet()


def test_it_searches_a_set_made_before_the_loop(case: Any) -> None:
    case(RULE, [([1, 2], [2, True]), ([], [5])]).becomes(
        """
        def f(xs, ys):
            out = []
            for y in ys:
                if y in xs:
                    out.append(y)
            return out
        """,
        """
        def f(xs, ys):
            out = []
            xs_set = set(xs)
            for y in ys:
                if y in xs_set:
                    out.append(y)
            return out
        """,
    )


def test_it_serves_comprehensions_and_not_in(case: Any) -> None:
    case(RULE, [(["a"], ["a", "b"])]).becomes(
        """
        def f(xs, ys):
            return [y for y in ys if y not in xs]
        """,
        """
        def f(xs, ys):
            xs_set = set(xs)
            return [y for y in ys if y not in xs_set]
        """,
    )


def test_it_leaves_elements_that_cannot_be_hashed(case: Any) -> None:
    case(RULE, [([[1]], [[1]])]).stays("""
        def f(xs, ys):
            return [y for y in ys if y in xs]
    """)


def test_it_leaves_a_search_for_what_cannot_be_hashed(case: Any) -> None:
    case(RULE, [([1], [[1]])]).stays("""
        def f(xs, ys):
            return [y for y in ys if y in xs]
    """)


def test_it_leaves_a_list_that_the_loop_changes(case: Any) -> None:
    case(RULE, [([1], [1, 2, 2])]).stays("""
        def f(xs, ys):
            for y in ys:
                if y not in xs:
                    xs.append(y)
            return xs
    """)


def test_it_leaves_a_list_that_may_be_the_one_changed(case: Any) -> None:
    case(RULE, [([1], [1, 2])]).stays("""
        def f(xs, ys):
            for y in list(ys):
                if y not in xs:
                    ys.append(y)
            return xs
    """)


def test_it_leaves_a_single_test(case: Any) -> None:
    case(RULE, [([1], 1)]).stays("""
        def f(xs, y):
            return y in xs
    """)


def test_it_leaves_a_str(case: Any) -> None:
    case(RULE, [("abc", ["a"])]).stays("""
        def f(xs, ys):
            return [y for y in ys if y in xs]
    """)


def test_it_leaves_types_that_were_not_recorded(case: Any) -> None:
    case(RULE, []).stays("""
        def f(xs, ys):
            return [y for y in ys if y in xs]
    """)
