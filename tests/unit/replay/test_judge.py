"""The stub that stands for a function under test, and the test around it."""

from types import FunctionType
from typing import Any

import pytest

from perftrace.replay.inside import judge


def made(text: str) -> FunctionType:
    module: dict[str, Any] = {}
    exec(text, module)
    test = module["test"]
    assert isinstance(test, FunctionType)
    return test


def answering(*answers: tuple[str, list[Any]]) -> tuple[judge.Ask, list[Any]]:
    left, asked = list(answers), []

    def ask(arguments: list[Any], names: list[str]) -> tuple[str, list[Any]]:
        asked.append((arguments, names))
        return left.pop(0)

    return ask, asked


def test_calls_are_handed_out_and_their_answers_come_back() -> None:
    ask, asked = answering(("returned", [3, [None]]), ("returned", [7, [None, None]]))
    test = made("def test():\n    assert f(1, 2) == 3\n    assert g(3, by=4) == 7\n")
    assert judge.run(test, ["f", "g"], ask) == {"error": ""}
    assert asked == [([(1, 2)], []), ([(3,), 4], ["by"])]


def test_what_a_test_says() -> None:
    test = made("def test():\n    assert f() == 1, 'not one'\n")
    assert judge.run(test, ["f"], answering(("returned", [2, [None]]))[0]) == {
        "error": "AssertionError: not one"
    }


def test_exceptions_are_raised() -> None:
    test = made("def test():\n    f()\n")
    ask, _ = answering(("raised", [ValueError("no"), [None]]))
    assert judge.run(test, ["f"], ask) == {"error": "ValueError: no"}


def test_containers_become_what_the_function_left() -> None:
    test = made(
        "def test():\n    a, b, c, d = [1], {1: 1}, {1}, bytearray(b'1')\n    f(a, b, c, x=d)\n"
        "    assert (a, b, c, d) == ([2], {2: 2}, {2}, bytearray(b'2'))\n"
    )
    ask, _ = answering(("returned", [None, [([2], {2: 2}, {2}), bytearray(b"2")]]))
    assert judge.run(test, ["f"], ask) == {"error": ""}


@pytest.mark.parametrize("kind", ["Exception", "AssertionError"])
def test_without_an_answer_no_test_goes_on(kind: str) -> None:
    test = made(f"def test():\n    try:\n        f()\n    except {kind}:\n        pass\n")
    assert judge.run(test, ["f"], answering((judge.GONE, []))[0]) == {"error": judge.GONE}
