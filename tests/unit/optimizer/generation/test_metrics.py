"""PerfCodeGen's figures."""

import pytest

from perftrace.optimizer.generation.metrics import Timed, scores

TASKS = [
    Timed(1.0, (2.0, 0.5)),  # slower, then twice as fast
    Timed(1.0, (None, 0.95)),  # wrong, then a little faster
    Timed(1.0, (None, None)),
    Timed(1.0, (0.001, 0.8)),  # a thousand times as fast
]


def test_the_best_of_the_first_k_counts() -> None:
    first = scores(TASKS, 1, outlier=None)
    assert (first.tasks, first.correct, first.optimized) == (4, 0.5, 0.25)
    assert first.speedup == pytest.approx((0.5 + 1000) / 2)
    assert first.all_tasks == pytest.approx((1 + 1 + 1 + 1000) / 4)
    both = scores(TASKS, 2, outlier=None)
    assert (both.correct, both.optimized) == (0.75, 0.5)
    assert both.speedup == pytest.approx((2 + 1 / 0.95 + 1000) / 3)


def test_outliers_are_left_out_as_in_the_paper() -> None:
    assert scores(TASKS, 1).correct == 0.25
    assert scores(TASKS, 2).speedup == pytest.approx((2 + 1 / 0.95 + 1.25) / 3)


def test_without_a_right_sample() -> None:
    found = scores([Timed(1.0, (None,))], 1)
    assert (found.correct, found.optimized, found.speedup, found.all_tasks) == (0, 0, 0, 1)
