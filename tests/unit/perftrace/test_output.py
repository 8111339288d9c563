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
