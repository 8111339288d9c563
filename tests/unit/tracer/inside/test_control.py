"""The control thread around forks, with fakes for what it controls."""

import threading
from collections.abc import Callable
from types import CodeType
from typing import Any

import pytest

from perftrace.tracer.inside.budget import Budget
from perftrace.tracer.inside.control import LONGEST_PAUSE_NS, STARVED_NS, Control
from perftrace.tracer.inside.turns import NEVER, Turns


class RingError(Exception):
    """What a signal's handler raises."""


class FakeMonitor:
    """Runs work at once, or keeps it for later."""

    def __init__(self) -> None:
        self.running = True
        self.turns = Turns()
        self.busy: set[int] = set()
        self.later: list[Callable[[], None]] = []
        self.failures: list[BaseException] = []

    def unseen(self, work: Callable[[], None]) -> None:
        work()

    def soon(self, _: CodeType, work: Callable[[], None]) -> None:
        self.later.append(work)

    def fail(self, error: BaseException) -> None:
        self.running = False
        self.failures.append(error)


class FakeProcess:
    def foreign(self, error: BaseException) -> bool:
        return isinstance(error, RingError)


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Control:
    monkeypatch.setattr(Control, "_round", lambda self: None)
    monkeypatch.setattr("os.register_at_fork", lambda **_: None)
    monitor: Any = FakeMonitor()
    process: Any = FakeProcess()
    return Control(monitor, process, Budget(0.1))


def monitor_of(control: Control) -> FakeMonitor:
    monitor: Any = control._monitor
    assert isinstance(monitor, FakeMonitor)
    return monitor


def started(control: Control) -> bool:
    return control._started


def test_the_thread_is_gone_before_a_fork_and_comes_back_after_it(control: Control) -> None:
    control._start()
    before = threading.get_native_id()
    control._before_fork()
    assert not started(control)
    assert monitor_of(control).turns.due == NEVER  # no event loop waits for a thread that is gone
    assert not monitor_of(control).busy
    (go_on,) = monitor_of(control).later
    go_on()
    assert started(control)
    control._at_exit()
    assert not started(control)
    go_on()  # it does not start again at the interpreter's end
    assert not started(control)
    assert before == threading.get_native_id()


def test_a_handlers_exception_in_a_forks_hook_comes_after_the_fork(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    control._start()
    end = control._end_thread
    raised: list[Exception] = []

    def interrupted() -> None:
        if not raised:
            raised.append(RingError())
            raise raised[0]
        end()

    monkeypatch.setattr(control, "_end_thread", interrupted)
    control._before_fork()
    assert not started(control)
    (go_on,) = monitor_of(control).later
    with pytest.raises(RingError):
        go_on()
    assert started(control)
    assert monitor_of(control).failures == []
    control._at_exit()


def test_a_mistake_of_ours_in_a_forks_hook_stops_the_recorder_and_not_the_fork(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    control._start()
    end = control._end_thread
    raised: list[Exception] = []

    def broken() -> None:
        if not raised:
            raised.append(ValueError())
            raise raised[0]
        end()

    monkeypatch.setattr(control, "_end_thread", broken)
    control._before_fork()
    assert not started(control)
    assert monitor_of(control).failures == raised
    assert monitor_of(control).later == []


def test_where_rounds_are_dear_they_are_rarer_and_on_the_bill(control: Control) -> None:
    control._waited(STARVED_NS - 1)
    assert (control._budget.spent, control._rest_ns) == (0, 0)
    control._waited(33_333_334)  # three times that, of a share of a tenth
    assert (control._budget.spent, control._rest_ns) == (100_000_002, 1_000_000_020)
    control._waited(0)
    assert control._rest_ns == 500_000_010
    control._waited(10**12)
    assert control._rest_ns == LONGEST_PAUSE_NS
