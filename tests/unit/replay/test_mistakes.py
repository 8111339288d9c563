"""Which calls notice small mistakes in a function."""

import colorsys
import dataclasses
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from replaying import STARTS, Program, started

from perftrace.model import Binding, Kind, Parameter
from perftrace.optimizer.mutants import mutants
from perftrace.replay import mistakes
from perftrace.replay.inside import notice
from perftrace.replay.mistakes import Weighed, weigh
from perftrace.replay.requests import Noticed, NotReplayed, Other, Request, Target
from perftrace.replay.servers import FORKS
from perftrace.snapshot import encode

WALL_NS = 100_000


@pytest.fixture(params=STARTS)
def program(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Program]:
    with started(Program(tmp_path), request.param) as made:
        yield made


def weighed(
    program: Program, place: str, calls: Sequence[Sequence[object]], texts: Sequence[str]
) -> Weighed | None:
    requests = [(program.request(place, *arguments), WALL_NS) for arguments in calls]
    with program.session() as session:
        return weigh([session], program.target(place), texts, dict(enumerate(requests)))


def noticed(
    program: Program, place: str, calls: Sequence[Sequence[object]], text: str
) -> Noticed | NotReplayed:
    requests = [program.request(place, *arguments) for arguments in calls]
    with program.session() as session:
        assert session.expect(requests) == [True] * len(calls)
        return session.notices(Other(program.target(place), text), [0.2] * len(calls))


def test_each_mistake_is_noticed_by_those_calls_that_it_changes(program: Program) -> None:
    program.write("app.py", "def sign(x):\n    if x > 0:\n        return 1\n    return x\n")
    right = "def sign(x):\n    if x > 0:\n        return 1\n    return x\n"
    texts = [right.replace("> 0", "> 5"), right.replace("return 1", "return 2"), right]
    found = weighed(program, "app.py:sign", [[3], [9], [-1]], texts)
    assert found is not None
    assert found.tried == 3
    counts = {place: len(numbers) for place, numbers in found.noticed.items()}
    assert counts == {0: 2, 1: 1, 2: 0}
    assert found.noticed[1] < found.noticed[0]


def test_real_mutants_of_a_method_are_tried_without_their_file(program: Program) -> None:
    text = """\
    from __future__ import annotations
    import math
    class Base:
        def size(self): return 2
    class Box(Base):
        limit = 3
        @property
        def size(self): return len(self)
        @size.setter
        def size(self, value):
            if value < 0:
                raise ValueError(value)
            self.append(__class__.limit + value + math.floor(1.5))
    """
    file = program.write("app.py", text)
    source = file.read_text()
    code = program.code("app.py:Box.size", 9)
    target = dataclasses.replace(program.target("app.py:Box.size", 9), ordinal=1)
    made = list(mutants(source, "Box.size", code.co_firstlineno, alone=True))
    assert all("class Base" not in one and "class Box" in one for one in made)
    whole = list(mutants(source, "Box.size", code.co_firstlineno))
    assert len(made) == len(whole) > 3
    requests = [
        (
            dataclasses.replace(
                program.request("app.py:Box.size", [0], value, line=9), target=target
            ),
            WALL_NS,
        )
        for value in (3, -1, 0)
    ]
    with program.session() as session:
        found = weigh([session], target, made, dict(enumerate(requests)))
    assert found is not None
    assert found.tried == len(made)
    assert len(frozenset().union(*found.noticed.values())) == len(made)


def test_a_mistake_that_never_ends_is_noticed_by_calls_that_meet_it(program: Program) -> None:
    text = "def count(n):\n    while n > 0:\n        n -= 1\n    return n\n"
    program.write("app.py", text)
    endless = text.replace("n -= 1", "n += 1")
    found = noticed(program, "app.py:count", [[0], [2], [3], [4], [5]], endless)
    # After two that ran out of time no further one is made.
    assert found == Noticed(frozenset({1, 2}), spoilt=False)


def test_one_that_catches_everything_and_never_ends_costs_its_worker(program: Program) -> None:
    text = "def f(n):\n    return n\n"
    program.write("app.py", text)
    deaf = "import signal\ndef f(n):\n    signal.setitimer(0, 0)\n    while True: pass\n"
    program.write("app.py", "import signal\n" + text)
    found = noticed(program, "app.py:f", [[1], [2]], deaf)
    assert found == Noticed(frozenset({0, 1}), spoilt=True)


def test_what_ends_the_worker_is_noticed_by_all(program: Program) -> None:
    program.write("app.py", "import os\ndef f(n):\n    return n\n")
    gone = "import os\ndef f(n):\n    os._exit(3)\n"
    found = noticed(program, "app.py:f", [[1], [2]], gone)
    assert found == Noticed(frozenset({0, 1}), spoilt=True)


