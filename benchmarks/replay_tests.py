"""What replay tests cost: writing a thousand, and running five hundred beside other kinds of tests.

    python benchmarks/replay_tests.py [--functions N] [--rounds N] [--skip-others]

A generated package of so many functions is recorded, and its replay tests are written (the time of
`perftrace replay --write`, trials included). Then five hundred of them are run by pytest in turn
with the same calls as tests of syrupy and of inline-snapshot, where those are installed
(`pip install syrupy inline-snapshot`), and with the calls alone, which check nothing: CPU time, the
least of the rounds. What pytest needs for one empty test is taken off each.
"""

import argparse
import ast
import importlib.util
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from perftrace.model import Kind
from perftrace.replay.emit import NotParsed, parse
from perftrace.replay.taken_apart import NotTaken, take_apart

MODULES = 10
CALLS = 24  # of each function
CASES = 500
FUNCTION = """
def f{n}(rows, limit={limit}):
    total = 0
    kept = []
    for name, count in rows:
        if count > limit:
            kept.append(name.upper())
            total += count * {factor}
        elif count < -{limit}:
            total = -total
        else:
            total -= 1
    if len(kept) > {many}:
        kept.reverse()
    return {{"total": total, "kept": kept}}
"""
MAIN = """
import random
dice = random.Random(1)
FUNCTIONS = [{functions}]
for _ in range({calls}):
    for function in FUNCTIONS:
        size = dice.randrange(8)
        function([(f"name {{n}}", dice.randrange(-20, 40)) for n in range(size)])
"""
PERFTRACE = [sys.executable, "-c", "import sys; from perftrace.cli import main; sys.exit(main())"]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:perftrace"]
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in {"PYTHONDONTWRITEBYTECODE", "CI"}}


