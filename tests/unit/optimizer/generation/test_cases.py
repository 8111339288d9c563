"""Tests of one function, taken apart."""

import pytest

from perftrace.errors import UsageError
from perftrace.optimizer.generation.cases import Suite, read


def run(tests: Suite, function: object) -> list[str]:
    """The names of the cases that fail for a function."""
    module: dict[str, object] = {}
    exec(compile(tests.source, "cases", "exec"), module)
    module |= dict.fromkeys(tests.names, function)
    failed = []
    for case in tests.cases:
        try:
            module[case.name]()  # type: ignore[operator]
        except AssertionError:
            failed.append(case.name)
    return failed


def test_each_assertion_is_a_case() -> None:
    found = read("assert add(1, 2) == 3\nassert add(1, 1) == 3, 'two'\n")
    assert (found.entry, found.names) == ("add", ("add",))
    assert [case.text for case in found.cases] == [
        "assert add(1, 2) == 3",
        "assert add(1, 1) == 3, 'two'",
    ]
    assert run(found, lambda a, b: a + b) == ["case_1"]


def test_a_check_of_a_candidate_is_taken_apart_with_what_comes_before_each() -> None:
    text = """
METADATA = {"author": "x"}

def check(candidate):
    numbers = [3, 1]
    assert candidate(numbers) == [1, 3]
    for n in range(3):
        assert candidate([n]) == [n]
    assert True, "nothing of it"

check(order)
"""
    found = read(text, "order")
    assert [case.text.splitlines()[0] for case in found.cases] == [
        "assert candidate(numbers) == [1, 3]",
        "for n in range(3):",
    ]
    assert run(found, sorted) == []
    assert run(found, list) == ["case_0"]


def test_test_functions_are_cases_and_what_they_use_stays() -> None:
    text = """
import math
from program import area

PI = math.pi

def close(a, b):
    return abs(a - b) < 1e-9

def test_one():
    assert close(area(1), PI)

def test_zero():
    assert area(0) == 0
"""
    found = read(text)
    assert found.entry == "area"
    assert "program" not in found.source
    assert [case.text.splitlines()[0] for case in found.cases] == [
        "def test_one():",
        "def test_zero():",
    ]
    assert run(found, lambda r: 3.141592653589793 * r * r) == []
    assert run(found, lambda r: 1) == ["case_0", "case_1"]


def test_statements_that_call_the_function_are_made_in_each_case() -> None:
    found = read("result = double(2)\nassert result == 4\nassert result + double(1) == 6\n")
    calls: list[int] = []

    def double(n: int) -> int:
        calls.append(n)
        return 2 * n

    assert run(found, double) == []
    assert calls == [2, 2, 1]


@pytest.mark.parametrize(
    ("text", "slug", "words"),
    [
        ("assert (", "generate-tests", "not valid Python"),
        ("x = 1\n", "generate-function", "--function"),
        ("assert f(1) == g(1)\n", "generate-function", "They call f, g"),
        ("assert sum([1]) == 1\n", "generate-function", "--function"),
        ("def test_it(tmp_path):\n    assert f(tmp_path)\n", "generate-tests", "arguments"),
        ("async def test_it():\n    assert f(1)\n", "generate-tests", "asynchronous"),
        ("class TestIt:\n    def test_it(self):\n        assert f(1)\n", "generate-tests", "class"),
    ],
)
def test_what_can_not_be_read_is_said(text: str, slug: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as found:
        read(text)
    assert found.value.slug == slug


def test_a_function_that_the_tests_never_call_is_said() -> None:
    with pytest.raises(UsageError, match="no test of other"):
        read("assert add(1, 2) == 3\n", "other")
