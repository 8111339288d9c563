"""Is the ranking right? `perftrace run` against a long py-spy reference and against cProfile.

    python benchmarks/ranking.py [--samples 2000] [--python PATH] [--include PACKAGE]
                                 (SCRIPT | -m MOD) ARGS…

The reference is py-spy alone at 500 Hz, over as many plain runs of the program as it takes. All
three are charged to functions in the same way (`optimizer/attribution.py`). For each it prints the
overlap of the first ten functions with the reference's, and how much of the time of the
reference's first ten its own first ten catch.
"""

import argparse
import json
import pstats
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from perftrace.model import Run
from perftrace.optimizer.attribution import MODULE, Frame, attribute
from perftrace.optimizer.rank import rank, tally_of
from perftrace.store import Store
from perftrace.tracer import sampler, spool, stacks
from perftrace.tracer.inside.scope import Scope

type Place = tuple[str, int]  # file and first line: all that cProfile knows of a function
type Times = Counter[Place]  # addressable time, in any unit

RATE = 500
MOST_RUNS = 50
TOP = 10
ROUNDS = 50  # of passing library time on to callers

QUIET = subprocess.DEVNULL


@dataclass(frozen=True)
class Program:
    """What is run, by which interpreter, and which packages count as the user's code."""

    words: list[str]
    python: str
    includes: list[str]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--include", action="append", default=[], metavar="PACKAGE")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="(SCRIPT | -m MOD) ARGS")
    options = parser.parse_args()
    if not options.words:
        parser.error("give a program")
    if problem := sampler.unavailable():
        parser.error(problem)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        program = Program(options.words, options.python, options.include)
        run, ours, note = traced(folder, program)
        includes = spool.globs(program.includes, run.cwd)
        scope = Scope([str(run.root)], includes, [], cwd=str(run.cwd))

        def is_user(file: str) -> bool:
            return scope.reason(file) is None

        truth = reference(folder, program, options.samples, is_user)
        profiled = cprofile(folder, program, is_user)
    if options.json:
        figures: dict[str, float] = {"samples": truth.total(), "of": len(leaders(truth))}
        for name, times in {"top": ours, "cprofile": profiled}.items():
            figures[name] = overlap(truth, times)
            figures[f"{name}_caught"] = round(caught(truth, times), 3)
        print(json.dumps(figures))
    else:
        report(truth, {f"perftrace ({note})": ours, "cProfile": profiled})
    return 0


# --- the three ----------------------------------------------------------------------------


def traced(folder: Path, program: Program) -> tuple[Run, Times, str]:
    """What `perftrace run` ranks."""
    database = folder / "trace.db"
    code = "import sys; from perftrace.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "run", "--python", program.python]
    options = [word for package in program.includes for word in ("--include", package)]
    command += [*options, "-o", str(database), *program.words]
    subprocess.run(command, check=False, stdout=QUIET, stderr=QUIET)
    with Store.open(database) as store:
        run = store.last_run()
        total = tally_of(store, run).total
        rows = rank(store, run)
    times = Counter({(row.function.file, row.function.line): row.hot.value for row in rows})
    return run, times, f"{total} samples by {run.sampler}"


def reference(folder: Path, program: Program, wanted: int, is_user: Callable[[str], bool]) -> Times:
    """The addressable time of each function in many samples of plain runs."""
    times: Times = Counter()
    for _ in range(MOST_RUNS):
        stacks = spied(folder, program)
        framed = (([Frame(*key, is_user(key.file)) for key in stack], n) for stack, n in stacks)
        for function, count in attribute(framed).hot.items():
            times[function.file, function.line] += count
        if times.total() >= wanted:
            break
    return times


def spied(folder: Path, program: Program) -> list[tuple[stacks.Stack, int]]:
    raw = folder / "reference.raw"
    raw.unlink(missing_ok=True)
    process = subprocess.Popen(
        [program.python, *program.words],
        stdout=QUIET,
        stderr=QUIET,
        preexec_fn=sampler.permission(),  # noqa: PLW1509 - no other thread is running
    )
    options = ["-r", str(RATE), "-s", "-F", "--full-filenames", "-f", "raw", "-o", str(raw)]
    binary = Path(sys.executable).with_name("py-spy")
    spy = [str(binary) if binary.exists() else "py-spy", "record", "-p", str(process.pid), *options]
    subprocess.run(spy, check=False, stdout=QUIET, stderr=QUIET)
    process.wait()
    return stacks.parse(raw.read_text(errors="replace")) if raw.exists() else []


def cprofile(folder: Path, program: Program, is_user: Callable[[str], bool]) -> Times:
    """Own times by cProfile; what is spent outside the user's code is passed on to its callers."""
    profile = folder / "cprofile"
    command = [program.python, "-m", "cProfile", "-o", str(profile), *program.words]
    subprocess.run(command, check=False, stdout=QUIET, stderr=QUIET)
    stats = pstats.Stats(str(profile)).stats  # type: ignore[attr-defined]
    times: Times = Counter()
    outside: Counter[tuple[str, int, str]] = Counter()
    for key, (_, _, own, _, _) in stats.items():
        outside[key] += own
    for _ in range(ROUNDS):
        passed: Counter[tuple[str, int, str]] = Counter()
        for key, spent in outside.items():
            file, line, name = key
            anonymous = name.startswith("<") and name != MODULE
            if is_user(str(Path(file).absolute())) and not anonymous:
                times[str(Path(file).absolute()), line] += spent
                continue
            callers = stats[key][4]
            weight = sum(edge[3] for edge in callers.values()) or 1.0
            for caller, edge in callers.items():
                passed[caller] += spent * edge[3] / weight
        outside = passed
    return times


# --- the table ----------------------------------------------------------------------------


def leaders(times: Times) -> list[Place]:
    return [place for place, spent in times.most_common(TOP) if spent > 0]


def overlap(truth: Times, times: Times) -> int:
    return len({*leaders(truth)} & {*leaders(times)})


def caught(truth: Times, times: Times) -> float:
    """How much of the time of the true first ten functions the first ten here have."""
    most = sum(truth[place] for place in leaders(truth))
    return sum(truth[place] for place in leaders(times)) / most if most else 0.0


def report(truth: Times, others: dict[str, Times]) -> None:
    first = leaders(truth)
    print(f"reference: {truth.total():,.0f} samples, {len(truth)} functions")
    print(f"{'':36}{'top-10 overlap':>16}{'time caught':>14}{'distance':>10}")
    for name, times in others.items():
        found = f"{overlap(truth, times):>13}/{len(first)}{caught(truth, times):>14.3f}"
        print(f"{name:36}{found}{variation(truth, times):>10.3f}")
    print()
    for file, line in first:
        shares = [
            f"{100 * one[file, line] / one.total():6.1f} %" for one in (truth, *others.values())
        ]
        print("  ".join(shares), f" {file}:{line}")


def variation(one: Times, other: Times) -> float:
    """Total variation distance of two distributions."""
    places = {*one, *other}
    a, b = one.total() or 1, other.total() or 1
    return sum(abs(one[place] / a - other[place] / b) for place in places) / 2


if __name__ == "__main__":
    sys.exit(main())
