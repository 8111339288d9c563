"""Tests of the rule count-in-loop."""

from typing import Any

from perftrace.optimizer.engines.rules.count_in_loop import CountInLoop

RULE = CountInLoop()


def test_it_counts_once(case: Any) -> None:
    case(RULE, [([1, 2, 1, True],)]).becomes(
        """
        def f(xs):
            return [x for x in xs if xs.count(x) > 1]
        """,
        """
        from collections import Counter

        def f(xs):
            xs_counts = Counter(xs)
            return [x for x in xs if xs_counts.get(x, 0) > 1]
        """,
    )


def test_it_locates_once(case: Any) -> None:
    case(RULE, [(["a", "b", "a"],)]).becomes(
        """
        def f(xs):
            return [xs.index(x) for x in xs]
        """,
        """
        def f(xs):
            xs_positions = {item: i for i, item in reversed([*enumerate(xs)])}
            return [xs_positions[x] for x in xs]
        """,
    )


def test_it_counts_characters(case: Any) -> None:
    case(RULE, [("abca",)]).becomes(
        """
        from collections import Counter
        def f(s):
            return [s.count(c) for c in s]
        """,
        """
        from collections import Counter
        def f(s):
            s_counts = Counter(s)
            return [s_counts.get(c, 0) for c in s]
        """,
    )


def test_it_leaves_substrings(case: Any) -> None:
    case(RULE, [("abab", ["ab"])]).stays("""
        def f(s, parts):
            return [s.count(part) for part in parts]
    """)


def test_it_leaves_an_index_that_may_raise(case: Any) -> None:
    case(RULE, [([1, 2], [2])]).stays("""
        def f(xs, ys):
            return [xs.index(y) for y in ys]
    """)


def test_it_leaves_a_list_that_changes(case: Any) -> None:
    case(RULE, [([1, 1, 2],)]).stays("""
        def f(xs):
            out = []
            for x in list(xs):
                out.append(xs.count(x))
                xs.pop()
            return out
    """)


def test_it_leaves_elements_that_cannot_be_hashed(case: Any) -> None:
    case(RULE, [([[1], [1]],)]).stays("""
        def f(xs):
            return [xs.count(x) for x in xs]
    """)
