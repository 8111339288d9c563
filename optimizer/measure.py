"""How much faster a version is: interleaved blocks in fresh processes, timed from outside.

Where it can be done, both versions take turns in one process (`replay/inside/versions.py`): the
noise of a program's speed is per process (memory layout, hash seed), and falls on both alike. The
interval is over processes. As both are in there, that alone is no proof: the winner is measured
once more in pairs of processes that have one version each, and has to be faster there as well.
Where the versions can't share a process, such pairs are all there is.

Blocks run in groups, each in the order ABBA or BAAB by the toss of a coin, so that a drift of the
machine's speed falls on both; the median of the groups' ratios counts, so that a jolt costs one
group. Where code lies in memory is worth a per cent or two: in a shared process it lies elsewhere
for each group. Blocks are short: many groups fit, and the copies of the arguments that a block
needs stay in the processor's cache.
"""

import functools
import math
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from perftrace.model import Call, Measurement, Recorded
from perftrace.optimizer import interval
from perftrace.optimizer.interval import Interval
from perftrace.optimizer.oracle import Oracle, hottest
from perftrace.optimizer.workers import Version, Workers
from perftrace.replay import recorded
from perftrace.replay.requests import BlockTime, NotReplayed, Other, Request
from perftrace.replay.session import NEW, OLD, Session

BLOCK_NS = 5_000_000  # CPU time of a block, by the original
SAMPLE_NS = 400_000_000  # CPU time of a sample at most, unless a group of blocks takes more
COLD_NS = 2_000_000  # a block that is timed once must take so long to be told from nothing
MAX_ROUNDS = 100_000
WARM_UP = 3  # rounds, so that the interpreter has specialised the code
REPEATS = 8  # of one call in a round, at most
SEQUENCE = 500  # calls in recorded order, for code that keeps state


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is spent on one measurement."""

    pairs: int  # of processes; or single ones, where both versions share one
    most: int  # of them, where the interval is not clear about the speed-up that is wanted
    groups: int  # of four blocks, in each
    block_s: float  # a block with its preparation: copying arguments can take longer than a call
    cold: bool = False  # in interpreters of their own from the start: the figures that count
    confirms: bool = False  # what was found in a shared process is measured in separate ones too
    gives_up: bool = True  # as soon as the interval lies below the speed-up that is wanted


SCREEN = Effort(pairs=1, most=1, groups=3, block_s=0.03)
MEASURE = Effort(pairs=4, most=8, groups=7, block_s=0.03)
CONFIRM = Effort(pairs=6, most=12, groups=7, block_s=0.03, cold=True, confirms=True)
GIVES_UP = 3  # samples, from which on the interval is narrow enough to give up
LONG_NS = 1_000_000_000  # CPU time of a sample whose calls take long
CLEAR, FEW_GROUPS = math.log(1.5), 3  # of a ratio so far from 1, fewer blocks are enough
# Processes differ more than blocks.
APART = Effort(pairs=5, most=12, groups=4, block_s=0.03, cold=True)


@dataclass(frozen=True, slots=True)
class Workload:
    """The calls of one round, all of one recorded process."""

    process_id: int
    requests: tuple[Request, ...]
    cold: bool = False  # one round for each process: the code keeps state between calls


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """Why there is no figure."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Sample:
    """Nanoseconds of CPU time per call in one process or pair of processes."""

    old: float
    new: float
    log: float  # of the ratio old over new: the median of the groups
    spent: int = 0  # CPU time of all blocks


@dataclass(frozen=True, slots=True)
class _Apart:
    """Why the versions can't take turns in one process."""

    reason: str


class _NoTime(Exception):  # noqa: N818 - an outcome
    """A block gave no time."""


type Both = tuple[Version, Version]  # old, new
type IntervalOf = Callable[[Sequence[float]], Interval]
type Run = Callable[[int, int, int], BlockTime]  # so many rounds of one version, and its place
type Take = Callable[[ExitStack, Workload, Both, Effort, int], _Sample | _Apart]


def warm(oracle: Oracle, calls: Iterable[Call]) -> Workload | NotMeasured:
    """The hottest of the oracle's cases, each as often as it was recorded.

    Args:
        oracle: its cases are known to do the same each time.
        calls: all recorded calls of the function, which say how often each occurs.
    """
    often = Counter(call.arguments for call in calls)
    direct = [case for case in oracle.cases if case.reach is None]
    cases = {case.call.id: case for case in direct or oracle.cases}
    chosen = hottest(case.call for case in cases.values()) or [c.call for c in oracle.cases[:1]]
    if not chosen:
        return NotMeasured(oracle.silence)
    process_id = chosen[0].process_id
    chosen = [call for call in chosen if call.process_id == process_id]
    rarest = min(max(1, often[call.arguments]) for call in chosen)
    requests: list[Request] = []
    for call in chosen:
        times = min(REPEATS, max(1, round(often[call.arguments] / rarest)))
        requests += [cases[call.id].request] * times
    return Workload(process_id, tuple(requests))


