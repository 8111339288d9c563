"""`perftrace doctor`: every check is seen to fail where it should."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perftrace import compress
from perftrace.cli import checks, main
from perftrace.cli.checks import CHECKS, Place
from perftrace.config import Settings
from perftrace.replay import probe
from perftrace.store import Store
from perftrace.tracer import sampler, spool
from perftrace.tracer.spool import Plan

type Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "config").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.chdir(tmp_path / "work")
    Path("pyproject.toml").write_text("")


def examined(capsys: Capture) -> tuple[int, dict[str, dict[str, Any]]]:
    code = main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "perftrace/doctor/1"
    assert document["ok"] is (code == 0)
    return code, {row["check"]: row for row in document["checks"]}


def place(**asked: object) -> Place:
    here = Path.cwd()
    return Place(here, here, Settings(), here / ".perftrace/trace.db", sys.executable, dict(asked))


def test_a_sound_place_passes_and_is_shown_as_a_table(capsys: Capture) -> None:
    Store.open_to_write(Path(".perftrace/trace.db")).close()
    code = main(["doctor"])
    printed = capsys.readouterr()
    assert (code, printed.err) == (0, "")
    lines = [line.split() for line in printed.out.splitlines()]
    states = {" ".join(words[1:2]): words[0] for words in lines[1 : len(CHECKS) + 1]}
    assert states["python"] == states["monitoring"] == states["replay"] == states["zstd"] == "ok"
    assert set(states.values()) <= {"ok", "warn"}
    code, found = examined(capsys)
    assert (code, list(found)) == (0, list(CHECKS))
    assert found["python"]["found"].startswith(sys.version.split()[0])
    assert "0 runs" in found["trace file"]["found"]
    assert found["pytest"]["state"] == "ok"


def test_wrong_settings_are_named_and_fail(capsys: Capture) -> None:
    Path("pyproject.toml").write_text("[tool.perftrace]\nsuorce = ['src']\n")
    code, found = examined(capsys)
    assert (code, found["settings"]["state"]) == (1, "fail")
    assert "unknown key suorce" in found["settings"]["found"]


def test_a_source_folder_that_is_not_there_is_named_by_doctor_and_run(capsys: Capture) -> None:
    Path("pyproject.toml").write_text("[tool.perftrace]\nsource = ['src', 'nodir']\n")
    Path("src").mkdir()
    Path("app.py").write_text("print(1)\n")
    code, found = examined(capsys)
    assert (code, found["settings"]["state"]) == (0, "warn")
    assert found["settings"]["found"] == "source: no folder nodir"
    entry = "import sys; from perftrace.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", entry, "run", "--no-sample", "app.py"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "perftrace: source in pyproject.toml: there is no folder nodir\n" in done.stderr


def test_an_interpreter_that_is_too_old_fails(capsys: Capture) -> None:
    Path(".venv/bin").mkdir(parents=True)
    Path(".venv/bin/python").write_text("#!/bin/sh\necho cpython 3 11\n")
    Path(".venv/bin/python").chmod(0o755)
    code, found = examined(capsys)
    assert code == 1
    assert "3.11; recording needs CPython 3.12" in found["python"]["found"]
    assert {name for name, row in found.items() if row["state"] == "fail"} == {
        "python",
        "monitoring",
        "replay",
    }


def test_tools_that_hold_the_ids_of_sys_monitoring_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    greedy = "import sys\nfor i in (3, 4):\n    sys.monitoring.use_tool_id(i, 'greedy')\n"
    (tmp_path / "sitecustomize.py").write_text(greedy)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    code, found = examined(capsys)
    assert (code, found["monitoring"]["state"]) == (1, "fail")
    assert found["monitoring"]["found"] == "ids are taken: 3 greedy, 4 greedy"


def test_without_py_spy_there_is_a_warning_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(sampler, "_binary", lambda: None)
    _, found = examined(capsys)
    assert found["sampling"]["state"] == "warn"
    assert found["sampling"]["found"] == "py-spy is not installed: pip install py-spy"
    assert found["sampling"]["next"].startswith("Without it run times calls from inside")


def test_a_py_spy_that_may_not_look_is_a_warning_with_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = tmp_path / "py-spy"
    spy.write_text("#!/bin/sh\necho 'Error: Permission Denied: Try running again' >&2\nexit 1\n")
    spy.chmod(0o755)
    monkeypatch.setattr(sampler, "_binary", lambda: str(spy))
    monkeypatch.setattr(sampler, "unavailable", lambda: "")
    monkeypatch.setattr(checks, "IN_CONTAINER", (tmp_path,))
    found = checks.check_sampling(place())
    assert found.state == "warn"
    assert "Permission Denied" in found.text
    assert found.advice.startswith("Start the container with --cap-add SYS_PTRACE.")


@pytest.mark.parametrize(
    ("cores", "load", "state"), [(4, 0.5, "ok"), (4, 4.5, "warn"), (1, 0.0, "warn")]
)
def test_too_few_or_busy_cores_are_a_warning(
    cores: int, load: float, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampler, "_cores", lambda: cores)
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0))
    assert checks.check_cores(place()).state == state


def test_a_coarse_clock_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 10**12, 15_000_000))
    monkeypatch.setattr("time.thread_time_ns", lambda: next(ticks))
    assert checks.check_clock(place()).text == "CPU time moves in steps of 15000 us"


def test_only_the_runs_of_this_project_are_said_to_wait(tmp_path: Path) -> None:
    here = str(place().database)
    for number, database in enumerate([here, "/elsewhere/trace.db", here, "/other/trace.db"]):
        plan = Plan(
            uuid=f"u-{number}",
            database=database,
            command=("app.py",),
            form="script",
            cwd="/",
            root="/",
            python=sys.executable,
            started="",
            parent=1 << 22,  # more than any process id
            overhead=0.02,
            sources=(),
            includes=(),
            excludes=(),
        )
        spool.create(plan, timing=False)
    assert "; 2 runs left to be added" in checks.check_journal(place()).text
    elsewhere = replace(place(), database=tmp_path / "trace.db")
    assert "left to be added" not in checks.check_journal(elsewhere).text


def test_a_place_for_journals_that_is_not_ours_alone_fails(tmp_path: Path) -> None:
    base = tmp_path / "tmp" / f"perftrace-{os.getuid()}"
    base.mkdir(mode=0o777)
    base.chmod(0o777)
    found = checks.check_journal(place())
    assert (found.state, "open to others" in found.text) == ("fail", True)


def test_trace_files_that_are_damaged_or_open_to_others_are_noticed() -> None:
    database = Path(".perftrace/trace.db")
    Store.open_to_write(database).close()
    assert checks.check_trace(place()).state == "ok"
    database.chmod(0o644)
    found = checks.check_trace(place())
    assert (found.state, found.advice) == ("warn", f"chmod 600 {database.absolute()}")
    database.write_bytes(b"SQLite format 3\x00")
    assert checks.check_trace(place()).state == "fail"


def test_a_key_that_others_may_read_or_that_is_none_fails(tmp_path: Path) -> None:
    assert checks.check_key(place()).text.startswith("none yet")
    Store.open_to_write(Path(".perftrace/trace.db")).close()
    assert checks.check_key(place()).state == "ok"
    key = tmp_path / "config/perftrace/key"
    key.chmod(0o644)
    assert checks.check_key(place()).advice == f"chmod 600 {key}"
    key.write_bytes(b"short")
    assert checks.check_key(place()).state == "fail"


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_trace_file_that_git_would_take_is_a_warning() -> None:
    assert "not in a git repository" in checks.check_git(place()).text
    subprocess.run(["git", "init", "-q", "."], check=True)
    assert checks.check_git(place()).text.startswith(".perftrace/ will be made")
    Path(".perftrace").mkdir()
    found = checks.check_git(place())
    assert (found.state, found.advice) == ("warn", "Add .perftrace/ to .gitignore.")
    Path(".gitignore").write_text(".perftrace/\n")
    assert checks.check_git(place()).text == "git ignores .perftrace/"
    outside = replace(place(), database=Path("/elsewhere/trace.db"))
    assert "outside" in checks.check_git(outside).text


def test_a_worker_that_does_not_start_fails_and_one_that_refuses_nothing_is_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = [entry for entry in sys.path if entry.startswith(sys.base_prefix)]
    found = checks.check_replay(replace(place(path=path), python="/bin/false"))
    assert found.state == "fail"
    assert "a worker does not work" in found.text
    loose = probe.Trial("double", 1, "would double", "a replayed call can double")
    monkeypatch.setattr(probe, "TRIALS", (*probe.TRIALS, loose))
    found = checks.check_replay(place(path=path))
    assert (found.state, found.text) == ("warn", "a replayed call can double")


def test_an_environment_without_pytest_and_one_with_our_plugin_are_told_apart() -> None:
    found = checks.check_pytest(place(pytest=""))
    assert (found.state, found.advice) == ("warn", f"{sys.executable} -m pip install pytest")
    assert checks.check_pytest(place(pytest="9", plugins=["perftrace"])).text.endswith("perftrace")


def test_missing_requirements_and_a_broken_compression_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.metadata.requires", lambda _: ["no-such-thing>=1", "click>=8"])
    assert checks.check_install(place()).text == "not installed: no-such-thing"
    monkeypatch.setattr(compress, "pack", lambda blob: ("zstd", blob))
    monkeypatch.setattr(compress, "unpack", lambda *_: b"")
    assert checks.check_zstd(place()).state == "fail"


def test_calibrating_says_how_far_timings_can_be_trusted_and_leaves_nothing(
    capsys: Capture,
) -> None:
    before = sorted(Path.cwd().rglob("*"))
    assert main(["doctor", "--json", "--calibrate", "--duration", "1s"]) in {0, 1}
    found = json.loads(capsys.readouterr().out)["calibration"]
    same = found["same"]
    assert same["comparisons"] >= 1
    assert 0 <= same["accepted"] <= same["comparisons"]
    assert same["rate_at_most"] == pytest.approx(1 - 0.05 ** (1 / same["comparisons"])) or (
        same["accepted"] > 0
    )
    assert found["faster"]["comparisons"] >= 1
    assert found["min_speedup"] == Settings().min_speedup
    assert sorted(Path.cwd().rglob("*")) == before


def test_without_calibrating_the_document_says_so(capsys: Capture) -> None:
    main(["doctor", "--json"])
    assert json.loads(capsys.readouterr().out)["calibration"] is None
