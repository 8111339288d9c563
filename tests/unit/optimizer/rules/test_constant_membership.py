"""Tests of the rule constant-membership."""

from typing import Any

from perftrace.optimizer.engines.rules.constant_membership import ConstantMembership

RULE = ConstantMembership()


def test_it_searches_a_set_of_constants(case: Any) -> None:
    case(RULE, [("a",), ("z",), (None,)]).becomes(
        """
        def f(x):
            return x in ["a", "b", "c"]
        """,
        """
        def f(x):
            return x in {"a", "b", "c"}
        """,
    )


def test_it_replaces_a_chain_of_or(case: Any) -> None:
    case(RULE, [(1,), (4,), (True,)]).becomes(
        """
        def f(x):
            if x == 1 or x == 2 or x == 3:
                return "low"
            return "high"
        """,
        """
        def f(x):
            if (x in {1, 2, 3}):
                return "low"
            return "high"
        """,
    )


def test_it_leaves_what_cannot_be_hashed(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def f(x):
            return x in ["a", "b", "c"]
    """)


def test_it_leaves_two_constants(case: Any) -> None:
    case(RULE, [("a",)]).stays("""
        def f(x):
            return x in ["a", "b"]
    """)


def test_it_leaves_elements_that_are_not_constant(case: Any) -> None:
    case(RULE, [("a", "b")]).stays("""
        def f(x, y):
            return x in ["a", "b", y]
    """)


def test_it_leaves_a_chain_with_another_test(case: Any) -> None:
    case(RULE, [(1,)]).stays("""
        def f(x):
            return x == 1 or x == 2 or x > 3
    """)
