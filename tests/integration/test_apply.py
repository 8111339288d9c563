"""`perftrace apply` writes what was accepted, and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perftrace.cli import main
from perftrace.model import (
    Accepted,
    Candidate,
    Decision,
    Evidence,
    Inconclusive,
    Measurement,
    Rejected,
)
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


def decide(project: Path, *sources: str, accepted: bool = True, name: str = "") -> list[str]:
    """Store decisions as if `optimize` had made them; the ids of those accepted."""
    with Store.open_to_write(project / ".perftrace" / "trace.db") as store:
        by_name = {one.name: one for one in store.functions().values()}
        made = []
        for source in sources:
            function = by_name[name or ("double" if source == DOUBLE else "triple")]
            candidate = Candidate(function, "rules", ("rule",), "why", PROGRAM, source)
            verdict = FAST if accepted else Rejected("no")
            known = decisions.identity(candidate) if accepted else ""
            made.append(Decision(function, candidate, verdict, (), known))
        decisions.save(store, store.last_run(), made, decisions.now())
    return [one.id for one in made]


def text(project: Path) -> str:
    return (project / "sums.py").read_text()


def test_all_that_was_accepted_is_written(
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


def test_a_function_that_was_edited_since_is_named_and_not_touched(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [double] = decide(project, DOUBLE)
    edited = PROGRAM.replace("return n + n\n", "return n + n  # mine\n", 1)
    (project / "sums.py").write_text(edited)
    for arguments in (["apply"], ["apply", double]):
        assert main(arguments) == 3
        error = capsys.readouterr().err
        assert "sums.py: double itself was changed since it was measured" in error
        assert text(project) == edited
    assert main(["apply", "--json"]) == 3
    [left] = json.loads(capsys.readouterr().out)["left_out"]
    assert left["id"] == double


def test_an_edit_elsewhere_stays_and_is_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decide(project, DOUBLE)
    (project / "sums.py").write_text(PROGRAM + "\n\ndef mine():\n    return 1\n")
    assert main(["apply"]) == 0
    assert text(project) == DOUBLE + "\n\ndef mine():\n    return 1\n"
    assert "was edited since, but not double or what" in capsys.readouterr().err


def test_what_an_earlier_optimize_accepted_is_written_too(project: Path) -> None:
    decide(project, DOUBLE)
    decide(project, TRIPLE)
    assert main(["apply"]) == 0
    assert text(project) == DOUBLE.replace("return n + n + n", "return 3 * n")


def test_what_does_not_hold_is_left_out_with_its_reason(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [double] = decide(project, DOUBLE)
    decide(project, TRIPLE)
    edited = PROGRAM.replace("return n + n\n", "return n + n  # mine\n", 1)
    (project / "sums.py").write_text(edited)
    assert main(["apply"]) == 0
    assert text(project) == edited.replace("return n + n + n", "return 3 * n")
    error = capsys.readouterr().err
    assert f"Left out {double}: " in error
    assert "double itself was changed since it was measured" in error


def test_a_newer_verdict_on_the_function_replaces_the_older(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [double] = decide(project, DOUBLE)
    other = PROGRAM.replace("return n + n\n", "return n << 1\n", 1)
    [shifted] = decide(project, other, name="double")
    decide(project, TRIPLE)
    decide(project, PROGRAM.replace("n + n + n", "4 * n"), name="triple", accepted=False)
    assert main(["apply"]) == 0
    assert text(project) == other
    error = capsys.readouterr().err
    assert double not in error
    assert shifted in error
    assert "a newer verdict replaces it: no" in error


def test_a_function_that_was_not_tried_again_keeps_its_change(project: Path) -> None:
    decide(project, DOUBLE)
    with Store.open_to_write(project / ".perftrace" / "trace.db") as store:
        function = next(one for one in store.functions().values() if one.name == "double")
        why = Inconclusive("not tried: the time for all functions was used up")
        run = store.last_run()
        decisions.save(store, run, [Decision(function, None, why)], decisions.now())
    assert main(["apply"]) == 0
    assert text(project) == DOUBLE


def test_one_change_after_the_other_can_be_written(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    double, triple = decide(project, DOUBLE, TRIPLE)
    assert main(["apply", double]) == 0
    capsys.readouterr()
    assert main(["apply"]) == 0
    error = capsys.readouterr().err
    assert f"Already applied: {double}." in error
    assert f"Wrote {triple} " in error
    assert "edited" not in error
    assert text(project) == DOUBLE.replace("return n + n + n", "return 3 * n")


def test_all_that_was_accepted_can_be_listed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply", "--list"]) == 0
    assert "no accepted change" in capsys.readouterr().err
    double, triple = decide(project, DOUBLE, TRIPLE)
    assert main(["apply", double]) == 0
    capsys.readouterr()
    assert main(["apply", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines] == [
        [double, "2.00x", "applied"],
        [triple, "2.00x", "ready"],
    ]
    assert main(["apply", "--list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["state"] for row in found["changes"]] == ["applied", "ready"]
    assert text(project) == DOUBLE


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


def test_a_function_applied_and_edited_is_not_called_applied(project: Path) -> None:
    decide(project, DOUBLE)
    assert main(["apply"]) == 0
    (project / "sums.py").write_text(DOUBLE.replace("2 * n", "2 * n  # mine"))
    assert main(["apply"]) == 3
    (project / "sums.py").write_text(DOUBLE + "# mine\n")
    assert main(["apply"]) == 0
    assert text(project) == DOUBLE + "# mine\n"


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
