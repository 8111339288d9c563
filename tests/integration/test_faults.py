"""A few of the faults of `benchmarks/faults.py`, which says what is checked."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("more", [[], ["--timing"]], ids=["sampled", "timed"])
def test_an_exception_in_the_recorder_is_not_the_programs_concern(more: list[str]) -> None:
    command = [sys.executable, str(ROOT / "benchmarks/faults.py"), "--sample", "12", *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 faults on " in done.stdout
    assert done.stdout.endswith(" 0 with problems\n")
