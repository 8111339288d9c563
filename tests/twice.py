"""For the tests of the recorder: a program run twice, under plain Python and recorded."""

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perftrace.cli import main
from perftrace.store import Store

ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"
SPEAKS = "perftrace: "
PYTHON = "python"  # in a command: the interpreter that runs the tests
TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Program:
    """A program, how it is started, and what its trace must hold."""

    text: str
    words: tuple[str, ...] = ("app.py",)  # what follows perftrace's own options
    options: tuple[str, ...] = ()  # perftrace's own
    files: Mapping[str, str] = field(default_factory=dict)
    stdin: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    sampled: bool = False
    calls: int = 1  # recorded at least; 0: it has no functions, or the recorder could not start
    missing: str = ""  # a reason that the trace must give
    said: str = ""  # instead of a trace: what the recorder says of having none


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a run shows."""

    code: int  # as a shell reports it
    stdout: str
    stderr: str
    files: tuple[tuple[str, int, bytes], ...]  # path, mode, contents


def run_twice(program: Program | str, tmp_path: Path) -> Path:
    """Run it plain and recorded, in turn in the same folder: both must show the same.

    Returns the trace file, after having read it. A program that is over in a moment may have no
    calls within the default share, on a slow machine: it is then recorded again, with more.
    """
    program = Program(program) if isinstance(program, str) else program
    trace = tmp_path / "trace.db"
    plain = outcome(program, _plain(program), tmp_path)
    check_same(program, plain, trace, tmp_path)
    if not program.said and recorded_calls(trace) < program.calls:
        trace.unlink()
        program = dataclasses.replace(program, options=(*program.options, "--overhead", "50%"))
        check_same(program, plain, trace, tmp_path)
    if not program.said:
        check_trace(program, trace)
        assert not list((tmp_path / "tmp").glob("perftrace-*/*"))
    return trace


def check_same(program: Program, plain: Outcome, trace: Path, tmp_path: Path) -> None:
    """Record it: it shows what the plain run showed."""
    traced = outcome(program, _recorded(program, trace), tmp_path)
    stderr, said = split(traced.stderr)
    traced = dataclasses.replace(traced, stderr=stderr)
    assert traced == plain, difference(plain, traced)
    assert said, "perftrace has nothing to say"
    assert not any("stopped itself" in line for line in said), said
    if program.said:
        assert program.said in said[0]


def difference(plain: Outcome, traced: Outcome) -> str:
    """Both, where they differ, and all of stderr."""
    pairs = zip(dataclasses.astuple(plain), dataclasses.astuple(traced), strict=True)
    found = [f"plain {one!r}\nrecorded {other!r}" for one, other in pairs if one != other]
    return "\n".join([*found, traced.stderr])


def outcome(program: Program, command: Sequence[str], tmp_path: Path) -> Outcome:
    """Run it in a folder that is new and always has the same name."""
    folder = tmp_path / "work"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(tmp_path / "tmp", ignore_errors=True)
    folder.mkdir()
    (tmp_path / "tmp").mkdir()
    for name, text in {"app.py": program.text, **program.files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", errors="surrogateescape")
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp"), **program.environment},
        input=program.stdin.encode(),
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    stdout, stderr = (
        text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr)
    )
    return Outcome(code, stdout, stderr, tuple(_files(folder)))


def check_trace(program: Program, trace: Path) -> None:
    """The trace is readable and holds what it should."""
    assert main(["top", "--json", "-d", str(trace)]) == 0
    with Store.open(trace) as store:
        reasons = [reason for _, reason, _ in store.missing(store.runs()[-1])]
    assert recorded_calls(trace) >= program.calls, reasons
    assert not program.missing or any(program.missing in reason for reason in reasons), reasons
    assert not any("damaged" in reason for reason in reasons), reasons


def recorded_calls(trace: Path) -> int:
    """Of the last run, in all of its processes."""
    sql = (
        "SELECT count(*) AS calls FROM call JOIN process ON process.id = process_id"
        " WHERE run_id = ?"
    )
    with Store.open(trace) as store:
        (row,) = store.rows(sql, store.runs()[-1].id)
    return int(row["calls"])


def split(text: str) -> tuple[str, list[str]]:
    """The program's own text and perftrace's last lines."""
    at = text.find(SPEAKS)  # not always at the start of a line: the program may end within one
    return (text[:at], text[at:].splitlines()) if at >= 0 else (text, [])


def _plain(program: Program) -> list[str]:
    words = program.words
    return _here(words[1:]) if words[0] == "--" else [sys.executable, *words]


def _recorded(program: Program, trace: Path) -> list[str]:
    options = [*program.options, "-o", str(trace), "--python", sys.executable]
    sample = [] if program.sampled else ["--no-sample"]
    return [sys.executable, "-c", ENTRY, "run", *sample, *options, *_here(program.words)]


def _here(words: Sequence[str]) -> list[str]:
    return [sys.executable if word == PYTHON else word for word in words]


def _files(folder: Path) -> list[tuple[str, int, bytes]]:
    found = []
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name.startswith(".perftrace"):
            continue
        compiled = path.suffix == ".pyc"  # it holds its source's time
        text = path.read_bytes() if path.is_file() and not compiled else b""
        found.append((name, path.lstat().st_mode, text))
    return found
