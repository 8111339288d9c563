"""`perftrace compare` on a small project with a git repository, recorded for real."""

import json
from pathlib import Path
from typing import Any

import pytest
from revisions import FAST, SLOW, Project, record

from perftrace.cli import main
from perftrace.optimizer import whole_program
from perftrace.optimizer.instructions import Counted


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = tmp_path_factory.getbasetemp() / "config"
    return record(tmp_path_factory.mktemp("shop"), config).folder


@pytest.fixture
def project(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    found = Project(recorded)
    found.git("reset", "-q", "--hard")
    found.git("clean", "-qfd")
    monkeypatch.chdir(recorded)
    return found


def compared(
    capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, dict[str, dict[str, Any]], dict[str, Any]]:
    """The exit code, the functions by their name, and the whole document."""
    code = main(["compare", "--json", *arguments])
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "perftrace/compare/1"
    return code, {one["function"]: one for one in document["functions"]}, document


def test_without_a_change_nothing_is_run(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare"]) == 0
    assert (
        capsys.readouterr().out == "No function of the trace differs between HEAD and WORKTREE.\n"
    )


def test_a_change_that_keeps_its_behaviour_is_timed(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.edit("prices.py", (SLOW, FAST))
    before = project.git("status", "--porcelain")
    monkeypatch.setattr(whole_program, "count", lambda *_: Counted(3000, 1000))
    code, found, document = compared(capsys, "--deterministic")
    assert code == 0
    assert document["instructions"]["ratio"] == 3
    assert list(found) == ["prices:total"]
    total = found["prices:total"]
    assert (total["outcome"], total["change"]) == ("no difference", "changed")
    assert total["evidence"]["direct"] > 0
    assert total["evidence"]["generated"] > 0
    assert total["speed"] == "faster"
    assert total["low"] > 1
    assert document["whole_program"]["same_output"] is True
    assert project.git("status", "--porcelain") == before


def test_a_slow_down_fails_where_that_is_asked_for(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.edit("prices.py", (SLOW, FAST))
    project.git("commit", "-qam", "fast")
    try:
        project.edit("prices.py", (FAST, SLOW))
        arguments = ["--fail-if-slower", "--no-whole-program"]
        code, found, document = compared(capsys, *arguments)
        assert code == 1
        assert found["prices:total"]["speed"] == "slower"
        assert document["whole_program"]["reason"] == "not asked for"
    finally:
        project.git("reset", "-q", "--hard", "HEAD~1")


def test_each_kind_of_change_is_named_and_replayed(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.edit(
        "prices.py",
        ("n // 10 + 1", "n // 10 + (n < 1000)"),
        ("2: 7", "2: 8"),
        ("unit = 3", "unit = 4"),
        ("def gone(n):\n    return n + 1\n\n\n", ""),
        ("old_name", "new_name"),
        ("def moved(n):\n    return n * 11 + 5\n\n\n", ""),
        ("def sig(a, b):", "def sig(a, *, b):"),
    )
    (project.folder / "more.py").write_text("def moved(n):\n    return n * 11 + 5\n")
    project.edit(
        "app.py",
        ("from prices import moved", "from more import moved"),
        ("prices.gone(n)", "n + 1"),
        ("old_name", "new_name"),
        ("sig(n, 2)", "sig(n, b=2)"),
    )
    code, found, _ = compared(capsys, "--no-timing")
    assert code == 1
    ends = {name.rpartition(":")[2]: (one["change"], one["outcome"]) for name, one in found.items()}
    assert "total" not in ends
    assert "steady" not in ends
    assert ends["fee"] == ("changed", "no difference")
    assert ends["old_name"] == ("renamed to new_name", "no difference")
    assert ends["moved"] == ("moved to more.py:moved", "no difference")
    assert ends["rate"] == ("uses RATES, which changed", "different")
    assert ends["Basket.weight"] == ("uses Basket.unit, which changed", "different")
    assert ends["gone"] == ("deleted", "different")  # `use` reaches it, and differs by the rates
    assert ends["sig"][0] == "changed"
    witness = found["prices:rate"]["witness"]
    assert (witness["got"], witness["expected"]) == ("8", "7")
    assert found["prices:fee"]["callers"][0]["where"].startswith("result")
    assert not (project.folder / "more.py").with_suffix(".pyc").exists()


def test_two_revisions_are_compared_whatever_the_files_are_now(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        project.edit("prices.py", ("n // 10 + 1", "n // 10 + 2"))
        (project.folder / "added.py").write_text("def helper():\n    return 1\n")
        project.git("add", "-A")
        project.git("commit", "-qm", "two")
        project.edit("prices.py", ("n // 10 + 2", "broken("))
        code, found, document = compared(capsys, "HEAD~1", "HEAD", "--no-timing")
        assert code == 1
        assert list(found) == ["prices:fee"]
        assert found["prices:fee"]["witness"]["expected"] == "1"
        assert found["prices:fee"]["witness"]["got"] == "2"
        assert document["untraced"] == ["added.py:helper"]
        code, found, _ = compared(capsys, "HEAD", "HEAD~1", "--no-timing")
        assert (code, found["prices:fee"]["witness"]["got"]) == (1, "1")
    finally:
        project.git("reset", "-q", "--hard", "HEAD~1")


def test_a_file_that_can_not_be_parsed_is_said(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.edit("prices.py", ("def steady(n):", "def steady(n:"))
    code, found, _ = compared(capsys, "--no-timing")
    assert code == 1
    assert {one["outcome"] for one in found.values()} == {"different"}
    assert found["prices:fee"]["reason"].startswith("prices.py can't be compiled in WORKTREE")
    assert "can't be parsed" in found["prices:fee"]["change"]


def test_code_that_only_the_program_itself_runs_is_left_to_the_whole_program(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.edit("app.py", ("print(prices", "print(1, prices"))
    code, found, document = compared(capsys, "--no-timing")
    assert (code, found) == (0, {})
    assert document["whole_program"]["reason"] == "not asked for"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["no-such"], "git knows no revision no-such"),
        (["HEAD", "--", "--version"], "git knows no revision --version"),
    ],
)
def test_an_unknown_revision_is_one_clear_line(
    project: Project, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    assert main(["compare", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert text in said


def test_without_a_repository_it_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert main(["compare"]) == 2
    assert "is in no git repository" in capsys.readouterr().err
