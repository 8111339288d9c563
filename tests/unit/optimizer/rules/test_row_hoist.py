"""Tests of the rule row-hoist."""

from typing import Any

import pytest

from perftrace.optimizer.engines.rules.row_hoist import RowHoist

RULE = RowHoist()
TABLES = [([[1, 2], [3, 4], [5, 6]], 2), ([[1], [2]], 1)]


def test_rows_are_looked_up_once(case: Any) -> None:
    case(RULE, TABLES).becomes(
        """
        def f(dp, width):
            for i in range(len(dp) - 1):
                for j in range(width):
                    dp[i + 1][j] = max(dp[i + 1][j], dp[i][j])
            return dp
        """,
        """
        def f(dp, width):
            for i in range(len(dp) - 1):
                dp_row = dp[i + 1]
                dp_row_2 = dp[i]
                for j in range(width):
                    dp_row[j] = max(dp_row[j], dp_row_2[j])
            return dp
        """,
    )


@pytest.mark.parametrize(
    "body", ["dp[i] = [dp[i][j]]", "dp.append(dp[i][j])", "dp = [[dp[i][j]]] * 3", "i = dp[i][j]"]
)
def test_it_leaves_a_table_whose_rows_change(case: Any, body: str) -> None:
    found = case(RULE).proposed(f"""
        def f(dp, i):
            for j in range(1):
                {body}
            return dp
    """)
    assert found == []
    case(RULE, [([[1, 2], [3, 4]], 0)]).stays(f"""
        def f(dp, i):
            for j in range(1):
                {body}
            return dp
    """)


def test_it_leaves_a_second_name_of_the_table(case: Any) -> None:
    case(RULE, [([[1, 2], [3, 4]], 0)]).stays("""
        def f(dp, i):
            same = dp
            for j in range(2):
                same[i] = [dp[i][j], 0]
            return dp
    """)


def test_it_leaves_dicts_and_what_is_unknown(case: Any) -> None:
    source = """
        def f(dp, i):
            total = 0
            for j in range(2):
                total += dp[i][j]
            return total
    """
    case(RULE, [({0: [1, 2]}, 0)]).stays(source)
    case(RULE).stays(source)
