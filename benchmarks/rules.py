"""How many programs of published data sets do the rules alone make faster, and is any made wrong?

    python benchmarks/rules.py --data DIR [--set NAME] [--limit N] [--to FILE] [--write]
    python benchmarks/rules.py --set libraries [--folder DIR]

Each program (`rules_sets.py`) is recorded while it makes calls of its data set's generators, and
`perftrace optimize` looks for faster versions of its functions, with the rules alone. What it
accepts is applied, and then, by none of perftrace's own evidence:

* the data set's own tests have to pass;
* calls made with another seed, other sizes and neighbouring arguments have to give the same;
* the largest of them are timed, old and new in turn.

Every program counts, also those that can't be recorded: what is not made faster counts as 1.0. A
program is *faster* where a change was accepted whose interval begins at 1.0 and whose ratio is at
least 1.1. Beside it stands what `ruff check --fix --unsafe-fixes` makes of the same files, measured
in the same way. The rows go to a file; what is there is not tried again.

`libraries` are the hottest functions of eight packages, recorded while their own tests run
(`rules_libraries.py`); those tests have to pass with the changes.
"""

import argparse
import ast
import itertools
import json
import math
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rules_libraries
from marked import put
from rules_sets import SETS, Program

PAGE = Path(__file__).resolve().parents[1] / "docs" / "rules-measured.md"
FASTER = 1.1
TIMEOUT_S = 300
RUFF = "PERF,C4,SIM,FURB,RUF,UP,PLR,PLC,PIE,B,FLY,RET"
# Which calls end within 50 ms and without an error; the others are not recorded.
CHOOSE = """
import contextlib, io, json, signal, sys, time
import inputs, solution

def late(*_):
    raise TimeoutError

signal.signal(signal.SIGALRM, late)
good = []
end = time.monotonic() + 20
for number, arguments in enumerate(inputs.made(0)):
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        began = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            found = getattr(solution, sys.argv[1])(*arguments)
            if hasattr(found, "__next__"):
                list(found)
        taken = time.perf_counter() - began
        if taken < 0.05:
            good.append((number, taken))
    except BaseException:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if time.monotonic() > end:
        break
rounds = max(1, min(200, int(1.0 / max(sum(taken for _, taken in good), 1e-6))))
print(json.dumps([[number for number, _ in good], rounds]))
"""
DRIVE = """
import copy
import inputs, solution

GOOD, ROUNDS = {good}, {rounds}


def main():
    wanted = [one for number, one in enumerate(inputs.made(0)) if number in GOOD]
    for turn in range(ROUNDS):
        for arguments in wanted:
            found = solution.{entry}(*copy.deepcopy(arguments))
            if hasattr(found, "__next__"):
                list(found)


main()
"""
# Old and new on calls that nobody has seen; the ratio of the largest that end in time.
HELD = """
import contextlib, copy, io, json, signal, sys, time
import importlib.util
import inputs
from perftrace.replay import testing

def load(path):
    spec = importlib.util.spec_from_file_location("solution", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["solution"] = module
    spec.loader.exec_module(module)
    return module

def late(*_):
    raise TimeoutError

def outcome(module, arguments):
    own = copy.deepcopy(arguments)
    signal.setitimer(signal.ITIMER_REAL, 2)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            began = time.process_time()
            found = getattr(module, sys.argv[1])(*own)
            if hasattr(found, "__next__"):
                found = list(found)
            taken = time.process_time() - began
        return taken, "returned", found, own, printed.getvalue()
    except TimeoutError:
        return None
    except (Exception, SystemExit) as error:
        return 0.0, "raised", (type(error), str(error)), own, printed.getvalue()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)

signal.signal(signal.SIGALRM, late)
sys.setrecursionlimit(5000)
old, new = load("before.py"), load("solution.py")
tried = wrong = 0
witness, timed = "", []
end = time.monotonic() + 60
for seed in (1, 2, 3):
    for arguments in inputs.made(seed):
        if time.monotonic() > end:
            break
        before, after = outcome(old, arguments), outcome(new, arguments)
        if before is None:
            continue
        tried += 1
        try:
            assert after is not None, "the new one does not end in time"
            testing.check(after[1:], before[1:])
        except AssertionError as error:
            wrong += 1
            witness = witness or f"{str(arguments)[:200]}: {str(error)[:200]}"
            continue
        if before[1] == "returned":
            timed.append((before[0], arguments))
timed.sort(key=lambda one: one[0])
rows = []
for _, arguments in timed[-4:]:
    pairs = [(outcome(old, arguments), outcome(new, arguments)) for _ in range(5)]
    pairs = [(a[0], b[0]) for a, b in pairs if a and b]
    if pairs:
        rows.append((min(a for a, _ in pairs), max(min(b for _, b in pairs), 1e-9)))
ratio = sum(a for a, _ in rows) / sum(b for _, b in rows) if rows else 1.0
print(json.dumps({"tried": tried, "wrong": wrong, "witness": witness, "ratio": ratio}))
"""


