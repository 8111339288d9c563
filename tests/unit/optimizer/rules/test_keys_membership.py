"""Tests of the rule keys-membership."""

from typing import Any

from perftrace.optimizer.engines.rules.keys_membership import KeysMembership

RULE = KeysMembership()


def test_it_asks_the_dict(case: Any) -> None:
    case(RULE, [({1: 2}, 1), ({}, 1)]).becomes(
        """
        def f(d, k):
            return k in d.keys()
        """,
        """
        def f(d, k):
            return k in d
        """,
    )


def test_it_makes_no_list(case: Any) -> None:
    case(RULE, [({1: 2}, 1)]).becomes(
        """
        def f(d, k):
            return k not in list(d.keys())
        """,
        """
        def f(d, k):
            return k not in d
        """,
    )


def test_it_leaves_what_a_dict_cannot_be_asked(case: Any) -> None:
    case(RULE, [({1: 2}, [1])]).stays("""
        def f(d, k):
            return k in list(d.keys())
    """)


def test_it_leaves_unknown_objects(case: Any) -> None:
    case(RULE, []).stays("""
        def f(d, k):
            return k in d.keys()
    """)


def test_it_leaves_values(case: Any) -> None:
    case(RULE, [({1: 2}, 1)]).stays("""
        def f(d, k):
            return k in d.values()
    """)