def test_a_mistake_that_leaves_another_state_is_seen_to_have(program: Program) -> None:
    text = "seen = {}\ndef f(n):\n    seen['n'] = 1\n    return seen.get('m', n)\n"
    program.write("app.py", text)
    spoiling = text.replace("'n'", "'m'")
    found = noticed(program, "app.py:f", [[5]], spoiling)
    assert found == Noticed(frozenset({0}), spoilt=True)


def test_after_a_spoilt_state_a_new_worker_goes_on(program: Program) -> None:
    text = "seen = {}\ndef f(n):\n    seen['n'] = 1\n    return seen.get('m', n)\n"
    program.write("app.py", text)
    texts = [text.replace("'n'", "'m'"), text, text.replace("return", "return 1 +")]
    found = weighed(program, "app.py:f", [[5]], texts)
    assert found is not None
    assert (found.tried, len(found.noticed[0])) == (3, 2)


def test_the_function_has_its_own_code_again_afterwards(program: Program) -> None:
    text = "def f(n):\n    return n\n"
    program.write("app.py", text)
    request = program.request("app.py:f", 4)
    with program.session() as session:
        session.expect([request])
        session.notices(Other(program.target("app.py:f"), text.replace("n\n", "2\n")), [1])
        again = session.notices(Other(program.target("app.py:f"), text), [1])
    assert again == Noticed(frozenset())


def test_calls_that_differ_each_time_notice_nothing(program: Program) -> None:
    program.write("app.py", "n = 0\ndef f(x):\n    global n\n    n += 1\n    return n\n")
    requests = [program.request("app.py:f", 1)]
    with program.session() as session:
        assert session.expect(requests) == [False]
    assert weighed(program, "app.py:f", [[1]], ["def f(x):\n    return 0\n"]) is None


def test_what_is_printed_counts(program: Program) -> None:
    text = "def f(x):\n    print('a')\n"
    program.write("app.py", text)
    found = noticed(program, "app.py:f", [[1]], text.replace("'a'", "'b'"))
    assert found == Noticed(frozenset({0}))


def test_a_code_that_can_not_stand_in_its_place_is_not_tried(program: Program) -> None:
    text = "def f(x):\n    return x\n"
    program.write("app.py", text)
    found = weighed(program, "app.py:f", [[1]], ["def f(x, y):\n    return x\n"])
    assert found is None
    texts = ["def f(x, y):\n    return x\n", text.replace("return x", "return 2")]
    found = weighed(program, "app.py:f", [[1]], texts)
    assert found is not None
    assert found.tried == 1


@pytest.mark.skipif(not FORKS, reason="there are no fork servers on this system")
def test_functions_of_a_library_that_a_server_has_loaded_are_found(tmp_path: Path) -> None:
    code = colorsys.rgb_to_yiq.__code__
    target = Target(code.co_filename, "rgb_to_yiq", code.co_firstlineno, "colorsys")
    parameters = tuple(Parameter(name, Binding.EITHER) for name in "rgb")
    arguments = encode([0.5, 0.25, 0.125], 1000)[0]
    request = Request(target, arguments, Kind.FUNCTION, parameters)
    text = "def rgb_to_yiq(r, g, b):\n    return 0\n"
    with started(Program(tmp_path), "forked") as program:
        assert program.servers is not None
        program.servers.learn(program.process, [("colorsys", code.co_filename)])
        with program.session() as session:
            found = weigh([session], target, [text], {0: (request, WALL_NS)})
    assert found == Weighed(1, {0: frozenset({0})})


def test_long_calls_are_left_out(program: Program) -> None:
    text = "def f(x):\n    return x\n"
    program.write("app.py", text)
    requests = [(program.request("app.py:f", n), wall) for n, wall in ((1, 10**12), (2, 10))]
    with program.session() as session:
        texts = [text.replace("x\n", "7\n")]
        found = weigh([session], program.target("app.py:f"), texts, dict(enumerate(requests)))
        assert found == Weighed(1, {1: frozenset({0})})
        timed = dict(enumerate(requests))  # what was recorded is the same each time
        target = program.target("app.py:f")
        found = weigh([session], target, texts, timed, {0: 10, 1: 10**12})
    assert found == Weighed(1, {0: frozenset({0})})


def test_no_more_than_so_many_are_tried(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mistakes, "MOST", 2)
    program.write("app.py", "def f(x):\n    return x\n")
    texts = [f"def f(x):\n    return {n}\n" for n in range(5)]
    found = weighed(program, "app.py:f", [[9]], texts)
    assert found == Weighed(2, {0: frozenset({0, 1})})


@pytest.mark.skipif(not notice.HAS_TIMER, reason="there is no timer on this system")
def test_time_runs_out_again_where_that_is_caught() -> None:
    rung: list[int] = []
    caught = 0
    with notice.at_most(0.01, lambda: rung.append(1)):
        while caught < 2:
            try:
                while True:
                    time.monotonic()
            except notice.TooLateError:
                caught += 1
    assert len(rung) == 2
