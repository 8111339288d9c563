"""Which test runs, and what it reaches: real events in this process, and a real journal."""

import sys
import threading
import types
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perftrace.tracer import journals
from perftrace.tracer.inside import journal
from perftrace.tracer.inside.budget import Budget
from perftrace.tracer.inside.contexts import RUNNERS
from perftrace.tracer.inside.monitor import Monitor
from perftrace.tracer.inside.process import Process
from perftrace.tracer.inside.scope import Scope

PROGRAM = """
def outer(n):
    return inner(n)
def inner(n):
    return n + 1
def other():
    return 0
"""


class Rig:
    """A running monitor, its journal, and a program of the user's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.budget = Budget(0.5)
        self.budget.refresh()  # of the CPU time so far: no slow first call uses it up
        rule = Scope((str(folder),), (), (), cwd=str(folder))
        self.monitor = Monitor(Process(str(folder), frozenset()), rule, self.budget)
        assert self.monitor.start()
        self.contexts = self.monitor.contexts
        file = folder / "app.py"
        file.write_text(PROGRAM)
        names: dict[str, Any] = {"__name__": "app"}
        exec(compile(PROGRAM, str(file), "exec"), names)
        self.app = types.SimpleNamespace(**names)

    def test(self, name: str, *calls: Any) -> None:
        """What a plugin does around a test."""
        self.contexts.switch(name)
        for function, *arguments in calls:
            function(*arguments)
        self.contexts.switch("")

    @property
    def reached(self) -> dict[str, set[str]]:
        """What the journal says: tests and the functions that started in them."""
        functions: dict[Any, str] = {}
        names: dict[Any, str] = {}
        found: dict[str, set[str]] = {}
        for kind, fields in self.records():
            if kind == journal.FUNCTION:
                functions[fields[0]] = fields[2]
            elif kind == journal.CONTEXT and fields[0]:
                names[fields[0]] = fields[1]
                found.setdefault(fields[1], set())
            elif kind == journal.REACHED:
                found[names[fields[0]]] |= {functions[number] for number in fields[1]}
        return found

    def records(self) -> list[tuple[bytes, tuple[Any, ...]]]:
        found = journals.of_run(self.folder)
        return [record for one in found for record in one.records()]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.monitor.stop()
    assert all(sys.monitoring.get_tool(number) != "perftrace" for number in range(6))


def test_every_test_has_the_functions_that_it_calls_and_no_others(rig: Rig) -> None:
    app = rig.app
    rig.test("one", (app.outer, 1), (app.outer, 2))
    rig.test("two", (app.inner, 1))
    rig.test("three")
    rig.test("four", (app.outer, 1), (app.other,))
    assert rig.reached == {
        "one": {"outer", "inner"},
        "two": {"inner"},
        "three": set(),
        "four": {"outer", "inner", "other"},
    }


def test_what_runs_between_tests_belongs_to_none_and_is_watched_again_in_the_next(
    rig: Rig,
) -> None:
    rig.test("one", (rig.app.inner, 1))
    rig.app.inner(2)
    rig.test("two", (rig.app.inner, 3))
    assert rig.reached == {"one": {"inner"}, "two": {"inner"}}


def test_a_watched_function_has_one_event_and_is_off_again(rig: Rig) -> None:
    app = rig.app
    for function in (app.inner, app.inner, app.inner, app.inner):
        function(1)
    rig.contexts.switch("one")
    (tool,) = (n for n in range(6) if sys.monitoring.get_local_events(n, app.inner.__code__))
    assert sys.monitoring.get_local_events(tool, app.inner.__code__)
    spent = rig.budget.spent
    app.inner(1)
    assert rig.budget.spent > spent
    spent = rig.budget.spent
    app.inner(1)
    assert rig.budget.spent == spent


def test_being_watched_takes_no_capture(rig: Rig) -> None:
    app = rig.app
    for _ in range(8):
        app.inner(1)
    begun = [fields for kind, fields in rig.records() if kind == journal.BEGIN]
    rig.test("one", (app.inner, 1))
    assert [fields for kind, fields in rig.records() if kind == journal.BEGIN] == begun
    for function in rig.budget.choose():
        rig.monitor.arm(function)
    rig.test("two", (app.inner, 1))
    assert len([kind for kind, _ in rig.records() if kind == journal.BEGIN]) == len(begun) + 1
    assert rig.reached == {"one": {"inner"}, "two": {"inner"}}


def test_without_budget_nothing_is_watched_and_the_test_says_so(rig: Rig) -> None:
    rig.test("one", (rig.app.outer, 1))
    rig.budget.spent = rig.contexts._spent = 10**18
    rig.test("two", (rig.app.outer, 1))
    rig.budget.spent = rig.contexts._spent = 0
    rig.test("three", (rig.app.outer, 1))
    unwatched = {f[1]: f[2] for kind, f in rig.records() if kind == journal.CONTEXT and f[0]}
    assert unwatched == {"one": 0, "two": 2, "three": 0}
    assert rig.reached == {"one": {"outer", "inner"}, "two": set(), "three": {"outer", "inner"}}


def test_what_was_reached_is_written_before_the_test_ends(rig: Rig) -> None:
    rig.contexts.switch("one")
    rig.app.outer(1)
    rig.contexts.write()
    assert rig.reached == {"one": {"outer", "inner"}}
    rig.contexts.write()
    assert len([kind for kind, _ in rig.records() if kind == journal.REACHED]) == 1


def test_the_control_thread_does_not_wait_for_a_thread_that_switches(rig: Rig) -> None:
    writer = threading.Thread(target=rig.contexts.write, daemon=True)
    with rig.contexts._lock:
        writer.start()
        writer.join(10)
        assert not writer.is_alive()


def test_the_code_that_runs_tests_is_watched_no_more_once_it_is_over(rig: Rig) -> None:
    class Empty(unittest.TestCase):
        def runTest(self) -> None:  # noqa: N802 - unittest's name
            pass

    Empty().run()
    code = unittest.TestCase.run.__code__
    tools = [n for n in range(6) if sys.monitoring.get_tool(n) == "perftrace"]
    assert any(sys.monitoring.get_local_events(n, code) for n in tools)
    rig.monitor.stop()
    for number in tools:
        sys.monitoring.use_tool_id(number, "test")
        events = sys.monitoring.get_local_events(number, code)
        sys.monitoring.free_tool_id(number)
        assert events == 0


def test_the_tests_of_unittest_are_known_without_a_plugin(rig: Rig) -> None:
    app = rig.app

    class Case(unittest.TestCase):
        def id(self) -> str:
            raise AssertionError("the user's code is not called")

        def test_it(self) -> None:
            app.outer(1)

        def test_nested(self) -> None:
            app.other()
            Case("test_it").run()

    Case("test_it").run()
    Case("test_nested").run()
    app.outer(1)
    prefix = f"{__name__}.{Case.__qualname__}"
    assert rig.reached == {
        f"{prefix}.test_it": {"outer", "inner"},
        f"{prefix}.test_nested": {"outer", "inner", "other"},
    }


def test_where_a_plugin_says_which_test_runs_nothing_else_does(rig: Rig) -> None:
    app = rig.app
    rig.contexts.told = True

    class Case(unittest.TestCase):
        def test_it(self) -> None:
            app.outer(1)

    Case("test_it").run()
    assert rig.reached == {}


def test_the_runners_are_where_the_table_says() -> None:
    import _pytest.runner

    codes = {
        _pytest.runner.runtestprotocol.__code__,
        unittest.TestCase.run.__code__,
    }
    assert {code.co_qualname for code in codes} == RUNNERS.keys()
    assert all(code.co_filename.endswith(RUNNERS[code.co_qualname][0]) for code in codes)
