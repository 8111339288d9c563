"""`perftrace sample`: real programs under py-spy, with no recorder inside."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from perftrace.store import Store
from perftrace.tracer import sampler

ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"
SPIN = """
import os, sys, time

def spin(count):
    total = 0
    for number in range(count):
        total += number
    return total

print(sorted(name for name in os.environ if "PERFTRACE" in name), "PYTHONPATH" in os.environ)
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    spin(100_000)
sys.exit(5)
"""

needs_py_spy = pytest.mark.skipif(
    bool(sampler.unavailable()), reason=sampler.unavailable() or "py-spy works"
)


@pytest.fixture(autouse=True)
def _own_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.chdir(tmp_path / "work")
    Path("app.py").write_text(SPIN, encoding="utf-8")


def perftrace(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ENTRY, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def running() -> Iterator[subprocess.Popen[str]]:
    """A program that runs until the test is over, and has begun."""
    program = subprocess.Popen(
        [sys.executable, "app.py", "60"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=sampler.permission(),  # noqa: PLW1509 - no other thread is running
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert program.stdout is not None
    program.stdout.readline()
    yield program
    program.kill()
    program.stdout.close()
    program.wait()


@needs_py_spy
def test_a_program_is_ranked_untouched_and_keeps_its_exit_code() -> None:
    Path("other.py").write_text("print('recorded before')\n")
    assert perftrace("run", "--no-sample", "other.py").returncode == 0
    done = perftrace("sample", "--rate", "250", "app.py", "1")
    assert (done.returncode, done.stdout) == (5, "[] False\n")
    assert "samples in .perftrace" in done.stderr
    assert done.stderr.endswith("perftrace: next: perftrace top\n")
    ranked = json.loads(perftrace("top", "--json").stdout)
    hottest = ranked["functions"][0]
    assert (hottest["function"], hottest["calls"], hottest["recorded"]) == (
        "__main__:spin",
        None,
        0,
    )
    assert ranked["interval_us"] == 4000
    text = perftrace("top").stdout
    assert "No calls were recorded. Next: perftrace run" in text
    with Store.open(Path(".perftrace/trace.db")) as store:
        assert list(store.rows("SELECT * FROM missing WHERE run_id = 2")) == []


@needs_py_spy
def test_children_are_sampled_too() -> None:
    Path("parent.py").write_text(
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, 'app.py', '2'], stdout=subprocess.DEVNULL)\n"
    )
    assert perftrace("sample", "parent.py").returncode == 0
    names = [one["function"] for one in json.loads(perftrace("top", "--json").stdout)["functions"]]
    assert "app:spin" in names


@needs_py_spy
def test_c_code_is_sampled_when_asked_for_and_is_nobodys() -> None:
    # py-spy reads the symbols of all libraries first, which takes seconds on a busy machine.
    assert perftrace("sample", "--native", "app.py", "6").returncode == 5
    [hottest, *_] = json.loads(perftrace("top", "--json").stdout)["functions"]
    assert hottest["function"] == "__main__:spin"
    with Store.open(Path(".perftrace/trace.db")) as store:
        rows = list(store.rows("SELECT file, line, user FROM frame"))
    assert any(".so" in row["file"] or "python" in row["file"] for row in rows if not row["line"])
    assert not any(row["user"] for row in rows if not row["line"])


@needs_py_spy
@pytest.mark.parametrize("command", [("optimize",), ("replay", "--write")])
def test_what_needs_calls_says_that_there_are_none(command: tuple[str, ...]) -> None:
    perftrace("sample", "app.py", "0.5")
    done = perftrace(*command)
    assert (done.returncode, done.stdout) == (3, "")
    assert "holds no recorded calls" in done.stderr
    assert "perftrace run" in done.stderr


@needs_py_spy
def test_a_running_program_is_sampled_and_goes_on(running: subprocess.Popen[str]) -> None:
    done = perftrace("sample", "--pid", str(running.pid), "--duration", "1s", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stderr)["samples"] > 20
    assert running.poll() is None
    ranked = json.loads(perftrace("top", "--json").stdout)
    assert ranked["functions"][0]["function"] == "app:spin"
    assert ranked["command"][:2] == ["--pid", str(running.pid)]
    assert ranked["command"][-2:] == ["app.py", "60"]


@needs_py_spy
def test_an_interrupt_ends_the_sampling_and_keeps_what_was_seen(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", ENTRY, "sample", "--pid", str(running.pid)],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list((tmp_path / "tmp").rglob("py-spy.log")):
        assert parent.poll() is None
        time.sleep(0.01)
    log = next((tmp_path / "tmp").rglob("py-spy.log"))
    while "Sampling" not in log.read_text():
        assert parent.poll() is None
        time.sleep(0.01)
    time.sleep(0.5)  # some samples
    parent.send_signal(signal.SIGINT)
    _, said = parent.communicate(timeout=60)
    assert parent.returncode == 0, said
    assert "samples in" in said
    assert running.poll() is None


@needs_py_spy
def test_what_is_not_python_is_one_clear_line_and_leaves_nothing() -> None:
    other = subprocess.Popen(["sleep", "60"], preexec_fn=sampler.permission())  # noqa: PLW1509
    done = perftrace("sample", "--pid", str(other.pid), "--duration", "5s")
    other.kill()
    other.wait()
    assert (done.returncode, len(done.stderr.splitlines())) == (3, 1)
    assert f"Process {other.pid} was not sampled: py-spy" in done.stderr
    assert not Path(".perftrace/trace.db").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--pid", "999999999"], 2, "There is no process 999999999"),
        (["--pid", "1", "app.py"], 2, "not both"),
        (["--duration", "1s", "app.py"], 2, "--duration is for --pid"),
        (["--rate", "5000", "app.py"], 2, "1<=x<=1000"),
        ([], 2, "Nothing to run"),
    ],
)
@needs_py_spy
def test_wrong_usage_is_one_clear_line(arguments: list[str], code: int, message: str) -> None:
    done = perftrace("sample", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr


def test_without_py_spy_it_says_what_to_do_before_the_program_starts() -> None:
    entry = (
        "import sys; from perftrace.tracer import sampler; sampler._binary = lambda: None\n"
        "from perftrace.cli import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", entry, "sample", "app.py", "1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines() == [
        "perftrace: Cannot sample here: py-spy is not installed: pip install py-spy"
    ]
