"""Tests of the rule split-partition."""

from typing import Any

from perftrace.optimizer.engines.rules.split_partition import SplitPartition

RULE = SplitPartition()


def test_it_takes_the_first_part(case: Any) -> None:
    case(RULE, [("a,b",), ("a",), ("",)]).becomes(
        """
        def f(s):
            return s.split(",")[0]
        """,
        """
        def f(s):
            return s.partition(",")[0]
        """,
    )


def test_it_takes_the_last_part(case: Any) -> None:
    case(RULE, [("a,b",), ("a",), ("",)]).becomes(
        """
        def f(s):
            return s.split(",")[-1]
        """,
        """
        def f(s):
            return s.rpartition(",")[2]
        """,
    )


def test_it_leaves_white_space(case: Any) -> None:
    case(RULE, [("a b",)]).stays("""
        def f(s):
            return s.split()[0]
    """)


def test_it_leaves_parts_that_may_be_missing(case: Any) -> None:
    case(RULE, [("a,b",)]).stays("""
        def f(s):
            return s.split(",")[1]
    """)


def test_it_leaves_a_limit(case: Any) -> None:
    case(RULE, [("a,b",)]).stays("""
        def f(s):
            return s.split(",", 1)[-1]
    """)


def test_it_leaves_an_empty_separator(case: Any) -> None:
    case(RULE, [("a",)]).stays("""
        def f(s):
            return s.split("")[0]
    """)
