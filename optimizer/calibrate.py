"""How far measurements can be trusted on this machine: comparisons whose truth is known.

A small program of ours is recorded and its functions are measured as `optimize` measures a winner:
against the same code, and against code that does a twentieth less. What comes of it says how
often this machine calls the same code faster, and which speed-up it finds for sure.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from perftrace.model import Accepted, Evidence, Function, Measurement
from perftrace.optimizer import choose, measure, oracle
from perftrace.optimizer.measure import CONFIRM, NotMeasured, Timer, Workload
from perftrace.optimizer.workers import Version, Workers
from perftrace.store import Store

LOOPS = "range(100)"  # in the program's functions
LESS = "range(95)"
TRUE = 100 / 95  # the speed-up of that, nearly
PROGRAM = f"""
def text(words):
    counts = {{}}
    for _ in {LOOPS}:
        for word in words:
            counts[word.upper()] = counts.get(word, 0) + len(word)
    return counts


def floats(numbers):
    total = 0.0
    for _ in {LOOPS}:
        for number in numbers:
            total += number * 1.5 - total / 3
    return total


if __name__ == "__main__":
    for size in (5, 10, 20):
        text([f"w{{n % 9}}" for n in range(size)])
        floats([n / 7 for n in range(size)])
"""
SURE = 0.9  # of the comparisons have an interval no wider than the one that counts
CONFIDENCE = 0.95
NOTHING = Evidence(1, 1, 0)  # verdicts are on speed alone here

type Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What came of comparisons whose truth is known."""

    min_speedup: float  # what an interval's lower end had to pass
    same: tuple[Measurement, ...]  # of the same code
    faster: tuple[Measurement, ...]  # of code that is faster by `TRUE`
    seconds: float

    @property
    def accepted(self) -> int:
        """How often the same code was called faster."""
        verdicts = [choose.confirmed(NOTHING, one, self.min_speedup) for one in self.same]
        return sum(isinstance(one, Accepted) for one in verdicts)

    @property
    def rate_at_most(self) -> float:
        """The upper end of the rate of false positives, with 95 % confidence."""
        return upper_bound(self.accepted, len(self.same))

    @property
    def faster_wanted(self) -> float:
        """What the interval of the faster code had to pass: half of its speed-up at most."""
        return wanted_of_faster(self.min_speedup)

    @property
    def found(self) -> int:
        """How often the faster code was found to be."""
        verdicts = [choose.confirmed(NOTHING, one, self.faster_wanted) for one in self.faster]
        return sum(isinstance(one, Accepted) for one in verdicts)

    @property
    def half_width(self) -> float:
        """How far below the ratio the interval reaches, as a share; nine in ten reach less far."""
        full = [one for one in (*self.same, *self.faster) if one.pairs >= CONFIRM.pairs]
        widths = sorted(math.log(one.ratio / one.low) for one in full)
        return math.expm1(widths[math.ceil(SURE * len(widths)) - 1]) if widths else math.inf

    @property
    def smallest(self) -> float:
        """The smallest speed-up that is found nine times in ten."""
        return self.min_speedup * (1 + self.half_width)


def wanted_of_faster(min_speedup: float) -> float:
    """The speed-up that code which is faster by `TRUE` has to pass."""
    return min(min_speedup, math.sqrt(TRUE))


def upper_bound(count: int, of: int) -> float:
    """The one-sided 95 % bound of a rate (Clopper & Pearson 1934), seen so often of so many."""
    if count >= of:
        return 1.0
    low, high = count / of, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        seen = sum(
            math.comb(of, number) * rate**number * (1 - rate) ** (of - number)
            for number in range(count + 1)
        )
        low, high = (rate, high) if seen > 1 - CONFIDENCE else (low, rate)
    return high


def calibrate(
    store: Store, min_speedup: float, seconds: float, tell: Tell
) -> Calibration | NotMeasured:
    """Compare the recorded functions of `PROGRAM` for about so long.

    Every fifth comparison is one of faster code, which takes three times as long. At least one of
    each kind is made.

    Raises:
        TraceError: the trace file is damaged.
    """
    with Workers(store) as workers:
        return _compared(_Bench(store, workers), min_speedup, seconds, tell)


def _compared(
    bench: "_Bench", min_speedup: float, seconds: float, tell: Tell
) -> Calibration | NotMeasured:
    began = time.monotonic()
    same: list[Measurement] = []
    faster: list[Measurement] = []
    number = 0
    while not (same and faster) or time.monotonic() - began < seconds:
        function = bench.functions[number % len(bench.functions)]
        left = max(0, round(seconds - (time.monotonic() - began)))
        tell(f"comparing code of known speed: {number} comparisons, {left} s left")
        if number % 5 == 1:
            found = bench.compare(function, LESS, wanted_of_faster(min_speedup))
            faster += [found] if isinstance(found, Measurement) else []
        else:
            found = bench.compare(function, f"{LOOPS} ", min_speedup)
            same += [found] if isinstance(found, Measurement) else []
        number += 1
        if isinstance(found, NotMeasured):
            return found
    taken = time.monotonic() - began
    return Calibration(min_speedup, tuple(same), tuple(faster), taken)


class _Bench:
    """The recorded program, ready to be compared with versions of itself."""

    def __init__(self, store: Store, workers: Workers) -> None:
        self._store = store
        self._workers = workers
        found = store.functions().values()
        self.functions: Sequence[Function] = [
            one for one in found if one.name in {"text", "floats"}
        ]
        self._prepared: dict[int, tuple[Version, Workload | NotMeasured]] = {}

    def compare(self, function: Function, loops: str, wanted: float) -> Measurement | NotMeasured:
        """The function against itself with other loops."""
        original, workload = self._workload(function)
        if isinstance(workload, NotMeasured):
            return workload
        before, mark, rest = original.source.partition(f"def {function.name}(")
        new = Version(function, before + mark + rest.replace(LOOPS, loops, 1))
        return Timer(self._workers).measure(workload, original, new, CONFIRM, wanted)

    def _workload(self, function: Function) -> tuple[Version, Workload | NotMeasured]:
        if function.id not in self._prepared:
            original = Version(function, self._store.source_text(function))
            run = self._store.last_run()
            truth = oracle.consult(run, original, self._workers)
            workload = measure.warm(truth, self._store.calls(function, run=run))
            self._prepared[function.id] = original, workload
        return self._prepared[function.id]
