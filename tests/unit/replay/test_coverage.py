"""Which lines and branches of a function its calls run, as a worker sees it."""

from pathlib import Path

import pytest
from replaying import Program

from perftrace.model import Coverage
from perftrace.replay.requests import NotReplayed

TEXT = '''\
"""A module."""


def plain(n):
    """Text."""
    global X
    X = 1
    if n > 3:
        return "large"
    while n > 0:
        n -= 1
    return n


def handled(n):
    try:
        one = 1 // n
    except (ZeroDivisionError,
            TypeError):
        return None
    finally:
        Y = n
    with open(__file__) as file:
        assert file, "closed"
    return one


def nested(items):
    def inner(item):
        if item:
            return 1
        return 0
    kept = [item for item in items if item > 1]
    lazy = (inner(item) for item in items)
    return kept, list(lazy), lambda n: n + 1


def series(n):
    for item in range(n):
        yield item


async def awaited(n):
    return n or 5


def caller(n):
    return plain(n)


def elsewhere(n):
    return n
'''


@pytest.fixture
def program(tmp_path: Path) -> Program:
    found = Program(tmp_path)
    found.write("app.py", TEXT)
    return found


def covered(program: Program, name: str, *arguments: object, by: str = "") -> Coverage:
    with program.session() as session:
        assert session.begin_coverage(program.target(f"app.py:{name}")) is None
        for argument in arguments:
            session.call(program.request(f"app.py:{by or name}", argument))
        found = session.coverage()
    assert isinstance(found, Coverage), found
    return found


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("plain", [5], Coverage((3, 6), (1, 4), (10, 11, 12), ((8, 10), (10, 11), (10, 12)))),
        ("plain", [5, 0], Coverage((5, 6), (3, 4), (11,), ((10, 11),))),
        ("plain", [5, 2], Coverage((6, 6), (4, 4))),
        ("handled", [1], Coverage((6, 9), (0, 0), (18, 19, 20))),
        ("handled", [1, 0], Coverage((9, 9), (0, 0))),
        ("series", [3], Coverage((2, 2), (2, 2))),
        ("awaited", [3], Coverage((1, 1), (1, 2), (), ((44, 44),))),
        ("awaited", [3, 0], Coverage((1, 1), (2, 2))),
    ],
)
def test_lines_and_branches_are_those_that_run(
    program: Program, name: str, arguments: list[object], expected: Coverage
) -> None:
    assert covered(program, name, *arguments) == expected


def test_what_is_defined_in_a_function_counts_to_it(program: Program) -> None:
    found = covered(program, "nested", [0, 0])
    assert 31 in found.unreached  # of the inner function
    assert (33, 33) in found.untaken  # no item is kept
    assert found.branches[1] >= 8
    every = covered(program, "nested", [0, 2])
    assert every.unreached == ()
    assert every.untaken == ()


def test_calls_through_a_caller_count_too(program: Program) -> None:
    assert covered(program, "plain", 5, 2, by="caller") == Coverage((6, 6), (4, 4))


def test_a_function_that_did_not_run_has_no_figures(program: Program) -> None:
    with program.session() as session:
        assert session.begin_coverage(program.target("app.py:plain")) is None
        session.call(program.request("app.py:elsewhere", 1))
        assert session.coverage() == NotReplayed("it did not run")


def test_nothing_is_watched_afterwards(program: Program) -> None:
    with program.session() as session:
        target = program.target("app.py:plain")
        for argument, expected in ((5, (3, 6)), (0, (4, 6))):
            assert session.begin_coverage(target) is None
            session.call(program.request("app.py:plain", argument))
            found = session.coverage()
            assert isinstance(found, Coverage)
            assert found.lines == expected
            session.call(program.request("app.py:plain", 2))
        lines = session.call(program.request("app.py:plain", 5), lines=True)
        assert not isinstance(lines, NotReplayed)
        assert lines.lines == {7, 8, 9}
