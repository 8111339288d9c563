"""A file of replay tests that gets full: tests that fail when they are tried leave no gap."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

NUMBERS = range(9)
SIZE = 3800  # characters of an argument: 17 such tests are a full file
ODD = '''
def odd_{n}(text):
    """Takes time, so that it comes first, and is not the same where pytest is."""
    return (text * 9000).count("x"), "pytest" in sys.modules
'''
EVEN = """
def even_{n}(text):
    return text[{n}:{n} + 9]
"""
MAIN = """
import plain

for name in sorted(vars(plain)):
    if name.startswith(("odd", "even")):
        vars(plain)[name](name[-1] * %d)
"""


def perftrace(*arguments: str) -> None:
    code = "import sys; from perftrace.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={key: value for key, value in os.environ.items() if key != "CI"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_others_take_the_room_and_a_second_write_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".git").mkdir()
    texts = [ODD.format(n=n) for n in NUMBERS] + [EVEN.format(n=n) for n in NUMBERS]
    Path("plain.py").write_text("import sys\n" + "".join(texts))
    Path("demo.py").write_text(MAIN % SIZE)
    perftrace("run", "--overhead", "50%", "--python", sys.executable, "demo.py")
    perftrace("replay", "--write")
    suite = Path("tests/replay/test_replay_plain.py")
    first = suite.read_text()
    assert sorted(re.findall(r"def test_([a-z]+_\d+)_", first)) == sorted(
        f"even_{n}" for n in NUMBERS
    )
    assert "does not pass each time" in first
    perftrace("replay", "--write")
    assert suite.read_text() == first
