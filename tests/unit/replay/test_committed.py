"""Calls that read what a checkout does not have."""

import subprocess
from pathlib import Path

import pytest

from perftrace.effects import CLOCK, LISTED, READ, WRITTEN
from perftrace.model import Call, Effect, Ending, Function, Kind, Outcome, Unrecorded
from perftrace.replay.committed import Checkout, names_a_place


def call(*effects: tuple[str, object]) -> Call:
    function = Function(1, "app.py", "f", 1, "app", Kind.FUNCTION, ())
    noted = tuple(Effect(kind, str(detail), 1) for kind, detail in effects)
    outcome = Outcome(Ending.RETURNED, Unrecorded(""))
    return Call(1, function, 1, 1, None, Unrecorded(""), outcome, 0, 1, effects=noted)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("data/\n*.db\n")
    (tmp_path / "data").mkdir()
    return tmp_path


def test_what_git_ignores_may_not_be_read(project: Path) -> None:
    checkout = Checkout(project)
    read = call((CLOCK, ""), (READ, project / "data" / "a.csv"))
    assert checkout.lacks(read) == "reads data/a.csv; git ignores that"
    assert checkout.lacks(call((LISTED, project / "data"))) == "reads data; git ignores that"
    assert checkout.lacks(call((READ, project / "deep" / "x.db"))).startswith("reads deep/x.db;")


def test_what_is_there_for_all_may_be_read(project: Path) -> None:
    checkout = Checkout(project)
    assert checkout.lacks(call((READ, project / "app.toml"), (READ, "/etc/hosts"))) == ""
    assert checkout.lacks(call((READ, ""), (CLOCK, "data/x"))) == ""


def test_without_a_repository_nothing_is_ignored(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("data/\n")
    assert Checkout(tmp_path).lacks(call((READ, tmp_path / "data" / "a.csv"))) == ""


@pytest.mark.parametrize("folder", ["/tmp/pytest-of-ann", "/var/tmp", str(Path.home() / "data")])
def test_what_this_machine_alone_has_may_not_be_read(project: Path, folder: str) -> None:
    checkout = Checkout(project, (Path.home() / "data" / "venv",))
    file = f"{folder}/in.sql"
    reason = "reads a file that this machine alone has"
    assert checkout.lacks(call((READ, file))) == reason
    assert checkout.lacks(call((LISTED, folder))) == reason
    assert checkout.lacks(call((WRITTEN, file), (READ, file))) == ""  # the call's own
    installed = Path.home() / "data" / "venv" / "lib" / "names.txt"
    assert checkout.lacks(call((READ, installed))) == ""


def test_a_text_that_names_a_folder_of_this_machine_is_told(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    (tmp_path / "seen").mkdir()
    assert names_a_place(f'check(f(), "{root}/a.py")', root)
    assert names_a_place(f'Path("{tmp_path}/seen/x")', root)  # below a temporary folder
    assert names_a_place(f"'{Path.home()}/{next(Path.home().iterdir()).name}'", root)
    for text in ("'/tmp/nothing-like-that'", "'/srv/tmp/seen'", "'shop/a.py'", "'//root/child'"):
        assert not names_a_place(text, root)


def test_the_project_may_be_a_folder_of_the_repository(project: Path) -> None:
    inner = project / "services" / "till"
    (inner / "data").mkdir(parents=True)
    assert Checkout(inner).lacks(call((READ, inner / "data" / "a.csv"))).startswith("reads data/")
    assert Checkout(inner).lacks(call((READ, inner / "till.toml"))) == ""


def test_a_repository_that_ignores_the_project_is_another_one(project: Path) -> None:
    inner = project / "data" / "till"
    inner.mkdir()
    assert Checkout(inner).lacks(call((READ, inner / "a.csv"))) == ""
