from pathlib import Path

import pytest

from perftrace import effects
from perftrace.model import Call, Effect, Ending, Function, Kind, Outcome, Unrecorded
from perftrace.replay.inside.guard import RULES
from perftrace.replay.unsafe import unsafe

FUNCTION = Function(1, "/shop/app.py", "f", 1, "app", Kind.FUNCTION, ())
NOTHING = Unrecorded("")


def call(*done: Effect) -> Call:
    outcome = Outcome(Ending.RETURNED, NOTHING)
    return Call(1, FUNCTION, 1, 1, None, NOTHING, outcome, 0, None, effects=done)


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))


@pytest.mark.parametrize(
    ("kind", "detail", "reason"),
    [
        (effects.NETWORK, "example.org:80", "would use the network example.org:80"),
        (effects.NETWORK, "", "would use the network"),
        (effects.PROCESS, "rm", "would start a process rm"),
        (effects.SIGNAL, "", "would send a signal"),
        (effects.WRITTEN, "/shop/out.csv", "would write /shop/out.csv"),
        (effects.WRITTEN, "", "would write"),
        (effects.REMOVED, "/shop/out.csv", "would delete /shop/out.csv"),
        (effects.MADE, "/shop/out", "would make /shop/out"),
    ],
)
def test_a_call_with_such_an_effect_is_not_made_again(kind: str, detail: str, reason: str) -> None:
    done = (Effect(effects.READ, "/shop/in.csv", 1), Effect(kind, detail, 1))
    assert unsafe(call(*done)) == f"{reason}, as it did when it was recorded"


@pytest.mark.parametrize(
    "kind",
    [
        *(effects.READ, effects.OPENED, effects.LISTED, effects.MODULE),
        *(effects.THREAD, effects.ENVIRONMENT),
    ],
)
def test_reading_is_no_harm(kind: str) -> None:
    assert unsafe(call(Effect(kind, "/shop/in.csv", 3))) == ""
    assert unsafe(call()) == ""


def test_in_the_folder_for_temporary_files_a_call_may_write(tmp_path: Path) -> None:
    inside, beside = tmp_path / "tmp" / "x", tmp_path / "tmp2" / "x"
    assert unsafe(call(Effect(effects.WRITTEN, str(inside), 1))) == ""
    assert unsafe(call(Effect(effects.WRITTEN, str(beside), 1))) != ""
    assert unsafe(call(Effect(effects.REMOVED, f"{inside.parent}/../x", 1))) != ""


def test_a_folder_that_is_there_may_be_made(tmp_path: Path) -> None:
    assert unsafe(call(Effect(effects.MADE, str(tmp_path), 1))) == ""


def test_recorder_and_guard_go_by_the_same_kinds() -> None:
    assert RULES.keys() == effects.EVENTS.keys()
    assert set(effects.EVENTS.values()) <= effects.VERBS.keys()
    noticed = {*effects.CALLED.values(), effects.WRITTEN}  # opened: told by its mode
    assert effects.VERBS.keys() <= noticed
    assert effects.VERBS.keys() >= effects.PLACED
    assert effects.OF_FILES >= effects.PLACED
