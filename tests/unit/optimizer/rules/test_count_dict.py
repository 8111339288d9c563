"""Tests of the rule count-dict."""

from typing import Any

from perftrace.optimizer.engines.rules.count_dict import CountDict

RULE = CountDict()


def test_it_counts_in_c(case: Any) -> None:
    case(RULE, [(["a", "b", "a"],), ([],)]).becomes(
        """
        def f(xs):
            counts = {}
            for x in xs:
                if x in counts:
                    counts[x] += 1
                else:
                    counts[x] = 1
            return counts
        """,
        """
        from collections import Counter

        def f(xs):
            counts = dict(Counter(xs))
            return counts
        """,
    )


def test_it_serves_get(case: Any) -> None:
    case(RULE, [("abA",)]).becomes(
        """
        def f(s):
            counts = {}
            for c in s:
                counts[c.lower()] = counts.get(c.lower(), 0) + 1
            return counts
        """,
        """
        from collections import Counter

        def f(s):
            counts = dict(Counter([c.lower() for c in s]))
            return counts
        """,
    )


def test_it_leaves_another_step(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def f(xs):
            counts = {}
            for x in xs:
                counts[x] = counts.get(x, 0) + 2
            return counts
    """)


def test_it_leaves_another_start(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def f(xs):
            counts = {}
            for x in xs:
                if x in counts:
                    counts[x] += 1
                else:
                    counts[x] = 0
            return counts
    """)


def test_it_leaves_a_filled_dict(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def f(xs):
            counts = {1: 1}
            for x in xs:
                counts[x] = counts.get(x, 0) + 1
            return counts
    """)


def test_it_leaves_a_variable_that_is_used_after(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def f(xs):
            counts = {}
            for x in xs:
                counts[x] = counts.get(x, 0) + 1
            return counts, x
    """)
