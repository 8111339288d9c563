"""Tests of the rule equality-chain."""

from typing import Any

from perftrace.optimizer.engines.rules.equality_chain import EqualityChain

RULE = EqualityChain()


def test_it_searches_once(case: Any) -> None:
    case(RULE, [("a",), ("d",), ("c",)]).becomes(
        """
        def f(x):
            return x == "a" or x == 'b' or x == "c"
        """,
        """
        def f(x):
            return x in ("a", 'b', "c")
        """,
    )


def test_it_searches_for_none_of_them(case: Any) -> None:
    case(RULE, [(1,), (4,)]).becomes(
        """
        def f(x):
            if (x != 1 and x != 2 and x != 3) == True:
                return 1
            return 2
        """,
        """
        def f(x):
            if (x not in (1, 2, 3)) == True:
                return 1
            return 2
        """,
    )


def test_it_leaves_short_mixed_and_other_chains(case: Any) -> None:
    for body in (
        "x == 1 or x == 2",
        "x == 1 or y == 2 or x == 3",
        "x == 1 or x == 'b' or x == 3",
        "x == 1 or x != 2 or x == 3",
        "x == 1 and x == 2 and x == 3",
        "x == 1 or x == y or x == 3",
        "x == 1 < 2 or x == 2 or x == 3",
    ):
        case(RULE, [(1, 2)]).stays(f"def f(x, y):\n    return {body}\n")
    chain = "def f(x):\n    return x == 1 or x == 2 or x == 3\n"
    case(RULE, [(2.0,)]).stays(chain)
    case(RULE, []).stays(chain)
