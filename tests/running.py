"""Plain and recorded runs of a program, for tests that compare them; a run as a trace has it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from perftrace.model import Run

ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"


def outcome(command: list[str], folder: Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command, run in a new folder."""
    folder.mkdir(parents=True)
    environment = {**os.environ, "TMPDIR": str(folder.parent)}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout, done.stderr


def split(text: str) -> tuple[str, list[str]]:
    """The program's own text and perftrace's last lines."""
    lines = text.splitlines(keepends=True)
    own = [line for line in lines if not line.startswith("perftrace: ")]
    return "".join(own), [line for line in lines if line.startswith("perftrace: ")]


def assert_same(program: str, tmp_path: Path) -> None:
    """A program behaves as under plain Python: exit code, stdout, stderr."""
    script = tmp_path / "app.py"
    script.write_text(program)
    plain = outcome([sys.executable, "../../app.py"], tmp_path / "a" / "same")
    traced = [sys.executable, "-c", ENTRY, "run", "--no-sample", "-o", "../trace.db"]
    code, out, err = outcome(
        [*traced, "--python", sys.executable, "../../app.py"], tmp_path / "b" / "same"
    )
    own, said = split(err)
    expected = tuple(str(part).replace("/a/same", "/b/same") for part in plain)
    assert (str(code), out, own) == expected
    assert said
    assert not any("stopped itself" in line for line in said), said


def recorded(folder: Path, *command: str, form: str = "script", **more: Any) -> Run:
    """What a trace says of a run of this command."""
    fields = {
        "id": 1,
        "command": command,
        "form": form,
        "cwd": folder,
        "root": folder,
        "python": Path(sys.executable),
        "python_version": "",
        "started": "",
        "wall_s": 1.0,
        "cpu_s": 1.0,
        "exit_code": 0,
        "sampler": "none",
        "interval_s": 0.0,
        "samples": 0,
        "sampler_note": "",
    }
    return Run(**{**fields, **more})
