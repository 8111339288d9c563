import pickle
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from perftrace.model import Ending, Function
from perftrace.replay import reach, recorded
from perftrace.replay.requests import NotReplayed, Replayed, Reply, Request, Target
from perftrace.replay.session import Session
from perftrace.store import Store

RUN = {
    "uuid": "u1",
    "command": "[]",
    "form": "script",
    "cwd": "/",
    "root": "/",
    "python": "/python",
    "python_version": "",
    "started": "",
    "wall_s": 0,
    "cpu_s": 0,
    "exit_code": 0,
    "sampler": "none",
    "interval_s": 0,
    "samples": 0,
    "sampler_note": "",
    "overhead": 0,
    "version": "",
}
SOURCE = """\
def main():
    middle()
def middle():
    def inner():
        return leaf()
    return inner()
def other():
    return leaf()
def leaf():
    return 1
def leaf():
    return 2
"""
LINES = {"main": 1, "middle": 3, "middle.<locals>.inner": 4, "other": 7, "leaf": 11}


class Trace:
    """A trace file with these functions; calls are added by name."""

    def __init__(self, store: Store) -> None:
        self.store = store
        run = store.add("run", RUN)
        row = {"run_id": run, "pid": 1, "parent_pid": 0, "arguments": "[]", "path": "[]"}
        store.add("process", row)
        source = store.add("source", {"file": "/m.py", "sha256": "0", "text": SOURCE.encode()})
        self._ids = {}
        for name, line in LINES.items():
            row = {"file": "/m.py", "qualname": name, "line": line, "module": "m"}
            more = {"kind": "function", "parameters": "[]", "source_id": source}
            self._ids[name] = store.add("function", {**row, **more})

    def __getitem__(self, name: str) -> Function:
        return self.store.functions()[self._ids[name]]

    def call(self, name: str, caller: str | None, argument: object = 0, **more: object) -> int:
        row = {
            "process_id": 1,
            "function_id": self._ids[name],
            "caller_id": self._ids[caller] if caller else None,
            "thread": 1,
            "arguments": self.store.add_value(pickle.dumps([argument], 5), 0),
            "ending": "returned",
            "started_ns": 0,
            "duration_ns": 1_000_000_000,
        }
        return self.store.add("call", {**row, **more})

    def result(self, value: object) -> bytes:
        return self.store.add_value(pickle.dumps(value, 5), 0)


@pytest.fixture
def trace(tmp_path: Path) -> Iterator[Trace]:
    with Store.open_to_write(tmp_path / "trace.db") as store:
        yield Trace(store)


@pytest.fixture
def recorded_calls(trace: Trace) -> Trace:
    trace.call("main", None)
    for number in range(3):
        trace.call("middle", "main", number)
        trace.call("other", "main", number)
    trace.call("middle.<locals>.inner", "middle")
    trace.call("leaf", "middle.<locals>.inner")
    trace.call("leaf", "other")
    trace.call("leaf", "leaf")  # it calls itself
    return trace


def names(callers: list[reach.Caller]) -> list[tuple[str, int]]:
    return [(caller.function.qualname, caller.depth) for caller in callers]


def test_callers_are_found_by_their_distance(recorded_calls: Trace) -> None:
    store = recorded_calls.store
    found = reach.callers(store, store.last_run(), recorded_calls["leaf"])
    assert names(found) == [
        ("middle.<locals>.inner", 1),
        ("other", 1),
        ("middle", 2),
        ("main", 2),
    ]


def test_a_circle_of_callers_ends(trace: Trace) -> None:
    for callee, caller in pairwise(["leaf", "other", "middle", "main", "leaf"]):
        trace.call(callee, caller)
    found = reach.callers(trace.store, trace.store.last_run(), trace["leaf"])
    assert names(found) == [("other", 1), ("middle", 2), ("main", 3)]


def test_calls_of_callers_come_nearest_first_and_never_of_nested_ones(
    recorded_calls: Trace,
) -> None:
    store = recorded_calls.store
    calls = reach.calls(store, store.last_run(), recorded_calls["leaf"], limit=5)
    found = [call.function.qualname for call in calls]
    assert found == ["other", "other", "other", "middle", "main"]


class FakeSession(Session):
    """Answers by function; counts what it was asked."""

    def __init__(self, reached: dict[str, int]) -> None:
        self.asked: list[tuple[str, str]] = []
        self._reached = reached

    def call(
        self,
        request: Request,
        *,
        lines: bool = False,
        reach: Target | None = None,
        state: bool = False,
        repeat: bool = False,
    ) -> Reply:
        assert reach is not None
        self.asked.append((request.target.qualname, reach.qualname))
        times = self._reached.get(request.target.qualname)
        if times is None:
            return NotReplayed("needs a lock")
        return Replayed(Ending.RETURNED, b"", 0, 0, "", "", frozenset(), times)


def test_only_calls_that_do_reach_it_count(recorded_calls: Trace) -> None:
    store = recorded_calls.store
    session = FakeSession({"other": 0, "middle": 4})
    run = store.last_run()
    found = reach.indirect(session, store, run, recorded_calls["leaf"], limit=2)
    assert [(one.call.function.qualname, one.times) for one in found] == [("middle", 4)] * 2
    assert session.asked[0] == ("other", "leaf")


def test_a_function_that_nothing_called_has_no_callers(trace: Trace) -> None:
    store = trace.store
    assert reach.calls(store, store.last_run(), trace["leaf"]) == []


# --- requests -----------------------------------------------------------------------------


def request(trace: Trace, number: int, name: str) -> Request | NotReplayed:
    [call] = [call for call in trace.store.calls(trace[name]) if call.id == number]
    return recorded.request(trace.store, call)


def test_a_request_holds_what_the_worker_needs(trace: Trace) -> None:
    made = request(trace, trace.call("leaf", None, "x"), "leaf")
    assert isinstance(made, Request)
    assert made.target == Target("/m.py", "leaf", 11, "m", ordinal=1)
    assert (made.arguments, made.pull, made.wall_s) == (pickle.dumps(["x"], 5), 1000, 7.0)


def test_a_call_that_cannot_be_made_has_a_reason(trace: Trace) -> None:
    lost = trace.call("leaf", None, arguments=None, missing="too large")
    assert request(trace, lost, "leaf") == NotReplayed("its arguments were not recorded: too large")
    inner = trace.call("middle.<locals>.inner", "middle")
    nested = NotReplayed("defined inside a function; only its callers can replay it")
    assert request(trace, inner, "middle.<locals>.inner") == nested


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ([[b"1", b"2"], "suspended", None], (2, "suspended")),
        ([[b"1"], "truncated", None], (1, "truncated")),
        ([[b"1"], "returned", 3], (1000, "truncated")),
        ([[b"1"], "raised", 3], (1000, "truncated")),
        ("damaged", (1000, "truncated")),
    ],
)
def test_a_generator_is_pulled_as_far_as_it_was_recorded(
    trace: Trace, payload: object, expected: tuple[int, str]
) -> None:
    value = trace.result([payload, None])
    made = request(trace, trace.call("leaf", None, ending="yielded", result=value), "leaf")
    assert isinstance(made, Request)
    assert (made.pull, made.rest) == expected


def test_a_source_of_another_python_still_has_a_target(trace: Trace) -> None:
    assert recorded.target_in("def f(:\n", trace["leaf"]).ordinal == 0
