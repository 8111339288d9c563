"""How much faster a version is: interleaved blocks in pairs of fresh processes, timed from outside.

The noise of a program's speed is per process (memory layout, hash seed), so each pair starts two
new ones, and the interval is over pairs. Within a pair the blocks run in groups, each in the order
ABBA or BAAB by the toss of a coin, so that a drift of the machine's speed falls on both; the median
of the groups' ratios counts, so that a jolt costs one group. Blocks are short: many groups fit, and
the copies of the arguments that a block needs stay in the processor's cache.
"""

import math
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from perftrace.model import Call, Measurement, Recorded
from perftrace.optimizer import interval
from perftrace.optimizer.interval import Interval
from perftrace.optimizer.oracle import Oracle, hottest
from perftrace.optimizer.workers import Version, Workers
from perftrace.replay import recorded
from perftrace.replay.session import BlockTime, NotReplayed, Request, Session

BLOCK_NS = 5_000_000  # CPU time of a block, by the original
PAIR_NS = 400_000_000  # CPU time of a pair at most, where one group of blocks does not take more
COLD_NS = 2_000_000  # a block that is timed once must take so long to be told from nothing
MAX_ROUNDS = 100_000
WARM_UP = 3  # rounds, so that the interpreter has specialised the code
REPEATS = 8  # of one call in a round, at most
SEQUENCE = 500  # calls in recorded order, for code that keeps state


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is spent on one measurement."""

    pairs: int
    most: int  # pairs, where the interval is not clear about the speed-up that is wanted
    groups: int  # of four blocks, in each pair
    block_s: float  # a block with its preparation: copying arguments can take longer than a call


SCREEN = Effort(pairs=1, most=1, groups=3, block_s=0.03)
MEASURE = Effort(pairs=4, most=8, groups=5, block_s=0.03)
CONFIRM = Effort(pairs=6, most=12, groups=5, block_s=0.04)


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
class _Pair:
    """Nanoseconds of CPU time per call, and what each group of blocks says."""

    old: float
    new: float
    log: float  # of the ratio old over new: the median of the groups


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

    def measure(
        self, workload: Workload, old: Version, new: Version, effort: Effort, wanted: float = 1.0
    ) -> Measurement | NotMeasured:
        """The ratio old over new, in CPU time; `wanted` is what it should surely be above."""
        pairs: list[_Pair] = []
        while len(pairs) < effort.pairs or (
            len(pairs) < effort.most and _is_open(_interval(pairs), wanted)
        ):
            pair = self._pair(workload, old, new, effort)
            if isinstance(pair, NotMeasured):
                return pair
            pairs.append(pair)
        found = _interval(pairs)
        return Measurement(
            ratio=found.ratio,
            low=found.low,
            high=found.high,
            pairs=len(pairs),
            old_s=statistics.median(pair.old for pair in pairs) / 1e9,
            new_s=statistics.median(pair.new for pair in pairs) / 1e9,
            clock="cpu",
        )

    def _pair(
        self, workload: Workload, old: Version, new: Version, effort: Effort
    ) -> _Pair | NotMeasured:
        seed = self._dice.randrange(1, 2**32)
        with ExitStack() as stack:
            sessions: list[Session] = []
            for version in (old, new):
                session = self._workers.session(workload.process_id, version, seed)
                stack.enter_context(session)
                prepared = session.prepare([version.request(one) for one in workload.requests])
                if isinstance(prepared, NotReplayed):
                    return NotMeasured(prepared.reason)
                sessions.append(session)
            try:
                if workload.cold:
                    return self._cold_blocks(sessions)
                key = (workload, old.source, effort)
                if key not in self._rounds:
                    self._rounds[key] = _calibrate(sessions[0], effort)
                return self._warm_blocks(sessions, *self._rounds[key])
            except _NoTime as error:
                return NotMeasured(str(error))

    def _warm_blocks(self, sessions: list[Session], rounds: int, groups: int) -> _Pair:
        for session in sessions:
            _run(session, min(rounds, WARM_UP))
        found: list[tuple[float, float]] = []
        for _ in range(groups):
            first = self._dice.randrange(2)
            times = [0.0, 0.0]
            for side in (first, 1 - first, 1 - first, first):
                block = _run(sessions[side], rounds)
                times[side] += max(1, block.cpu_ns) / block.calls / 2
            found.append((times[0], times[1]))
        return _pair(found)

    def _cold_blocks(self, sessions: list[Session]) -> _Pair:
        times = [0.0, 0.0]
        first = self._dice.randrange(2)
        for side in (first, 1 - first):
            block = _run(sessions[side], 1)
            times[side] = max(1, block.cpu_ns) / block.calls
            if side == 0 and block.cpu_ns < COLD_NS:
                raise _NoTime("keeps state between calls; its recorded calls take too little time")
        return _pair([(times[0], times[1])])


def _pair(groups: Sequence[tuple[float, float]]) -> _Pair:
    """What the groups of one pair of processes say together."""
    old, new = (statistics.median(side) for side in zip(*groups, strict=True))
    return _Pair(old, new, statistics.median(math.log(a / b) for a, b in groups))


def _interval(pairs: Sequence[_Pair]) -> Interval:
    return interval.of_logs([pair.log for pair in pairs])


def _is_open(found: Interval, wanted: float) -> bool:
    """Whether it may well be fast enough, but not surely."""
    return found.low <= wanted < found.ratio


class _NoTime(Exception):  # noqa: N818 - an outcome
    """A block gave no time."""


def _calibrate(session: Session, effort: Effort) -> tuple[int, int]:
    """How many rounds make a block, and how many groups of blocks a pair has."""
    rounds = 1
    while True:
        began = time.perf_counter()
        block = _run(session, rounds)
        elapsed = time.perf_counter() - began
        share = min(BLOCK_NS / max(1, block.cpu_ns), effort.block_s / elapsed)
        if share < 1.25 or rounds >= MAX_ROUNDS:
            groups = PAIR_NS // (4 * max(1, block.cpu_ns))
            return rounds, min(effort.groups, max(1, groups))
        rounds = min(MAX_ROUNDS, math.ceil(rounds * min(share, 16)))


def _run(session: Session, rounds: int) -> BlockTime:
    block = session.run_block(rounds)
    if isinstance(block, NotReplayed):
        raise _NoTime(block.reason)
    return block
