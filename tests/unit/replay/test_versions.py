"""The code of functions is exchanged where the old can run in the new one's place."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from perftrace.replay.inside.versions import NEW, OLD, Apart, Codes, Versions


class App:
    """A file whose new text was imported."""

    def __init__(self, folder: Path) -> None:
        self.file = str(folder / "app.py")
        self.names: Any = None

    def load(self, text: str) -> None:
        names: dict[str, Any] = {"__name__": "app"}
        exec(compile(text, self.file, "exec"), names)
        self.names = SimpleNamespace(**names)

    def versions(self, old: str, new: str, name: str, ordinal: int = 0) -> "Turns":
        self.load(new)
        found = Versions(self.file, name, ordinal, new)
        return Turns(found, (found.codes(old), found.own))


@dataclass
class Turns:
    versions: Versions
    codes: tuple[Codes, Codes]

    def use(self, version: int) -> None:
        self.versions.use(self.codes[version])


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(tmp_path)


FORMS = {
    "f": ("def f():\n    return {}\n", "f()"),
    "C.f": ("class C:\n    def f(self):\n        return {}\n", "C().f()"),
    "C.g": ("class C:\n    @classmethod\n    def g(cls):\n        return {}\n", "C.g()"),
    "C.p": ("class C:\n    @property\n    def p(self):\n        return {}\n", "C().p"),
    "f.<locals>.g": ("def f():\n    def g():\n        return {}\n    return g\n", "f()()"),
    "h.<locals>.g": (
        "def h():\n    k = 1\n    def g():\n        return [k, {}][1]\n    return g\nmade = h()\n",
        "made()",
    ),
    "r": ("def r(n=3):\n    return r(n - 1) if n else {}\n", "r()"),
    "d": (
        "def keep(f):\n    return lambda: f()\n@keep\ndef d():\n    return {}\n",
        "d()",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_versions_take_turns(app: App, name: str) -> None:
    text, call = FORMS[name]
    versions = app.versions(text.format("'old'"), text.format("'new'"), name)
    found = []
    for version in (OLD, NEW, NEW, OLD):
        versions.use(version)
        found.append(eval(call, vars(app.names)))
    assert found == ["old", "new", "new", "old"]


def test_of_two_definitions_the_one_of_that_place_is_meant(app: App) -> None:
    text = "def f():\n    return 1\nfirst = f\ndef f():\n    return {}\n"
    app.versions(text.format("'old'"), text.format("'new'"), "f", 1).use(OLD)
    assert (app.names.first(), app.names.f()) == (1, "old")


def test_what_the_new_version_needs_is_there_for_it_alone(app: App) -> None:
    new = "_TABLE = {1: 'new'}\ndef f(x=1):\n    return _TABLE[x]\n"
    versions = app.versions("def f(x=1):\n    return 'old'\n", new, "f")
    versions.use(OLD)
    assert app.names.f() == "old"
    versions.use(NEW)
    assert app.names.f() == "new"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("def f(x): return 1", "def f(y): return 1", "other parameters"),
        ("def f(*x): return 1", "def f(**x): return 1", "other parameters"),
        ("def f(x): yield 1", "def f(x): return 1", "other parameters"),
        ("def f(x): return helper(x)", "def f(x): return 1", "it needs helper"),
        ("def f(x): return [g(y) for y in (lambda: t)()]", "def f(x): return g(x)", "it needs t"),
        ("def g(x): return 1", "def f(x): return 1", "not defined there"),
        ("def f(x: return 1", "def f(x): return 1", "can't be compiled"),
        ("def f(x): return 1", "def f(x): return 1\ndel f", "no function has its code"),
    ],
)
def test_a_version_that_cannot_run_there_is_refused(
    app: App, old: str, new: str, reason: str
) -> None:
    with pytest.raises(Apart, match=reason):
        app.versions(old, new, "f")


def test_other_variables_of_the_functions_around_it_are_refused(app: App) -> None:
    text = "class C:\n    def f(self):\n        {}return 1\n"
    with pytest.raises(Apart, match="uses other variables"):
        app.versions(text.format("super(); "), text.format(""), "C.f")
