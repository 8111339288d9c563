"""Other people's test suites under `perftrace run`: do they say what they say without it?

    python benchmarks/compatibility.py [NAME…] [--folder DIR] [--python PATH] [--overhead SHARE]

Each package of `suites.py` is installed into a fresh environment beside the tests of its source
distribution. Its tests run plainly, recorded, and plainly again; outcome by outcome, exit code and
closing line are compared. What differs is run twice more, plainly, to tell a recorder that is in
the way from a suite that does not agree with itself. Prints a Markdown table; --write FILE puts it
between the file's marks for this Python.
"""

import argparse
import difflib
import json
import os
import platform
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from marked import put
from suites import SUITES, Suite

ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"
TIMEOUT_S = 900
CHANGING = (
    r"\b[\d.]+ ?s(econds)?\b",
    r" *\(?\d+:\d\d:\d\d\)?",
    r"0x[0-9a-f]{6,}",
    r"=+|-{3,}|_{3,}",
    r"\(pid\d+\)",
)
RUNS_MORE = 2  # plain ones, where something differs
COLUMNS = "| package | for | tests | differ | output | calls (functions, its own) | CPU |"


@dataclass(frozen=True)
class Bench:
    """An environment with one package, and the folder its tests are run in."""

    suite: Suite
    home: Path
    python: Path
    tests: Path


@dataclass(frozen=True)
class Outcome:
    """What a run of the suite came to."""

    tests: Counter[tuple[str, str]]  # test and outcome
    exit_code: int
    text: tuple[str, ...]  # stdout and stderr, less times and addresses
    cpu_s: float
    said: tuple[str, ...] = ()  # by perftrace, at the end

    @property
    def summary(self) -> str:
        """The closing line."""
        return next((line for line in reversed(self.text) if re.search(r"\d \w", line)), "")

    def other_tests(self, other: "Outcome") -> set[str]:
        """The tests that ended otherwise."""
        return {name for name, _ in (self.tests - other.tests) | (other.tests - self.tests)}

    def differences(self, other: "Outcome") -> list[str]:
        """What does not agree, in words."""
        lines = [f"- {name}: {how}" for name, how in sorted((self.tests - other.tests).elements())]
        lines += [f"+ {name}: {how}" for name, how in sorted((other.tests - self.tests).elements())]
        if self.exit_code != other.exit_code:
            lines.append(f"exit code {self.exit_code} -> {other.exit_code}")
        return lines + list(difflib.unified_diff(self.text, other.text, lineterm="", n=0))[2:]


@dataclass(frozen=True)
class Report:
    """A suite's row in the table."""

    name: str
    version: str
    kind: str
    tests: int
    differ: tuple[str, ...]  # tests
    fickle: int  # tests that differ between plain runs
    output: str
    calls: int
    functions: int
    own: int  # functions of the installed package
    ratio: float

    @property
    def good(self) -> bool:
        """Whether all is as without perftrace, and there was something to see."""
        return self.output == "same" and not self.differ and self.tests > 0 and self.own > 0

    def row(self) -> str:
        """In Markdown."""
        fickle = f"; {self.fickle} fickle" if self.fickle else ""
        return (
            f"| {self.name} {self.version} | {self.kind} | {self.tests:,}{fickle}"
            f" | {len(self.differ)} | {self.output}"
            f" | {self.calls:,} ({self.functions:,}, {self.own:,}) | {self.ratio:.2f}x |"
        )


def main() -> int:
    """Compare the suites named on the command line, or all."""
    options = _options()
    python = str(Path(options.python).absolute())
    version = _ok([python, "-c", "import platform; print(platform.python_version())"]).strip()
    if options.write and not options.write.exists():
        raise SystemExit(f"{options.write} is no page with a table to replace")
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="perftrace-suites-"))).absolute()
    reports = []
    for suite in SUITES:
        if options.names and suite.name not in options.names:
            continue
        bench = set_up(folder / version, suite, python)
        report, differences = compare(bench, options.overhead)
        print(report.row(), flush=True)
        for line in differences:
            print(f"    {line}", file=sys.stderr, flush=True)
        reports.append(report)
        (bench.home / "report.json").write_text(json.dumps(asdict(report)))
    text = table(kept(folder / version), version)
    print(f"\n{text}")
    if options.write:
        write(options.write, version, text)
    return 0 if all(report.good for report in reports) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of packages; default: all")
    parser.add_argument("--folder", type=Path, help="keep environments here, and use them again")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the suites")
    parser.add_argument("--overhead", default="5%", help="share of CPU time for the recorder")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into FILE")
    options = parser.parse_args()
    if unknown := set(options.names) - {suite.name for suite in SUITES}:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    return options


