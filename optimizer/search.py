"""The search for one function's best candidate: propose, verify, screen, measure, step again."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from perftrace.model import Accepted, Call, Candidate, Evidence, Inconclusive, Measurement, Verdict
from perftrace.optimizer import choose, costs, measure
from perftrace.optimizer.adequacy import weighed
from perftrace.optimizer.choose import Timed
from perftrace.optimizer.engines import Engine
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.measure import Effort, NotMeasured, Timer, Workload
from perftrace.optimizer.oracle import Oracle
from perftrace.optimizer.verify import Passed, verify
from perftrace.optimizer.workers import Version, Workers

STEPS = 3  # changes on top of each other
ENOUGH = 8.0  # a step that gains so much is the last: what is left is not worth a longer diff
STEP_GAIN = 1.02  # each further step must be surely this much faster than the one before

type Tell = Callable[[str], None]
type Learn = Callable[[Candidate, Verdict, float | None], None]
type Judge = Callable[[Evidence, Measurement, float], Verdict]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search ended with."""

    candidate: Candidate | None  # the winner, or the nearest miss
    verdict: Verdict
    tried: tuple[tuple[Candidate, Verdict], ...]


class Search:
    """Looks for a faster version of one function."""

    def __init__(
        self, oracle: Oracle, calls: Sequence[Call], workers: Workers, min_speedup: float
    ) -> None:
        self._oracle = oracle
        self._calls = calls
        self._workers = workers
        self._min_speedup = min_speedup
        self._timer = Timer(workers)
        self._tried: dict[str, tuple[Candidate, Verdict]] = {}  # by source text
        self._told: Learn = lambda *_: None

    def run(self, engine: Engine, facts: Facts, seconds: float, tell: Tell) -> Found:
        """Search with one engine for about so long.

        Raises:
            TraceError: the trace file is damaged.
        """
        end = time.monotonic() + seconds
        original = self._oracle.original
        best: Timed | None = None
        self._told = engine.told
        proposals: Iterable[Candidate] = engine.propose(original.function, original.source, facts)
        for _ in range(STEPS):
            better = self._step(proposals, best, end, tell)
            if better is None:
                break
            best = better
            if best.measurement.ratio >= ENOUGH:
                break
            proposals = engine.refine(best.candidate, facts)
        if best is not None:
            tell("confirming the winner")
            self.confirm(best.candidate, best.passed)
            tell("looking at what the calls would notice")
            self._weigh(best.candidate)
        tried = tuple(self._tried.values())
        return Found(*choose.nearest(tried), tried)

    def _step(
        self, proposals: Iterable[Candidate], best: Timed | None, end: float, tell: Tell
    ) -> Timed | None:
        """The fastest of the proposals, if it is surely faster than the best so far."""
        screened: list[Timed] = []
        for candidate in proposals:
            if candidate.source in self._tried:
                continue
            if time.monotonic() > end:
                self._note(candidate, Inconclusive("not tried: no time was left for this function"))
                continue
            tell(f"trying {named(candidate)}")
            screened += self._screen(candidate, best)
        survivors = choose.survivors(screened)
        wanted = self._wanted(best)
        if len(survivors) == 1 and survivors[0].measurement.ratio >= ENOUGH * wanted:
            return survivors[0]  # clear enough for the confirming run to decide
        measured: list[Timed] = []
        for timed in survivors:
            tell(f"measuring {named(timed.candidate)}")
            measured += self._time(timed.candidate, timed.passed, best, measure.MEASURE)
        for timed in measured:
            verdict = choose.not_chosen(timed.measurement, wanted)
            self._note(timed.candidate, verdict, timed.measurement.ratio)
        return choose.best(measured, wanted)

    def _screen(self, candidate: Candidate, best: Timed | None) -> list[Timed]:
        """The candidate with a first look at its speed, if no difference is known."""
        verdict = verify(candidate, self._oracle, self._workers)
        if not isinstance(verdict, Passed):
            self._note(candidate, verdict)
            return []
        found = self._time(candidate, verdict, best, measure.SCREEN)
        for timed in found:
            verdict_so_far = choose.at_first_look(timed.measurement)
            self._note(candidate, verdict_so_far, timed.measurement.ratio)
        return found

    def _time(
        self, candidate: Candidate, passed: Passed, best: Timed | None, effort: Effort
    ) -> list[Timed]:
        """The candidate against the best so far, or the original; empty if it can't be timed."""
        workload = self._workload(cold=passed.keeps_state)
        if isinstance(workload, NotMeasured):
            self._note(candidate, Inconclusive(workload.reason))
            return []
        old = self._oracle.original if best is None else Version.of(best.candidate)
        wanted = self._wanted(best)
        found = self._timer.measure(workload, old, Version.of(candidate), effort, wanted)
        if isinstance(found, NotMeasured):
            self._note(candidate, Inconclusive(found.reason))
            return []
        return [Timed(candidate, passed, found)]

    def confirm(
        self, candidate: Candidate, passed: Passed, judge: Judge = choose.confirmed
    ) -> Verdict:
        """Measure against the original in new processes: these are the figures that count."""
        for timed in self._time(candidate, passed, None, measure.CONFIRM):
            verdict = judge(passed.evidence, timed.measurement, self._min_speedup)
            workload = self._workload(cold=passed.keeps_state)
            if isinstance(verdict, Accepted) and isinstance(workload, Workload):
                version = Version.of(candidate)
                found = costs.look(self._timer, self._workers, self._oracle, workload, version)
                verdict = costs.judged(verdict, found)
            self._note(candidate, verdict)
        return self._tried[candidate.source][1]

    def _weigh(self, candidate: Candidate) -> None:
        """Add to an accepted verdict how much its calls would notice."""
        verdict = self._tried[candidate.source][1]
        if isinstance(verdict, Accepted):
            evidence = weighed(verdict.evidence, self._oracle, self._workers)
            self._note(candidate, replace(verdict, evidence=evidence))

    def _wanted(self, best: Timed | None) -> float:
        """The speed-up that a step has to reach."""
        return self._min_speedup if best is None else STEP_GAIN

    def _workload(self, *, cold: bool) -> Workload | NotMeasured:
        if cold:
            return measure.cold(self._workers, self._calls)
        return measure.warm(self._oracle, self._calls)

    def _note(self, candidate: Candidate, verdict: Verdict, ratio: float | None = None) -> None:
        self._tried[candidate.source] = (candidate, verdict)
        self._told(candidate, verdict, ratio)


def named(candidate: Candidate) -> str:
    """The candidate by its steps: "constant-table x2 + string-join"."""
    count = Counter(candidate.steps)
    return " + ".join(step if times == 1 else f"{step} x{times}" for step, times in count.items())
