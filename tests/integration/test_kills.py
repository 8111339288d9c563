"""A few of the kills of `benchmarks/kills.py`, which says what is checked."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_what_was_acknowledged_before_a_kill_is_found_afterwards() -> None:
    command = [sys.executable, str(ROOT / "benchmarks/kills.py"), "--times", "25", "--runs", "4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "journals: 25 kills" in done.stdout
    assert "runs: 4 kills" in done.stdout
