"""How often the same code is called faster, and how often code that is faster is found to be.

    python benchmarks/timing.py [--load quiet|mid|heavy] [--comparisons 60] [--to FILE]
    python benchmarks/timing.py --best-of 10 --sessions 20 [--load ...] [--to FILE]
    python benchmarks/timing.py --summary FILE

Records a program of three functions (dictionaries and text; floats; allocation and sorting) and
has the timer of `perftrace optimize` compare versions whose true ratio is known: the same work,
and 5 % and 10 % less of it. Each comparison is a whole confirmation as `optimize` makes it, with
new processes; the wanted speed-up is 1.02 (the default of 1.05 would hide what is tested here).
`--best-of` makes whole sessions instead: so many copies of the original go through the first look,
the measurement and the confirmation, and none should come out accepted.

`--load` starts neighbours: none, one, or three processes with bursts of work and pauses of 20 to
500 ms, drawn from a seeded generator. Every result is a line of JSON in the file given by `--to`,
so that several invocations add up; `--summary` prints a table over all. Fails if more than one in
a hundred comparisons (sessions) of the same code is accepted.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from perftrace.model import Accepted, Candidate, Evidence, Function, Measurement
from perftrace.optimizer import choose, measure, oracle
from perftrace.optimizer.choose import Timed
from perftrace.optimizer.measure import CONFIRM, MEASURE, SCREEN, Effort, Timer, Workload
from perftrace.optimizer.verify import Passed
from perftrace.optimizer.workers import Version, Workers
from perftrace.store import Store

WANTED = 1.02
NOTHING = Evidence(1, 1, 0)  # verdicts are on speed alone here
ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"
PROGRAM = """
def text(words):
    counts = {}
    for _ in range(100):
        for word in words:
            counts[word.upper()] = counts.get(word, 0) + len(word)
    return counts

def floats(numbers):
    total = 0.0
    for _ in range(100):
        for number in numbers:
            total += number * 1.5 - total / 3
    return total

def rows(numbers):
    made = []
    for _ in range(100):
        made = sorted([(number % 7, [number]) for number in numbers])
    return made

if __name__ == "__main__":
    for size in range(20, 60):
        text([f"w{n % 9}" for n in range(size)])
        floats([n / 7 for n in range(size)])
        rows(list(range(size)))
"""
SAME, LESS_5, LESS_10, BEST = "the same", "5 % less", "10 % less", "best of several"
LOOPS = {SAME: 100, LESS_5: 95, LESS_10: 90}
LOADS = {"quiet": 0, "mid": 1, "heavy": 3}  # neighbours
NEIGHBOUR = """
import os, random, sys, time
dice, parent = random.Random(int(sys.argv[1])), os.getppid()
while os.getppid() == parent:
    end = time.perf_counter() + dice.uniform(0.02, 0.5)
    while time.perf_counter() < end:
        sum(range(1000))
    time.sleep(dice.uniform(0.02, 0.5))
"""


@dataclass(frozen=True)
class Line:
    """One comparison or session."""

    load: str
    kind: str
    function: str
    accepted: bool
    ratio: float
    low: float
    high: float
    processes: int  # with both versions, or pairs of processes
    seconds: float
    cpu_seconds: float  # of all processes but the neighbours


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--load", choices=LOADS, default="quiet", help="neighbours")
    parser.add_argument("--comparisons", type=int, default=60, help="of each kind")
    parser.add_argument("--kinds", nargs="+", choices=LOOPS, default=list(LOOPS))
    parser.add_argument("--best-of", type=int, default=0, help="identical candidates per session")
    parser.add_argument("--sessions", type=int, default=20, help="with --best-of")
    parser.add_argument("--seed", type=int, default=1, help="of the neighbours")
    parser.add_argument("--to", type=Path, help="file to which each result is added")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="only print what it holds")
    options = parser.parse_args()
    if options.summary:
        lines = [Line(**json.loads(row)) for row in options.summary.read_text().splitlines()]
        return summary(lines)
    lines = []
    with neighbours(LOADS[options.load], options.seed), Laboratory() as laboratory:
        for number, line in enumerate(made(laboratory, options), start=1):
            lines.append(line)
            if options.to:
                with options.to.open("a") as file:
                    file.write(json.dumps(asdict(line)) + "\n")
            print(f"{number} done", end="\r", file=sys.stderr)
    return summary(lines)


@contextmanager
def neighbours(count: int, seed: int) -> Iterator[None]:
    """So many processes that come and go on the CPUs."""
    command = [sys.executable, "-c", NEIGHBOUR]
    beside = [subprocess.Popen([*command, str(seed + number)]) for number in range(count)]
    try:
        yield
    finally:
        for process in beside:
            process.kill()
            process.wait()


class Laboratory:
    """The recorded program (context manager)."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        (folder / "app.py").write_text(PROGRAM)
        os.environ["XDG_CONFIG_HOME"] = f"{folder}/config"
        run = [sys.executable, "-c", ENTRY, "run", "--overhead", "50%", "app.py"]
        subprocess.run(run, cwd=folder, check=True, capture_output=True)
        self._store = Store.open(folder / ".perftrace" / "trace.db")
        self.workers = Workers(self._store)
        found = self._store.functions().values()
        self.functions = [one for one in found if one.name != "<module>"]
        self._prepared: dict[str, tuple[Version, Workload]] = {}

    def prepared(self, function: Function) -> tuple[Version, Workload]:
        """The original, and the calls that it is timed with."""
        if function.name not in self._prepared:
            original = Version(function, self._store.source_text(function))
            run = self._store.last_run()
            truth = oracle.consult(run, original, self.workers)
            workload = measure.warm(truth, self._store.calls(function, run=run))
            assert isinstance(workload, Workload), workload
            self._prepared[function.name] = original, workload
        return self._prepared[function.name]

    def changed(self, function: Function, loops: int, number: int = 0) -> Version:
        """The function with so many of its hundred loops, each number with a text of its own."""
        original, _ = self.prepared(function)
        before, mark, rest = original.source.partition(f"def {function.name}(")
        spaces = " " * (number + 1)
        text = before + mark + rest.replace("range(100)", f"range({loops}){spaces}", 1)
        return Version(function, text)

    def __enter__(self) -> "Laboratory":
        return self

    def __exit__(self, *_: object) -> None:
        self.workers.close()
        self._store.close()
        self._folder.cleanup()


