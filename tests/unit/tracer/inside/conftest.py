"""No value takes too long here, however slow the machine is just then."""

import pytest

from perftrace.tracer.inside import function


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function, "PATIENCE_NS", 60_000_000_000)
    monkeypatch.setattr(function, "MOST_PATIENCE_NS", 60_000_000_000)
