"""Tests of the rule largest-divisor."""

from typing import Any

import pytest

from perftrace.optimizer.engines.rules.largest_divisor import LargestDivisor

RULE = LargestDivisor()


NUMBERS = [(n,) for n in range(-5, 300)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("reversed(range(n))", "reversed(range(min(n, n // 2 + 1)))"),
        ("reversed(range(1, n))", "reversed(range(1, min(n, n // 2 + 1)))"),
        ("range(n - 1, 0, -1)", "range(n // 2, 0, -1)"),
        ("range(n - 1, 1, -1)", "range(n // 2, 1, -1)"),
    ],
)
def test_it_begins_at_the_half(case: Any, old: str, new: str) -> None:
    source = """
        def f(n):
            for i in LOOP:
                if n % i == 0:
                    return i
    """
    case(RULE, NUMBERS).becomes(source.replace("LOOP", old), source.replace("LOOP", new))


def test_all_divisors_may_be_collected(case: Any) -> None:
    source = """
        def f(n):
            found = []
            for i in LOOP:
                if n % i == 0:
                    found.append(i)
            return found
    """
    old, new = "range(n - 1, 0, -1)", "range(n // 2, 0, -1)"
    case(RULE, NUMBERS).becomes(source.replace("LOOP", old), source.replace("LOOP", new))


def test_it_leaves_a_number_that_changes(case: Any) -> None:
    case(RULE, NUMBERS).stays("""
        def f(n):
            for i in range(n - 1, 0, -1):
                if n % i == 0:
                    n = n + 1
            return n
    """)


def test_it_leaves_rounds_that_do_something(case: Any) -> None:
    case(RULE, NUMBERS).stays("""
        def f(n):
            tried = 0
            for i in range(n - 1, 0, -1):
                if n % i == 0:
                    return tried
                else:
                    tried += 1
    """)


def test_it_leaves_floats(case: Any) -> None:
    case(RULE, [(9.0,)]).stays("""
        def f(n):
            for i in range(n - 1, 0, -1):
                if n % i == 0:
                    return i
    """)
