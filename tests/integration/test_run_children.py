"""`perftrace run --subprocesses`: child processes are recorded, and the program notices nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from perftrace.store import Store

ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"
TRACE = Path(".perftrace/trace.db")
CHILD = """
import os, sys

def work(n):
    return n * 2

ours = [name for name in os.environ if "PERFTRACE" in name]
print(work(int(sys.argv[1])), ours, os.environ.get("PYTHONPATH"), flush=True)
"""
# How a program may start another, each with a number that tells it apart.
WAYS = {
    "subprocess": "subprocess.run([python, 'child.py', n])",
    "an environment": "subprocess.run([python, 'child.py', n], env={**os.environ, 'X': '1'})",
    "an empty environment": "subprocess.run([python, 'child.py', n], env={})",
    "a path": "subprocess.run([python, 'child.py', n], env={'PYTHONPATH': '/foo'})",
    "a changed path": (
        "os.environ['PYTHONPATH'] = '/foo'; subprocess.run([python, 'child.py', n]);"
        " del os.environ['PYTHONPATH']"
    ),
    "no closing": "subprocess.run([python, 'child.py', n], close_fds=False)",
    "a session": "subprocess.run([python, 'child.py', n], start_new_session=True)",
    "a shell": "subprocess.run(f'{python} child.py {n}', shell=True)",
    "os.system": "os.system(f'{python} child.py {n}')",
    "posix_spawn": "os.waitpid(os.posix_spawn(python, [python, 'child.py', n], os.environ), 0)",
    "a grandchild": (
        "subprocess.run([python, '-c',"
        " f'import os; os.execv({python!r}, [{python!r}, \"child.py\", {n!r}])'])"
    ),
    "execve": "os.execve(python, [python, 'child.py', n], {**os.environ})",
    "execvp": "os.execvp(python, [python, 'child.py', n])",
}


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.chdir(tmp_path / "work")
    Path("child.py").write_text(CHILD)


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=120, check=False
    )


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return python("-c", ENTRY, "run", "--no-sample", "--overhead", "50%", *words)


def recorded(qualname: str) -> int:
    """How many calls of a function are in the last run."""
    with Store.open(TRACE) as store:
        found = [f for f in store.functions().values() if f.qualname == qualname]
        return sum(len(list(store.calls(f, run=store.last_run()))) for f in found)


@pytest.mark.parametrize("way", WAYS)
def test_a_child_is_recorded_and_the_program_is_as_under_plain_python(way: str) -> None:
    Path("app.py").write_text(
        "import os, subprocess, sys\npython, n = sys.executable, '21'\n"
        "def main():\n    print(dict(os.environ), os.environb.get(b'PYTHONPATH'), flush=True)\n"
        f"    {WAYS[way]}\nmain()\n"
    )
    plain = python("app.py")
    assert "42 [] " in plain.stdout
    without = run("app.py")
    assert recorded("work") == 0
    done = run("--subprocesses", "app.py")
    for each in (without, done):
        assert (each.returncode, each.stdout) == (plain.returncode, plain.stdout)
    assert recorded("work") == 1
    assert recorded("main") == 1
    assert "child processes were not traced" not in done.stderr


POOL = """
import multiprocessing, os, sys

def double(n):
    return n * 2

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    with multiprocessing.Pool(2) as pool:
        print(pool.map(double, range(20)))
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_the_processes_of_a_pool_are_recorded_and_their_calls_can_be_replayed(method: str) -> None:
    Path("app.py").write_text(POOL)
    done = run("--subprocesses", "app.py", method)
    assert done.stdout == f"{[2 * n for n in range(20)]}\n", done.stderr
    assert recorded("double") > 0
    written = python("-c", ENTRY, "replay", "--write", "double", "--json")
    assert written.returncode == 0, written.stderr
    [row] = json.loads(written.stdout)["functions"]
    assert row["tests"], row


def test_the_users_own_path_reaches_program_and_child(tmp_path: Path) -> None:
    Path("app.py").write_text(
        "import os, subprocess, sys\nprint(os.environ['PYTHONPATH'], flush=True)\n"
        "subprocess.run([sys.executable, 'child.py', '1'])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", ENTRY, "run", "--no-sample", "--subprocesses", "app.py"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=environment
    )
    assert done.stdout == f"{tmp_path}\n2 [] {tmp_path}\n"


def test_a_program_whose_environment_is_wrong_gets_pythons_own_error() -> None:
    Path("app.py").write_text(
        "import os, subprocess, sys\n"
        "for wrong in ({'A=B': '1'}, {'A': 1}, {'A': 'x\\0y'}, 7):\n"
        "    for start in (lambda e: subprocess.run([sys.executable, '-V'], env=e),\n"
        "                  lambda e: os.execve(sys.executable, ['-V'], e)):\n"
        "        try:\n            start(wrong)\n"
        "        except Exception as error:\n            print(type(error).__name__, error)\n"
    )
    plain, done = python("app.py"), run("--subprocesses", "app.py")
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout)


def test_a_sub_interpreter_is_left_alone() -> None:
    Path("app.py").write_text(
        "import os, sys\n"
        "name = '_interpreters' if sys.version_info >= (3, 13) else '_xxsubinterpreters'\n"
        "interpreters = __import__(name)\n"
        "new = sys.version_info >= (3, 13)\n"
        "one = interpreters.create('legacy') if new else interpreters.create(isolated=False)\n"
        "interpreters.run_string(one, 'import os; print([n for n in os.environ"
        ' if "PERFTRACE" in n], "PYTHONPATH" in os.environ, flush=True)\')\n'
        "interpreters.destroy(one)\nprint('end')\n"
    )
    done = run("--subprocesses", "app.py")
    assert (done.returncode, done.stdout) == (0, "[] False\nend\n"), done.stderr


def test_a_child_that_outlives_the_program_is_waited_for() -> None:
    Path("late.py").write_text(
        "import sys\nprint('started', flush=True)\nsys.stdin.read()\ndef late():\n    return 1\n"
        "late()\nopen('done', 'w').close()\n"
    )
    Path("app.py").write_text(
        "import subprocess, sys\npipe = subprocess.PIPE\n"
        "child = subprocess.Popen([sys.executable, 'late.py'], stdin=pipe, stdout=pipe)\n"
        "child.stdout.readline()\n"  # its recorder is known to be there
        "import os; os._exit(0)\n"
    )
    done = run("--subprocesses", "app.py")
    assert Path("done").exists()
    assert recorded("late") == 1
    assert "still running" not in done.stderr


def test_a_child_that_goes_on_for_ever_is_told_about() -> None:
    Path("stay.py").write_text(
        "import os, time\ndef early():\n    return 1\nearly()\n"
        "open('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)\n"
    )
    Path("app.py").write_text(
        "import os, subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, 'stay.py'], stdout=subprocess.DEVNULL,\n"
        "                 stderr=subprocess.DEVNULL)\n"
        "while not os.path.exists('pid') or not open('pid').read():\n    time.sleep(0.01)\n"
        "os._exit(0)\n"
    )
    patient = ENTRY.replace("import main", "import main; from perftrace.tracer import record")
    patient = patient.replace("; sys.exit", "; record.CHILDREN_S = 0.1; sys.exit")
    began = time.monotonic()
    done = python("-c", patient, "run", "--no-sample", "--subprocesses", "app.py")
    assert time.monotonic() - began < 50
    os.kill(int(Path("pid").read_text()), signal.SIGKILL)
    assert "1 was still running when the recording ended" in done.stderr
    assert recorded("early") == 1
