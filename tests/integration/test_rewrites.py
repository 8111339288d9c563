"""What one project accepted is tried in another: `perftrace optimize` and `perftrace rewrites`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from perftrace import rewrites
from perftrace.rewrites import Rewrite

ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"
PROGRAM = """
def {name}({rows}):
    {seen} = []
    for {row} in {rows}:
        if {row} not in {seen}:
            {seen}.append({row})
    return {seen}


def main():
    for size in range(60, 120):
        {name}([(n * 7919) % 401 for n in range(size * 4)])


main()
"""


def perftrace(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", ENTRY, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ,
    )


def project(folder_name: str, **names: str) -> Path:
    folder = Path(folder_name)
    folder.mkdir()
    (folder / "pyproject.toml").write_text(f'[project]\nname = "{folder_name}"\nversion = "1"\n')
    (folder / "app.py").write_text(PROGRAM.format(**names))
    return folder


@pytest.fixture(name="first")
def _first() -> Path:
    folder = project("first", name="distinct", rows="rows", row="row", seen="seen")
    assert perftrace(folder, "run", "--overhead", "50%", "app.py").returncode == 0
    return folder


def optimized(folder: Path, *words: str) -> dict[str, object]:
    done = perftrace(folder, "optimize", "--json", "--no-whole-program", *words)
    assert done.returncode == 0, done.stderr
    (function,) = json.loads(done.stdout)["functions"]
    assert isinstance(function, dict)
    return function


def test_what_was_accepted_is_listed_exported_and_proposed_elsewhere(first: Path) -> None:
    assert optimized(first, "app.py:distinct")["verdict"] == "accepted"
    (kept,) = rewrites.every(rewrites.file())
    assert kept.function.endswith(":distinct")
    assert kept.low > 1.05
    assert kept.facts["parameters"]["rows"]["types"] == ["list"]

    listed = perftrace(first, "rewrites", "--export", "pairs.jsonl")
    assert kept.function in listed.stdout
    (pair,) = map(json.loads, Path("first/pairs.jsonl").read_text().splitlines())
    assert pair["input"] == kept.slow
    assert pair["target"].endswith(kept.fast)
    assert 0 < pair["improvement_frac"] < 100


SORTING = """
def {name}({xs}):
    {done} = list({xs})
    for end in range(len({done})):
        for {at} in range(len({done}) - 1 - end):
            if {done}[{at}] > {done}[{at} + 1]:
                {done}[{at}], {done}[{at} + 1] = {done}[{at} + 1], {done}[{at}]
    return {done}
"""
SLOW = SORTING.format(name="order", xs="items", done="done", at="at").lstrip()
KEPT = Rewrite(
    function="elsewhere:order",
    engine="anthropic",
    steps=("built-ins",),
    slow=SLOW,
    fast="def order(items):\n    done = list(items)\n    done.sort()\n    return done\n",
    ratio=21.5,
    low=20.0,
    high=23.0,
    python="3.13.0",
    created="2026-11-23T00:00:00+00:00",
)


def test_what_was_accepted_elsewhere_is_proposed_verified_and_measured() -> None:
    rewrites.add(rewrites.file(), [KEPT])
    folder = project("other", name="unique", rows="values", row="value", seen="found")
    program = SORTING.format(name="ranked", xs="points", done="best", at="place")
    calls = "for size in range(20, 60):\n    ranked([(n * 7919) % 101 for n in range(size)])\n"
    (folder / "app.py").write_text(f"{program}\n\n{calls}")
    assert perftrace(folder, "run", "--overhead", "50%", "app.py").returncode == 0
    found = optimized(folder, "app.py:ranked")
    assert found["verdict"] == "accepted"
    assert "+    best.sort()\n" in str(found["diff"])
    assert "elsewhere:order" in str(found["explanation"])
    assert "21.50x [20.00, 23.00]" in str(found["explanation"])


@pytest.mark.parametrize("how", ["option", "setting"])
def test_without_the_memory_nothing_is_kept(first: Path, how: str) -> None:
    if how == "setting":
        with (first / "pyproject.toml").open("a") as file:
            file.write("[tool.perftrace]\nmemory = false\n")
    words = ["--no-memory"] if how == "option" else []
    assert optimized(first, "app.py:distinct", *words)["verdict"] == "accepted"
    assert not rewrites.file().exists()


def test_a_memory_that_cannot_be_read_is_named_with_the_way_out(first: Path) -> None:
    rewrites.file().parent.mkdir(parents=True)
    rewrites.file().write_bytes(b"something else" * 100)
    done = perftrace(first, "optimize", "app.py:distinct")
    assert done.returncode == 3
    assert "--no-memory" in done.stderr
    assert perftrace(first, "rewrites").returncode == 3
    assert perftrace(first, "optimize", "--dry-run", "--no-memory").returncode == 0


def test_an_empty_memory_is_no_fault(first: Path) -> None:
    done = perftrace(first, "rewrites", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["rewrites"] == []
    nowhere = perftrace(first, "rewrites", "--export", "no/such/folder.jsonl")
    assert nowhere.returncode == 2
    assert "cannot be written" in nowhere.stderr
