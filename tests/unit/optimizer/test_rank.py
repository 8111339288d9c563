"""The ranking of a hand-made trace file."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from perftrace.errors import TraceError
from perftrace.model import Function, HotFunction, Kind
from perftrace.optimizer.rank import calls_with_gaps, rank, share
from perftrace.store import Store

APP = "/shop/app.py"
RUN = {
    "uuid": "u",
    "command": '["app.py"]',
    "form": "script",
    "cwd": "/shop",
    "root": "/shop",
    "python": "/usr/bin/python3",
    "python_version": "3.12.1",
    "started": "2025-01-01T00:00:00+00:00",
    "wall_s": 1.0,
    "cpu_s": 1.0,
    "exit_code": 0,
    "sampler": "py-spy",
    "interval_s": 0.01,
    "samples": 0,
    "sampler_note": "",
    "overhead": 0.02,
    "version": "0.1.0",
}


class Trace:
    """A trace file with one run, written row by row."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.run_id = store.add("run", RUN)
        process = {
            "run_id": self.run_id,
            "pid": 1,
            "parent_pid": 0,
            "arguments": "[]",
            "path": "[]",
            "cpu_ns": 1_000_000_000,
        }
        self.process_id = store.add("process", process)

    def function(self, qualname: str, line: int = 1) -> int:
        row = {"file": APP, "qualname": qualname, "line": line, "module": "app"}
        kind: dict[str, object] = {"kind": "function", "parameters": "[]"}
        return self.store.add("function", row | kind)

    def call(
        self,
        function: int,
        ms: float | None = 1.0,
        *,
        caller: int | None = None,
        opaque: int = 0,
        thread: int = 1,
    ) -> None:
        blob = json.dumps([function, opaque]).encode()
        row = {
            "process_id": self.process_id,
            "function_id": function,
            "caller_id": caller,
            "thread": thread,
            "arguments": self.store.add_value(blob, opaque),
            "ending": "returned",
            "started_ns": 0,
            "duration_ns": None if ms is None else round(ms * 1e6),
        }
        self.store.add("call", row)

    def stack(self, *names: str, count: int = 1) -> None:
        """A stack of `qualname` or `qualname@line`; names that begin with `lib.` are not ours."""
        numbers = []
        for name in names:
            qualname, _, line = name.partition("@")
            ours = not name.startswith("lib.")
            file = APP if ours else "/lib/lib.py"
            row = {"file": file, "qualname": qualname, "line": int(line or 1), "user": int(ours)}
            identity = ("file", "qualname", "line")
            numbers.append(str(self.store.intern("frame", row, identity=identity)))
        frames = {"run_id": self.run_id, "frames": " ".join(numbers), "count": count}
        self.store.add("stack", frames)

    def ranked(self) -> list[HotFunction]:
        return rank(self.store, self.store.last_run())

    def by_name(self) -> dict[str, HotFunction]:
        return {row.function.qualname: row for row in self.ranked()}


@pytest.fixture
def trace(tmp_path: Path) -> Iterator[Trace]:
    with Store.open_to_write(tmp_path / "trace.db") as store:
        yield Trace(store)


def test_functions_are_ordered_by_the_time_a_change_could_save(trace: Trace) -> None:
    trace.stack("<module>", "f", "lib.dumps", count=60)
    trace.stack("<module>", "g", count=30)
    trace.stack("<module>", count=10)
    rows = trace.ranked()
    assert [row.function.qualname for row in rows] == ["f", "g", "<module>"]
    assert [row.hot.value for row in rows] == [0.6, 0.3, 0.1]
    assert [row.self_share for row in rows] == [0.0, 0.3, 0.1]
    assert [row.inclusive for row in rows] == [0.6, 0.3, 1.0]


def test_equally_hot_functions_are_in_the_order_of_their_names(trace: Trace) -> None:
    for name in ("b", "c", "a"):
        trace.stack(name, count=5)
    assert [row.function.qualname for row in trace.ranked()] == ["a", "b", "c"]


def test_samples_and_calls_of_one_function_meet(trace: Trace) -> None:
    number = trace.function("f", 7)
    trace.call(number)
    trace.stack("<module>", "f@7", count=9)
    row = trace.ranked()[0]
    assert row.function == Function(number, APP, "f", 7, "app", Kind.FUNCTION, ())
    assert row.recorded == 1