def cold(workers: Workers, calls: Iterable[Call]) -> Workload | NotMeasured:
    """The recorded calls in their order: repeats come as often as they really do."""
    usable = [call for call in calls if isinstance(call.arguments, Recorded)]
    if not usable:
        return NotMeasured("keeps state between calls, and its calls can't be made in order")
    process_id = usable[0].process_id
    mine = [call for call in usable if call.process_id == process_id][:SEQUENCE]
    requests = [recorded.request(workers.store, call) for call in mine]
    whole = tuple(request for request in requests if not isinstance(request, NotReplayed))
    if len(whole) < len(requests):
        return NotMeasured("keeps state between calls, and its calls can't be made in order")
    return Workload(process_id, whole, cold=True)


class Timer:
    """Measures versions of a function against its original."""

    def __init__(self, workers: Workers, dice: random.Random | None = None) -> None:
        self._workers = workers
        self._dice = dice or random.SystemRandom()
        self._rounds: dict[tuple[Workload, str, Effort], tuple[int, int]] = {}
        self._apart: set[tuple[str, str]] = set()  # texts that can't share a process

    def measure(
        self, workload: Workload, old: Version, new: Version, effort: Effort, wanted: float = 1.0
    ) -> Measurement | NotMeasured:
        """The ratio old over new, in CPU time; `wanted` is what it should surely be above."""
        one = any((version.decorated or version.alone) for version in (old, new))
        plain = not (workload.cold or one)
        found: Measurement | NotMeasured | _Apart = _Apart("it is looked at as a whole")
        if plain and (old.source, new.source) not in self._apart:
            found = self._repeat(self._together, workload, (old, new), effort, wanted)
        if isinstance(found, _Apart):
            self._apart.add((old.source, new.source))
            return self._measure_apart(workload, (old, new), effort, wanted)
        if isinstance(found, Measurement) and effort.confirms and found.low > wanted:
            apart = self._measure_apart(workload, (old, new), APART, 1.0)
            if isinstance(apart, NotMeasured):
                return apart
            return replace(found, apart=(apart.ratio, apart.low, apart.high))
        return found

    def _measure_apart(
        self, workload: Workload, versions: Both, effort: Effort, wanted: float
    ) -> Measurement | NotMeasured:
        found = self._repeat(self._pair, workload, versions, effort, wanted)
        assert not isinstance(found, _Apart), found
        return found

    def _repeat(
        self, sample: Take, workload: Workload, versions: Both, effort: Effort, wanted: float
    ) -> Measurement | NotMeasured | _Apart:
        """Take samples until their interval is clear."""
        samples: list[_Sample] = []
        interval_of = interval.of_logs if sample == self._together else interval.of_symmetric_logs
        while _needs_more(samples, interval_of, effort, wanted):
            seed = self._seed(len(samples), effort)
            try:
                with ExitStack() as stack:
                    found = sample(stack, workload, versions, effort, seed)
            except _NoTime as error:
                return NotMeasured(str(error))
            if isinstance(found, _Apart):
                return found
            samples.append(found)
            if found.log > CLEAR:  # no need to be exact
                effort = replace(effort, groups=min(effort.groups, FEW_GROUPS))
            if found.spent > LONG_NS and len(samples) == 1:  # long calls are steadier, and dear
                effort = replace(effort, pairs=(effort.pairs + 1) // 2, most=effort.most // 2 + 1)
        return _measurement(samples, interval_of)

    def _seed(self, place: int, effort: Effort) -> int:
        """The hash seed of a sample: each has another, as long as there are servers for it."""
        if effort.cold:
            return self._dice.randrange(1, 2**32)
        seeds = self._workers.timing_seeds
        return seeds[place % len(seeds)]

    def _together(
        self, stack: ExitStack, workload: Workload, versions: Both, effort: Effort, seed: int
    ) -> _Sample | _Apart:
        """Both versions in one process."""
        old, new = versions
        target = recorded.target(self._workers.store, old.function)
        other = Other(old.target(target) or target, old.source)
        session, apart = self._prepared(stack, workload, new, seed, effort, other)
        if apart:
            return _Apart(apart)
        run = functools.partial(_run, session)
        return self._warm_blocks((run, run), workload, versions, effort)

    def _pair(
        self, stack: ExitStack, workload: Workload, versions: Both, effort: Effort, seed: int
    ) -> _Sample:
        """A process for each version."""
        started = [
            self._prepared(stack, workload, version, seed, effort)[0] for version in versions
        ]
        runs = [functools.partial(_run, session) for session in started]
        if workload.cold:
            return self._cold_blocks(runs)
        return self._warm_blocks(runs, workload, versions, effort)

    def _prepared(
        self,
        stack: ExitStack,
        workload: Workload,
        version: Version,
        seed: int,
        effort: Effort,
        other: Other | None = None,
    ) -> tuple[Session, str]:
        """A process that is ready, and why the other version can't run in it."""
        session = self._workers.session(workload.process_id, version, seed, cold=effort.cold)
        stack.enter_context(session)
        requests = version.requests(workload.requests)
        if isinstance(requests, NotReplayed):
            raise _NoTime(requests.reason)
        prepared = session.prepare(requests, other)
        if isinstance(prepared, NotReplayed):
            raise _NoTime(prepared.reason)
        return session, prepared.apart

    def _warm_blocks(
        self, runs: Sequence[Run], workload: Workload, versions: Both, effort: Effort
    ) -> _Sample:
        key = (workload, versions[OLD].source, effort)
        if key not in self._rounds:
            self._rounds[key] = _calibrate(runs[OLD], effort)
        rounds, groups = self._rounds[key]
        found: list[tuple[float, float]] = []
        spent = 0
        for _ in range(groups):
            first = self._dice.randrange(2)
            order = [(version, rounds) for version in (first, 1 - first, 1 - first, first)]
            if groups > 1:  # else blocks are so long that they warm up themselves
                order = [(first, min(rounds, WARM_UP)), (1 - first, min(rounds, WARM_UP)), *order]
            move = self._dice.randrange(1, 2**31)
            times = [0.0, 0.0]
            for place, (version, many) in enumerate(order):
                block = runs[version](many, version, 0 if place else move)
                spent += block.cpu_ns
                if place >= len(order) - 4:
                    times[version] += max(1, block.cpu_ns) / block.calls / 2
            found.append((times[OLD], times[NEW]))
        return replace(_of_groups(found), spent=spent)

    def _cold_blocks(self, runs: Sequence[Run]) -> _Sample:
        times = [0.0, 0.0]
        first = self._dice.randrange(2)
        for version in (first, 1 - first):
            block = runs[version](1, version, 0)
            times[version] = max(1, block.cpu_ns) / block.calls
            if version == OLD and block.cpu_ns < COLD_NS:
                raise _NoTime("keeps state between calls; its recorded calls take too little time")
        return _of_groups([(times[OLD], times[NEW])])


def _of_groups(groups: Sequence[tuple[float, float]]) -> _Sample:
    """What the groups of blocks in the same processes say together."""
    old, new = (statistics.median(side) for side in zip(*groups, strict=True))
    return _Sample(old, new, statistics.median(math.log(a / b) for a, b in groups))


def _measurement(samples: Sequence[_Sample], interval_of: IntervalOf) -> Measurement:
    found = interval_of([sample.log for sample in samples])
    return Measurement(
        ratio=found.ratio,
        low=found.low,
        high=found.high,
        pairs=len(samples),
        old_s=statistics.median(sample.old for sample in samples) / 1e9,
        new_s=statistics.median(sample.new for sample in samples) / 1e9,
        clock="cpu",
    )


def _needs_more(
    samples: Sequence[_Sample], interval_of: IntervalOf, effort: Effort, wanted: float
) -> bool:
    """Whether another sample can still decide.

    Giving up early accepts nothing that would not be; what is lost is a candidate whose first
    samples all lie below the speed-up that is wanted, though more would lie above.
    """
    if len(samples) < min(GIVES_UP, effort.pairs):
        return True
    found = interval_of([sample.log for sample in samples])
    if effort.gives_up and found.high < wanted:
        return False
    if len(samples) < effort.pairs:
        return True
    return len(samples) < effort.most and found.low <= wanted < found.ratio


def _calibrate(run: Run, effort: Effort) -> tuple[int, int]:
    """How many rounds make a block, and how many groups of blocks a sample has."""
    rounds = 1
    while True:
        began = time.perf_counter()
        block = run(rounds, OLD, 0)
        elapsed = time.perf_counter() - began
        share = min(BLOCK_NS / max(1, block.cpu_ns), effort.block_s / elapsed)
        if share < 1.25 or rounds >= MAX_ROUNDS:
            groups = SAMPLE_NS // (4 * max(1, block.cpu_ns))
            return rounds, min(effort.groups, max(1, groups))
        rounds = min(MAX_ROUNDS, math.ceil(rounds * min(share, 16)))


def _run(session: Session, rounds: int, version: int, move: int) -> BlockTime:
    block = session.run_block(rounds, version, move)
    if isinstance(block, NotReplayed):
        raise _NoTime(block.reason)
    return block
