"""PerfCodeGen's figures (Peng et al. 2024), and the same with no sample left out."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

FASTER = 0.1  # of the known solution's time has to be saved to count as optimized
OUTLIER = 100.0  # times as fast as the known solution: the paper leaves such samples out


@dataclass(frozen=True, slots=True)
class Timed:
    """One task: seconds of its known solution, and of each sample's program; None: it is wrong."""

    known: float
    samples: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """Of the best of the first k samples of each task."""

    k: int
    tasks: int
    correct: float  # share of all tasks with a right sample
    optimized: float  # share of all tasks whose best saves more than a tenth
    speedup: float  # mean of known over best, over the tasks with a right sample; 0: there is none
    all_tasks: float  # the same over all tasks, where no speed-up and no right sample count as 1


def scores(tasks: Sequence[Timed], k: int, outlier: float | None = OUTLIER) -> Scores:
    """The figures for k samples a task.

    Args:
        tasks: at least one.
        k: samples that are looked at, in their order.
        outlier: samples that are so many times as fast as the known solution are left out, as the
            paper does; None: none are.
    """
    best = [_best(task, k, outlier) for task in tasks]
    ratios = [task.known / one for task, one in zip(tasks, best, strict=True) if one is not None]
    count = len(tasks)
    return Scores(
        k=k,
        tasks=count,
        correct=len(ratios) / count,
        optimized=sum(1 - 1 / ratio > FASTER for ratio in ratios) / count,
        speedup=statistics.fmean(ratios) if ratios else 0.0,
        all_tasks=(sum(max(1.0, one) for one in ratios) + count - len(ratios)) / count,
    )


def _best(task: Timed, k: int, outlier: float | None) -> float | None:
    """Seconds of the fastest right sample of the first k."""
    right = [one for one in task.samples[:k] if one is not None]
    kept = [one for one in right if outlier is None or task.known / one <= outlier]
    return min(kept, default=None)