def main() -> int:
    """Try the programs that are not in the file yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    every = [*SETS, rules_libraries.NAME]
    parser.add_argument("--set", action="append", choices=every, dest="sets")
    parser.add_argument("--limit", type=int, help="of each set, new ones")
    parser.add_argument("--to", type=Path, default=Path("rules.jsonl"))
    parser.add_argument("--no-ruff", action="store_true")
    parser.add_argument("--folder", type=Path, help="keep the libraries' environments here")
    parser.add_argument("--write", action="store_true", help="put it into docs/rules-measured.md")
    options = parser.parse_args()
    done = [json.loads(line) for line in lines(options.to)]
    for name in options.sets or every:
        for row in (
            libraries(options, done)
            if name == rules_libraries.NAME
            else programs(options, name, done)
        ):
            done.append(row)
            with options.to.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(told(row), flush=True)
    text = "\n".join(table(done))
    print(f"\n{text}")
    if options.write:
        put(PAGE, "python benchmarks/rules.py", text)
    return 0


def programs(
    options: argparse.Namespace, name: str, done: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """The rows of a data set's programs that are not known yet."""
    known = {row["name"] for row in done if row["set"] == name}
    new = (one for one in SETS[name](options.data) if one.name not in known)
    for program in itertools.islice(new, options.limit):
        with tempfile.TemporaryDirectory(prefix="perftrace-rules-") as folder:
            yield tried(program, Path(folder), ruff=not options.no_ruff)


