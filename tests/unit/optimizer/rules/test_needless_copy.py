"""Tests of the rule needless-copy."""

from typing import Any

from perftrace.optimizer.engines.rules.needless_copy import NeedlessCopy

RULE = NeedlessCopy()


def test_it_sorts_without_a_copy(case: Any) -> None:
    case(RULE, [("ba",)]).becomes(
        """
        def f(s):
            return sorted(list(s), reverse=True)
        """,
        """
        def f(s):
            return sorted(s, reverse=True)
        """,
    )


def test_it_copies_by_the_constructor(case: Any) -> None:
    case(RULE, [([1, 2],)]).becomes(
        """
        def f(xs):
            return [x for x in xs]
        """,
        """
        def f(xs):
            return list(xs)
        """,
    )


def test_it_makes_a_dict_by_a_comprehension(case: Any) -> None:
    case(RULE, [("ab",)]).becomes(
        """
        def f(s):
            return dict([(c, ord(c)) for c in s])
        """,
        """
        def f(s):
            return {c: ord(c) for c in s}
        """,
    )


def test_it_asks_the_dict_for_its_length(case: Any) -> None:
    case(RULE, [({1: 2},)]).becomes(
        """
        def f(d):
            return len(d.keys())
        """,
        """
        def f(d):
            return len(d)
        """,
    )


def test_it_leaves_a_copy_that_is_kept(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def f(xs):
            ys = list(xs)
            return sorted(ys), ys
    """)


def test_it_leaves_a_comprehension_that_changes_elements(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def f(xs):
            return [x + 1 for x in xs]
    """)


def test_it_leaves_unknown_iterables(case: Any) -> None:
    case(RULE, []).stays("""
        def f(xs):
            return sorted(list(xs))
    """)


def test_it_leaves_a_shadowed_list(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def list(xs): return [3]
        def f(xs):
            return sorted(list(xs))
    """)


def test_a_generator_of_the_same_items_is_left_out(case: Any) -> None:
    case(RULE, [([3, 1, 2],)]).becomes(
        """
        def f(xs):
            return max(x for x in xs)
        """,
        """
        def f(xs):
            return max(xs)
        """,
    )
