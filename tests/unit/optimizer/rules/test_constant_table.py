"""Tests of the rule constant-table."""

from typing import Any

from perftrace.optimizer.engines.rules.constant_table import ConstantTable

RULE = ConstantTable()


def test_it_builds_a_table_once(case: Any) -> None:
    case(RULE, [("a",), ("z",)]).becomes(
        """
        def f(x):
            table = {"a": 1, "b": 2}
            return table.get(x, 0)
        """,
        """
        _F_TABLE = {"a": 1, "b": 2}

        def f(x):
            table = _F_TABLE
            return table.get(x, 0)
        """,
    )


def test_a_table_keeps_its_name_and_the_remark_behind_it(case: Any) -> None:
    case(RULE, [("a",), ("z",)]).becomes(
        """
        def f(x):
            # by letter
            numbers = {
                "a":  1, "b":  2,
            }  # fmt: skip
            return numbers.get(x, 0)  # or nought
        """,
        """
        _F_NUMBERS = {
            "a":  1, "b":  2,
        }  # fmt: skip

        def f(x):
            # by letter
            numbers = _F_NUMBERS
            return numbers.get(x, 0)  # or nought
        """,
    )


def test_it_serves_a_table_used_in_place(case: Any) -> None:
    case(RULE, [(0,), (1,)]).becomes(
        """
        def f(x):
            return ["even", "odd"][x % 2]
        """,
        """
        _F_TABLE = ["even", "odd"]

        def f(x):
            return _F_TABLE[x % 2]
        """,
    )


def test_it_leaves_a_table_that_is_returned(case: Any) -> None:
    case(RULE, [(1,)]).stays("""
        def f(x):
            table = [1, 2]
            return table
    """)


def test_it_leaves_a_table_that_is_changed(case: Any) -> None:
    case(RULE, [(1,)]).stays("""
        def f(x):
            table = [1, 2]
            table.append(x)
            return len(table)
    """)


def test_it_leaves_a_table_that_is_passed_on(case: Any) -> None:
    case(RULE, [(1,)]).stays("""
        def g(t): return t.pop()
        def f(x):
            table = [1, 2]
            return g(table)
    """)


def test_it_leaves_elements_that_are_not_constant(case: Any) -> None:
    case(RULE, [(1,)]).stays("""
        def f(x):
            table = [1, x]
            return table[0]
    """)


def test_it_leaves_a_table_of_lists(case: Any) -> None:
    case(RULE, [(1,)]).stays("""
        def f(x):
            table = {"a": [], "b": []}
            table["a"].append(x)
            return len(table["a"])
    """)
