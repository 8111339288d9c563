import os
import sys
from pathlib import Path

import pytest

from perftrace.errors import CannotError, UsageError
from perftrace.tracer import launch


def python(path: Path, says: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {says}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)


def test_the_interpreter_is_chosen_active_the_projects_or_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert launch.find_python(None, tmp_path) == sys.executable
    local = python(tmp_path / ".venv/bin/python", "cpython 3 12")
    assert launch.find_python(None, tmp_path) == local
    active = python(tmp_path / "active/bin/python", "cpython 3 13")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))
    assert launch.find_python(None, tmp_path) == active
    assert launch.find_python("./.venv/bin/python", tmp_path) == local
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "removed"))
    assert launch.find_python(None, tmp_path) == local


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ("cpython 3 11", "3.11; recording needs CPython 3.12"),
        ("pypy 3 12", "pypy 3.12"),
        ("hello", "does not run as Python"),
    ],
)
def test_an_interpreter_that_will_not_do_is_refused(
    tmp_path: Path, says: str, message: str
) -> None:
    with pytest.raises(CannotError, match=message):
        launch.find_python(python(tmp_path / "python", says), tmp_path)


def test_the_root_is_the_project_or_the_folder_of_a_script_outside_it(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "pyproject.toml").touch()
    (project / "src" / "app.py").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "tool.py").touch()
    inside = launch.resolve("script", ["app.py", "-v"], None, project / "src")
    assert (inside.root, inside.command) == (project, (sys.executable, "app.py", "-v"))
    outside = launch.resolve("script", ["../other/tool.py"], None, project)
    assert outside.root == tmp_path / "other"
    module = launch.resolve("module", ["pkg", "--", "x"], None, project)
    assert module.command == (sys.executable, "-m", "pkg", "--", "x")


def test_a_command_is_found_on_path_or_beside_the_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpreter = python(tmp_path / "env/bin/python", "cpython 3 12")
    tool = python(tmp_path / "env/bin/shop-tool", "hello")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    found = launch.resolve("command", ["shop-tool", "-q"], interpreter, tmp_path)
    assert found.command == (tool, "-q")
    with pytest.raises(UsageError, match="no-such is not a command"):
        launch.resolve("command", ["no-such"], interpreter, tmp_path)


@pytest.mark.parametrize("theirs", [None, "", "/lib/one:/lib/two"])
def test_the_users_python_path_stands_behind_ours(
    theirs: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if theirs is not None:
        monkeypatch.setenv("PYTHONPATH", theirs)
    environment = launch.environment_for(Path("/run"))
    path = environment["PYTHONPATH"].split(os.pathsep)
    assert path[0] == str(launch.INJECT)
    assert path[1:] == ([] if not theirs else theirs.split(":"))
    assert environment.get("PERFTRACE_PYTHONPATH") == theirs