def set_up(folder: Path, suite: Suite, python: str) -> Bench:
    """Make the environment, or use the one in the folder again."""
    home = folder / suite.name
    bench = Bench(suite, home, home / "venv" / "bin" / "python", home / "tests")
    if bench.tests.exists():
        return bench
    shutil.rmtree(home, ignore_errors=True)
    _ok([python, "-m", "venv", home / "venv"])
    pip = [bench.python, "-m", "pip", "--disable-pip-version-check"]
    pinned = f"{suite.name}=={suite.version}"
    _ok([*pip, "install", "-q", pinned, f"pytest=={suite.pytest}", *suite.needs])
    (home / "builders.txt").write_text(suite.builders)
    _ok(
        [*pip, "download", "-q", "--no-deps", "--no-binary", suite.name, "-d", home, pinned],
        {"PIP_CONSTRAINT": str(home / "builders.txt")},
    )
    sources = home / "sources"
    with tarfile.open(next(home.glob("*.tar.gz"))) as archive:
        archive.extractall(sources, filter="data")
    unpacked = next(sources.iterdir())
    for name in suite.hide:
        shutil.rmtree(unpacked / name)
    unpacked.rename(bench.tests)
    return bench


# --- running ----------------------------------------------------------------------------------


def compare(bench: Bench, overhead: str) -> tuple[Report, list[str]]:
    """Plain, recorded, plain; the first of them also fills the caches of byte code."""
    first = run(bench)
    database = bench.home / "trace.db"
    database.unlink(missing_ok=True)
    traced = run(bench, overhead)
    plain = [first, run(bench)]
    if first.differences(traced):
        plain += [run(bench) for _ in range(RUNS_MORE)]
    fickle = set[str]().union(*(first.other_tests(one) for one in plain))
    same = any((one.exit_code, one.text) == (traced.exit_code, traced.text) for one in plain)
    steady = any(not first.differences(one) for one in plain[1:])
    calls, functions, own = recorded(database, bench)
    suite = bench.suite
    report = Report(
        name=suite.name,
        version=suite.version,
        kind=suite.kind,
        tests=first.tests.total(),
        differ=tuple(sorted(first.other_tests(traced) - fickle)),
        fickle=len(fickle),
        output="same" if same else "**differs**" if steady else "never the same",
        calls=calls,
        functions=functions,
        own=own,
        ratio=traced.cpu_s / plain[1].cpu_s,
    )
    lines = [f"plain: {one.summary}, {one.cpu_s:.1f} s" for one in plain]
    lines += [f"recorded: {traced.summary}, {traced.cpu_s:.1f} s", *traced.said]
    lines += first.differences(traced)
    for one in plain[1:]:
        lines += [f"plain again: {line}" for line in first.differences(one)]
    return report, lines


def run(bench: Bench, overhead: str = "") -> Outcome:
    """One run of the suite; recorded, where there is a share for it."""
    results = bench.home / "results.xml"
    results.unlink(missing_ok=True)
    options = ["-q", "-p", "no:cacheprovider", "-o", "junit_family=xunit1", "--junitxml", results]
    left_out = [f"--deselect={test}" for test, _ in bench.suite.deselect]
    words = [bench.python, "-m", "pytest", *options, *bench.suite.tests, *left_out]
    database = bench.home / "trace.db"
    if overhead:
        ours = ["--python", bench.python, "--include", bench.suite.package, "--overhead", overhead]
        words = [sys.executable, "-c", ENTRY, "run", *ours, "-o", database, "--", *words]
    name = "traced" if overhead else "plain"
    out, err = bench.home / f"{name}.out", bench.home / f"{name}.err"
    code, cpu_s = _timed([str(word) for word in words], bench, out, err)
    text = clean(out.read_text(errors="replace") + err.read_text(errors="replace"))
    return Outcome(
        tests=outcomes(results),
        exit_code=code,
        text=tuple(line for line in text if not line.startswith("perftrace: ")),
        cpu_s=_cpu_s(database) if overhead else cpu_s,
        said=tuple(line for line in text if line.startswith("perftrace: ")),
    )


