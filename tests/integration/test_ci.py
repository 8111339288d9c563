"""`perftrace ci` and `perftrace bench` on a small project under git, recorded for real."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from revisions import FAST, SLOW, Project, record

from perftrace.cli import main

DEARER = ("return n // 10 + 1", "return n // 10 + 2")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = tmp_path_factory.getbasetemp() / "config"
    project = record(tmp_path_factory.mktemp("shop"), config)
    project.edit("prices.py", (SLOW, FAST))
    project.git("commit", "-qam", "fast")
    project.git("branch", "-q", "trunk")
    return project.folder


@pytest.fixture
def project(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    found = Project(recorded)
    monkeypatch.chdir(recorded)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    yield found
    found.git("reset", "-q", "--hard", "trunk")
    found.git("clean", "-qfd")


def checked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = main(["ci", "--base", "trunk", "--json", *arguments])
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "perftrace/ci/1"
    return code, document


def rules(document: dict[str, Any]) -> list[str]:
    return [one["rule"] for one in document["findings"]]


def test_without_a_change_there_is_nothing_to_say(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ci", "--base", "trunk"]) == 0
    text = capsys.readouterr().out
    assert "No replay tests.\n" in text
    assert "No function of the trace differs between trunk and WORKTREE.\n" in text
    assert text.endswith("1 note\n")


def test_a_slow_down_fails_with_its_place_everywhere(
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    summary, log = tmp_path / "summary.md", tmp_path / "perftrace.sarif"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    project.edit("prices.py", (FAST, SLOW))
    assert main(["ci", "--base", "trunk", "--sarif", str(log)]) == 1
    text = capsys.readouterr().out
    line = 1 + (project.folder / "prices.py").read_text().splitlines().index("def total(rows):")
    assert f"error: prices.py:{line}: prices:total: takes " in text
    assert "; 5% is allowed (slower)\n" in text
    assert f"::error file=prices.py,line={line},title=perftrace%3A slower::prices:total" in text
    assert "| `prices:total`  |" in summary.read_text()
    [result] = json.loads(log.read_text())["runs"][0]["results"][1:]
    assert result["ruleId"] == "slower"


@pytest.mark.parametrize("way", ["settings", "function", "option"])
def test_how_much_is_allowed_can_be_said(
    way: str, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = {"settings": 'max-slowdown = "99999%"', "function": 'limits."prices:total" = "99999%"'}
    if way in lines:
        path = project.folder / "pyproject.toml"
        path.write_text(f"{path.read_text()}[tool.perftrace]\n{lines[way]}\n")
    project.edit("prices.py", (FAST, SLOW))
    code, document = checked(capsys, *(["--fail-if", ">99999%"] if way == "option" else []))
    assert (code, rules(document)) == (0, ["no-replay-tests"])
    assert document["functions"][0]["speed"] == "slower"


def test_what_does_something_else_is_a_warning(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.edit("prices.py", DEARER)
    code, document = checked(capsys, "--no-timing")
    assert code == 0
    [found] = [one for one in document["findings"] if one["rule"] == "different"]
    assert found["file"] == "prices.py"
    assert found["message"].startswith("prices:fee: fee(")


def test_a_replay_test_that_does_not_hold_fails(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "--write", "prices:fee"]) == 0
    project.edit("prices.py", DEARER)
    monkeypatch.setenv("CI", "true")
    capsys.readouterr()
    code, document = checked(capsys, "-d", "none.db")
    assert code == 1
    found = [one for one in document["findings"] if one["rule"] == "replay-changed"]
    assert len(found) == document["tests"] > 0
    text = (project.folder / found[0]["file"]).read_text().splitlines()
    assert text[found[0]["line"] - 1].startswith("def test_fee")
    assert rules(document)[-1] == "no-trace"  # and that is said


def test_what_came_to_the_branch_meanwhile_is_not_the_changes(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.git("checkout", "-q", "-b", "later")
    project.edit("prices.py", DEARER)
    project.git("commit", "-qam", "dearer")
    project.git("checkout", "-q", "-b", "work", "trunk")
    assert main(["ci", "--base", "later", "--no-timing"]) == 0
    text = capsys.readouterr().out
    assert "No function of the trace differs between later and WORKTREE.\n" in text


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["ci", "--base", "nowhere"], 2, "git knows no revision nowhere"),
        (["ci", "--base", "."], 2, ". is no revision to compare with"),
        (["ci"], 2, "--base"),
        (["ci", "--base", "trunk", "-d", "none.db"], 3, "so nothing was checked"),
        (["ci", "--base", "trunk", "--sarif", "no/such/folder"], 3, "can't be written"),
        (["ci", "--base", "trunk", "--fail-if", "much"], 2, "write '>5%'"),
        (["bench", "--fail-if", ">5%"], 2, "add --against REV"),
        (["bench", "nothing"], 2, "nothing"),
    ],
)
def test_what_can_not_be_done_is_said(
    project: Project,
    arguments: list[str],
    code: int,
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(arguments) == code
    assert says in capsys.readouterr().err


# --- bench ------------------------------------------------------------------------------


def test_calls_are_timed_as_they_are(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "prices:total", "app"]) == 2  # no such function
    capsys.readouterr()
    assert main(["bench", "prices:total"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("prices:total: ")
    assert "s a call, against itself [" in text


def test_functions_that_do_not_differ_are_timed_against_a_revision_too(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.edit("prices.py", (FAST, SLOW))
    assert main(["bench", "prices:total", "prices:steady", "--against", "trunk", "--json"]) == 1
    done = capsys.readouterr()
    rows = {row["function"]: row for row in json.loads(done.out)["functions"]}
    assert rows["prices:total"]["new_s"] > rows["prices:total"]["old_s"] > 0
    assert rows["prices:steady"]["change"] == "unchanged"
    assert rows["prices:steady"]["new_s"] > 0
    assert "Slower than allowed: prices:total (more than 5%)" in done.err
