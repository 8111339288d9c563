"""What calls change in the globals and classes of a program, without running its code."""

import random
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from perftrace.replay.inside.state import LARGEST, MOST, State
from perftrace.restore import decode

TEXT = """
import os
COUNT = 0
ROWS = [1]
TABLE = list(range(1_000_000))
LOCK = __import__("threading").Lock()
class Desk:
    opened = 0
    rows = []
    def work(self): return 1
class Odd:
    def __eq__(self, other): raise AssertionError
    def __getattribute__(self, name): raise AssertionError
    def __reduce__(self): raise AssertionError
ODD = Odd()
class Kind(str): pass
WORD = Kind("word")
WORD.Verb = Kind("verb")
WORD.Verb.parent = WORD
def keep(item, seen=[]):
    seen.append(item)
def tally():
    tally.calls = getattr(tally, "calls", 0) + 1
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Any]:
    module = types.ModuleType("app_of_state")
    module.__file__ = str(tmp_path / "app_of_state.py")
    exec(compile(TEXT, module.__file__, "exec"), vars(module))
    sys.modules["app_of_state"] = sys.modules["app_of_state_again"] = module
    yield module
    for name in ("app_of_state", "app_of_state_again", "late_of_state"):
        sys.modules.pop(name, None)


def changes(state: State, act: Callable[[], object]) -> dict[str, object]:
    """Without the module's name."""
    state.begin()
    act()
    found = {}
    for name, blob in state.changed().items():
        value = decode(blob, lambda *_: None) if blob else [None]
        assert isinstance(value, list)
        found[name.removeprefix("app_of_state_again.")] = value[0]
    return found


ACTS: dict[str, tuple[Callable[[Any], object], dict[str, object]]] = {
    "nothing": (lambda app: app.Desk().work(), {}),
    "rebinds": (lambda app: setattr(app, "COUNT", 1), {"COUNT": 1}),
    "changes": (lambda app: app.ROWS.append(2), {"ROWS": [1, 2]}),
    "an equal value of another type": (lambda app: setattr(app, "COUNT", 0.0), {"COUNT": 0.0}),
    "a class attribute": (lambda app: setattr(app.Desk, "opened", 1), {"Desk.opened": 1}),
    "a class's list": (lambda app: app.Desk.rows.append(1), {"Desk.rows": [1]}),
    "a default": (lambda app: app.keep(5), {"keep.__defaults__": ([5],)}),
    "a function's attribute": (lambda app: app.tally(), {"tally.calls": 1}),
    "an equal object": (
        lambda app: setattr(app, "ROWS", [1]),
        {"the object of app_of_state_again.ROWS": "another one"},
    ),
    "a constant's attribute": (
        lambda app: setattr(app.WORD, "seen", 1),
        {"WORD.__dict__": {"Verb": None, "seen": 1}},
    ),
    "what it leads to": (
        lambda app: delattr(app.WORD.Verb, "parent"),
        {"WORD.Verb.__dict__": None},
    ),
    "a new name": (lambda app: setattr(app, "NEW", 1), {"NEW": 1}),
    "a name that goes": (lambda app: delattr(app, "COUNT"), {"COUNT": None}),
    "a table, which is too large to be looked at": (lambda app: app.TABLE.clear(), {}),
    "a value that is put back": (lambda app: (app.ROWS.append(1), app.ROWS.pop()), {}),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_changes_is_told_by_name(app: Any, tmp_path: Path, act: str) -> None:
    does, expected = ACTS[act]
    assert changes(State(str(tmp_path)), lambda: does(app)) == expected


def test_each_call_is_told_its_own_changes(app: Any, tmp_path: Path) -> None:
    state = State(str(tmp_path))
    assert changes(state, lambda: app.ROWS.append(2)) == {"ROWS": [1, 2]}
    app.ROWS.append(3)  # by what prepares the next call
    assert changes(state, lambda: None) == {}
    assert changes(state, lambda: setattr(app, "COUNT", 7)) == {"COUNT": 7}


def test_modules_elsewhere_are_not_looked_at(app: Any, tmp_path: Path) -> None:
    elsewhere = State(str(tmp_path / "other"))
    assert changes(elsewhere, lambda: app.ROWS.append(2)) == {}
    app.__file__ = str(tmp_path / "lib" / "site-packages" / "app_of_state.py")
    assert changes(State(str(tmp_path)), lambda: app.ROWS.append(2)) == {}


def test_a_module_imported_by_a_call_is_told(app: Any, tmp_path: Path) -> None:
    def imports() -> None:
        late = types.ModuleType("late_of_state")
        late.__file__ = str(tmp_path / "late.py")
        late.SET = 1  # type: ignore[attr-defined]
        sys.modules["late_of_state"] = late

    assert changes(State(str(tmp_path)), imports) == {"late_of_state.SET": 1}


def test_drawing_random_numbers_is_a_change(app: Any, tmp_path: Path) -> None:
    state = State(str(tmp_path))
    assert list(changes(state, random.random)) == ["random numbers"]
    assert changes(state, lambda: random.Random(1).random()) == {}


def test_much_state_is_looked_at_name_by_name(app: Any, tmp_path: Path) -> None:
    for number in range(40):  # more than is written in one go
        setattr(app, f"MORE_{number}", "x" * (LARGEST - 200))
    assert 40 * (LARGEST - 200) > MOST
    assert changes(State(str(tmp_path)), lambda: setattr(app, "COUNT", 1)) == {"COUNT": 1}
    app.ROWS.extend(range(LARGEST))
    assert changes(State(str(tmp_path)), lambda: app.ROWS.append(1)) == {}


def test_a_program_may_have_a_module_random_of_its_own(
    app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "random", types.ModuleType("random"))
    vars(app)[5] = "a name that is no text"
    assert changes(State(str(tmp_path)), lambda: setattr(app, "COUNT", 1)) == {"COUNT": 1}
