"""Records a program in a folder of its own, as a user does: what other benchmarks start from."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from perftrace.store import Store

ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"
OVERHEAD = "50%"  # of the CPU time: a short program has to leave calls of all its functions
PATIENCE_S = 300


class RecordingError(Exception):
    """The program could not be recorded, and what it said."""


@contextmanager
def recorded(folder: Path, files: Mapping[str, str], main: str) -> Iterator[Store]:
    """Write the files, `perftrace run` one of them, and open the trace.

    Raises:
        RecordingError: the program or the recorder fails.
    """
    os.environ["XDG_CONFIG_HOME"] = str(folder / "config")  # where the key of the trace lies
    project = folder / "project"
    project.mkdir(parents=True)
    (project / "pyproject.toml").write_text('[project]\nname = "subject"\nversion = "1"\n')
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", ENTRY, "run", "--overhead", OVERHEAD]
    done = subprocess.run(
        [*command, "--python", sys.executable, main],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    if done.returncode:
        raise RecordingError(f"{main}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    with Store.open(project / ".perftrace" / "trace.db") as store:
        yield store
