"""How often a function was called: an estimate where it deserves trust.

Not every call is seen, so the number is estimated: `samples * interval / mean duration`, from the
samples with the function on the stack and the recorded calls. Its relative error is taken for

    sqrt(1/samples + cv²/n + drift² + spread² + waiting²)

- `1/samples`: samples are counted events (Poisson).
- `cv²/n`: the standard error of the mean of `n` durations, `cv` their coefficient of variation.
- `drift`: how far the means of the earlier and of the later half of them are from that of all.
  What was recorded may be the first calls alone, and later ones other.
- `spread`: `mean(d) * mean(1/d) - 1`. The recorder takes calls more by time than by number: long
  ones too often. Taken by time, the number would be `spent * mean(1/d)`, so the two means bound it.
- `waiting`: durations are wall time, and a sample is only taken of what wants to run. All that the
  program waited, over the sampled time of this function: it may have waited in no other.

Calls that take a time of which none was recorded are not accounted for.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from perftrace.model import Run

TRUSTED = 0.25  # an estimate with a larger error is not shown
FEWEST = 8  # durations: of fewer the dispersion is not known
LEAST_SAMPLES = math.ceil(1 / TRUSTED**2)
MOST_BUSY = 1.25  # sampled time over wall time: beyond it several threads or processes worked
OWN = 0.75  # of the CPU time must be the recorded process's: a child may be waited for


@dataclass(frozen=True, slots=True)
class Clock:
    """How samples and recorded durations compare in a run."""

    interval_s: float  # the wall time that a sample stands for
    waited_s: float  # at most so long nothing of the program wanted to run


NOT_KNOWN = Clock(0.0, math.inf)


def clock(run: Run, seen: int, cpu_s: Sequence[float | None]) -> Clock:
    """The clock of a run with so many samples, and the CPU time of each of its processes."""
    if run.wall_s <= 0 or not seen or len(cpu_s) != 1 or (cpu_s[0] or 0.0) < OWN * run.cpu_s:
        return NOT_KNOWN
    if not cpu_s[0]:
        return NOT_KNOWN
    active_s = run.cpu_s if run.sampler == "timing" else seen * run.interval_s
    if not 0 < active_s <= MOST_BUSY * run.wall_s:
        return NOT_KNOWN
    waited_s = max(0.0, run.wall_s - max(active_s, run.cpu_s))
    return Clock(min(run.interval_s, run.wall_s / seen), waited_s)


def estimate(samples: int, of_run: Clock, durations: Sequence[float]) -> int | None:
    """The number of calls, from durations in the order in which the calls began; None: unknown."""
    if error(samples, of_run, durations) > TRUSTED:
        return None
    return round(samples * of_run.interval_s / fmean(durations))


def error(samples: int, of_run: Clock, durations: Sequence[float]) -> float:
    """The relative error of the estimate, as the module's docstring has it."""
    spent_s = samples * of_run.interval_s
    if samples < LEAST_SAMPLES or len(durations) < FEWEST or min(durations) <= 0 or not spent_s:
        return math.inf
    mean = fmean(durations)
    half = len(durations) // 2
    ends = fmean(durations[:half]), fmean(durations[half:])
    parts = (
        samples**-0.5,
        math.sqrt(variance(durations) / len(durations)) / mean,
        max(abs(end - mean) for end in ends) / mean,
        mean * fmean(1 / took for took in durations) - 1,
        of_run.waited_s / spent_s,
    )
    return math.hypot(*parts)
