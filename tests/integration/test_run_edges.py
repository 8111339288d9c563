"""`perftrace run` at the edges: shutdown, failed starts, a module's own options."""

import subprocess
import sys
from pathlib import Path

import pytest

from perftrace.store import Store

ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"
TRACE = Path(".perftrace/trace.db")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.chdir(tmp_path / "work")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ENTRY, "run", "--no-sample", "--overhead", "50%", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_call_at_shutdown_does_not_spoil_what_is_known_of_the_process() -> None:
    Path("util.py").write_text(
        "class Held:\n    def __del__(self): pass\n\nheld = Held()\n\ndef f():\n    return 1\n"
    )
    Path("app.py").write_text("import util\nutil.f()\n")
    assert run("app.py").returncode == 0
    with Store.open(TRACE) as store:
        process = store.process(1)
        assert process.main_file == str(Path("app.py").absolute())
        assert str(Path.cwd()) in process.path
        assert "Held.__del__" not in {one.qualname for one in store.functions().values()}


def test_a_failed_start_does_not_hide_the_run_before_it() -> None:
    Path("app.py").write_text("def f():\n    return 1\n\nf()\n")
    assert run("app.py").returncode == 0
    assert run("-m", "no_such_module").returncode == 1
    with Store.open(TRACE) as store:
        assert len(store.runs()) == 2
        assert store.last_run().command == ("app.py",)


def test_what_follows_a_module_is_the_modules_own() -> None:
    Path("app.py").write_text("import sys\nprint(sys.argv[1:])\n")
    done = run("-m", "app", "--json", "-o", "x")
    assert done.stdout == "['--json', '-o', 'x']\n"
    assert TRACE.exists()


LARGE = "def f(data):\n    return len(data)\n\n\nf(b'x' * 20_000)\n"


@pytest.mark.parametrize("way", ["option", "setting"])
def test_a_larger_value_is_recorded_where_that_is_asked_for(way: str) -> None:
    Path("pyproject.toml").write_text("")
    Path("app.py").write_text(LARGE)
    advice = "larger than 8 KB, perftrace run --value-size 64KB allows more"
    assert advice in run("app.py").stderr
    TRACE.unlink()
    options = ["--value-size", "64KB"] if way == "option" else []
    if way == "setting":
        Path("pyproject.toml").write_text("[tool.perftrace]\nvalue-size = '64KB'\n")
    assert "larger than" not in run(*options, "app.py").stderr
    with Store.open(TRACE) as store:
        [missing] = [row["missing"] for row in store.rows("SELECT missing FROM call")]
    assert missing is None


@pytest.mark.parametrize("size", ["64", "0KB", "17MB", "many"])
def test_what_is_no_size_is_wrong_usage(size: str) -> None:
    Path("app.py").write_text(LARGE)
    done = run("--value-size", size, "app.py")
    assert done.returncode == 2
    assert "--value-size" in done.stderr