def _timed(words: Sequence[str], bench: Bench, out: Path, err: Path) -> tuple[int, float]:
    """Exit code, and CPU time of the command and all it waited for."""
    temporary = bench.home / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    environment = {**_environment(), "TMPDIR": str(temporary), "PYTHONHASHSEED": "0"}
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            words,
            cwd=bench.tests,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        signal.alarm(TIMEOUT_S)
        _, status, usage = os.wait4(process.pid, 0)
        signal.alarm(0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


# --- reading ----------------------------------------------------------------------------------


def outcomes(results: Path) -> Counter[tuple[str, str]]:
    """Each test and how it ended, from pytest's XML; a test of several parts counts for each."""
    found: Counter[tuple[str, str]] = Counter()
    if results.exists():
        for case in ET.parse(results).iter("testcase"):
            kinds = [
                f"{part.tag} {part.get('type') or ''}".strip()
                for part in case
                if part.tag in ("failure", "error", "skipped")
            ]
            test = f"{case.get('classname')}::{case.get('name')}"
            found[test, " and ".join(kinds) or "passed"] += 1
    return found


def clean(text: str) -> list[str]:
    """Its lines, less times, addresses and the lines that pytest draws around them."""
    for pattern in CHANGING:
        text = re.sub(pattern, "", text)
    return [line.rstrip() for line in text.splitlines()]  # "(0:01:02)" follows from a minute on


def recorded(database: Path, bench: Bench) -> tuple[int, int, int]:
    """Recorded calls, the functions they are of, and how many are the installed package's."""
    inside = f"{bench.python.parents[1]}/%/site-packages/%"
    with sqlite3.connect(database) as connection:
        calls, functions = connection.execute(
            "SELECT count(*), count(DISTINCT function_id) FROM call"
        ).fetchone()
        (own,) = connection.execute(
            "SELECT count(DISTINCT function_id) FROM call JOIN function ON function.id ="
            " function_id WHERE file LIKE ?",
            (inside,),
        ).fetchone()
    return calls, functions, own


def _cpu_s(database: Path) -> float:
    with sqlite3.connect(database) as connection:
        (cpu_s,) = connection.execute("SELECT cpu_s FROM run ORDER BY id DESC").fetchone()
    return float(cpu_s)


def kept(folder: Path) -> list[Report]:
    """The reports in the folder, this run's and earlier ones."""
    files = [folder / suite.name / "report.json" for suite in SUITES]
    return [Report(**json.loads(file.read_text())) for file in files if file.exists()]


# --- showing ----------------------------------------------------------------------------------


def table(reports: Sequence[Report], version: str) -> str:
    """The rows, under what they were measured with."""
    tests = sum(report.tests for report in reports)
    date = datetime.now(UTC).date().isoformat()
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    head = (
        f"Python {version}, {machine}, {date}:"
        f" {len(reports)} suites, {tests:,} tests, {sum(len(r.differ) for r in reports)} differ."
    )
    rule = "| --- | --- | ---: | ---: | --- | ---: | ---: |"
    return "\n".join([head, "", COLUMNS, rule, *(report.row() for report in reports)])


def write(page: Path, version: str, text: str) -> None:
    """Put the table between the page's marks for this Python."""
    minor = ".".join(version.split(".")[:2])
    put(page, f"begin {minor}", text, end=f"end {minor}")


def _ok(command: Sequence[object], extra: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        env={**_environment(), **(extra or {})},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{command}: {done.stderr}")
    return done.stdout


def _environment() -> Mapping[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


if __name__ == "__main__":
    sys.exit(main())
