"""Calls that are made of recorded ones, in a real worker: outside their types, and larger."""

from dataclasses import replace
from pathlib import Path

import pytest
from replaying import Program

from perftrace import values
from perftrace.model import Ending
from perftrace.replay.requests import How, NotReplayed, Replayed
from perftrace.snapshot import encode

TEXT = """\
import json
import other


def checked(rows):
    if not rows:
        raise ValueError("empty")
    return len(rows)


def asserted(rows):
    assert rows
    return rows


def helped(rows):
    return checked(rows)


def loaded(text):
    return json.loads(text)


def elsewhere(rows):
    return other.refuse(rows)


def operated(rows):
    return rows[0]


def series(rows):
    yield 1
    raise ValueError("late")
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    found = Program(tmp_path)
    found.write("app.py", TEXT)
    found.write("other.py", "def refuse(rows):\n    raise ValueError(rows)\n")
    return found


@pytest.mark.parametrize(
    ("name", "argument", "own", "implicit"),
    [
        ("checked", [], True, False),
        ("checked", [1], False, False),
        ("asserted", [], True, False),
        ("helped", [], True, False),
        ("loaded", "", False, False),  # a statement of the standard library
        ("elsewhere", [], False, False),
        ("operated", [], False, True),
        ("series", [], True, False),
    ],
)
def test_a_worker_says_whose_statement_refused_a_call(
    program: Program, name: str, argument: object, *, own: bool, implicit: bool
) -> None:
    with program.session() as session:
        reply = session.call(program.request(f"app.py:{name}", argument))
    assert isinstance(reply, Replayed), reply
    assert (reply.own, reply.implicit) == (own, implicit)


def made(program: Program, how: How, *calls: object, count: int = 40) -> list[str]:
    with program.session() as session:
        requests = [program.request("app.py:checked", call) for call in calls]
        found = session.amplify(requests, count, 1, how)
    assert not isinstance(found, NotReplayed), found
    return [values.show(values.read(blob)) for blob in found]


def test_calls_outside_the_recorded_types_are_few_and_each_is_one_only(program: Program) -> None:
    found = made(program, How.OUTSIDE, [1, 2], [3])
    assert found[0] == "[None]"
    assert "[[]]" in found
    assert "[(1, 2)]" in found
    assert len(found) == len(set(found)) <= 40
    assert len(made(program, How.OUTSIDE, [1, 2], [3], count=3)) == 3


def test_of_large_arguments_a_small_part_is_changed(program: Program) -> None:
    found = made(program, How.OUTSIDE, [f"number {one}" for one in range(5000)])
    assert "[None]" in found
    assert any(one.startswith("[[None, 'number") and len(one) < 300 for one in found)


def test_larger_calls_are_made_of_the_largest(program: Program) -> None:
    found = made(program, How.GROWN, [1], list(range(5)), [2, 3], [4, 5, 6], count=2)
    assert len(found) == 2
    assert found[0] == f"[{list(range(5)) * 4}]"


def test_what_is_too_large_is_not_made_larger(program: Program) -> None:
    with program.session() as session:
        request = program.request("app.py:checked", "x" * 90_000)
        small = session.amplify([request], 4, 1, How.GROWN)
        many = replace(request, arguments=encode(["z" * 300_000], 1 << 20)[0])
        large = session.amplify([many], 4, 1, How.GROWN)
    assert isinstance(small, list)
    assert len(small) == 1
    assert large == []


def test_larger_calls_end_as_the_function_ends_them(program: Program) -> None:
    with program.session() as session:
        request = program.request("app.py:checked", [1, 2, 3])
        found = session.amplify([request], 1, 1, How.GROWN)
        assert isinstance(found, list)
        [blob] = found
        reply = session.call(program.request("app.py:checked", [1, 2, 3] * 4))
        assert isinstance(reply, Replayed)
        assert reply.ending is Ending.RETURNED
    assert values.show(values.read(blob)) == f"[{[1, 2, 3] * 4}]"
