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


def test_it_may_start_later(case: Any) -> None:
    case(RULE, [([1, 2, 3],), ([],), ([5],)]).becomes(
        """
        def f(xs):
            for i in range(1, len(xs)):
                if xs[i] == i + 1:
                    return i
        """,
        """
        def f(xs):
            for i, xs_item in enumerate(xs[1:], 1):
                if xs_item == i + 1:
                    return i
        """,
    )


def test_it_may_start_behind_another_counter(case: Any) -> None:
    found = case(RULE, [([1, -1, 3],), ([],), ([5],)]).proposed("""
        def f(xs):
            for i, x in enumerate(xs):
                for j in range(i + 1, len(xs)):
                    if x + xs[j] == 0:
                        return True
            return False
    """)
    assert len(found) == 1
    assert "for xs_item in xs[i + 1:]:" in found[0]


def test_it_leaves_a_start_that_may_be_negative(case: Any) -> None:
    case(RULE, [([1, 2, 3], -1), ([1, 2], 1)]).stays("""
        def f(xs, k):
            for j in range(k + 1, len(xs)):
                if xs[j] == 2:
                    return j
    """)


def test_the_length_may_have_a_name(case: Any) -> None:
    case(RULE, [([1, 2, 3],), ([],)]).becomes(
        """
        def f(xs):
            n = len(xs)
            xs.sort(reverse=True)
            total = 0
            for i in range(n):
                total = total * 10 + xs[i]
            return total
        """,
        """
        def f(xs):
            n = len(xs)
            xs.sort(reverse=True)
            total = 0
            for xs_item in xs:
                total = total * 10 + xs_item
            return total
        """,
    )


def test_it_leaves_a_length_that_may_be_another_by_then(case: Any) -> None:
    case(RULE, [([1, 2, 3],), ([],)]).stays("""
        def f(xs):
            n = len(xs)
            xs.append(4)
            total = 0
            for i in range(n):
                total = total * 10 + xs[i]
            return total
    """)
