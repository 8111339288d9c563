"""Tests of the rule while-counter."""

from typing import Any

import pytest

from perftrace.optimizer.engines.rules.while_counter import WhileCounter

RULE = WhileCounter()


def test_range_counts(case: Any) -> None:
    case(RULE, [([1, 2, 3],), ([],)]).becomes(
        """
        def f(xs):
            total = 0
            i = 0
            while i < len(xs):
                total += xs[i]
                i += 1
            return total
        """,
        """
        def f(xs):
            total = 0
            for i in range(len(xs)):
                total += xs[i]
            return total
        """,
    )


def test_the_end_may_be_counted_too(case: Any) -> None:
    case(RULE, [(5,), (0,), (-2,)]).becomes(
        """
        def f(n):
            out = []
            i = 1
            # up to n
            while i <= n:
                if i % 7 == 0:
                    break
                out.append(i)
                i += 1
            return out
        """,
        """
        def f(n):
            out = []
            # up to n
            for i in range(1, n + 1):
                if i % 7 == 0:
                    break
                out.append(i)
            return out
        """,
    )


@pytest.mark.parametrize(
    "body",
    [
        "xs.append(1) if len(xs) < 5 else None",
        "i += xs[i]",
        "if xs[i] == 2: continue",
        "i = i + 1 if xs[i] > 1 else i",
    ],
)
def test_it_leaves_loops_that_do_not_simply_count(case: Any, body: str) -> None:
    case(RULE, [([1, 1, 3],), ([],)]).stays(f"""
        def f(xs):
            i = 0
            while i < len(xs):
                {body}
                i += 1
            return xs
    """)


def test_it_leaves_a_counter_that_is_used_after(case: Any) -> None:
    case(RULE, [([1, 2, 3],), ([],)]).stays("""
        def f(xs):
            i = 0
            while i < len(xs):
                if xs[i] > 5:
                    break
                i += 1
            return i
    """)


def test_layout_does_not_matter(case: Any) -> None:
    (found,) = case(RULE, [([1, 2, 1],), ([],)]).proposed("""
        def f(xs):
            total = 0
            i=0
            while i<len(xs):
                total += xs[i]
                i+=1
            return total
    """)
    assert "for i in range(len(xs)):" in found
