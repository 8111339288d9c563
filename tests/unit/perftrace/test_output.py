"""What takes long is named at a terminal, and nowhere else."""

import io
import threading

import pytest
from rich.console import Console

from perftrace.cli import output


@pytest.mark.parametrize("terminal", [True, False])
def test_only_a_terminal_hears_of_what_takes_long(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = io.StringIO()
    console = Console(file=said, force_terminal=terminal)
    monkeypatch.setattr(output, "err", lambda: console)
    monkeypatch.setattr(output, "PATIENCE_S", 0.0)
    with output.patience("reading"):
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.join()
    assert ("reading" in said.getvalue()) is terminal


def test_what_is_over_soon_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(output, "err", lambda: Console(file=said, force_terminal=True))
    with output.patience("reading"):
        pass
    assert "reading" not in said.getvalue()


class Log(io.StringIO):
    """A file that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._written = threading.Condition()

    def write(self, text: str, /) -> int:
        with self._written:
            self._written.notify_all()
            return super().write(text)

    def wait_for(self, text: str) -> None:
        with self._written:
            assert self._written.wait_for(lambda: text in self.getvalue(), timeout=60)


def test_a_log_hears_of_a_long_step_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Log()
    monkeypatch.setattr(output, "err", lambda: Console(file=said, force_terminal=False))
    monkeypatch.setattr(output, "BEAT_S", 0.001)
    with output.progress("first") as tell:
        said.wait_for("first")
        tell("second")
        said.wait_for("second")
        tell("third")
        said.wait_for("third")
    assert said.getvalue() == "first\nsecond\nthird\n"


def test_a_log_hears_nothing_of_what_is_over_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(output, "err", lambda: Console(file=said, force_terminal=False))
    with output.progress("first") as tell:
        tell("second")
    assert said.getvalue() == ""


def test_a_terminal_sees_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(output, "err", lambda: Console(file=said, force_terminal=True, width=80))
    with output.progress("first") as tell:
        tell("second")
    assert "second" in said.getvalue()
