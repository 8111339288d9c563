"""`perftrace merge` as a command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    Path("pyproject.toml").touch()
    Path("app.py").write_text("def f(n):\n    return [n]\nfor n in range(3):\n    f(n)\n")


def perftrace(*words: str, key: str = "ours") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ENTRY, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "XDG_CONFIG_HOME": str(Path(key).absolute())},
    )


def test_runs_of_other_machines_are_merged_and_can_be_looked_at() -> None:
    for machine in ("ours", "theirs"):
        perftrace("run", "--no-sample", "-o", f"{machine}.db", "app.py", key=machine)
    refused = perftrace("merge", "ours.db", "theirs.db")
    assert refused.returncode == 3
    assert "theirs.db was recorded with another key" in refused.stderr
    assert not Path(".perftrace/trace.db").exists()
    words = ("merge", "ours.db", "theirs.db", "--key", "theirs/perftrace/key")
    merged = perftrace(*words)
    assert merged.returncode == 0, merged.stderr
    assert merged.stdout.count("db: 1 run with ") == 2
    again = json.loads(perftrace(*words, "--json").stdout)
    assert [(one["runs"], one["known"]) for one in again["files"]] == [(0, 1), (0, 1)]
    assert "[0]" in perftrace("calls", "f").stdout


def test_a_run_says_that_older_ones_made_room() -> None:
    Path("pyproject.toml").write_text('[tool.perftrace]\nretain = "1KB"\n')
    first = perftrace("run", "--no-sample", "app.py")
    assert "dropped" not in first.stderr
    second = perftrace("run", "--no-sample", "app.py")
    assert "1 older run dropped" in second.stderr
    assert perftrace("show", "f").returncode == 0


@pytest.mark.parametrize("name", ["till", "pyproject.toml", "app.py"])
def test_a_target_that_is_no_trace_file_is_refused_before_anything_is_done(name: str) -> None:
    Path("till").mkdir()
    before = Path("app.py").read_text()
    Path("ran.py").write_text("open('ran', 'w').close()")
    for words in (("run", "-o", name, "ran.py"), ("merge", "-o", name, "other.db")):
        done = perftrace(*words)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"perftrace: {Path(name).absolute()} is ")
        assert done.stderr.endswith("Name another file with -o.\n")
    assert not Path("ran").exists()
    assert Path("app.py").read_text() == before


def test_a_source_that_is_no_trace_file_is_to_be_left_out() -> None:
    done = perftrace("merge", "-o", "new.db", "app.py")
    assert done.returncode == 3
    assert "app.py is not a perftrace trace file. Nothing was merged: leave it out." in done.stderr
