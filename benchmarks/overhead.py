"""What recording costs: CPU time under perftrace and other tools over CPU time without them.

    python benchmarks/overhead.py [--quick] [--rounds N] [--suite "-m pytest -q tests"]

Plain and traced runs take turns, so that a machine that grows slower does not look like a cost;
each time is the least of all rounds. CPU times are the kernel's (`wait4`): `perftrace` counts the
program alone, as its trace file has it; `all of it` counts py-spy, perftrace's parent process and
the writing of the trace file too. Tools that are not installed are left out.
"""

import argparse
import importlib.util
import math
import os
import platform
import shlex
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
# Program: its argument for some one to two seconds, and for --quick.
SIZES = {
    "fib": (35, 31),
    "scheduler": (1_500_000, 300_000),
    "constraints": (12_000, 2_400),
    "raytrace": (450, 200),
    "queues": (300_000, 60_000),
}
PERFTRACE, WHOLE = "perftrace", "perftrace, all of it"


@dataclass(frozen=True)
class Tool:
    """A way to run `python ARGUMENTS…`."""

    name: str
    command: Callable[[Path, list[str]], list[str]]  # from a scratch folder and the arguments
    needs: str = ""  # a package

    def installed(self) -> bool:
        """Whether it can be used here."""
        return not self.needs or importlib.util.find_spec(self.needs) is not None


def _module(*options: str) -> Callable[[Path, list[str]], list[str]]:
    return lambda scratch, arguments: [
        sys.executable,
        "-m",
        *(option.format(scratch=scratch) for option in options),
        *arguments,
    ]


def _perftrace(scratch: Path, arguments: list[str]) -> list[str]:
    script = Path(sys.executable).with_name("perftrace")
    options = ["-o", str(scratch / "trace.db"), "--python", sys.executable]
    return [str(script), "run", *options, *arguments]


PLAIN = Tool("plain", lambda _, arguments: [sys.executable, *arguments])
TOOLS = (
    Tool(PERFTRACE, _perftrace),
    Tool("cProfile", _module("cProfile", "-o", "{scratch}/profile")),
    Tool("VizTracer", _module("viztracer", "-o", "{scratch}/viz.json", "--quiet"), "viztracer"),
    Tool("MonkeyType", _module("monkeytype", "run"), "monkeytype"),
)


def cpu_seconds(command: Sequence[str], folder: Path) -> float:
    """CPU time of a command and of all processes it waited for."""
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode}: {shlex.join(command)}")
    return usage.ru_utime + usage.ru_stime


def measure(tool: Tool, arguments: list[str]) -> Iterator[tuple[str, float]]:
    """One run; its times by column."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        whole = cpu_seconds(tool.command(scratch, arguments), scratch)
        if tool.name != PERFTRACE:
            yield tool.name, whole
            return
        yield WHOLE, whole
        connection = sqlite3.connect(scratch / "trace.db")
        yield PERFTRACE, connection.execute("SELECT cpu_s FROM run").fetchone()[0]
        connection.close()


def compare(arguments: list[str], tools: Sequence[Tool], rounds: int) -> dict[str, float]:
    """The least time of each column, from runs in turn."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for tool in (PLAIN, *tools):
            for column, seconds in measure(tool, arguments):
                best[column] = min(seconds, best.get(column, math.inf))
    return best


def rows(results: Mapping[str, Mapping[str, float]]) -> Iterator[list[str]]:
    """The table: a row per program, then the geometric means of the ratios."""
    columns = [name for name in next(iter(results.values())) if name != PLAIN.name]
    columns.sort(key=lambda name: name != PERFTRACE)
    yield ["program", "plain", *columns]
    yield ["---", *["--:"] * (len(columns) + 1)]
    for program, best in results.items():
        ratios = [best[name] / best[PLAIN.name] for name in columns]
        yield [program, f"{best[PLAIN.name]:.2f} s", *(f"{ratio:.2f}x" for ratio in ratios)]
    logs = {
        name: [math.log(best[name] / best[PLAIN.name]) for best in results.values()]
        for name in columns
    }
    means = [math.exp(statistics.fmean(logs[name])) for name in columns]
    yield ["geometric mean", "", *(f"{mean:.2f}x" for mean in means)]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small programs, few rounds")
    parser.add_argument("--rounds", type=int, help="runs of each kind (5; 2 with --quick)")
    parser.add_argument("--only", choices=SIZES, action="append", help="this program")
    parser.add_argument("--suite", help="a further program: what follows `python`, in one argument")
    options = parser.parse_args()
    rounds = options.rounds or (2 if options.quick else 5)
    programs = {
        name: [str(PROGRAMS / f"{name}.py"), str(sizes[options.quick])]
        for name, sizes in SIZES.items()
        if not options.only or name in options.only
    }
    if options.suite:
        programs["suite"] = shlex.split(options.suite)
    tools = [tool for tool in TOOLS if tool.installed()]
    results = {}
    for name, arguments in programs.items():
        print(f"{name} …", file=sys.stderr)
        results[name] = compare(arguments, tools, rounds)
    for row in rows(results):
        print(f"| {' | '.join(row)} |")
    print(
        f"\nCPU time, least of {rounds}; Python {platform.python_version()}, {platform.machine()}."
    )


if __name__ == "__main__":
    main()
