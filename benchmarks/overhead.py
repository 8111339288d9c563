"""What recording costs: CPU time under perftrace and its peers over CPU time without them.

    python benchmarks/overhead.py [--quick] [--rounds N] [--peers] [--long] [--write]

Plain and traced runs take turns, so that a machine that grows slower does not look like a cost;
each time is the least of all rounds. Where the two least of a kind are further apart than 1 %,
there are more rounds, up to three times as many: on a machine that others use too, most runs meet a
slow one. CPU times are the kernel's (`wait4`): `perftrace` counts the
program alone, start-up included, as its trace file has it. A peer runs once, on the same program,
and is stopped after 20 seconds of CPU time. What is not installed is left out
(`pip install -r benchmarks/requirements.txt`). `--write` puts the page into docs/overhead.md.
"""

import argparse
import importlib.util
import math
import os
import platform
import resource
import shlex
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from marked import put
from peers import FIRST_STARTS, PEERS, PLAIN, Tool, perftrace

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "overhead.md"
MOST_S = 20  # CPU time of a peer's run
MORE, SETTLED = 3, 1.01  # times as many rounds at most; where the two least are so near, no more
OURS = (FIRST_STARTS, perftrace("2%"), perftrace("1%"), perftrace("2%", "--no-sample"))
# Modules are compiled once, as they are for whoever has them installed.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
SUITE = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs"]


@dataclass(frozen=True)
class Program:
    """What is run: about a second of it, with `long` five to eight times that."""

    arguments: list[str]
    long: list[str]
    quick: list[str]
    options: tuple[str, ...] = ()  # for perftrace
    needs: str = ""  # a package

    @property
    def here(self) -> bool:
        """Whether it can be run."""
        return not self.needs or importlib.util.find_spec(self.needs) is not None


