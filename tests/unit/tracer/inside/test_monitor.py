"""The monitor on real events, in this process, with a journal that is a list."""

import contextlib
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from perftrace.restore import Unreplayable, decode
from perftrace.tracer.inside import budget, journal
from perftrace.tracer.inside import function as functions
from perftrace.tracer.inside.budget import Budget
from perftrace.tracer.inside.function import Watched
from perftrace.tracer.inside.monitor import MOST_UNWINDS, Monitor
from perftrace.tracer.inside.pending import GIVE_UP
from perftrace.tracer.inside.scope import Scope

type Record = tuple[bytes, tuple[Any, ...]]


class FakeProcess:
    """What the monitor needs of a process."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.reasons: list[str] = []
        self.error: BaseException | None = None

    def write(self, kind: bytes, *fields: Any) -> None:
        if self.error is not None:
            raise self.error
        self.records.append((kind, fields))

    def note(self) -> None: ...
    def note_file(self, file: str) -> None: ...
    def declare(self, function: Watched) -> None: ...
    def not_watched(self, reason: str) -> None: ...

    def failed(self, error: BaseException) -> None:
        self.reasons.append(repr(error))

    def foreign(self, error: BaseException) -> bool:
        return isinstance(error, KeyboardInterrupt)

    def of(self, kind: bytes) -> list[tuple[Any, ...]]:
        return [fields for each, fields in self.records if each == kind]


class Rig:
    """A running monitor and what it wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = FakeProcess()
        self.budget = Budget(0.5)
        rule = Scope((str(folder),), (), (), cwd=str(folder))
        self.monitor = Monitor(self.process, rule, self.budget)  # type: ignore[arg-type]
        assert self.monitor.start()

    def define(self, text: str) -> types.SimpleNamespace:
        """The functions of a program of the user's."""
        names: dict[str, Any] = {"__name__": "app"}
        exec(compile(text, str(self.folder / "app.py"), "exec"), names)
        return types.SimpleNamespace(**names)

    def arm(self) -> None:
        """What the control thread does."""
        self.budget.refresh()
        for function in self.budget.choose():
            self.monitor.arm(function)

    @property
    def calls(self) -> list[Any]:
        """The arguments of the calls that began."""
        return [value(fields[5]) for fields in self.process.of(journal.BEGIN)]

    @property
    def ends(self) -> list[tuple[int, str, Any]]:
        """Call, ending and outcome of those that ended."""
        found = self.process.of(journal.END)
        return [(fields[0], fields[1], value(fields[2])) for fields in found]


def value(blob: bytes | None) -> Any:
    def resolve(module: str, qualname: str) -> object:
        return getattr(sys.modules[module], qualname)

    return None if blob is None else decode(blob, resolve)


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(functions, "FIRST_SHOTS", 1)
    monkeypatch.setattr(budget, "MORE_SHOTS", 0)
    made = Rig(tmp_path)
    yield made
    made.monitor.stop()


def free_ids() -> list[int]:
    return [number for number in range(6) if sys.monitoring.get_tool(number) is None]


def test_the_first_call_is_captured_and_the_next_ones_when_armed(rig: Rig) -> None:
    app = rig.define("def f(n):\n    return n + 1\n")
    app.f(1)
    app.f(2)
    rig.arm()
    app.f(3)
    app.f(4)
    assert rig.calls == [[1], [3]]
    assert rig.ends == [(1, "returned", [2, [None]]), (2, "returned", [4, [None]])]


