import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from perftrace import cli
from perftrace.cli import output, signals
from perftrace.errors import CheckFailed, TraceError


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command()
    def command() -> None:
        raise error

    monkeypatch.setattr(cli.group, "get_command", lambda *_: command)


def test_help_lists_the_commands_in_the_order_of_the_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    places = [text.index(f"\n  {name} ") for name in cli.COMMANDS]
    assert places == sorted(places)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: perftrace {name}")


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("perftrace, version 0.")


def test_an_unknown_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fly"]) == 2
    assert "No such command 'fly'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (TraceError("no-trace", "No trace found."), 3, "perftrace: No trace found.\n"),
        (CheckFailed("differs", "2 cases differ."), 1, "perftrace: 2 cases differ.\n"),
        (KeyboardInterrupt(), 130, "perftrace: interrupted\n"),
        (signals.TerminatedError(), 143, "perftrace: terminated\n"),
    ],
)
def test_an_expected_failure_is_one_line_and_a_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    says: str,
) -> None:
    fail_with(monkeypatch, error)
    assert cli.main(["top"]) == code
    assert capsys.readouterr().err.lstrip("\n") == says


def test_our_own_bug_leaves_a_report_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fail_with(monkeypatch, ZeroDivisionError("of ours"))
    assert cli.main(["top"]) == 4
    [report] = tmp_path.glob("perftrace-bug-*.txt")
    said = capsys.readouterr().err
    assert str(report) in said
    assert "Traceback" not in said
    assert "ZeroDivisionError: of ours" in report.read_text(encoding="utf-8")


def test_a_commands_number_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    command = click.Command("run", callback=lambda: 7)
    monkeypatch.setattr(cli.group, "get_command", lambda *_: command)
    assert cli.main(["run"]) == 7


def test_a_reader_that_leaves_early_ends_it_quietly() -> None:
    code = "import sys; from perftrace.cli import main; sys.exit(main(['--version']))"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


ENTRY = [sys.executable, "-c", "import sys; from perftrace.cli import main; sys.exit(main())"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_written_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        command = [*ENTRY, "doctor", "--json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    expected = "perftrace: output can't be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (3, expected)


def test_a_folder_that_was_removed_is_one_line(tmp_path: Path) -> None:
    program = "import os, sys; os.rmdir(os.getcwd()); from perftrace.cli import main; "
    command = [sys.executable, "-c", f"{program}sys.exit(main(['top']))"]
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(command, cwd=gone, capture_output=True, text=True, check=False)
    expected = "perftrace: the current folder was removed; change to another one\n"
    assert (done.returncode, done.stderr) == (3, expected)


def test_the_database_is_the_projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.perftrace]\ndatabase = "t.db"\n', encoding="utf-8"
    )
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    seen: list[Path] = []
    command = click.Command("top", callback=lambda database: seen.append(database))
    output.database_option(command)
    command.main([], standalone_mode=False)
    command.main(["-d", "other.db"], standalone_mode=False)
    monkeypatch.setenv("PERFTRACE_DATABASE", "env.db")
    command.main([], standalone_mode=False)
    assert seen == [tmp_path / "t.db", tmp_path / "deep" / "other.db", tmp_path / "env.db"]


def test_a_document_names_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit_json("top", {"functions": []})
    assert json.loads(capsys.readouterr().out) == {"schema": "perftrace/top/1", "functions": []}


def test_loading_the_command_line_loads_no_heavy_package() -> None:
    heavy = {"libcst", "sqlite_utils", "sqlite3", "rich", "msgspec", "asyncio"}
    code = "import perftrace.cli, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert heavy.isdisjoint(done.stdout.split())


def test_it_runs_as_a_module_too() -> None:
    command = [sys.executable, "-m", "perftrace", "--version"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.startswith("perftrace, version 0.")