def made(laboratory: Laboratory, options: argparse.Namespace) -> Iterator[Line]:
    """The comparisons, or the sessions."""
    functions = laboratory.functions
    if options.best_of:
        for number in range(options.sessions):
            function = functions[number % len(functions)]
            yield session(laboratory, options.load, function, options.best_of)
        return
    for number in range(options.comparisons):
        for kind in options.kinds:
            function = functions[number % len(functions)]
            yield comparison(laboratory, options.load, function, kind)


def comparison(laboratory: Laboratory, load: str, function: Function, kind: str) -> Line:
    """One confirmation."""
    new = laboratory.changed(function, LOOPS[kind])
    began = clocks()
    found = timed(laboratory, Timer(laboratory.workers), new, CONFIRM)
    return line(load, kind, function, found, began)


def session(laboratory: Laboratory, load: str, function: Function, count: int) -> Line:
    """The original's copies as candidates; what comes of the best of them."""
    timer = Timer(laboratory.workers)
    began = clocks()
    source = laboratory.prepared(function)[0].source

    def looked_at(candidate: Candidate, effort: Effort) -> Timed:
        found = timed(laboratory, timer, Version(function, candidate.source), effort)
        return Timed(candidate, Passed(NOTHING), found)

    texts = [laboratory.changed(function, LOOPS[SAME], number).source for number in range(count)]
    candidates = [Candidate(function, "same", ("same",), "", source, text) for text in texts]
    survivors = choose.survivors([looked_at(one, SCREEN) for one in candidates])
    measured = [looked_at(one.candidate, MEASURE) for one in survivors]
    best = choose.best(measured, WANTED)
    if best is None:
        ratio = max((one.measurement.ratio for one in measured), default=1.0)
        none = Measurement(ratio, 0.0, math.inf, 0, 0.0, 0.0, "cpu")
        return line(load, BEST, function, none, began)
    found = looked_at(best.candidate, CONFIRM).measurement
    return line(load, BEST, function, found, began)


def timed(laboratory: Laboratory, timer: Timer, new: Version, effort: Effort) -> Measurement:
    original, workload = laboratory.prepared(new.function)
    found = timer.measure(workload, original, new, effort, WANTED)
    assert isinstance(found, Measurement), found
    return found


def clocks() -> tuple[float, float]:
    """Wall time, and CPU time of ours and of the children that have ended."""
    used = os.times()
    spent = used.user + used.system + used.children_user + used.children_system
    return time.perf_counter(), spent


def line(
    load: str, kind: str, function: Function, found: Measurement, began: tuple[float, float]
) -> Line:
    accepted = isinstance(choose.confirmed(NOTHING, found, WANTED), Accepted)
    wall, cpu = (now - then for now, then in zip(clocks(), began, strict=True))
    figures = found.ratio, found.low, found.high
    return Line(load, kind, function.name, accepted, *figures, found.pairs, wall, cpu)


def summary(lines: Sequence[Line]) -> int:
    """Print the table; whether too many of the same were accepted."""
    heads = f"{'accepted':>12} {'ratio 5-95 %':>16} {'s: median, 95 %':>16} {'CPU s':>6}"
    print(f"{'load':6} {'kind':16} {heads}")
    wrong = False
    for load in LOADS:
        for kind in (*LOOPS, BEST):
            group = [one for one in lines if (one.load, one.kind) == (load, kind)]
            if group:
                print(row(load, kind, group))
                accepted = sum(one.accepted for one in group)
                same = kind in {SAME, BEST}
                wrong |= same and accepted > max(1, len(group) / 100)
    return int(wrong)


def row(load: str, kind: str, group: Sequence[Line]) -> str:
    accepted = sum(one.accepted for one in group)
    ratio, spent = at(group, lambda one: one.ratio), at(group, lambda one: one.seconds)
    middle = statistics.median(one.seconds for one in group)
    cpu = statistics.median(one.cpu_seconds for one in group)
    spread = f"{ratio(0.05):.3f} to {ratio(0.95):.3f}"
    return (
        f"{load:6} {kind:16} {accepted:5} of {len(group):<4} {spread:>16}"
        f" {middle:8.1f} {spent(0.95):7.1f} {cpu:6.1f}"
    )


def at(group: Sequence[Line], figure: Callable[[Line], float]) -> Callable[[float], float]:
    """The figure below which that share of them lie."""
    ordered = sorted(map(figure, group))
    return lambda share: ordered[round(share * (len(ordered) - 1))]


if __name__ == "__main__":
    sys.exit(main())