def main() -> int:
    """Write them, run them, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--functions", type=int, default=180)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--skip-others", action="store_true", help="only write them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="perftrace-replay-tests-") as name:
        folder = Path(name)
        generate(folder, options.functions)
        run([*PERFTRACE, "run", "--overhead", "50%", "--python", sys.executable, "main.py"], folder)
        began = time.monotonic()
        run([*PERFTRACE, "replay", "--write"], folder)
        spent = time.monotonic() - began
        files = sorted((folder / "tests" / "replay").glob("test_*.py"))
        count = sum(file.read_text().count("\ndef test_") for file in files)
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
        print(f"{count} cases of {options.functions} functions written in {spent:.1f} s:", end=" ")
        print(f"{1000 * spent / count:.1f} s for a thousand")
        print(next(line for line in files[0].read_text().splitlines() if "format=" in line))
        if not options.skip_others:
            compare(folder, files, options.rounds)
    return 0


def generate(folder: Path, functions: int) -> None:
    """The package, and a program that calls each of its functions."""
    (folder / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    for module in range(MODULES):
        texts = [
            FUNCTION.format(n=n, limit=n % 9 + 1, factor=n % 5 + 2, many=n % 4)
            for n in range(module, functions, MODULES)
        ]
        (folder / f"part{module}.py").write_text("\n".join(texts))
    names = ", ".join(f"part{n % MODULES}.f{n}" for n in range(functions))
    imports = "".join(f"import part{module}\n" for module in range(MODULES))
    (folder / "main.py").write_text(imports + MAIN.format(functions=names, calls=CALLS))


def compare(folder: Path, files: Sequence[Path], rounds: int) -> None:
    """Run each kind in turn; the CPU time of each over that of one empty test."""
    kinds = write_kinds(folder, files)
    least: dict[str, float] = {}
    for _ in range(rounds):
        for kind, path in kinds.items():
            spent = cpu_seconds([*PYTEST, *options_for(kind), str(path)], folder)
            least[kind] = min(spent, least.get(kind, spent))
    empty, alone = least["one empty test"], least["the calls alone"]
    print(f"{CASES} cases; one empty test takes {empty:.2f} s of CPU time")
    for kind in kinds:
        if kind != "one empty test":
            over = 1000 * (least[kind] - empty) / CASES
            own = least["replay tests"] - empty
            print(
                f"{kind}: {least[kind]:.2f} s, {over:.2f} ms a case,"
                f" {1000 * (least[kind] - alone) / CASES:.2f} ms over the calls alone,"
                f" {(least[kind] - empty) / own:.1f} times the replay tests"
            )


def options_for(kind: str) -> list[str]:
    """So that none pays for the plugin of another."""
    plugins = {"syrupy": "syrupy", "inline-snapshot": "inline_snapshot"}
    return [
        word for name, plugin in plugins.items() if name != kind for word in ("-p", f"no:{plugin}")
    ]


def write_kinds(folder: Path, files: Sequence[Path]) -> Mapping[str, Path]:
    """A folder for each kind of tests, with the same calls; snapshots are made once here."""
    ours: list[tuple[Path, set[str]]] = []
    calls: list[tuple[str, str, list[str], str]] = []
    for file in files:
        parsed = parse(file.read_text())
        assert not isinstance(parsed, NotParsed)
        kept = []
        for test in parsed.suite.tests:
            steps = take_apart(test, Kind.FUNCTION)
            if len(calls) < CASES and not isinstance(steps, NotTaken):
                setup = [line for line in steps.setup.splitlines() if line]
                name = f"test_{len(calls)}"
                calls.append((name, parsed.suite.module, setup, ast.unparse(steps.call)))
                kept.append(test)
        ours.append((file, {test.name for test in parsed.suite.tests} - {t.name for t in kept}))
    kinds = {"one empty test": "def test_nothing():\n    pass\n"}
    forms = {
        "the calls alone": ("", "    {call}\n"),
        "syrupy": ("snapshot", "    assert {call} == snapshot\n"),
        "inline-snapshot": ("", "    assert {call} == snapshot()\n"),
    }
    for kind, (fixture, form) in forms.items():
        if importlib.util.find_spec(kind.replace("-", "_")) or kind == "the calls alone":
            head = "from inline_snapshot import snapshot\n" if kind == "inline-snapshot" else ""
            kinds[kind] = head + text_of(calls, fixture, form)
    found = {"replay tests": trimmed(folder, ours)}
    for kind, text in kinds.items():
        found[kind] = path = folder / kind.replace(" ", "-").replace("-", "_")
        path.mkdir()
        (path / f"test_{path.name}.py").write_text(text)
        (path / "conftest.py").write_text(f"import sys\nsys.path.insert(0, {str(folder)!r})\n")
        if kind == "syrupy":
            run([*PYTEST, *options_for(kind), "--snapshot-update", str(path)], folder)
        elif kind == "inline-snapshot":
            make = [*PYTEST, *options_for(kind), "--inline-snapshot=create", str(path)]
            subprocess.run(make, cwd=folder, env=ENVIRONMENT, capture_output=True, check=False)
    return found


def text_of(calls: Sequence[tuple[str, str, Sequence[str], str]], fixture: str, form: str) -> str:
    """A test file with a test for each call."""
    parts = [f"from {module} import *\n" for module in sorted({module for _, module, *_ in calls})]
    for name, _, setup, call in calls:
        lines = "".join(f"    {line}\n" for line in setup)
        parts.append(f"\n\ndef {name}({fixture}):\n{lines}{form.format(call=call)}")
    return "".join(parts)


def trimmed(folder: Path, ours: Sequence[tuple[Path, set[str]]]) -> Path:
    """The replay tests, without those beyond the first five hundred."""
    for file, dropped in ours:
        tree = ast.parse(text := file.read_text())
        lines = text.splitlines(keepends=True)
        for node in reversed(tree.body):
            if isinstance(node, ast.FunctionDef) and node.name in dropped:
                del lines[node.lineno - 1 : node.end_lineno]
        file.write_text("".join(lines))
    return folder / "tests" / "replay"


def run(command: Sequence[str], folder: Path) -> None:
    """It has to succeed."""
    done = subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command[-4:])}: {done.stdout}{done.stderr}")


def cpu_seconds(command: Sequence[str], folder: Path) -> float:
    """CPU time of a run of pytest in which all tests pass."""
    process = subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{command[-1]} fails: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
