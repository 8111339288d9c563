"""The timer divides a window among the functions that ran in it."""

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from perftrace.tracer.inside import timing
from perftrace.tracer.inside.timing import Timing


def spin(count: int) -> int:
    total = 0
    for number in range(count):
        total += number
    return total


def mostly(count: int) -> None:
    spin(50 * count)


def hardly(count: int) -> None:
    spin(count)


def descend(depth: int) -> int:
    return spin(10) if depth == 0 else descend(depth - 1)


@pytest.fixture
def timer() -> Iterator[tuple[Timing, Counter[str]]]:
    weights: Counter[str] = Counter()

    def write(text: str, weight: int) -> None:
        weights[text] += weight

    timer = Timing(write)
    assert timer.start()
    yield timer, weights
    timer.stop()


def during(timer: Timing, work: Callable[[], object], windows: int = 20) -> None:
    """Work while another thread opens windows."""

    def open_windows() -> None:
        for _ in range(windows):
            timer.round()

    opener = threading.Thread(target=open_windows)
    opener.start()
    while opener.is_alive():
        work()
    opener.join()
    timer.stop()


def test_the_function_that_works_more_weighs_more(timer: tuple[Timing, Counter[str]]) -> None:
    def both() -> None:
        mostly(100)
        hardly(100)

    during(timer[0], both)
    by_caller: Counter[str] = Counter()
    for text, weight in timer[1].items():
        names = [frame.split(" (")[0] for frame in text.split(";")]
        if names[-1] == "spin":
            by_caller[names[-2]] += weight
    assert by_caller["mostly"] > by_caller["hardly"]


def test_a_function_that_calls_itself_stands_on_a_stack_once(
    timer: tuple[Timing, Counter[str]],
) -> None:
    during(timer[0], lambda: descend(30))
    line = descend.__code__.co_firstlineno
    assert any(text.count(f"descend ({__file__}:{line})") == 1 for text in timer[1])
    assert all(text.count("descend (") <= 1 for text in timer[1])


def test_a_window_weighs_at_most_one_sample(timer: tuple[Timing, Counter[str]]) -> None:
    during(timer[0], lambda: spin(1000), windows=10)
    assert 0 < timer[1].total() <= 10 * timing.SAMPLE


def test_the_program_may_take_every_tool_id_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing.monitoring, "get_tool", lambda _: "another")
    unused = Timing(lambda _text, _weight: None)
    assert not unused.start()
    unused.round()
    unused.stop()


def test_stopping_gives_the_id_back() -> None:
    before = [sys.monitoring.get_tool(number) for number in timing.IDS]
    timer = Timing(lambda _text, _weight: None)
    timer.start()
    timer.stop()
    assert [sys.monitoring.get_tool(number) for number in timing.IDS] == before


def test_a_forked_child_does_not_write_its_parents_time(
    timer: tuple[Timing, Counter[str]],
) -> None:
    timer[0].round()
    written = timer[1].copy()
    timer[0].forget()
    timer[0].stop()
    assert timer[1] == written