def test_functions_of_one_name_are_told_apart_by_line(trace: Trace) -> None:
    getter, setter = trace.function("C.x", 3), trace.function("C.x", 7)
    trace.stack("C.x@7", count=2)
    assert [row.function.id for row in trace.ranked()] == [setter]
    trace.call(getter)
    assert [row.function.id for row in trace.ranked()] == [setter, getter]


def test_a_function_that_was_not_recorded_is_shown_with_its_likely_module(trace: Trace) -> None:
    trace.stack("f", count=2)
    row = trace.ranked()[0]
    assert row.function.id < 0
    assert (row.function.module, row.recorded, row.calls) == ("__main__", 0, None)


def test_callers_and_their_shares_are_told(trace: Trace) -> None:
    trace.stack("f", "h", count=30)
    trace.stack("g", "h", "h", count=10)
    via = trace.by_name()["h"].via
    assert [(caller.qualname, part) for caller, part in via] == [("f", 0.75), ("g", 0.25)]


def test_calls_are_estimated_from_samples_and_the_mean_duration(trace: Trace) -> None:
    number = trace.function("f")
    for duration in (1.0, 1.2, 0.8, 1.0) * 4:
        trace.call(number, duration)
    trace.stack("f", count=100)  # of 10 ms
    row = trace.by_name()["f"]
    assert row.per_call_s == pytest.approx(0.001)
    assert (row.calls, row.calls_at_least) == (1000, False)


def test_one_recorded_call_is_all_that_is_known_of_a_function(trace: Trace) -> None:
    """A test that ran once, and in which the samples saw much more time than was measured."""
    trace.call(trace.function("test_all"), 13.0)
    trace.stack("test_all", count=100)
    row = trace.by_name()["test_all"]
    assert (row.calls, row.calls_at_least) == (1, True)


def test_a_few_long_calls_do_not_stand_for_many_short_ones(trace: Trace) -> None:
    number = trace.function("short")
    for duration in (25.0, 24.0, 30.0, 28.0, 0.1, 0.1, 0.1, 0.1, 0.1):
        trace.call(number, duration)
    trace.stack("short", count=100)
    row = trace.by_name()["short"]
    assert (row.calls, row.calls_at_least) == (9, True)


def test_the_median_of_an_even_number_is_the_middle(trace: Trace) -> None:
    number = trace.function("f")
    for duration in (4.0, 1.0, 2.0, None, 100.0):
        trace.call(number, duration)
    assert trace.by_name()["f"].per_call_s == pytest.approx(0.003)


def test_more_calls_than_were_estimated_may_have_been_seen(trace: Trace) -> None:
    number = trace.function("f")
    for _ in range(20):
        trace.call(number, 100.0)
    trace.stack("f", count=100)
    row = trace.by_name()["f"]
    assert (row.calls, row.calls_at_least) == (20, True)


def test_calls_of_several_threads_may_have_waited_for_each_other(trace: Trace) -> None:
    number = trace.function("f")
    for thread in (1, 2) * 8:
        trace.call(number, 1.0, thread=thread)
    trace.stack("f", count=100)
    row = trace.by_name()["f"]
    assert (row.calls, row.calls_at_least) == (16, True)


def test_where_another_thread_worked_nothing_is_estimated(trace: Trace) -> None:
    number = trace.function("f")
    for _ in range(16):
        trace.call(number, 1.0)
    trace.stack("f", count=90)
    assert not trace.by_name()["f"].calls_at_least
    trace.stack("Thread._bootstrap", "g", count=1)
    assert trace.by_name()["f"].calls_at_least


def test_of_short_and_recursive_functions_only_a_bound_is_known(trace: Trace) -> None:
    short, deep, long = (trace.function(name) for name in ("short", "deep", "long"))
    for number, duration in ((short, 0.004), (deep, 1.0), (long, 1.0)) * 16:
        trace.call(number, duration)
    trace.stack("short", count=50)
    trace.stack("long", "deep", "deep", count=50)
    rows = trace.by_name()
    assert {name: row.calls_at_least for name, row in rows.items()} == {
        "short": True,
        "deep": True,
        "long": False,
    }
    assert rows["deep"].calls == 16
    assert rows["short"].calls == 16


