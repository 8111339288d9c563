"""Which frames run now, where that may be asked."""

import sys
import threading

import pytest

from perftrace.tracer.inside.frames import MAKERS, current_frames


def test_each_thread_has_its_innermost_frame() -> None:
    entered, leave = threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        leave.wait(60)

    thread = threading.Thread(target=wait)
    thread.start()
    assert entered.wait(60)
    frames = current_frames()
    leave.set()
    thread.join(60)
    assert frames.keys() >= {threading.get_ident(), thread.ident}


@pytest.mark.parametrize("maker", MAKERS)
def test_there_are_none_once_other_interpreters_can_be_made(
    maker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, maker, sys)
    assert current_frames() == {}
