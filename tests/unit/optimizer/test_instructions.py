"""Instructions of the recorded command, counted by Valgrind: the real one, and a stand-in."""

import sys
from pathlib import Path

import pytest
from running import recorded

from perftrace.model import Run
from perftrace.optimizer import instructions, whole_program
from perftrace.optimizer.instructions import Counted, NotCounted

PROGRAM = "print(sum(range({n})) > 0)\n"
HEAVY, LIGHT = PROGRAM.format(n=30_000), PROGRAM.format(n=10)

# It runs the program after its own options, as Valgrind does.
STAND_IN = """#!{python}
import subprocess, sys
options = [word for word in sys.argv[1:] if word.startswith("--")][:3]
assert options[:2] == ["--quiet", "--tool=callgrind"], options
name, _, file = options[2].partition("=")
assert name == "--callgrind-out-file"
code = subprocess.call(sys.argv[4:])
{then}
sys.exit(code)
"""
COUNTED = "open(file, 'w').write('version: 1\\nevents: Ir\\n\\nfn=(1) f\\n1 7\\ntotals: 1200\\n')"


@pytest.fixture
def app(tmp_path: Path) -> str:
    path = tmp_path / "app.py"
    path.write_text(HEAVY)
    return str(path)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return recorded(tmp_path, "app.py")


def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "valgrind"
    script.write_text(STAND_IN.format(python=sys.executable, then=then))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.skipif(instructions.tool() is None, reason="Valgrind is not installed")
def test_fewer_steps_are_fewer_instructions_each_time(run: Run, app: str) -> None:
    found = [whole_program.count(run, {app: HEAVY}, {app: LIGHT}) for _ in range(2)]
    first, second = found
    assert isinstance(first, Counted)
    assert isinstance(second, Counted)
    assert first.old - first.new > 30_000
    assert first.ratio == pytest.approx(second.ratio, rel=1e-3)


def test_both_texts_are_run_and_counted(
    run: Run, app: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, COUNTED)
    assert whole_program.count(run, {app: LIGHT}, {app: LIGHT}) == Counted(1200, 1200)


@pytest.mark.parametrize("then", ["", "open(file, 'w').write('totals: 0')"])
def test_a_file_without_a_count_is_a_reason(
    run: Run, app: str, then: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, then)
    found = whole_program.count(run, {app: LIGHT}, {app: LIGHT})
    assert found == NotCounted("callgrind wrote no count: the program ends before it can")


def test_a_program_that_fails_is_a_reason(
    run: Run, app: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, COUNTED)
    found = whole_program.count(run, {app: "raise SystemExit(3)"}, {app: LIGHT})
    assert found == NotCounted("the program ended with code 3 this time, 0 when it was recorded")


def test_without_valgrind_it_says_so(
    run: Run, app: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = whole_program.count(run, {app: LIGHT}, {app: LIGHT})
    assert found == NotCounted("Valgrind is not installed")
