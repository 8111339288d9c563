"""A trace file with several runs: each can be listed, chosen and looked at."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from perftrace.cli import main
from perftrace.store import Store

ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"
APP = """
import sys

def common(word):
    return word

def last(word):
    return word * 2

def never():
    return 0

if __name__ == "__main__":
    common(sys.argv[1])
    if sys.argv[1] == "three":
        last("x")
"""


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    Path("pyproject.toml").touch()
    Path("app.py").write_text(APP)
    for word in ("three", "two", "one"):
        record("a b.db", word)
        with Store.open_to_write(Path("a b.db")) as store, store.transaction():
            store.change("UPDATE run SET started = '2026-01-0' || id")  # one second is too coarse


def record(file: str, word: str) -> None:
    words = ("run", "--no-sample", "--overhead", "50%", "-o", file, "app.py", word)
    command = [sys.executable, "-c", ENTRY, *words]
    subprocess.run(command, capture_output=True, timeout=120, check=True)


def document(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main([*words, "-d", "a b.db", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main([*words, "-d", "a b.db"]) == code
    printed = capsys.readouterr()
    return printed.err if code else printed.out


def test_runs_are_listed_oldest_first(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "top", "--runs")
    assert (found["schema"], found["newest"]) == ("perftrace/runs/1", 3)
    listed = [(run["run"], run["command"][1], run["calls"]) for run in found["runs"]]
    assert listed == [(1, "three", 2), (2, "two", 1), (3, "one", 1)]
    lines = said(capsys, "top", "--runs").splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["run", "1", "2", "3"]
    assert lines[2].rstrip().endswith("app.py two")
    assert lines[-1] == "Run 3 is looked at unless you say otherwise. Others: --run N"


def test_any_run_can_be_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    for number, word in ((1, "three"), (2, "two"), (3, "one")):
        given = ("--run", str(number))
        assert document(capsys, "top", *given)["command"] == ["app.py", word]
        assert document(capsys, "show", "common", *given)["run"] == number
        found = document(capsys, "calls", "common", *given)
        assert [call["arguments"] for call in found["calls"]] == [f"word={word!r}"]
        assert (found["run"], found["runs"]) == (number, 3)
    assert document(capsys, "top")["run"] == 3


def test_what_is_shown_says_of_which_run_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "top", "--run", "2")
    assert "This is run 2 of 3; all of them: perftrace top --runs -d 'a b.db'\n" in text
    shown = "perftrace show __main__:common -d 'a b.db' --run 2"
    assert f"Next: {shown}, or perftrace optimize -d 'a b.db' --run 2\n" in text
    text = said(capsys, "show", "common")
    assert "of run 3 of 3" in text
    assert "calls of __main__:common, in run 3 of 3." in said(capsys, "calls", "common")


def test_a_run_that_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "top", "--run", "4", code=2)
    assert "There is no run 4: the trace file holds 3 runs." in text
    assert "perftrace top --runs -d 'a b.db'\n" in text


def test_tests_are_written_of_a_chosen_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert "add --write" in said(capsys, "replay", "--run", "1", code=2)
    assert "1 functions have tests" in said(capsys, "replay", "--write", "--run", "1", "last")


def test_a_merged_run_can_be_reached_though_it_is_older(
    capsys: pytest.CaptureFixture[str],
) -> None:
    record("other.db", "four")
    with Store.open_to_write(Path("other.db")) as store, store.transaction():
        store.change("UPDATE run SET started = '2025'")
    assert main(["merge", "-o", "a b.db", "other.db"]) == 0
    assert "All runs of the file: perftrace top --runs -d 'a b.db'\n" in capsys.readouterr().out
    assert document(capsys, "top", "--run", "1")["command"] == ["app.py", "four"]


def test_two_targets_of_a_merge_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", "-o", "x.db", "-d", "y.db", "a b.db"]) == 2
    assert "-o and -d both name the file to add to" in capsys.readouterr().err
    assert not Path("x.db").exists()
    assert not Path("y.db").exists()


@pytest.mark.parametrize("command", ["show", "calls"])
def test_a_function_without_anything_recorded_is_not_called_unknown(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("never", "app:never", "app.py:never", "__main__:never"):
        text = said(capsys, command, name, code=3)
        assert f"{name} is in {Path('app.py').absolute()}, line 10, but nothing" in text
        assert "perftrace run --overhead 10%" in text
    Path("fast.py").write_text("class Fast:\n    def often(self):\n        pass\n")
    for name in ("often", "Fast.often", "fast:Fast.often"):
        assert "fast.py, line 2, but nothing" in said(capsys, command, name, code=3)
    text = said(capsys, command, "last", code=3)
    assert "run 3 of 3 has nothing of it, run 1 has: add --run 1 -d 'a b.db'" in text
    text = said(capsys, command, "xyzzy", code=2)
    assert "No function xyzzy in this trace. List them: perftrace top -n 0 -d 'a b.db'\n" in text
    assert "Did you mean" in said(capsys, command, "comon", code=2)


def test_where_no_call_was_recorded_calls_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open_to_write(Path("a b.db")) as store, store.transaction():
        row = {"file": str(Path("app.py").absolute()), "qualname": "never", "line": 10, "user": 1}
        number = store.intern("frame", row, identity=("file", "qualname", "line"))
        store.add("stack", {"run_id": 3, "frames": str(number), "count": 5})
    text = said(capsys, "calls", "never")
    assert text.startswith("No call of ")
    assert "the recorder's share was used up" in text