def test_the_calls_after_a_captured_one_are_captured_while_there_are_shots(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(functions, "FIRST_SHOTS", 3)
    app = rig.define("def f(n):\n    return n + 1\n")
    for n in range(5):
        app.f(n)
    assert rig.calls == [[0], [1], [2]]


def test_a_function_that_is_off_has_no_events(rig: Rig) -> None:
    app = rig.define("def f():\n    return 1\n")
    app.f()
    tools = [number for number in range(6) if sys.monitoring.get_tool(number) == "perftrace"]
    assert [sys.monitoring.get_local_events(tool, app.f.__code__) for tool in tools] == [0, 0]


def test_an_exception_ends_a_call_while_exceptions_are_watched(rig: Rig) -> None:
    app = rig.define("def f():\n    raise ValueError(1)\n")
    with pytest.raises(ValueError, match="1"):
        app.f()
    ((call, ending, (error, after)),) = rig.ends
    assert (call, ending, type(error), error.args, after) == (1, "raised", ValueError, (1,), [])


def test_an_end_that_was_not_seen_is_not_taken_from_a_later_call(rig: Rig) -> None:
    app = rig.define("def f(n):\n    if n:\n        raise ValueError\n    return 'fine'\n")
    rig.monitor.watch_unwinds(on=False)
    for n in (1, 0, 0):
        with contextlib.suppress(ValueError):
            app.f(n)
    assert rig.calls == [[1]]
    assert rig.ends == []
    rig.arm()
    app.f(0)
    assert rig.ends == [(2, "returned", ["fine", [None]])]


def test_frequent_exceptions_are_not_watched_any_more(rig: Rig) -> None:
    app = rig.define("def f():\n    raise ValueError('no')\n")
    for _ in range(MOST_UNWINDS + 2):
        with pytest.raises(ValueError, match="no"):
            app.f()
    assert not rig.monitor.watching_unwinds


def test_a_deep_recursion_is_given_up_on_its_way_down(rig: Rig) -> None:
    app = rig.define("def f(n):\n    return f(n - 1) if n else 0\n")
    app.f(GIVE_UP + 10)
    assert rig.calls == [[GIVE_UP + 10]]
    assert rig.ends == []
    assert not rig.monitor.watching_unwinds
    rig.monitor.watch_unwinds(on=True)
    rig.arm()
    app.f(3)
    assert rig.ends == [(2, "returned", [0, [None]])]


def test_what_an_argument_became_is_recorded_unless_it_was_rebound(rig: Rig) -> None:
    app = rig.define(
        "def grow(x):\n    x.append(2)\n"
        "def rebind(x):\n    x = list(x)\n"
        "def remove(x):\n    del x\n"
        "def same(x):\n    return x\n"
    )
    kept = [1]
    for function in (app.grow, app.rebind, app.remove, app.same):
        function(kept)
    outcomes = [outcome for _, _, outcome in rig.ends]
    assert outcomes == [[None, [[1, 2]]], [None, None], [None, None], [[1, 2], [[1, 2]]]]
    result, (after,) = outcomes[3]
    assert result is after


def test_locals_the_program_looks_at_stay_as_they_are(rig: Rig) -> None:
    app = rig.define("def f(x):\n    found = locals()\n    later = 1\n    return found\n")
    assert set(app.f([1])) == {"x"}


@pytest.mark.parametrize(
    "error", [journal.FullError(), OSError(28, "no space"), RuntimeError("a bug")]
)
def test_a_fault_of_ours_stops_the_recorder_and_not_the_program(rig: Rig, error: Exception) -> None:
    before = free_ids()
    app = rig.define("def f():\n    return 1\ndef g():\n    return 2\n")
    rig.process.error = error
    assert (app.f(), app.g()) == (1, 2)
    assert rig.process.reasons == [repr(error)]
    assert not rig.monitor.running
    assert set(free_ids()) > set(before)


def test_the_programs_own_exception_passes_through(rig: Rig) -> None:
    app = rig.define("def f():\n    return 1\n")
    rig.process.error = KeyboardInterrupt()  # as a signal handler raises it
    with pytest.raises(KeyboardInterrupt):
        app.f()
    rig.process.error = None
    assert rig.monitor.running


def test_nothing_is_captured_beyond_the_budget(rig: Rig) -> None:
    app = rig.define("def f():\n    return 1\ndef g():\n    return 2\n")
    app.f()
    rig.arm()
    spent, rig.budget.spent = rig.budget.spent, 10**15
    app.f()
    app.g()
    assert len(rig.calls) == 1
    rig.budget.spent = spent
    assert {function.identity[1] for function in rig.budget.choose()} == {"f", "g"}


GRAPH = """
class Node:
    def __init__(self, number):
        self.number, self.next = number, None
    def sum_of_two(self):
        self.number += 1
        return self.number + self.next.number
first = node = Node(0)
for number in range(1, 5000):
    node.next = Node(number)
    node = node.next
"""


def test_of_an_object_that_leads_to_too_much_the_neighbours_are_recorded(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = rig.define(GRAPH)
    monkeypatch.setitem(sys.modules, "app", module := types.ModuleType("app"))
    vars(module).update(vars(app))
    assert [app.first.sum_of_two() for _ in range(3)] == [2, 3, 4]
    rig.process.records.clear()
    for _ in range(3):
        rig.arm()
        app.first.sum_of_two()
    nodes = [node for (node,) in rig.calls]
    assert [(node.number, node.next.next.number) for node in nodes] == [(3, 2), (4, 2), (5, 2)]
    for (_, ending, (payload, (after,))), node in zip(rig.ends, nodes, strict=True):
        assert (ending, payload, after.number) == ("returned", node.number + 2, node.number + 1)
    counts = [fields[6] for fields in rig.process.of(journal.BEGIN)]  # of opaque parts
    assert counts == [1, 1, 1]
    node = nodes[0]
    for _ in range(12):  # as many are kept
        node = node.next
    with pytest.raises(Unreplayable):
        _ = node.number


def test_a_second_monitor_finds_no_ids_and_disturbs_nobody(rig: Rig, tmp_path: Path) -> None:
    taken = [number for number in free_ids() if number > 0]
    for number in taken:
        sys.monitoring.use_tool_id(number, "somebody")
    try:
        rule = Scope((str(tmp_path),), (), (), cwd=str(tmp_path))
        other = Monitor(FakeProcess(), rule, Budget(0.1))  # type: ignore[arg-type]
        assert not other.start()
        other.stop()
    finally:
        for number in taken:
            sys.monitoring.free_tool_id(number)


def test_interleaved_generators_keep_their_items_apart(rig: Rig) -> None:
    app = rig.define("def g(n):\n    for i in range(3):\n        yield n + i\n")
    one, two = app.g(10), app.g(20)
    for pair in zip(one, two, strict=True):
        assert pair
    ((_, ending, ((items, how, final), _)),) = rig.ends
    assert (ending, [value(item) for item in items]) == ("yielded", [10, 11, 12])
    assert (how, final) == ("returned", None)


def test_callers_are_the_nearest_functions_of_the_user(rig: Rig) -> None:
    app = rig.define(
        "def outer():\n    return max([1, 2], key=inner)\ndef inner(n):\n    return n\n"
    )
    run: Callable[[], int] = app.outer
    assert run() == 2
    numbers = [(fields[1], fields[2]) for fields in rig.process.of(journal.BEGIN)]
    assert numbers == [(1, 0), (2, 1)]
