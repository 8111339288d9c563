"""Tests of the rule append-each."""

from typing import Any

import pytest

from perftrace.optimizer.engines.rules.append_each import AppendEach

RULE = AppendEach()


def test_elements_are_appended_one_by_one(case: Any) -> None:
    case(RULE, [([1, 2, 3], [4, 5]), ([], [])]).becomes(
        """
        def f(xs, ys):
            out = []
            for x, y in zip(xs, ys):
                # both
                out.extend([x, y * 2])  # in turn
            return out
        """,
        """
        def f(xs, ys):
            out = []
            for x, y in zip(xs, ys):
                # both
                out.append(x)
                out.append(y * 2)  # in turn
            return out
        """,
    )


def test_a_list_of_somebody_else_may_get_what_cannot_raise(case: Any) -> None:
    case(RULE, [([1], 2)]).becomes(
        """
        def f(out, x):
            out.extend((x, 0, x))
            return out
        """,
        """
        def f(out, x):
            out.append(x)
            out.append(0)
            out.append(x)
            return out
        """,
    )


def test_it_leaves_what_may_raise_where_others_see_the_list(case: Any) -> None:
    case(RULE, [([1], 2)]).stays("""
        def f(out, x):
            out.extend([x, 1 // x])
            return out
    """)


def test_it_leaves_what_may_raise_inside_a_try(case: Any) -> None:
    case(RULE, [(2,), (0,)]).stays("""
        def f(x):
            out = []
            try:
                out.extend([x, 1 // x])
            except ZeroDivisionError:
                pass
            return out
    """)


@pytest.mark.parametrize(
    "line",
    [
        "out.extend([x])",
        "out.extend([x, x, x, x])",
        "out.extend([x, len(out)])",
        "out.extend([x, *xs])",
        "out.extend(xs)",
        "out.extend([x, (x := 3)])",
    ],
)
def test_it_leaves_other_lines(case: Any, line: str) -> None:
    case(RULE, [([1, 2], 3)]).stays(f"""
        def f(xs, x):
            out = []
            {line}
            return out
    """)


def test_it_leaves_what_is_no_list(case: Any) -> None:
    case(RULE).stays("""
        def f(out, x):
            out.extend([x, x])
            return out
    """)
