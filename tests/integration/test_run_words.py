"""`perftrace run`: what it says of what was given to it, and of what came of it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"
NEXT = "next: perftrace top"


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    Path("pyproject.toml").touch()
    Path("app.py").write_text("import json\n\ndef f():\n    return json.loads('[1]')\n\nf()\n")


def perftrace(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ENTRY, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        input=stdin,
    )


def run(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return perftrace("run", "--no-sample", "--overhead", "50%", *words, stdin=stdin)


def functions() -> set[str]:
    found: dict[str, Any] = json.loads(perftrace("top", "-n", "0", "--json").stdout)
    return {row["function"] for row in found["functions"] if row["recorded"]}


@pytest.mark.parametrize("pattern", ["json", "json.*", "json.decoder"])
def test_a_package_of_the_standard_library_can_be_included(pattern: str) -> None:
    done = run("--include", pattern, "app.py")
    assert "adds nothing" not in done.stderr
    assert "json.decoder:JSONDecoder.decode" in functions()


def test_a_pattern_that_leads_nowhere_is_named_and_the_program_runs() -> None:
    done = run("--include", "jsn", "app.py")
    assert done.returncode == 0
    assert done.stderr.startswith(
        "perftrace: --include jsn adds nothing: there is no such file or package"
    )
    assert functions() == {"__main__:f"}
    document = json.loads(run("--include", "jsn", "--json", "app.py").stderr)
    assert document["include_unused"] == ["jsn"]


@pytest.mark.parametrize("word", ["-", "-c"])
def test_code_that_is_in_no_file_is_to_be_run_as_a_command(word: str) -> None:
    done = run(word, "print(1)")
    assert (done.returncode, done.stdout) == (2, "")
    assert "write -- python -c CODE" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--", sys.executable, "-c", "print('ran')"),
        ("/dev/stdin",),
        ("--exclude", "*", "loud.py"),
    ],
)
def test_code_that_ran_but_is_not_recorded_is_not_said_not_to_have_run(
    words: tuple[str, ...],
) -> None:
    Path("loud.py").write_text("print('ran')\n")
    done = run(*words, stdin="print('ran')\n")
    assert done.stdout == "ran\n"
    assert "before it ran" not in done.stderr
    assert "1 ran none of the code that is recorded" in done.stderr
    assert NEXT not in done.stderr


@pytest.mark.parametrize("words", [("bad.py",), ("-m", "no_such_module")])
def test_after_a_run_with_nothing_recorded_there_is_nothing_to_look_at(
    words: tuple[str, ...],
) -> None:
    Path("bad.py").write_text("def\n")
    done = run(*words)
    assert done.returncode == 1
    assert NEXT not in done.stderr
    assert NEXT in run("app.py").stderr


def test_a_small_limit_is_told_in_kilobytes() -> None:
    Path("pyproject.toml").write_text('[tool.perftrace]\nretain = "1KB"\n')
    run("app.py")
    assert "the trace file may have 1 KB (`retain`" in run("app.py").stderr
