"""What a change costs elsewhere: larger arguments, memory, the import of its module.

A change that is faster on the recorded calls may be slower on larger ones, may hold a table of a
hundred megabytes, or may do its work when its module is imported. So the winner is timed on calls
at four times the recorded sizes too, and in fresh processes of the old and the new text the import
is timed and the calls' peak memory read, both from outside.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from perftrace.model import Accepted, Costs, Ending, Measurement, Rejected, Verdict
from perftrace.optimizer.case import Case
from perftrace.optimizer.interval import Interval
from perftrace.optimizer.measure import Effort, Timer, Workload
from perftrace.optimizer.oracle import Oracle
from perftrace.optimizer.workers import Version, Workers
from perftrace.replay import recorded
from perftrace.replay.requests import NotReplayed, Request
from perftrace.replay.session import NEW, OLD

GLANCE = Effort(pairs=2, most=2, groups=1, block_s=0.03)
GROWTH = Effort(pairs=4, most=4, groups=3, block_s=0.03)  # where it may be slower
LARGE_NS = 100_000_000  # CPU time of one round of the larger calls, unless one takes more
ENLARGED = 3  # recorded calls that are made at four times their size, at most
SLOWER = 0.95  # an interval at four times the size that ends below this is slower
WORSE = 1.05  # times what it was; less is not looked at
PAIRS, MOST = 2, 5  # of fresh processes; the latter where the first say that it is worse


type Figures = tuple[float, float, float]  # a ratio, and the ends of its interval


@dataclass(frozen=True, slots=True)
class Limit:
    """From what on a cost is said, and from what on a change is refused for it."""

    said: float
    refused: float


MB = 1 << 20
LIMITS = {
    "memory": Limit(said=1 * MB, refused=32 * MB),  # bytes
    "import": Limit(said=0.001, refused=0.05),  # seconds of CPU time
}


def look(timer: Timer, workers: Workers, oracle: Oracle, workload: Workload, new: Version) -> Costs:
    """Measure what a change costs beside the calls that it was timed on.

    Args:
        timer: times the larger calls.
        workers: start the fresh processes.
        oracle: what the original does, and the larger calls.
        workload: the calls that the change was timed on.
        new: the changed text.

    Raises:
        TraceError: the trace file is damaged.
    """
    notes: list[str] = []
    found = _growth(timer, oracle, workload, new)
    growth = before = None
    if isinstance(found, str):
        notes.append(f"speed at four times the size: {found}")
    else:
        growth, before = found
    weighing = _Weighing(workers, workload, (oracle.original, new))
    refused = weighing.run()
    if refused:
        notes.append(f"memory and import time: {refused}")
        return Costs(growth, notes=tuple(notes), before=before)
    if not weighing.memory[OLD]:
        notes.append("memory: it can't be read on this system")
    return Costs(
        growth,
        _typical(weighing.memory),
        _typical(weighing.imports),
        notes=tuple(notes),
        worse=tuple(weighing.worse("said")),
        refused=tuple(weighing.worse("refused")),
        before=before,
    )


def judged(accepted: Accepted, found: Costs) -> Verdict:
    """The verdict with what the change costs elsewhere: still accepted, or rejected for it."""
    measurement = replace(accepted.measurement, costs=found)
    if found.growth is not None and _grows_worse(found.growth, found.before):
        ratio = Interval(*found.growth)
        reason = f"faster on the recorded sizes, slower at four times: {ratio}"
        return Rejected(reason, measurement=measurement)
    if found.refused:
        reason = " and ".join(_change(name, found) for name in found.refused)
        return Rejected(f"faster, but {reason}", measurement=measurement)
    return Accepted(accepted.evidence, measurement)


def _grows_worse(growth: Figures, before: Figures | None) -> bool:
    """Whether it is slower at four times the size, and more so than on those calls as recorded.

    Some calls may be slower with a change that is faster on all of them; that is no matter of size.
    """
    return growth[2] < SLOWER and (before is None or growth[2] < before[1])


def text(measurement: Measurement, *, keeps_state: bool = False) -> str:
    """Such as "at four times the size: 3.1x; peak memory 9.0 MB, was 2.1 MB"; empty: no figures.

    Memory and import time are told where they are worse; of what keeps state, memory always.
    """
    found = measurement.costs
    if found is None:
        return ""
    told = ["timed on the recorded order of calls"] if keeps_state else []
    told += [f"at four times the size: {found.growth[0]:.3g}x"] if found.growth else []
    told += [f"the same calls as recorded: {found.before[0]:.3g}x"] if found.before else []
    always = ["memory"] if keeps_state and found.memory else []
    told += [_change(name, found) for name in dict.fromkeys((*always, *found.worse))]
    told += [f"not measured: {note}" for note in found.notes]
    return "; ".join(told)


def _change(name: str, found: Costs) -> str:
    if name == "memory" and found.memory:
        old, new = (f"{size / MB:.1f} MB" for size in found.memory)
        return f"it takes {new} of memory, was {old}"
    old, new = (f"{seconds * 1e3:.1f} ms" for seconds in found.import_s or (0.0, 0.0))
    return f"importing its module takes {new}, was {old}"


def _growth(
    timer: Timer, oracle: Oracle, workload: Workload, new: Version
) -> tuple[Figures, Figures | None] | str:
    """Old over new on the larger calls, and where it is slower, on those as recorded.

    Otherwise why there is nothing to tell.
    """
    if workload.cold:
        return "it keeps state between calls"
    larger = list(_larger(oracle))
    if not larger:
        return "no such call could be made"
    process_id = larger[0].call.process_id
    large = Workload(process_id, tuple(case.request for case in larger))
    found = timer.measure(large, oracle.original, new, GLANCE)
    if isinstance(found, Measurement) and found.ratio < 1:
        found = timer.measure(large, oracle.original, new, GROWTH)
    if not isinstance(found, Measurement):
        return found.reason
    growth = (found.ratio, found.low, found.high)
    if found.high >= SLOWER:
        return growth, None
    recorded = Workload(process_id, tuple(_enlarged(oracle, process_id)))
    found = timer.measure(recorded, oracle.original, new, GROWTH)
    if not isinstance(found, Measurement):
        return growth, None
    return growth, (found.ratio, found.low, found.high)


def _enlarged(oracle: Oracle, process_id: int) -> list[Request]:
    """The recorded calls that the larger ones were made of (`replay/inside/worker.py`)."""
    direct = [case for case in oracle.cases if case.reach is None]
    own = [case.request for case in direct if case.call.process_id == process_id]
    return sorted(own, key=lambda request: len(request.arguments), reverse=True)[:ENLARGED]


def _larger(oracle: Oracle) -> Iterator[Case]:
    """The calls at four times the size that are timed."""
    left = LARGE_NS
    for case in oracle.generated:
        if case.grown and case.expected.ending is not Ending.RAISED:
            if left < LARGE_NS and case.expected.cpu_ns > left:
                return
            left -= case.expected.cpu_ns
            yield case


class _Weighing:
    """Memory and import time of two versions in fresh processes, each in turn."""

    def __init__(
        self, workers: Workers, workload: Workload, versions: tuple[Version, Version]
    ) -> None:
        self.memory: tuple[list[float], list[float]] = ([], [])  # bytes; empty: can't be told
        self.imports: tuple[list[float], list[float]] = ([], [])  # seconds
        self._workers = workers
        self._workload = workload
        self._versions = versions
        self._dice = random.SystemRandom()

    def run(self) -> str:
        """Measure; why that failed, or empty."""
        for pair in range(MOST):
            if pair >= PAIRS and not any(self.worse("said")):
                break
            for place in self._dice.sample((OLD, NEW), 2):
                refused = self._weigh(place)
                if refused:
                    return refused
        return ""

    def worse(self, degree: str) -> Iterator[str]:
        """What is worse beyond doubt: each new figure is, than each old one, by more than that."""
        for name, (old, new) in (("memory", self.memory), ("import", self.imports)):
            least = getattr(LIMITS[name], degree)
            if old and min(new) > WORSE * max(old) and min(new) - max(old) > least:
                yield name

    def _weigh(self, place: int) -> str:
        version, workload = self._versions[place], self._workload
        seed = self._dice.randrange(1, 2**32)
        target = recorded.target_in(version.source, version.function)
        with self._workers.session(workload.process_id, version, seed, cold=True) as session:
            imported = session.time_import(target)
            if isinstance(imported, NotReplayed):
                return imported.reason
            requests = version.requests(workload.requests)
            if isinstance(requests, NotReplayed):
                return requests.reason
            prepared = session.prepare(requests)
            if isinstance(prepared, NotReplayed):
                return prepared.reason
            block = session.weigh_block()  # what import leaves behind counts, its own peak not
        if isinstance(block, NotReplayed):
            return block.reason
        self.imports[place].append(imported.cpu_ns / 1e9)
        if imported.memory and block.memory:
            self.memory[place].append(block.memory.peak - imported.memory.before)
        return ""


def _typical[N: float](figures: tuple[Sequence[N], Sequence[N]]) -> tuple[N, N] | None:
    """The least of each: what disturbs a process only adds."""
    old, new = figures
    return (min(old), min(new)) if old and new else None
