"""The typical ratio of a few processes or pairs of them, and its 95 % interval.

From six values on these are the median and its interval by order statistics (Hollander & Wolfe,
Nonparametric Statistical Methods, section 3.6), which assumes nothing of the distribution: of nine
values one on each side does not count, of twelve two, so that a process that was disturbed does not
decide. Fewer values have no such interval; theirs are the geometric mean and Student's t.

Where the values are differences of two things that are disturbed alike, as of two processes, they
lie symmetrically around the true one. Then signed ranks tell more (Hollander & Wolfe, section 3.2,
the interval of Tukey with the estimate of Hodges and Lehmann): of twelve values the interval is a
third narrower than by order, with the same certainty.
"""

import functools
import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# Critical values t(0.975, df) for df = 1 … 4: NIST/SEMATECH e-Handbook of Statistical Methods,
# section 1.3.6.7.2.
T_975 = (12.706, 4.303, 3.182, 2.776)
RANKED = 6  # values, from which on there is an interval by order


@dataclass(frozen=True, slots=True)
class Interval:
    """A typical ratio with its 95 % interval; one value alone has an unbounded interval."""

    ratio: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.ratio:.2f}x [{self.low:.2f}, {self.high:.2f}]"


def of_logs(logs: Sequence[float]) -> Interval:
    """The interval of ratios given by their natural logarithms; at least one is needed."""
    if len(logs) >= RANKED:
        return _by_ranks(logs)
    center = statistics.fmean(logs)
    if len(logs) == 1:
        return Interval(math.exp(center), 0.0, math.inf)
    half = T_975[len(logs) - 2] * statistics.stdev(logs) / math.sqrt(len(logs))
    return Interval(math.exp(center), math.exp(center - half), math.exp(center + half))


def of_symmetric_logs(logs: Sequence[float]) -> Interval:
    """The same where the values lie symmetrically around the true one; at least one is needed."""
    if len(logs) < RANKED:
        return of_logs(logs)
    pairs = itertools.combinations_with_replacement(logs, 2)
    means = sorted((one + other) / 2 for one, other in pairs)
    out = _ranks_left_out(len(logs))
    ends = means[out], means[-1 - out]
    return Interval(math.exp(statistics.median(means)), math.exp(ends[0]), math.exp(ends[1]))


@functools.cache
def _ranks_left_out(count: int) -> int:
    """Means of pairs beyond each end: the sum of the positive ranks is that or less by 2.5 %."""
    ways = [1]  # so many sets of ranks have this sum
    for rank in range(1, count + 1):
        ways = [
            (ways[total] if total < len(ways) else 0) + (ways[total - rank] if total >= rank else 0)
            for total in range(len(ways) + rank)
        ]
    chances = itertools.accumulate(number / 2**count for number in ways)
    return next(total for total, chance in enumerate(chances) if chance > 0.025) - 1


def _by_ranks(logs: Sequence[float]) -> Interval:
    ordered = sorted(logs)
    out = _left_out(len(logs))
    middle = statistics.median(logs)
    return Interval(math.exp(middle), math.exp(ordered[out]), math.exp(ordered[-1 - out]))


def _left_out(count: int) -> int:
    """Values beyond each end of the interval: the true median lies there with 2.5 % at most."""
    chances = itertools.accumulate(math.comb(count, number) / 2**count for number in range(count))
    return next(number for number, chance in enumerate(chances) if chance > 0.025) - 1
