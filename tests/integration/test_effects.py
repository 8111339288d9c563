"""Effects of real programs: recorded, shown, and respected when calls are made again."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"

PROGRAM = """
import os, subprocess, sys, time

def read(path):
    with open(path) as file:
        return file.read()

def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)

def start():
    return subprocess.run([sys.executable, "-c", "pass"], check=True).returncode

def now():
    return time.time() > 0

def tick(n):
    return now() and n

def fork():
    pid = os.fork()
    if pid == 0:
        write("child.txt", "x")
        os._exit(0)
    os.waitpid(pid, 0)
    return 1

def main():
    read("in.txt"), write("out.txt", "x"), start(), tick(1), fork()

if __name__ == "__main__":
    main()
"""


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.chdir(tmp_path / "work")
    Path("in.txt").write_text("hello")
    Path("app.py").write_text(PROGRAM)


def perftrace(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ENTRY, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def document(*arguments: str) -> Any:
    done = perftrace(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def effects(function: str) -> set[tuple[str, str]]:
    calls = document("calls", f"app.py:{function}")["calls"]
    return {(one["kind"], one["detail"]) for call in calls for one in call["effects"]}


def test_effects_are_recorded_and_shown() -> None:
    assert perftrace("run", "--no-sample", "--overhead", "50%", "app.py").returncode == 0
    here = Path.cwd()
    read, write = ("file read", str(here / "in.txt")), ("file written", str(here / "out.txt"))
    assert effects("read") == {read}
    assert ("file written", str(here / "out.txt")) in effects("write")
    assert ("process started", sys.executable) in effects("start")
    assert {kind for kind, _ in effects("main")} >= {"file read", "file written", "process started"}
    assert {read, write} <= effects("main")
    assert effects("tick") == set()
    shown = document("show", "app.py:tick")
    assert [(one["kind"], one["name"]) for one in shown["reads"]] == [("clock", "time.time")]
    assert shown["reads"][0]["by"].endswith(":now")
    assert shown["effects"] == []
    text = perftrace("show", "app.py:write").stdout
    assert f"file written: 2 calls, such as {here}" in text or "file written: 1 call, such" in text


def test_a_forked_childs_effects_are_its_own() -> None:
    perftrace("run", "--no-sample", "--overhead", "50%", "app.py")
    assert ("file written", str(Path.cwd() / "child.txt")) not in effects("main")
    assert ("process started", "") in effects("fork")


def test_unsafe_calls_are_not_made_again_and_the_reason_is_given() -> None:
    perftrace("run", "--no-sample", "--overhead", "50%", "app.py")
    Path("out.txt").unlink()
    rows = {
        row["function"].partition(":")[2]: row for row in document("replay", "--write")["functions"]
    }
    assert rows["read"]["covered"] == "directly"
    assert "would write" in rows["write"]["reason"]
    assert "would start a process" in rows["start"]["reason"]
    assert "as it did when it was recorded" in rows["start"]["reason"]
    assert not Path("out.txt").exists()
    (call,) = document("calls", "app.py:start")["calls"]
    assert "would start a process" in call["unsafe"]


def test_without_effects_none_are_noted_and_that_is_said() -> None:
    done = perftrace("run", "--no-sample", "--overhead", "50%", "--no-effects", "app.py")
    assert "effects (1 --no-effects was given)" in done.stderr
    assert effects("main") == set()
    assert document("show", "app.py:tick")["reads"] == []


def test_secrets_reach_no_file_of_ours() -> None:
    Path("app.py").write_text(
        "import sys\n"
        "def login(name, password):\n    return {'name': name, 'token': 'a1b2c3d4' * 3}\n"
        "def rows(connection):\n    yield connection\n    yield 1\n"
        "login('ann', sys.argv[2])\nlist(rows(f'db://ann:{sys.argv[2]}@host/x'))\n"
    )
    done = perftrace("run", "--no-sample", "--overhead", "50%", "app.py", "--password", "hunter2")
    assert "holds a secret" in done.stderr
    kept = [path for path in Path(".perftrace").rglob("*") if path.is_file()]
    assert kept
    assert not any(b"hunter2" in path.read_bytes() for path in kept)
    (call,) = document("calls", "app.py:login")["calls"]
    assert "holds a secret (password)" in call["arguments"]
    assert "holds a secret (token)" in call["outcome"]


def test_redaction_can_be_switched_off_and_extended() -> None:
    Path("app.py").write_text("def f(iban, password):\n    return 1\nf('DE12', 'hunter2')\n")
    Path("pyproject.toml").write_text("[tool.perftrace]\nredact = false\n")
    perftrace("run", "--no-sample", "--overhead", "50%", "app.py")
    assert "hunter2" in document("calls", "app.py:f")["calls"][0]["arguments"]
    Path("pyproject.toml").write_text("[tool.perftrace]\nredact = ['iban']\n")
    Path("app.py").write_text("def f(iban):\n    return 1\nf('DE12')\n")
    perftrace("run", "--no-sample", "--overhead", "50%", "app.py")
    (call,) = document("calls", "app.py:f")["calls"]
    assert "holds a secret (iban)" in call["arguments"]
