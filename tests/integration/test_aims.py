"""Which functions `perftrace optimize` looks at: of files, changed since a revision, all."""

import subprocess
import sys
from pathlib import Path

import pytest

ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"
APP = """
import till


def count(words):
    found = []
    for word in words:
        if word not in found:
            found.append(word)
    return len(found)


for size in range(100, 160):
    count([n % 97 for n in range(size * 6)])
    till.total([n for n in range(size * 60)])
"""
TILL = """
def total(numbers):
    amount = 0
    for number in numbers:
        amount += number
    return amount
"""


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)


def perftrace(*words: str) -> "subprocess.CompletedProcess[str]":
    return run(sys.executable, "-c", ENTRY, *words)


def git(*words: str) -> None:
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    done = run("git", *identity, *words)
    assert done.returncode == 0, done.stderr


@pytest.fixture(autouse=True)
def _project() -> None:
    Path("pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    Path("app.py").write_text(APP)
    Path("till.py").write_text(TILL)
    Path(".gitignore").write_text(".perftrace\n__pycache__\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")


def record() -> None:
    done = perftrace("run", "--overhead", "50%", "--no-sample", "app.py")
    assert done.returncode == 0, done.stderr


def tried(*words: str) -> set[str]:
    """The functions that a dry run names."""
    done = perftrace("optimize", "--dry-run", *words)
    assert done.returncode == 0, done.stderr
    return {name for name in ("main__:count", "till:total") if name in done.stdout}


def test_the_functions_of_a_file() -> None:
    record()
    assert tried() == {"main__:count", "till:total"}
    assert tried("--file", "till.py") == {"till:total"}
    assert tried("--file", "till.py", "--file", str(Path("app.py").absolute())) == {
        "main__:count",
        "till:total",
    }
    assert tried("--top", "1") != tried("--top", "1", "--all") == {"main__:count", "till:total"}


def test_the_functions_changed_since_a_revision() -> None:
    record()
    unchanged = perftrace("optimize", "--diff", "HEAD")
    assert unchanged.returncode == 0
    assert "has changed since HEAD" in unchanged.stdout
    Path("till.py").write_text(TILL.replace("amount = 0", "amount = +0"))
    record()
    assert tried("--diff", "HEAD") == {"till:total"}
    assert tried("--diff", "HEAD", "--file", "till.py") == {"till:total"}
    none = perftrace("optimize", "--diff", "HEAD", "--file", "app.py")
    assert "No function of app.py in this trace has changed since HEAD" in none.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["count", "--all"], "give one"),
        (["count", "--diff", "HEAD"], "give one"),
        (["--file", "nothing.py"], "Nothing of nothing.py is in this trace"),
        (["--diff", "no-such-revision"], "no-such-revision"),
        (["--risk", "T9"], "T9"),
    ],
)
def test_wrong_words_are_usage_errors(words: list[str], said: str) -> None:
    record()
    done = perftrace("optimize", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_lower_risk_leaves_rules_out() -> None:
    Path("app.py").write_text(
        "def add(rows, i):\n    total = 0\n    for j in range(len(rows)):\n"
        "        total += rows[i][j]\n    return total\n\n\n"
        "rows = [[i * j for j in range(60)] for i in range(60)]\n"
        "for turn in range(400):\n    add(rows, turn % 60)\n"
    )
    record()
    assert "row-hoist" in perftrace("optimize", "--dry-run", "app.py:add").stdout
    assert "row-hoist" not in perftrace("optimize", "--dry-run", "--risk", "T1", "add").stdout