def test_calls_with_gaps_and_functions_without_a_name_are_not_replayable(trace: Trace) -> None:
    plain, inner = trace.function("f"), trace.function("f.<locals>.inner")
    for opaque in (0, 0, 2):
        trace.call(plain, opaque=opaque)
        trace.call(inner, opaque=opaque)
    rows = trace.by_name()
    assert (rows["f"].recorded, rows["f"].replayable) == (3, 2)
    assert (rows["f.<locals>.inner"].recorded, rows["f.<locals>.inner"].replayable) == (3, 0)
    run, functions = trace.store.last_run(), [row.function for row in rows.values()]
    assert calls_with_gaps(trace.store, run, functions) == {plain: 1, inner: 0}
    call_id = max(row["id"] for row in trace.store.rows("SELECT id FROM call"))
    [last] = trace.store.rows("SELECT id FROM call WHERE function_id = ? AND id >= ?", plain, 5)
    assert last["id"] < call_id
    effect = {"call_id": last["id"], "function_id": plain, "detail": "", "count": 1}
    trace.store.add("effect", effect | {"kind": "network"})
    assert calls_with_gaps(trace.store, run, functions)[plain] == 0


def test_recorded_functions_without_samples_come_last(trace: Trace) -> None:
    number = trace.function("quick")
    trace.call(number)
    trace.stack("slow", count=99)
    rows = trace.ranked()
    assert [row.function.qualname for row in rows] == ["slow", "quick"]
    assert rows[1].hot.value == 0
    assert 0 < rows[1].hot.high < 0.05


def test_without_samples_recorded_durations_less_their_callees_rank(trace: Trace) -> None:
    outer, inner = trace.function("outer"), trace.function("inner")
    trace.call(outer, 10.0)
    for _ in range(2):
        trace.call(inner, 4.0, caller=outer)
    rows = trace.ranked()
    assert [(row.function.qualname, row.hot.value) for row in rows] == [
        ("inner", 0.8),
        ("outer", 0.2),
    ]
    assert (rows[0].hot.low, rows[0].hot.high) == (0.0, 1.0)


def test_another_runs_samples_and_calls_do_not_count(trace: Trace) -> None:
    old = trace.function("old")
    trace.call(old)
    trace.stack("old", count=5)
    later = Trace.__new__(Trace)
    later.store = trace.store
    later.run_id = trace.store.add("run", RUN | {"uuid": "v"})
    later.stack("new", count=5)
    assert [row.function.qualname for row in later.ranked()] == ["new"]


def test_an_empty_run_ranks_nothing(trace: Trace) -> None:
    assert trace.ranked() == []


def test_senseless_rows_are_an_error_or_left_out_but_never_a_crash(trace: Trace) -> None:
    trace.stack("f", count=5)
    trace.store.add("stack", {"run_id": trace.run_id, "frames": "999 x", "count": 3})
    trace.store.add("stack", {"run_id": trace.run_id, "frames": b"\x00", "count": "many"})
    trace.store.add("stack", {"run_id": trace.run_id, "frames": "1", "count": -4})
    assert trace.by_name()["f"].hot.value == 1.0
    trace.store.add("stack", {"run_id": trace.run_id, "frames": b"\xff", "count": 1})
    with pytest.raises(TraceError, match="damaged"):
        trace.ranked()


PLACES = [
    ([500, 300, 200], ["1", "2", "3"]),
    ([500, 200, 190, 110], ["1", "2=", "2=", "4"]),
    ([100] * 10, ["1="] * 10),
    ([400, 130, 110, 90, 80], ["1", "2=", "2=", "4=", "4="]),
]


@pytest.mark.parametrize(("counts", "expected"), PLACES)
def test_functions_that_the_samples_do_not_tell_apart_share_a_place(
    trace: Trace, counts: list[int], expected: list[str]
) -> None:
    for index, count in enumerate(counts):
        trace.stack(f"f{index}", count=count)
    assert [f"{one.place}{'=' * one.tied}" for one in trace.ranked()] == expected


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)],
)
def test_the_interval_of_a_share_is_wilsons(
    count: int, total: int, low: float, high: float
) -> None:
    found = share(count, total)
    assert found.value == count / total
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)
