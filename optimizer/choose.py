"""Which candidate wins, and the one reason a function ends with."""

from collections.abc import Sequence
from dataclasses import dataclass

from perftrace.model import (
    Accepted,
    Candidate,
    Evidence,
    Inconclusive,
    Measurement,
    Rejected,
    Verdict,
    Witness,
)
from perftrace.optimizer.interval import Interval
from perftrace.optimizer.verify import Passed

WORTH = 0.005  # of the program's time: a change that saves less is not worth a diff
NOT_REPRODUCED = "not reproduced"
SEPARATE = 1.0  # the interval's low end in separate processes must pass this
PROMISING = 1.02  # at first look; less can hardly be clearly faster
RIVAL = 1.5  # a candidate this much slower at first look than the fastest is out
SURVIVORS = 3  # screened candidates that are measured


@dataclass(frozen=True, slots=True)
class Timed:
    """A candidate without a known difference, and its measurement."""

    candidate: Candidate
    passed: Passed
    measurement: Measurement


def survivors(screened: Sequence[Timed]) -> list[Timed]:
    """The candidates worth measuring well: faster at first sight, the fastest first."""
    most = max((timed.measurement.ratio for timed in screened), default=1.0)
    ratios = [(timed.measurement.ratio, timed) for timed in screened]
    faster = [one for ratio, one in ratios if ratio > PROMISING and ratio >= most / RIVAL]
    return sorted(faster, key=lambda timed: -timed.measurement.ratio)[:SURVIVORS]


def best(measured: Sequence[Timed], min_speedup: float) -> Timed | None:
    """The surely fastest candidate: the one whose interval begins highest."""
    fast = [timed for timed in measured if timed.measurement.low > min_speedup]
    return max(fast, key=lambda timed: timed.measurement.low, default=None)


def at_first_look(measurement: Measurement) -> Rejected:
    """The verdict on a candidate that is not measured any further."""
    if measurement.ratio > PROMISING:
        return Rejected(f"others are faster at first look: {measurement.ratio:.2f}x")
    return Rejected(f"not clearly faster at first look: {measurement.ratio:.2f}x")


def not_chosen(measurement: Measurement, least: float) -> Rejected:
    """The verdict on a measured candidate, unless it wins."""
    why = "another candidate is faster" if measurement.low > least else "not clearly faster"
    return Rejected(f"{why}: {figures(measurement)}", measurement=measurement)


def judged(evidence: Evidence, measurement: Measurement, min_speedup: float) -> Verdict:
    """The verdict on a candidate by its measurement."""
    if measurement.low <= min_speedup:
        return not_chosen(measurement, min_speedup)
    return _in_separate_processes(measurement) or Accepted(evidence, measurement)


def confirmed(evidence: Evidence, measurement: Measurement, min_speedup: float) -> Verdict:
    """The verdict on a winner, by the second measurement, which alone counts."""
    if measurement.low <= min_speedup:
        return Inconclusive(f"{NOT_REPRODUCED}: {figures(measurement)} when measured again")
    return _in_separate_processes(measurement) or Accepted(evidence, measurement)


def _in_separate_processes(measurement: Measurement) -> Inconclusive | None:
    """What speaks against a speed-up that was measured with both versions in one process."""
    if measurement.apart is None or measurement.apart[1] > SEPARATE:
        return None
    apart = Interval(*measurement.apart)
    shared = f"{figures(measurement)} with both versions in one process"
    return Inconclusive(f"{NOT_REPRODUCED}: {shared}, but {apart} in separate ones")


def worth_it(verdict: Verdict, share: float | None) -> Verdict:
    """The same verdict, unless what it saves is lost in the program; None: share unknown."""
    match verdict:
        case Accepted(_, measurement) if share is not None:
            saving = share * (1 - 1 / measurement.ratio)
            if saving < WORTH:
                why = f"not worth a change (saves {saving:.1%} of the program)"
                return Rejected(f"{why}: {figures(measurement)}", measurement=measurement)
    return verdict


def nearest(
    tried: Sequence[tuple[Candidate, Verdict]],
) -> tuple[Candidate | None, Verdict]:
    """The accepted candidate, or else the nearest miss, which says why there is none."""
    if not tried:
        return None, Rejected("no rule applies")
    return min(tried, key=lambda one: _distance(one[1]))


def _distance(verdict: Verdict) -> tuple[int, float]:
    """How far a verdict is from accepted: a speed that fell short is nearer than a difference."""
    match verdict:
        case Accepted():
            return 0, 0.0
        case Rejected(measurement=Measurement() as measurement):
            return 2, -measurement.ratio
        case Inconclusive(reason):
            return (1, 0.0) if reason.startswith(NOT_REPRODUCED) else (3, 0.0)
        case Rejected(witness=Witness()):
            return 4, 0.0
        case Rejected():
            return 5, 0.0


def figures(measurement: Measurement) -> str:
    """The measurement as "1.84x [1.79, 1.90]"."""
    return str(Interval(measurement.ratio, measurement.low, measurement.high))
