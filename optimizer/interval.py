"""The mean ratio of a few process pairs and its 95 % interval (Student's t on the logarithms)."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# Critical values t(0.975, df) for df = 1 … 30: NIST/SEMATECH e-Handbook of Statistical Methods,
# section 1.3.6.7.2. Beyond 30 the last value is used, which only widens the interval.
T_975 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


@dataclass(frozen=True, slots=True)
class Interval:
    """A geometric mean with its 95 % interval; one value alone has an unbounded interval."""

    ratio: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.ratio:.2f}x [{self.low:.2f}, {self.high:.2f}]"


def of_logs(logs: Sequence[float]) -> Interval:
    """The interval of ratios given by their natural logarithms; at least one is needed."""
    center = statistics.fmean(logs)
    if len(logs) == 1:
        return Interval(math.exp(center), 0.0, math.inf)
    freedom = min(len(logs) - 1, len(T_975))
    half = T_975[freedom - 1] * statistics.stdev(logs) / math.sqrt(len(logs))
    return Interval(math.exp(center), math.exp(center - half), math.exp(center + half))
