"""Tests of the rule append-several."""

from typing import Any

from perftrace.optimizer.engines.rules.append_several import AppendSeveral

RULE = AppendSeveral()


def test_all_are_added_at_once(case: Any) -> None:
    case(RULE, [([1, 2, 3], 9), ([], 9)]).becomes(
        """
        def f(xs, between):
            out = []
            for x in xs:
                out.append(x)
                out.append(between)
            return out
        """,
        """
        def f(xs, between):
            out = []
            out.extend([item for x in xs for item in (x, between)])
            return out
        """,
    )


def test_extended_by_a_display(case: Any) -> None:
    case(RULE, [([1, 2, 3], [4, 5]), ([], [])]).becomes(
        """
        def f(xs, ys):
            out = [0]
            for x, y in zip(xs, ys):
                out.extend([x, y * 2])
            return out
        """,
        """
        def f(xs, ys):
            out = [0]
            out.extend([item for x, y in zip(xs, ys) for item in (x, y * 2)])
            return out
        """,
    )


def test_it_leaves_two_lists(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            one, two = [], []
            for x in xs:
                one.append(x)
                two.append(x)
            return one, two
    """)


def test_it_leaves_a_list_of_somebody_else(case: Any) -> None:
    case(RULE, [([1, 2], [])]).stays("""
        def f(xs, out):
            for x in xs:
                out.append(x)
                out.append(0)
            return out
    """)


def test_it_leaves_elements_that_look_at_the_list(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            out = []
            for x in xs:
                out.append(x)
                out.append(len(out))
            return out
    """)