def _own(name: str, size: int, needs: str = "") -> Program:
    file = str(HERE / "programs" / f"{name}.py")
    sizes = ([file, str(size)], [file, str(size * 6)], [file, str(size // 5)])
    return Program(*sizes, needs=needs)


def _suite(package: str, folder: str, longer: str) -> Program:
    options = ("--include", package)
    short, long = [*SUITE, folder], [*SUITE, longer]
    return Program(short, long, short, options, package)


PROGRAMS = {
    "fib": _own("fib", 34),
    "scheduler": _own("scheduler", 1_100_000),
    "constraints": _own("constraints", 12_000),
    "raytrace": _own("raytrace", 450),
    "queues": _own("queues", 250_000),
    "chaos": _own("chaos", 110_000),
    "nbody": _own("nbody", 280_000),
    "parser": _own("parser", 14_000),
    "web (flask)": _own("web", 2_500, "flask"),
    "suite (networkx)": _suite("networkx", "networkx.algorithms.centrality", "networkx.generators"),
}
PROGRAMS["fib"].long[1], PROGRAMS["fib"].quick[1] = "38", "31"
PROGRAMS["raytrace"].long[1] = "1100"  # its time grows with the square


class TooLongError(Exception):
    """It used more CPU time than it may."""


class FailedError(Exception):
    """It ended with an error."""


def cpu_seconds(tool: Tool, command: Sequence[str], folder: Path) -> float:
    """CPU time of a command and of all processes it waited for.

    Raises:
        TooLongError: a peer used its time up.
        FailedError: it ended with an error.
    """

    def bound() -> None:
        if tool.peer:
            resource.setrlimit(resource.RLIMIT_CPU, (MOST_S, MOST_S))

    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**ENVIRONMENT, **tool.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=bound,  # noqa: PLW1509 - no other thread is running
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    spent = usage.ru_utime + usage.ru_stime
    stopped = process.returncode in (-signal.SIGXCPU, -signal.SIGKILL)
    if tool.peer and (stopped or spent > MOST_S - 2):
        raise TooLongError
    if process.returncode:
        raise FailedError(f"exit code {process.returncode}: {shlex.join(command)}")
    return spent


def settled(times: Sequence[float]) -> bool:
    """Whether another run would hardly be quicker."""
    return len(times) > 1 and sorted(times)[1] < min(times) * SETTLED


def measure(tool: Tool, program: Program, arguments: list[str]) -> float:
    """The program's CPU time under the tool, in seconds; of perftrace without its parent."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        if not tool.name.startswith("perftrace"):
            return cpu_seconds(tool, tool.command(scratch, arguments), scratch)
        cpu_seconds(tool, tool.command(scratch, [*program.options, *arguments]), scratch)
        connection = sqlite3.connect(scratch / "trace.db")
        spent: float = connection.execute("SELECT cpu_s FROM run").fetchone()[0]
        connection.close()
        return spent


def compare(
    program: Program, arguments: list[str], rounds: int, *, peers: bool
) -> dict[str, float]:
    """The least time of each tool, from runs in turn."""
    ours = (PLAIN, *OURS)
    seen: dict[str, list[float]] = {tool.name: [] for tool in ours}
    for number in range(rounds * MORE):
        if number >= rounds and all(map(settled, seen.values())):
            break
        for tool in ours if number % 2 else ours[::-1]:
            seen[tool.name].append(measure(tool, program, arguments))
    best = {name: min(times) for name, times in seen.items()}
    for tool in PEERS if peers else ():
        if tool.installed():
            try:
                best[tool.name] = measure(tool, program, arguments)
            except TooLongError:
                best[tool.name] = math.inf
            except FailedError as error:
                print(error, file=sys.stderr)
                best[tool.name] = math.nan
    return best


# --- the table ----------------------------------------------------------------------------


def rows(results: Mapping[str, Mapping[str, float]]) -> Iterator[list[str]]:
    """A row per tool, so that it fits a page: its ratio for each program, and their mean."""
    tools = [name for name in next(iter(results.values())) if name != PLAIN.name]
    yield ["", *results, "geometric mean"]
    yield ["---", *["--:"] * (len(results) + 1)]
    yield [PLAIN.name, *(f"{best[PLAIN.name]:.2f} s" for best in results.values()), ""]
    for tool in tools:
        ratios = [best[tool] / best[PLAIN.name] for best in results.values()]
        limits = [MOST_S / best[PLAIN.name] for best in results.values()]
        cells = [
            f">{limit:.0f}x" if math.isinf(ratio) else _times(ratio)
            for ratio, limit in zip(ratios, limits, strict=True)
        ]
        pairs = [one for one in zip(ratios, limits, strict=True) if not math.isnan(one[0])]
        mean = math.exp(statistics.fmean(math.log(min(one)) for one in pairs))
        yield [tool, *cells, ">" * any(math.isinf(one) for one in ratios) + _times(mean)]


def _times(ratio: float) -> str:
    if math.isnan(ratio):
        return "fails"
    return f"{ratio:.3f}x" if ratio < 2 else f"{ratio:.1f}x"


def table(results: Mapping[str, Mapping[str, float]]) -> str:
    """As Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in rows(results))


def page(text: str, command: str, rounds: int) -> None:
    """Replace the page's table for this Python and these sizes."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    today = datetime.now(UTC).date().isoformat()
    said = f"`{command}`, Python {platform.python_version()}, {machine}, {today}, {rounds} rounds:"
    put(PAGE, f"{command}, {platform.python_version()}", f"{said}\n\n{text}")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small programs, few rounds")
    parser.add_argument("--long", action="store_true", help="five to ten seconds each")
    parser.add_argument("--peers", action="store_true", help="other tools too")
    parser.add_argument("--rounds", type=int, help="runs of each kind (7; 2 with --quick)")
    parser.add_argument("--only", choices=PROGRAMS, action="append", help="this program")
    parser.add_argument("--write", action="store_true", help="put it into docs/overhead.md")
    options = parser.parse_args()
    rounds = options.rounds or (2 if options.quick else 7)
    results = {}
    for name, program in PROGRAMS.items():
        if program.here and (not options.only or name in options.only):
            print(f"{name} …", file=sys.stderr)
            arguments = program.long if options.long else program.arguments
            arguments = program.quick if options.quick else arguments
            results[name] = compare(program, arguments, rounds, peers=options.peers)
    print(table(results))
    print(
        f"\nCPU time, least of {rounds}; Python {platform.python_version()}, {platform.machine()}."
    )
    if options.write:
        words = [f"--{word}" for word in ("quick", "long", "peers") if getattr(options, word)]
        page(table(results), " ".join(["python benchmarks/overhead.py", *words]), rounds)


if __name__ == "__main__":
    main()
