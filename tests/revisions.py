"""A small project with a git repository, recorded for real, to compare revisions of."""

import os
import subprocess
import sys
from pathlib import Path

PRICES = '''"""Prices."""

RATES = {1: 5, 2: 7}
SEEN = {"n": 0}


class Basket:
    unit = 3

    def weight(self, n):
        return n * self.unit


def total(rows):
    result = 0
    for name, value in rows:
        if name in [other for other, _ in rows[:30]]:
            result = result + value
    return result


def fee(n):
    return n // 10 + 1


def rate(n):
    return RATES.get(n % 3, 9)


def gone(n):
    return n + 1


def old_name(n):
    return n * 7 - 3


def moved(n):
    return n * 11 + 5


def sig(a, b):
    return a * b


def steady(n):
    return n - 1
'''
APP = '''"""A shop."""

import prices
from prices import moved


def use(n):
    found = [prices.fee(n), prices.rate(n), prices.gone(n), prices.old_name(n), moved(n)]
    return [*found, prices.sig(n, 2), prices.Basket().weight(n), prices.steady(n)]


if __name__ == "__main__":
    rows = [(f"a{n}", n) for n in range(200)]
    for n in range(12):
        print(prices.total(rows[: n * 15]), use(n))
'''
SLOW = PRICES.partition("def total(rows):")[2].partition("def fee")[0]
FAST = """
    first = {name for name, _ in rows[:30]}
    return sum(value for name, value in rows if name in first)


"""
GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]


class Project:
    """A folder under git with a trace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            [*GIT, *arguments], cwd=self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout

    def edit(self, name: str, *changes: tuple[str, str]) -> None:
        path = self.folder / name
        text = path.read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        path.write_text(text)


def record(folder: Path, config: Path) -> Project:
    """Make it in a folder and record it; config: where the user's key lies."""
    (folder / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    (folder / ".gitignore").write_text(".perftrace/\n__pycache__/\n")
    (folder / "prices.py").write_text(PRICES)
    (folder / "app.py").write_text(APP)
    project = Project(folder)
    project.git("init", "-q")
    project.git("add", "-A")
    project.git("commit", "-qm", "one")
    code = "import sys; from perftrace.cli import main; sys.exit(main())"
    subprocess.run(
        [*(sys.executable, "-c", code, "run", "--overhead", "50%"), "app.py"],
        cwd=folder,
        env={**os.environ, "XDG_CONFIG_HOME": str(config)},
        capture_output=True,
        timeout=120,
        check=True,
    )
    return project
