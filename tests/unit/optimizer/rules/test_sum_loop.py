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


def test_it_multiplies(case: Any) -> None:
    case(RULE, [([1, 2, 4],), ([],)]).becomes(
        """
        def f(xs):
            total = 2
            for x in xs:
                total *= x
            return total
        """,
        """
        from math import prod

        def f(xs):
            total = 2
            total *= prod(xs)
            return total
        """,
    )


def test_several_totals_are_counted_one_after_the_other(case: Any) -> None:
    case(RULE, [([1, 2, 4],), ([],)]).becomes(
        """
        def f(xs):
            total, product = 0, 1
            for x in xs:
                total += x
                product *= x
            return total, product
        """,
        """
        from math import prod

        def f(xs):
            total, product = 0, 1
            total += sum(xs)
            product *= prod(xs)
            return total, product
        """,
    )


def test_it_leaves_several_totals_where_a_value_may_raise(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            total = count = 0
            for x in xs:
                count += 1
                total += 4 // x
            return total, count
    """)


def test_it_leaves_several_totals_of_an_iterator(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            total = count = 0
            for x in iter(xs):
                count += 1
                total += x
            return total, count
    """)


def test_it_reads_the_sum_written_out(case: Any) -> None:
    case(RULE, [([1, 2, 4],), ([],)]).becomes(
        """
        def f(xs):
            count = 0
            for x in xs:
                if x > 1:
                    count = count + 1
            return count
        """,
        """
        def f(xs):
            count = 0
            count += sum([1 for x in xs if x > 1])
            return count
        """,
    )


def test_it_leaves_a_total_that_its_own_value_reads(case: Any) -> None:
    case(RULE, [([1, 2, 4],), ([],)]).stays("""
        def f(xs):
            count = 1
            for x in xs:
                count = count + count * x
            return count
    """)
