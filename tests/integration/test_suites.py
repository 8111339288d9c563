"""Test suites, recorded by `pytest --perftrace` and by `perftrace run`: which test calls what."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from perftrace.store import Store

DATABASE = Path(".perftrace/trace.db")
ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"
SHOP = """
def price(n):
    return rounded(n * 1.19)

def rounded(x):
    return round(x, 2)

def unused():
    return 0
"""
TESTS = """
import pytest
import shop

@pytest.fixture
def total():
    yield shop.price(3)
    shop.unused()

@pytest.mark.parametrize("n", [1, 2])
def test_price(n):
    assert shop.price(n) > 1

class TestRounded:
    def test_it(self):
        assert shop.rounded(1.234) == 1.23

    def test_wrong(self):
        assert shop.rounded(1.234) == 2

def test_fixture(total):
    pass

@pytest.mark.skip(reason="not today")
def test_skipped():
    shop.unused()
"""
FILE = "unit/test_shop.py"
REACHED = {
    f"{FILE}::test_price[1]": {"test_price", "price", "rounded"},
    f"{FILE}::test_price[2]": {"test_price", "price", "rounded"},
    f"{FILE}::TestRounded::test_it": {"TestRounded.test_it", "rounded"},
    f"{FILE}::TestRounded::test_wrong": {"TestRounded.test_wrong", "rounded"},
    f"{FILE}::test_fixture": {"total", "test_fixture", "price", "rounded", "unused"},
    f"{FILE}::test_skipped": set[str](),
}
OUTCOME = "1 failed, 4 passed, 1 skipped"


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tmp", "work", "work/unit"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path / "work")
    # Enough to watch every function in every test, however busy the machine is.
    Path("pyproject.toml").write_text("[tool.perftrace]\noverhead = 1.0\n")
    Path("shop.py").write_text(SHOP)
    Path(FILE).write_text(TESTS)


def python(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


def run_pytest(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return python("-m", "pytest", "-q", "-p", "no:cacheprovider", *words, **environment)


def perftrace(*words: str) -> subprocess.CompletedProcess[str]:
    return python("-c", ENTRY, *words)


def reached(database: Path = DATABASE) -> dict[str, set[str]]:
    """The tests of the last run, each with what started while it ran."""
    found: dict[str, set[str]] = {}
    with Store.open(database) as store:
        run = max(store.runs(), key=lambda run: run.id)
        for row in store.rows(
            "SELECT name, qualname FROM context LEFT JOIN reach ON context_id = context.id"
            " LEFT JOIN function ON function.id = function_id WHERE run_id = ?",
            run.id,
        ):
            found.setdefault(row["name"], set()).update(filter(None, [row["qualname"]]))
    return found


# --- the plugin -------------------------------------------------------------------------


def test_a_session_is_recorded_and_each_test_is_the_context_of_what_it_calls() -> None:
    done = run_pytest("--perftrace", "unit")
    assert done.returncode == 1
    assert OUTCOME in done.stdout
    assert "perftrace: next: perftrace top" in done.stdout
    ours = (
        r"perftrace: recorded for \d+\.\d s; \d+\.\d s more are perftrace's own, before and after"
    )
    assert re.search(ours, done.stdout)
    assert done.stderr == ""
    assert reached() == REACHED
    with Store.open(DATABASE) as store:
        run = store.last_run()
        assert (run.command, run.form, run.exit_code) == (
            ("pytest", "-q", "-p", "no:cacheprovider", "unit"),
            "module",
            1,
        )
        (function,) = [f for f in store.functions().values() if f.qualname == "price"]
        assert list(store.calls(function))
        of_calls = store.rows(
            "SELECT DISTINCT name FROM call JOIN context ON context.id = context_id"
            " WHERE function_id = ?",
            function.id,
        )
        assert {row["name"] for row in of_calls} <= REACHED.keys()
        outside = store.rows(
            "SELECT qualname FROM call JOIN function ON function.id = function_id"
            " WHERE context_id IS NULL"
        )
        assert [row["qualname"] for row in outside] == []
    assert list(Path(os.environ["TMPDIR"]).glob("perftrace-*/*")) == []


def test_the_trace_file_is_named_with_an_equals_sign() -> None:
    assert run_pytest("unit", "--perftrace=other.db").returncode == 1
    assert not DATABASE.exists()
    assert reached(Path("other.db")) == REACHED


def test_the_share_of_cpu_time_is_an_option() -> None:
    assert run_pytest("--perftrace-overhead", "40%", "unit", "--perftrace").returncode == 1
    with Store.open(DATABASE) as store:
        (run,) = store.runs()
    assert run.overhead == 0.4
    assert run.command[-1] == "unit"
    assert not [word for word in run.command if "40%" in word or "perftrace" in word]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--perftrace", "--perftrace-overhead=90%"], "give a share of CPU time up to 50%"),
        (["--perftrace", "--perftrace-overhead=much"], "give a share of CPU time up to 50%"),
        (["--perftrace-overhead=10%"], "goes with --perftrace, which records"),
    ],
)
def test_a_wrong_share_is_refused_before_a_test_runs(words: list[str], said: str) -> None:
    done = run_pytest(*words, "unit")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert said in done.stderr
    assert OUTCOME not in done.stdout
    assert not DATABASE.exists()


def test_that_nothing_will_be_recorded_is_said_before_the_tests_run() -> None:
    done = run_pytest("-v", "--perftrace=pyproject.toml", "unit")
    before, first, _ = done.stdout.partition("test_")
    assert first
    assert "perftrace: Nothing was recorded: " in before


def test_the_recorder_is_in_the_process_of_the_tests_and_leaves_nothing_behind() -> None:
    Path("conftest.py").write_text(
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    tools = [sys.monitoring.get_tool(n) for n in range(6)]\n"
        "    heavy = {'sqlite3', 'msgspec', 'click', 'sqlite_utils', 'ctypes'} & set(sys.modules)\n"
        "    print('LEFT', tools, sorted(heavy))\n"
    )
    plain, recorded = run_pytest("unit"), run_pytest("--perftrace", "unit")
    (left,) = re.findall("LEFT .*", plain.stdout)  # what other plugins load is theirs
    assert f"{[None] * 6}" in left
    assert left in recorded.stdout


def test_workers_of_xdist_write_journals_of_the_same_run() -> None:
    pytest.importorskip("xdist")
    done = run_pytest("--perftrace", "-n", "2", "unit")
    assert OUTCOME in done.stdout
    assert reached() == REACHED
    with Store.open(DATABASE) as store:
        assert len(store.runs()) == 1
        processes = list(store.rows("SELECT pid, parent_pid FROM process"))
    assert len(processes) == 3
    assert len({row["parent_pid"] for row in processes}) == 2


def test_without_the_option_a_session_is_as_without_the_plugin() -> None:
    Path("conftest.py").write_text(
        "import sys\n"
        "def pytest_unconfigure(config):\n"
        "    names = [n for n, _ in config.pluginmanager.list_name_plugin() if 'perftrace' in n]\n"
        "    print('PLUGINS', names, '_perftrace' in sys.modules)\n"
    )
    done = run_pytest("unit")
    assert OUTCOME in done.stdout
    assert "PLUGINS ['perftrace'] False" in done.stdout
    assert "PLUGINS ['perftrace'] False" not in run_pytest("-p", "no:perftrace", "unit").stdout
    assert not Path(".perftrace").exists()


def test_what_goes_wrong_is_one_line_and_the_tests_run_on() -> None:
    Path("pyproject.toml").write_text("[tool.perftrace]\nsurce = []\n")
    done = run_pytest("--perftrace", "unit")
    assert OUTCOME in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("perftrace:")]
    assert "Nothing was recorded" in line
    assert "unknown key surce" in line


def test_the_process_of_the_tests_is_not_said_to_run_on() -> None:
    done = run_pytest("--perftrace", "unit")
    assert "recorded in .perftrace/trace.db" in done.stdout
    assert "was still running" not in done.stdout


@pytest.mark.parametrize("name", ["unit", "unit/conftest.py", "pyproject.toml"])
def test_what_is_no_trace_file_is_not_written_to(name: str) -> None:
    Path("unit/conftest.py").touch()
    before = Path("pyproject.toml").read_bytes()
    done = run_pytest(f"--perftrace={name}", "unit")
    assert OUTCOME in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("perftrace:")]
    assert line.endswith("Name another file with --perftrace=FILE.")
    assert Path("unit/conftest.py").read_bytes() == b""
    assert Path("pyproject.toml").read_bytes() == before


def test_a_trace_file_that_cannot_be_written_is_one_line() -> None:
    Path("taken").write_text("a file")
    done = run_pytest("--perftrace=taken/trace.db", "unit")
    assert done.returncode == 1
    assert OUTCOME in done.stdout
    assert [line for line in done.stdout.splitlines() if "trace.db cannot be made" in line]


def test_warnings_as_errors_do_not_meet_the_plugin() -> None:
    done = run_pytest("--perftrace", "-W", "error", "unit")
    assert OUTCOME in done.stdout
    assert reached() == REACHED


def test_a_session_that_only_collects_records_nothing() -> None:
    assert run_pytest("--perftrace", "--collect-only", "unit").returncode == 0
    assert not DATABASE.exists()


def test_a_test_that_forks_has_the_childs_calls_too() -> None:
    Path("unit/test_fork.py").write_text(
        "import os, shop\n"
        "def test_fork():\n"
        "    pid = os.fork()\n"
        "    if not pid:\n"
        "        shop.unused()\n"
        "        os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
    )
    done = run_pytest("--perftrace", "unit/test_fork.py")
    assert "1 passed" in done.stdout
    with Store.open(DATABASE) as store:
        found = [
            (row["name"], row["qualname"])
            for row in store.rows(
                "SELECT name, qualname FROM call JOIN context ON context.id = context_id"
                " JOIN function ON function.id = function_id"
            )
        ]
    name = "unit/test_fork.py::test_fork"
    assert sorted(found) == [(name, "test_fork"), (name, "unused")]


# --- under perftrace run ----------------------------------------------------------------


@pytest.mark.parametrize("plugin", ["perftrace", "no:perftrace"])
def test_a_suite_under_perftrace_run_has_contexts_with_and_without_the_plugin(plugin: str) -> None:
    words = ("-m", "pytest", "-q", "-p", plugin if ":" in plugin else "no:cacheprovider", "unit")
    done = perftrace("run", "--no-sample", "--overhead", "50%", *words)
    assert OUTCOME in done.stdout
    assert "perftrace" not in done.stdout
    # The framework's own runner is not called for a test that is skipped.
    assert {name: functions for name, functions in reached().items() if functions} == {
        name: functions for name, functions in REACHED.items() if functions
    }


def test_the_option_adds_nothing_under_perftrace_run() -> None:
    done = perftrace(
        "run", "--no-sample", "--overhead", "50%", "-m", "pytest", "-q", "--perftrace", "unit"
    )
    assert OUTCOME in done.stdout
    assert reached() == REACHED
    with Store.open(DATABASE) as store:
        assert len(store.runs()) == 1


def test_unittest_has_contexts_without_any_plugin() -> None:
    Path("test_unit.py").write_text(
        "import unittest, shop\n"
        "class Base(unittest.TestCase):\n"
        "    def setUp(self):\n        shop.rounded(3)\n"
        "class Case(Base):\n"
        "    def test_a(self):\n        shop.price(1)\n"
        "    @unittest.expectedFailure\n"
        "    def test_b(self):\n        self.assertEqual(shop.unused(), 1)\n"
        "class Async(unittest.IsolatedAsyncioTestCase):\n"
        "    async def test_c(self):\n        shop.unused()\n"
    )
    done = perftrace("run", "--no-sample", "--overhead", "50%", "-m", "unittest", "-q", "test_unit")
    assert done.returncode == 0
    assert reached() == {
        "test_unit.Case.test_a": {"Base.setUp", "Case.test_a", "rounded", "price"},
        "test_unit.Case.test_b": {"Base.setUp", "Case.test_b", "rounded", "unused"},
        "test_unit.Async.test_c": {"Async.test_c", "unused"},
    }


# --- perftrace show ---------------------------------------------------------------------


def test_show_lists_the_tests_that_reach_a_function() -> None:
    run_pytest("--perftrace", "unit")
    document: dict[str, Any] = json.loads(perftrace("show", "shop:price", "--json").stdout)
    names = [f"{FILE}::{name}" for name in ("test_fixture", "test_price[1]", "test_price[2]")]
    assert document["tests"] == [{"name": name, "how": "seen"} for name in names]
    assert (document["tests_recorded"], document["tests_partly_watched"]) == (6, 0)
    text = perftrace("show", "shop:price").stdout
    assert "3 of 6 tests were seen to, straight or through others" in text
    assert all(name in text for name in names)
