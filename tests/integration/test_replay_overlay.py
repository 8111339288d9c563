import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from replaying import Program, after, payload, reason

from perftrace.replay.requests import BlockTime, Other, Overlay, Prepared, Replayed, Request, Target
from perftrace.replay.session import NEW, OLD


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
def load(program: Program, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Imports a module of the program here, to make arguments of its classes."""
    monkeypatch.syspath_prepend(str(program.folder))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", "").startswith(str(program.folder)):
            del sys.modules[name]


# --- overlays ------------------------------------------------------------------------------


def test_an_overlay_stands_in_for_the_file_and_writes_nothing(program: Program) -> None:
    program.write("pkg/__init__.py", "")
    file = program.write("pkg/m.py", "def g():\n    return 1\n\n\ndef f():\n    return g()\n")
    program.write("user.py", "from pkg.m import f\ndef h():\n    return f()\n")
    text = "# moved down\n\n\ndef g():\n    return 2\n\n\ndef f():\n    return g() + 10\n"
    before = sorted(program.folder.rglob("*"))
    with program.session(overlay=Overlay({str(file): text})) as session:
        assert payload(session.call(program.request("pkg/m.py:f"))) == "12"
        assert payload(session.call(program.request("user.py:h"))) == "12"
    with program.session() as session:
        assert payload(session.call(program.request("user.py:h"))) == "1"
    assert sorted(program.folder.rglob("*")) == before


def test_in_an_overlay_the_ordinal_tells_same_named_functions_apart(
    program: Program, load: Callable[[str], Any]
) -> None:
    source = """
        class K:
            @property
            def size(self):
                return "get"
            @size.setter
            def size(self, value):
                self.set = "SET"
    """
    file = program.write("m.py", source)
    one = load("m").K()
    getter, setter = (
        program.request("m.py:K.size", one, *more, line=line) for line, more in ((3, ()), (6, (1,)))
    )
    overlay = Overlay({str(file): "\n\n\n" + dedent(source).replace("SET", "overlaid")})
    second = Target(str(file), "K.size", 6, "m", ordinal=1)
    with program.session(overlay=overlay) as session:
        assert payload(session.call(getter)) == "'get'"
        reply = session.call(Request(second, setter.arguments, setter.kind, setter.parameters))
    assert "overlaid" in after(reply)


def test_the_script_itself_can_be_overlaid(program: Program) -> None:
    program.main_file = program.write("app.py", "def f():\n    return 1\n")
    overlay = Overlay({str(program.main_file): "def f():\n    return 2\n"})
    with program.session(overlay=overlay) as session:
        assert payload(session.call(program.request("app.py:f"))) == "2"


def test_a_function_that_the_overlay_removed_is_not_replayed(program: Program) -> None:
    file = program.write("m.py", "def f():\n    return 1\n")
    with program.session(overlay=Overlay({str(file): "x = 1\n"})) as session:
        assert "function f no longer exists" in reason(session.call(program.request("m.py:f")))


# --- watching ------------------------------------------------------------------------------

NESTED = """
    def outer(n):
        def inner(k):
            if k > 1:
                return k
            return -k
        return [inner(i) for i in range(n)]

    def lazy(n):
        def items():
            yield from range(n)
        return list(items())
"""


def test_lines_of_the_target_are_reported(program: Program) -> None:
    program.write("m.py", "def f(n):\n    if n:\n        return 1\n    return 2\n")
    with program.session() as session:
        first = session.call(program.request("m.py:f", 1), lines=True)
        second = session.call(program.request("m.py:f", 0), lines=True)
        third = session.call(program.request("m.py:f", 0))
    assert isinstance(first, Replayed)
    assert isinstance(second, Replayed)
    assert isinstance(third, Replayed)
    assert [sorted(one.lines) for one in (first, second, third)] == [[2, 3], [2, 4], []]
    assert first.reached == 1


def test_reach_counts_how_often_a_nested_function_started(program: Program) -> None:
    program.write("m.py", NESTED)
    inner = program.target("m.py:outer.<locals>.inner")
    generator = program.target("m.py:lazy.<locals>.items")
    with program.session() as session:
        reply = session.call(program.request("m.py:outer", 3), lines=True, reach=inner)
        none = session.call(program.request("m.py:outer", 3), reach=generator)
        lazy = session.call(program.request("m.py:lazy", 3), reach=generator)
    assert isinstance(reply, Replayed)
    assert (reply.reached, sorted(reply.lines)) == (3, [4, 5, 6])
    assert isinstance(none, Replayed)
    assert none.reached == 0
    assert isinstance(lazy, Replayed)
    assert lazy.reached == 1


def test_a_nested_function_itself_is_not_replayed(program: Program) -> None:
    program.write("m.py", NESTED)
    with program.session() as session:
        reply = session.call(program.request("m.py:outer.<locals>.inner", 3))
    assert reason(reply) == "defined inside a function; only its callers can replay it"


# --- timing --------------------------------------------------------------------------------

TIMED = """
    import time

    def work(n, rows):
        rows.append(1)
        assert len(rows) == 2
        total = 0
        for i in range(n):
            total += i
        return total

    def fails(n):
        raise ValueError(n)

    def lazy(n):
        for i in range(n):
            yield i

    async def slow(n):
        return n

    def sleep(s):
        time.sleep(s)
"""


def test_a_block_is_timed_on_fresh_arguments(program: Program) -> None:
    program.write("m.py", TIMED)
    work = program.request("m.py:work", 2000, [0])
    others = [program.request(f"m.py:{name}", 3) for name in ("fails", "lazy", "slow")]
    with program.session() as session:
        assert session.prepare([work, *others]) == Prepared(4)
        small, large = session.run_block(1), session.run_block(50)
    assert isinstance(small, BlockTime)
    assert isinstance(large, BlockTime)
    assert (small.calls, large.calls) == (4, 200)
    assert 0 < small.cpu_ns < large.cpu_ns


def test_cpu_time_is_not_wall_time(program: Program) -> None:
    program.write("m.py", TIMED)
    with program.session() as session:
        session.prepare([program.request("m.py:sleep", 0.2)])
        block = session.run_block(1)
    assert isinstance(block, BlockTime)
    assert block.wall_ns >= 200_000_000
    assert block.cpu_ns < 100_000_000


def test_prepared_calls_outlive_their_worker(program: Program) -> None:
    program.write("m.py", TIMED + "\n    def leave():\n        __import__('os')._exit(1)\n")
    with program.session() as session:
        session.prepare([program.request("m.py:lazy", 3)])
        reason(session.call(program.request("m.py:leave")))
        block = session.run_block(2)
    assert isinstance(block, BlockTime)
    assert block.calls == 2


@pytest.mark.parametrize(
    "place", ["work", "Desk.work", "Desk.shared", "outer.<locals>.inner", "made"], ids=str
)
def test_two_versions_take_turns_in_one_process(program: Program, place: str) -> None:
    file = program.write("m.py", TURNS)
    new = TURNS.replace("range(20_000)", "range(2)")
    name = "outer" if "<locals>" in place else place
    request = program.request(f"m.py:{name}", None if "." in name else 0)
    with program.session(overlay=Overlay({str(file): new})) as session:
        other = Other(program.target(f"m.py:{place}"), TURNS)
        assert session.prepare([request], other) == Prepared(1)
        blocks = [session.run_block(20, version) for version in (OLD, NEW, NEW, OLD)]
    times = [block.cpu_ns for block in blocks if isinstance(block, BlockTime)]
    assert min(times[0], times[3]) > 5 * max(times[1], times[2])


def test_a_version_that_cannot_run_in_the_others_place_says_why(program: Program) -> None:
    file = program.write("m.py", TURNS)
    old = TURNS.replace("def work(x):", "def work(x, y=1):")
    with program.session(overlay=Overlay({str(file): TURNS})) as session:
        other = Other(program.target("m.py:work"), old)
        prepared = session.prepare([program.request("m.py:work", 1)], other)
    assert isinstance(prepared, Prepared)
    assert "other parameters" in prepared.apart


TURNS = dedent("""
    import functools
    def work(x):
        return [i for i in range(20_000)]

    class Desk:
        def work(self):
            return [i for i in range(20_000)]

        @staticmethod
        def shared(x):
            return [i for i in range(20_000)]

    def outer(x):
        def inner():
            return [i for i in range(20_000)]
        return inner()

    def keep(f):
        @functools.wraps(f)
        def kept(x):
            return f(x)
        return kept

    @keep
    def made(x):
        return [i for i in range(20_000)]
""")


def test_a_call_that_cannot_be_prepared_says_why(program: Program) -> None:
    file = program.write("m.py", TIMED)
    with program.session(overlay=Overlay({str(file): ""})) as session:
        assert "no longer exists" in reason(session.prepare([program.request("m.py:lazy", 3)]))
