"""Tests of the rule sum-loop."""

from typing import Any

from perftrace.optimizer.engines.rules.sum_loop import SumLoop

RULE = SumLoop()


def test_it_adds_in_c(case: Any) -> None:
    case(RULE, [(["a", "bb"],), ([],)]).becomes(
        """
        def f(xs):
            total = 0
            for x in xs:
                total += len(x)
            return total
        """,
        """
        def f(xs):
            total = 0
            total += sum([len(x) for x in xs])
            return total
        """,
    )


def test_it_keeps_a_condition(case: Any) -> None:
    case(RULE, [([1, 2, 4],)]).becomes(
        """
        def f(xs):
            n = 1
            for x in xs:
                if x > 1:
                    n += 1
            return n
        """,
        """
        def f(xs):
            n = 1
            n += sum([1 for x in xs if x > 1])
            return n
        """,
    )


def test_it_leaves_floats(case: Any) -> None:
    case(RULE, [([0.1, 0.2],)]).stays("""
        def f(xs):
            total = 0
            for x in xs:
                total += x
            return total
    """)


def test_it_leaves_a_total_that_the_loop_reads(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            total = 0
            for x in xs:
                if total < 2:
                    total += x
            return total
    """)


def test_it_leaves_a_variable_that_is_used_after(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            total = 0
            for x in xs:
                total += x
            return total, x
    """)


def test_it_leaves_a_local_name_sum(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            sum = 0
            for x in xs:
                sum += x
            return sum
    """)
