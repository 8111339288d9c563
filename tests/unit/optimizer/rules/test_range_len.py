"""Tests of the rule range-len."""

from typing import Any

from perftrace.optimizer.engines.rules.range_len import RangeLen

RULE = RangeLen()


def test_it_goes_over_the_elements(case: Any) -> None:
    case(RULE, [([1, 2],), ([],)]).becomes(
        """
        def f(rows):
            total = 0
            for i in range(len(rows)):
                total += rows[i]
            return total
        """,
        """
        def f(rows):
            total = 0
            for row in rows:
                total += row
            return total
        """,
    )


def test_it_enumerates_where_the_index_is_used(case: Any) -> None:
    case(RULE, [("ab",)]).becomes(
        """
        def f(s):
            return [(i, s[i]) for i in range(0, len(s))]
        """,
        """
        def f(s):
            return [(i, s_item) for i, s_item in enumerate(s)]
        """,
    )


def test_it_leaves_a_list_that_the_loop_changes(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            for i in range(len(xs)):
                if xs[i]:
                    xs[i] = 0
            return xs
    """)


def test_it_leaves_a_list_that_may_be_changed_under_another_name(case: Any) -> None:
    case(RULE, [([1, 2], [3, 4])]).stays("""
        def f(xs, ys):
            for i in range(len(xs)):
                ys[0] = xs[i]
            return ys
    """)


def test_it_leaves_an_index_that_is_set_in_the_loop(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            n = 0
            for i in range(len(xs)):
                n += xs[i]
                i = 0
            return n
    """)


def test_it_leaves_dicts(case: Any) -> None:
    case(RULE, [({0: 1},)]).stays("""
        def f(xs):
            return [xs[i] for i in range(len(xs))]
    """)


def test_it_leaves_neighbours(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            return [xs[i - 1] for i in range(len(xs))]
    """)
