"""What is said and done where the kernel can't shut candidates in."""

import sys
from pathlib import Path
from typing import Any

import pytest
from replaying import Program

from perftrace.errors import CannotError
from perftrace.replay import isolation
from perftrace.replay.inside import landlock
from perftrace.replay.isolation import Isolation

OLD = "the kernel has no Landlock, or it is switched off"
FORBIDDEN = "the system takes no filter: Operation not permitted"


@pytest.fixture
def run(tmp_path: Path) -> Any:
    return Program(tmp_path).process.run


def found(monkeypatch: pytest.MonkeyPatch, files: str, calls: str) -> None:
    monkeypatch.setattr(isolation, "look", lambda _: Isolation(files, calls))


def test_nothing_is_said_where_both_layers_hold(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, "", "")
    assert isolation.require(run, unsafe=False) == ""


def test_one_layer_alone_is_a_warning(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, OLD, "")
    warning = isolation.require(run, unsafe=False)
    assert warning == f"Reduced isolation: a candidate is not kept from files: {OLD}"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there are no such layers")
def test_without_any_layer_no_candidate_is_run(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, OLD, FORBIDDEN)
    with pytest.raises(CannotError, match="--unsafe-no-sandbox") as caught:
        isolation.require(run, unsafe=False)
    assert caught.value.slug == "no-sandbox"
    assert FORBIDDEN in isolation.require(run, unsafe=True)


@pytest.mark.skipif(not landlock.version(), reason="this system has no Landlock")
def test_here_it_looks_for_itself(run: Any) -> None:
    assert isolation.look(run) == Isolation("", "")


def test_an_interpreter_that_is_gone_shuts_nothing_in(run: Any) -> None:
    from dataclasses import replace

    gone = isolation.look(replace(run, python=Path("/nowhere/python")))
    assert gone.files
    assert gone.calls
