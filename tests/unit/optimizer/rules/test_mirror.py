"""Tests of the rule mirror."""

from typing import Any

import pytest

from perftrace.optimizer.engines.rules.mirror import Mirror

RULE = Mirror()


def test_it_compares_at_once(case: Any) -> None:
    calls = [([1, 2, 1],), ([1, 2],), ([],), ([1],), ([1, True],), ([1, 2, 3, 3, 2, 1],)]
    case(RULE, calls).becomes(
        """
        def f(q):
            i, j = 0, len(q) - 1
            while i < j:
                if q[i] != q[j]:
                    return False
                i += 1
                j -= 1
            return True
        """,
        """
        def f(q):
            if q != q[::-1]:
                return False
            return True
        """,
    )


def test_it_compares_strings(case: Any) -> None:
    (found,) = case(RULE, [("abba",), ("ab",), ("",)]).proposed("""
        def f(text):
            low, high = 0, len(text) - 1
            while low < high:
                if text[low] != text[high]:
                    return None
                high -= 1
                low += 1
            return text
    """)
    assert "if text != text[::-1]:" in found


def test_it_leaves_what_may_differ_from_itself(case: Any) -> None:
    case(RULE, [([1.0, float("nan")],)]).stays("""
        def f(q):
            i, j = 0, len(q) - 1
            while i < j:
                if q[i] != q[j]:
                    return False
                i += 1
                j -= 1
            return True
    """)


@pytest.mark.parametrize("after", ["return i", "return True"])
def test_it_leaves_indices_that_are_used(case: Any, after: str) -> None:
    leaving = "return j" if after == "return True" else "return False"
    case(RULE, [([1, 2, 1],), ([1, 2],)]).stays(f"""
        def f(q):
            i, j = 0, len(q) - 1
            while i < j:
                if q[i] != q[j]:
                    {leaving}
                i += 1
                j -= 1
            {after}
    """)


def test_layout_does_not_matter(case: Any) -> None:
    (found,) = case(RULE, [([1, 2, 1],), ([1, 2],)]).proposed("""
        def f(q):
            i, j = 0, len(q)-1
            while i<j:
                if q[i] != q[j]:
                    return False
                i+=1
                j-=1
            return True
    """)
    assert "if q != q[::-1]:" in found
