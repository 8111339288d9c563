"""Tests of what a change did, found again in another function."""

import ast
import textwrap

import pytest

from perftrace.optimizer.engines.pattern import matches, pattern_of, rewritten

SLOW = """
def total(rows, width):
    best = 0
    for row in rows:
        n = 0
        for cell in row:
            n += cell
        best = max(best, n)
    return best
"""
FAST = """
def total(rows, width):
    best = 0
    for row in rows:
        n = 0
        n += sum(row)
        best = max(best, n)
    return best
"""
OTHER = """
def weigh(parcels):
    for parcel in parcels:
        if parcel:
            weight = 3
            for item in parcel:
                weight += item
            yield weight
"""


def found(slow: str, fast: str, other: str) -> list[str]:
    pattern = pattern_of(textwrap.dedent(slow), textwrap.dedent(fast))
    (function,) = ast.parse(textwrap.dedent(other)).body
    assert isinstance(function, ast.FunctionDef)
    if pattern is None:
        return []
    return [
        rewritten(pattern, one, lambda name: f"{name}_free") for one in matches(pattern, function)
    ]


def test_the_statements_that_changed_are_found_under_other_names() -> None:
    assert found(SLOW, FAST, OTHER) == ["weight += sum(parcel)"]


def test_two_names_stay_two() -> None:
    same = OTHER.replace("for item in parcel", "for weight in parcel").replace(
        "weight += item", "weight += weight"
    )
    assert found(SLOW, FAST, same) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [("weight += item", "weight += item + 1"), ("weight += item", "weight -= item")],
)
def test_other_statements_are_no_match(old: str, new: str) -> None:
    assert found(SLOW, FAST, OTHER.replace(old, new)) == []


def test_names_of_the_module_stay_as_they_are() -> None:
    slow = "def f(xs):\n    return [LIMIT + x for x in xs if x > LIMIT]\n"
    fast = "def f(xs):\n    limit = LIMIT\n    return [limit + x for x in xs if x > limit]\n"
    other = "def g(ys):\n    return [LIMIT + y for y in ys if y > LIMIT]\n"
    text = "limit_free = LIMIT\nreturn [limit_free + y for y in ys if y > limit_free]"
    assert found(slow, fast, other) == [text]
    assert found(slow, fast, other.replace("LIMIT", "BOUND")) == []


def test_what_was_inserted_is_inserted_before_the_same_statement() -> None:
    slow = "def f(n):\n    while n % 2 == 0 and n > 4:\n        n //= 2\n    return n\n"
    fast = "def f(n):\n    if n < 0:\n        return n\n" + slow.partition("\n")[2]
    other = slow.replace("n", "number").replace("returnumber", "return").replace("anumberd", "and")
    assert found(slow, fast, slow)
    assert "if n < 0:" in found(slow, fast, slow)[0]
    assert other


@pytest.mark.parametrize(
    ("slow", "fast"),
    [
        ("def f(x):\n    return x\n", "def f(x):\n    return x\n"),
        ("def f(x):\n    return x\n", "def f(x, y):\n    return y\n"),
        ("def f(x):\n    x\n    return x\n", "def f(x):\n    return x\n"),
        ("def f(x):\n    return x\n", "def f(x):\n    return +x\n"),
        ("no python", "none either"),
        ("x = 1\n", "x = 2\n"),
    ],
)
def test_no_pattern(slow: str, fast: str) -> None:
    assert pattern_of(slow, fast) is None
