"""`perftrace apply` writes what was accepted, and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perftrace.cli import main
from perftrace.model import Accepted, Candidate, Decision, Evidence, Measurement, Rejected
from perftrace.optimizer import decisions
from perftrace.store import Store

PROGRAM = """\
def double(n):
    return n + n


def triple(n):
    return n + n + n


if __name__ == "__main__":
    print(double(1), triple(2))
"""
DOUBLE = PROGRAM.replace("return n + n\n", "return 2 * n\n", 1)
TRIPLE = PROGRAM.replace("return n + n + n", "return 3 * n")
FAST = Accepted(Evidence(3, 3, 0), Measurement(2.0, 1.9, 2.1, 6, 2e-6, 1e-6, "cpu"))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sums")
    (folder / "pyproject.toml").write_text('[project]\nname = "sums"\nversion = "1"\n')
    (folder / "sums.py").write_text(PROGRAM)
    code = "import sys; from perftrace.cli import main; sys.exit(main())"
    subprocess.run(
        [sys.executable, "-c", code, "run", "--python", sys.executable, "sums.py"],
        cwd=folder,
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path_factory.getbasetemp() / "config")},
        capture_output=True,
        timeout=120,
        check=True,
    )
    return folder


@pytest.fixture
def project(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(recorded)
    yield recorded
    (recorded / "sums.py").write_text(PROGRAM)
    with Store.open_to_write(recorded / ".perftrace" / "trace.db") as store, store.transaction():
        list(store.rows("DELETE FROM decision RETURNING id"))


def decide(project: Path, *sources: str, accepted: bool = True) -> list[str]:
    """Store decisions as if `optimize` had made them; the ids of those accepted."""
    with Store.open_to_write(project / ".perftrace" / "trace.db") as store:
        by_name = {one.name: one for one in store.functions().values()}
        made = []
        for source in sources:
            function = by_name["double" if source == DOUBLE else "triple"]
            candidate = Candidate(function, "rules", ("rule",), "why", PROGRAM, source)
            verdict = FAST if accepted else Rejected("no")
            name = decisions.identity(candidate) if accepted else ""
            made.append(Decision(function, candidate, verdict, (), name))
        decisions.save(store, store.last_run(), made, decisions.now())
    return [one.id for one in made]


def text(project: Path) -> str:
    return (project / "sums.py").read_text()


def test_all_that_the_last_optimize_accepted_is_written(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decide(project, DOUBLE, TRIPLE)
    assert main(["apply"]) == 0
    assert text(project) == DOUBLE.replace("return n + n + n", "return 3 * n")
    assert "Next: perftrace replay" in capsys.readouterr().err


def test_one_change_is_written_by_its_id_or_the_beginning_of_it(project: Path) -> None:
    _, triple = decide(project, DOUBLE, TRIPLE)
    assert main(["apply", triple[:6]]) == 0
    assert text(project) == TRIPLE


def test_check_shows_the_diff_and_writes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decide(project, DOUBLE)
    assert main(["apply", "--check"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("--- a/sums.py\n+++ b/sums.py\n")
    assert "+    return 2 * n\n" in shown.out
    assert "Would write" in shown.err
    assert text(project) == PROGRAM


def test_the_shown_diff_is_one_that_patch_reads(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decide(project, DOUBLE, TRIPLE)
    main(["apply", "--check"])
    diff = capsys.readouterr().out
    subprocess.run(["git", "apply"], input=diff, text=True, cwd=project, check=True)
    assert text(project) == DOUBLE.replace("return n + n + n", "return 3 * n")


def test_json_is_one_document(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = decide(project, DOUBLE)
    assert main(["apply", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "perftrace/apply/1"
    assert found["written"] is True
    assert found["ids"] == ids
    assert found["files"][0]["file"] == str(project / "sums.py")


def test_a_file_that_changed_since_is_named_and_not_touched(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decide(project, DOUBLE)
    (project / "sums.py").write_text(PROGRAM + "# mine\n")
    assert main(["apply"]) == 3
    assert "sums.py changed since it was recorded" in capsys.readouterr().err
    assert text(project) == PROGRAM + "# mine\n"


def test_applying_twice_changes_nothing_and_says_so(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [double] = decide(project, DOUBLE)
    assert main(["apply"]) == 0
    capsys.readouterr()
    assert main(["apply"]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"Already applied: {double}. Next: perftrace replay\n")
    assert main(["apply", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["written"], found["ids"], found["files"]) == (False, [double], [])
    assert text(project) == DOUBLE


def test_a_change_applied_and_edited_is_not_called_applied(project: Path) -> None:
    decide(project, DOUBLE)
    assert main(["apply"]) == 0
    (project / "sums.py").write_text(DOUBLE + "# mine\n")
    assert main(["apply"]) == 3


def test_an_unknown_id_lists_those_there_are(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = decide(project, DOUBLE, TRIPLE)
    assert main(["apply", "nope"]) == 2
    error = capsys.readouterr().err
    assert all(one in error for one in ids)
    assert text(project) == PROGRAM


def test_an_id_that_means_several_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decide(project, DOUBLE)
    decide(project, TRIPLE)
    assert main(["apply", ""]) == 2
    assert "several changes" in capsys.readouterr().err


def test_an_older_change_can_still_be_named(project: Path) -> None:
    [double] = decide(project, DOUBLE)
    decide(project, TRIPLE)
    assert main(["apply", double]) == 0
    assert text(project) == DOUBLE


@pytest.mark.parametrize("made", [(), (DOUBLE,)])
def test_where_nothing_was_accepted_it_says_so(
    project: Path, capsys: pytest.CaptureFixture[str], made: tuple[str, ...]
) -> None:
    decide(project, *made, accepted=False)
    assert main(["apply"]) == 3
    error = capsys.readouterr().err
    assert "no accepted change" in error
    assert "perftrace optimize" in error
    assert main(["apply", "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["written"], found["ids"]) == ("perftrace/apply/1", False, [])
