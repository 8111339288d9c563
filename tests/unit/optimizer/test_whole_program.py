"""The recorded command is run again, old against new."""

import sys
from pathlib import Path

import pytest
from running import recorded

from perftrace.model import Run
from perftrace.optimizer import whole_program
from perftrace.optimizer.whole_program import Compared, NotCompared, OutputChanged

PROGRAM = "import sys\n\n\ndef work():\n    return sum(range({n}))\n\n\nprint(work() > 0)\n"
HEAVY, LIGHT = PROGRAM.format(n=3_000_000), PROGRAM.format(n=10)


@pytest.fixture
def app(tmp_path: Path) -> str:
    path = tmp_path / "app.py"
    path.write_text(HEAVY)
    return str(path)


def compare(run: Run, app: str, new: str, old: str = HEAVY) -> whole_program.Comparison:
    return whole_program.compare(run, {app: old}, {app: new}, 60.0)


@pytest.mark.parametrize(
    ("form", "command"), [("script", ["app.py"]), ("module", ["app"])], ids=["script", "module"]
)
def test_a_faster_program_with_the_same_output_has_figures(
    tmp_path: Path, app: str, form: str, command: list[str]
) -> None:
    found = compare(recorded(tmp_path, *command, form=form), app, LIGHT)
    assert isinstance(found, Compared)
    assert found.cpu.ratio > 1
    assert found.cpu.low <= found.cpu.ratio <= found.cpu.high
    assert found.pairs >= 3
    assert found.steady


def test_a_command_is_run_with_its_imports_overlaid(tmp_path: Path, app: str) -> None:
    main = "import app"
    run = recorded(tmp_path, sys.executable, "-c", main, form="command")
    found = compare(run, app, LIGHT.replace("> 0", "< 0"))
    assert found == OutputChanged(1, "'True'", "'False'")


def test_other_output_is_told_by_its_first_line(tmp_path: Path, app: str) -> None:
    old = "print(1)\nprint(2)\n"
    run = recorded(tmp_path, "app.py")
    assert compare(run, app, "print(1)\nprint(3)\n", old) == OutputChanged(2, "'2'", "'3'")
    assert compare(run, app, "print(1)\n", old) == OutputChanged(2, "'2'", "no such line")


def test_output_that_varies_by_itself_is_not_compared(tmp_path: Path, app: str) -> None:
    varying = "import time\nprint(time.time_ns())\n"
    found = compare(recorded(tmp_path, "app.py"), app, varying, varying)
    assert isinstance(found, Compared)
    assert not found.steady


def test_output_that_varies_with_the_hash_seed_is_compared_under_one(
    tmp_path: Path, app: str
) -> None:
    hashing = "print(hash('a'))\n"
    found = compare(recorded(tmp_path, "app.py"), app, hashing, hashing)
    assert isinstance(found, Compared)
    assert found.steady


def test_the_arguments_are_those_recorded_and_stdin_is_empty(tmp_path: Path, app: str) -> None:
    source = "import sys\nprint(sys.argv[1:], repr(sys.stdin.read()))\nsys.exit(len(sys.argv))\n"
    run = recorded(tmp_path, "app.py", "one", "two", exit_code=3)
    other = source.replace("sys.argv[1:]", "['one', 'two']").replace(
        "repr(sys.stdin.read())", "\"''\""
    )
    assert isinstance(compare(run, app, other, source), Compared)


def test_another_exit_code_than_recorded_is_a_reason(tmp_path: Path, app: str) -> None:
    failing = "import sys\nsys.exit('no input')\n"
    found = compare(recorded(tmp_path, "app.py"), app, HEAVY, failing)
    assert found == NotCompared(
        "the program ended with code 1 this time, 0 when it was recorded (no input)"
    )


def test_a_program_that_takes_too_long_is_not_run_again_and_again(tmp_path: Path, app: str) -> None:
    found = whole_program.compare(recorded(tmp_path, "app.py"), {app: LIGHT}, {app: LIGHT}, 0.001)
    assert isinstance(found, NotCompared)
    assert found.reason.startswith("running it often enough takes")


def test_a_program_that_hangs_this_time_is_ended(
    tmp_path: Path, app: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_program, "SPARE_S", 0.0)
    hanging = "import threading\nthreading.Event().wait()\n"
    found = compare(recorded(tmp_path, "app.py", wall_s=0.05), app, HEAVY, hanging)
    assert found == NotCompared("the program took longer than 0 s this time")


def test_an_interpreter_that_is_gone_is_a_reason(tmp_path: Path, app: str) -> None:
    run = recorded(tmp_path, "app.py", python=tmp_path / "gone")
    found = compare(run, app, LIGHT)
    assert isinstance(found, NotCompared)
    assert found.reason.startswith("the program can't be started again")


def test_the_files_themselves_stay_as_they_are(tmp_path: Path, app: str) -> None:
    compare(recorded(tmp_path, "app.py"), app, LIGHT)
    assert Path(app).read_text() == HEAVY
    assert [path.name for path in tmp_path.iterdir()] == ["app.py"]
