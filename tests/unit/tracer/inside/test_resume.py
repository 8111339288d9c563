"""Work that waits until a frame goes on."""

import sys
from collections.abc import Callable, Iterator

import pytest

from perftrace.tracer.inside.resume import EVENTS, Resume

TOOL = 3
monitoring = sys.monitoring


@pytest.fixture(autouse=True)
def _tool() -> Iterator[None]:
    monitoring.use_tool_id(TOOL, "test")
    yield
    monitoring.free_tool_id(TOOL)


def ends(resume: Resume, _: list[str]) -> int:
    resume.at(sys._getframe())
    return 0


def loops(resume: Resume, done: list[str]) -> int:
    resume.at(sys._getframe())
    for _ in (1, 2, 3):
        if done:
            return 1
    return 0


def calls(resume: Resume, done: list[str]) -> int:
    resume.at(sys._getframe())
    return len(done)


def raises(resume: Resume, _: list[str]) -> int:
    resume.at(sys._getframe())
    raise LookupError


@pytest.mark.parametrize(("function", "inside"), [(ends, 0), (loops, 1), (calls, 1)])
def test_the_work_is_done_once_when_the_frame_goes_on(
    function: Callable[[Resume, list[str]], int], inside: int
) -> None:
    done: list[str] = []
    resume = Resume(TOOL, lambda: done.append("work"))
    assert function(resume, done) == inside
    assert done == ["work"]
    assert monitoring.get_local_events(TOOL, function.__code__) == 0
    assert function(resume, []) == 0
    assert done == ["work", "work"]


def test_an_exception_is_left_to_the_frame_below() -> None:
    done: list[str] = []
    resume = Resume(TOOL, lambda: done.append("work"))
    with pytest.raises(LookupError):
        raises(resume, done)
    assert len(done) == 1  # the call is the event


def test_it_can_be_stopped_and_leaves_nothing_behind() -> None:
    done: list[str] = []
    resume = Resume(TOOL, lambda: done.append("work"))

    def waits() -> None:
        resume.at(sys._getframe())
        resume.stop()

    waits()
    assert done in ([], ["work"])  # the call of `stop` itself is an event of the frame
    assert monitoring.get_local_events(TOOL, waits.__code__) == 0
    assert [monitoring.register_callback(TOOL, event, None) for event in EVENTS] == [None] * 3


def test_without_a_frame_nothing_is_awaited() -> None:
    done: list[str] = []
    Resume(TOOL, lambda: done.append("work")).at(None)
    assert done == []