def libraries(
    options: argparse.Namespace, done: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """The rows of the functions of libraries that are not known yet."""
    known = {row["name"].partition(" ")[0] for row in done if row["set"] == rules_libraries.NAME}
    new = (one for one in rules_libraries.LIBRARIES if one not in known)
    with tempfile.TemporaryDirectory(prefix="perftrace-rules-") as folder:
        kept = (options.folder or Path(folder)).absolute()
        for library in itertools.islice(new, options.limit):
            yield from rules_libraries.rows(kept, sys.executable, library)


def lines(path: Path) -> list[str]:
    """The rows that are there."""
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


# --- one program ------------------------------------------------------------------------


def tried(program: Program, folder: Path, *, ruff: bool) -> dict[str, Any]:
    """What comes of a program."""
    row: dict[str, Any] = {"set": program.set, "name": program.name, "speedup": 1.0}
    program.write(folder)
    (folder / "pyproject.toml").write_text('[project]\nname = "tried"\nversion = "1"\n')
    (folder / ".git").mkdir()
    chosen = python(folder, CHOOSE, program.entry)
    if chosen.returncode or json.loads(chosen.stdout)[0] == []:
        return {**row, "why": f"no call to record: {chosen.stderr.strip()[-200:]}"}
    good, rounds = json.loads(chosen.stdout)
    drive = DRIVE.format(good=set(good), rounds=rounds, entry=program.entry)
    (folder / "drive.py").write_text(drive)
    recorded = perftrace(folder, "run", "--overhead", "50%", "drive.py")
    if recorded.returncode:
        return {**row, "why": f"not recorded: {recorded.stderr.strip()[-200:]}"}
    began, wall = cpu(), time.monotonic()
    found = perftrace(
        folder,
        *("optimize", "--file", "solution.py", "--top", "20"),
        *("--no-whole-program", "--no-memory", "--json"),
    )
    count = max(1, len(program.functions()))
    row |= {"cpu_s": (cpu() - began) / count, "wall_s": time.monotonic() - wall}
    if not found.stdout:
        return {**row, "why": found.stderr.strip()[-200:]}
    functions = json.loads(found.stdout)["functions"]
    accepted = [one for one in functions if one["verdict"] == "accepted"]
    row["candidates"] = [one for each in functions for one in each["tried"]]
    row["why"] = "; ".join(one["reason"] for one in functions if one not in accepted)[:300]
    if accepted:
        row |= {
            "speedup": math.prod(one["speedup"] for one in accepted),
            "low": min(one["low"] for one in accepted),
            "steps": [step for one in accepted for step in one["steps"]],
            "lines": sum(map(changed_lines, (one["diff"] for one in accepted))),
            **held(program, folder),
        }
    if ruff:
        row["ruff"] = by_ruff(program, folder)
    return row


def held(program: Program, folder: Path) -> dict[str, Any]:
    """What the change does to the data set's tests and to calls that were held back."""
    (folder / "before.py").write_text(program.source)
    applied = perftrace(folder, "apply")
    if applied.returncode:
        return {"held": {"wrong": 1, "witness": f"not applied: {applied.stderr[-200:]}"}}
    tests = python(folder, program.suite)
    seen = python(folder, HELD, program.entry)
    shutil.copyfile(folder / "solution.py", folder / "after.py")
    (folder / "solution.py").write_text(program.source)
    first = python(folder, program.suite)  # a suite that fails anyway says nothing
    return {
        "tests": "pass" if not tests.returncode else "fail" if not first.returncode else "failed",
        "held": json.loads(seen.stdout) if seen.stdout else {"wrong": 1, "witness": seen.stderr},
    }


def by_ruff(program: Program, folder: Path) -> dict[str, Any]:
    """What ruff's fixes bring, measured in the same way."""
    file = folder / "fixed.py"
    file.write_text(program.source)
    command = ["check", "--isolated", "--fix", "--unsafe-fixes", "--select", RUFF, "-q"]
    command = [sys.executable, "-m", "ruff", *command, str(file)]
    subprocess.run(command, check=False, cwd=folder, capture_output=True)
    if same(program.source, file.read_text()):
        return {"changed": False, "speedup": 1.0}
    words = ("verify", f"solution:{program.entry}", "--candidate", str(file), "--measure", "--json")
    found = perftrace(folder, *words)
    verdict = json.loads(found.stdout) if found.stdout else {"verdict": found.stderr.strip()[-200:]}
    accepted = verdict["verdict"] == "accepted"
    speedup = verdict["speedup"] if accepted else 1.0
    return {"changed": True, "verdict": verdict["verdict"], "speedup": speedup or 1.0}


def same(one: str, other: str) -> bool:
    """Whether two texts are the same program."""
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except SyntaxError:
        return True


def changed_lines(diff: str) -> int:
    """How many lines a diff adds, or takes away where that is more."""
    body = [line for line in diff.splitlines() if not line.startswith(("+++", "---"))]
    return max(sum(line.startswith(sign) for line in body) for sign in "+-")


def python(folder: Path, text: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a program text in a folder."""
    return started([sys.executable, "-c", text, *words], folder)


def perftrace(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run perftrace there."""
    return started([sys.executable, "-m", "perftrace", *words], folder)


def started(command: Sequence[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command there; what takes too long has failed."""
    here = Path(__file__).resolve().parent
    places = map(str, (folder, here, here.parent))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places), "CI": ""}
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"over {TIMEOUT_S} s")


def cpu() -> float:
    """CPU seconds of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# --- the table --------------------------------------------------------------------------


def is_faster(row: dict[str, Any]) -> bool:
    """Whether a change was accepted that brings a tenth."""
    return bool(row["speedup"] >= FASTER)


def told(row: dict[str, Any]) -> str:
    """One line for a program."""
    steps = " + ".join(row.get("steps", ())) or row.get("why", "")[:70]
    seen = row.get("held", {})
    wrong = f"  WRONG {seen['witness'][:200]}" if seen.get("wrong") else ""
    failed = "  TESTS FAIL" if row.get("tests") == "fail" else ""
    return f"{row['name']:<16} {row['speedup']:8.2f}x  {steps}{wrong}{failed}"


def table(done: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The figures of each set."""
    date = datetime.now(UTC).date().isoformat()
    yield f"Python {platform.python_version()}, {platform.machine()}, {date}:"
    yield ""
    yield (
        "| programs of | faster by a tenth | geometric mean, of those faster | accepted | wrong on"
        " held calls | tests fail | candidates that differ | lines changed | CPU a function, p90"
        " | ruff |"
    )
    yield "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |"
    for name in (*SETS, rules_libraries.NAME):
        if rows := [row for row in done if row["set"] == name]:
            yield figures(name, rows)


def figures(name: str, rows: Sequence[dict[str, Any]]) -> str:
    """The row of a set."""
    faster = [row for row in rows if is_faster(row)]
    accepted = [row for row in rows if "held" in row]
    candidates = [one for row in rows for one in row.get("candidates", ())]
    differ = sum(one["verdict"] == "rejected" and bool(one.get("witness")) for one in candidates)
    seconds = sorted(row["cpu_s"] for row in rows if "cpu_s" in row) or [0.0]
    ruff = sum(row.get("ruff", {}).get("speedup", 1.0) >= FASTER for row in rows)
    changed = statistics.median([row["lines"] for row in accepted] or [0])
    return (
        f"| {name} | {len(faster)} of {len(rows)} ({len(faster) / len(rows):.1%})"
        f" | {mean(rows):.2f}x, {mean(faster):.2f}x | {len(accepted)}"
        f" | {sum(bool(row['held'].get('wrong')) for row in accepted)}"
        f" | {sum(row.get('tests') == 'fail' for row in accepted)}"
        f" | {differ} of {len(candidates)} ({differ / max(1, len(candidates)):.1%})"
        f" | {changed:.0f} | {statistics.median(seconds):.1f} s,"
        f" {seconds[int(0.9 * (len(seconds) - 1))]:.1f} s | {ruff} ({ruff / len(rows):.1%}) |"
    )


def mean(rows: Sequence[dict[str, Any]]) -> float:
    """The geometric mean of the ratios."""
    return math.exp(statistics.fmean(math.log(row["speedup"]) for row in rows)) if rows else 1.0


if __name__ == "__main__":
    sys.exit(main())
