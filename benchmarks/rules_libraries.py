"""Functions of real libraries for `rules.py`: how many do the rules alone make faster?

Each library (of `suites.py`, installed as `compatibility.py` does) is recorded under its own tests;
its hottest functions with recorded calls count, one row each. What is accepted is applied to the
installed package, and its own tests have to pass as before. Then the package is put back.
"""

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compatibility import ENTRY, Bench, _environment, _ok, set_up
from suites import ALSO, SUITES

LIBRARIES = (
    *("sqlparse", "tomlkit", "packaging", "textdistance"),
    *("cssselect", "humanize", "tabulate", "jsonpatch"),
)
TOP = 20  # functions of a library
TIMEOUT_S = 1800
NAME = "libraries"


def rows(folder: Path, python: str, library: str) -> Iterator[dict[str, Any]]:
    """A row for each of the library's hottest functions that has calls."""
    suite = next(one for one in (*SUITES, *ALSO) if one.name == library)
    bench = set_up(folder, suite, python)
    shutil.rmtree(bench.tests / ".perftrace", ignore_errors=True)
    options = ("--python", bench.python, "--include", suite.package, "--overhead", "30%")
    perftrace(bench, "run", *options, "--", *tests(bench))
    began, wall = cpu(), time.monotonic()
    found = perftrace(
        bench, "optimize", "--top", TOP, "--no-whole-program", "--no-memory", "--json"
    )
    if not found.stdout:
        raise SystemExit(f"{library}: {found.stderr[-2000:]}")
    functions = [
        one for one in json.loads(found.stdout)["functions"] if "no call" not in one["reason"]
    ]
    cost = {
        "cpu_s": (cpu() - began) / max(1, len(functions)),
        "wall_s": (time.monotonic() - wall) / max(1, len(functions)),
    }
    accepted = [one for one in functions if one["verdict"] == "accepted"]
    passed = applied(bench) if accepted else "pass"
    for one in functions:
        yield {
            "set": NAME,
            "name": f"{library} {suite.version} {one['function']}",
            "speedup": 1.0,
            "why": one["reason"][:300],
            "candidates": one["tried"],
            **cost,
            **(taken(one, passed) if one in accepted else {}),
        }


def taken(one: dict[str, Any], passed: str) -> dict[str, Any]:
    """What an accepted change adds to the row."""
    body = [line for line in one["diff"].splitlines() if not line.startswith(("+++", "---"))]
    return {
        "speedup": one["speedup"],
        "low": one["low"],
        "steps": one["steps"],
        "lines": max(sum(line.startswith(sign) for line in body) for sign in "+-"),
        "tests": passed,
        "held": {"wrong": 0},
    }


def applied(bench: Bench) -> str:
    """Whether the library's own tests say the same with all changes in place."""
    code = f"import {bench.suite.package} as it; print(it.__file__)"
    package = Path(_ok([bench.python, "-c", code]).strip()).parent
    kept = package.with_name(f"{package.name}.before")
    shutil.copytree(package, kept)
    try:
        before = ended(bench)
        done = perftrace(bench, "apply")
        after = ended(bench)
    finally:
        shutil.rmtree(package)
        kept.rename(package)
    return "pass" if done.returncode == 0 and before == after else "fail"


def ended(bench: Bench) -> str:
    """The last line of the tests, without the time they took."""
    done = started([str(word) for word in tests(bench)], bench)
    return done.stdout.strip().rpartition("\n")[2].partition(" in ")[0]


def tests(bench: Bench) -> list[object]:
    """How its own tests are run."""
    left_out = [f"--deselect={test}" for test, _ in bench.suite.deselect]
    options = ["-p", "no:randomly", "-p", "no:cacheprovider", "-q"]
    return [bench.python, "-m", "pytest", *options, *bench.suite.tests, *left_out]


def perftrace(bench: Bench, *words: object) -> "subprocess.CompletedProcess[str]":
    """Run perftrace in the folder of the tests."""
    return started([sys.executable, "-c", ENTRY, *map(str, words)], bench)


def started(command: list[str], bench: Bench) -> "subprocess.CompletedProcess[str]":
    """Run a command there."""
    return subprocess.run(
        command,
        cwd=bench.tests,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def cpu() -> float:
    """CPU seconds of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
