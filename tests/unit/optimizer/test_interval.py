"""The interval of a few ratios."""

import math
import random
import statistics

import pytest

from perftrace.optimizer import interval


def test_the_ratio_is_the_geometric_mean() -> None:
    assert interval.of_logs([math.log(2), math.log(8)]).ratio == pytest.approx(4)


def test_the_interval_is_students_t_on_the_logarithms() -> None:
    # mean 0.2, standard deviation 0.1, n = 3: half width 4.303 * 0.1 / sqrt(3)
    found = interval.of_logs([0.1, 0.2, 0.3])
    half = 4.303 * 0.1 / math.sqrt(3)
    assert found.low == pytest.approx(math.exp(0.2 - half))
    assert found.high == pytest.approx(math.exp(0.2 + half))


def test_equal_ratios_give_a_point() -> None:
    found = interval.of_logs([0.5, 0.5, 0.5])
    assert found.low == pytest.approx(found.ratio) == pytest.approx(found.high)


def test_a_single_ratio_proves_nothing() -> None:
    found = interval.of_logs([math.log(3)])
    assert (found.low, found.high) == (0.0, math.inf)


@pytest.mark.parametrize(
    ("count", "out"), [(6, 0), (8, 0), (9, 1), (11, 1), (12, 2), (15, 3), (20, 5)]
)
def test_from_six_values_on_it_is_the_medians_interval(count: int, out: int) -> None:
    found = interval.of_logs([number / 10 for number in range(count)])
    ends = [math.log(one) for one in (found.low, found.ratio, found.high)]
    assert ends == pytest.approx([out / 10, (count - 1) / 20, (count - 1 - out) / 10])


def test_one_process_that_was_disturbed_does_not_decide() -> None:
    found = interval.of_logs([0.05, 0.051, 0.049, 0.052, 0.05, 0.048, 0.05, -0.4, 0.9])
    assert found.low > 1.04
    assert found.high < 1.06


# Wilcoxon's critical values for 2.5 % on each side: Hollander & Wolfe, table A.4.
@pytest.mark.parametrize(("count", "out"), [(6, 0), (7, 2), (8, 3), (9, 5), (10, 8), (12, 13)])
def test_of_values_on_both_sides_alike_it_is_that_of_signed_ranks(count: int, out: int) -> None:
    logs = [number**2 / 1000 for number in range(count)]
    means = sorted((a + b) / 2 for n, a in enumerate(logs) for b in logs[n:])
    found = interval.of_symmetric_logs(logs)
    ends = math.log(found.low), math.log(found.high)
    assert ends == pytest.approx((means[out], means[len(means) - 1 - out]))
    assert math.log(found.ratio) == pytest.approx(statistics.median(means))


def test_signed_ranks_hold_the_truth_in_19_of_20_cases_and_are_narrower() -> None:
    dice = random.Random(3)
    held = narrower = 0
    for _ in range(2000):
        logs = [dice.gauss(0.05, 0.04) for _ in range(12)]
        found, plain = interval.of_symmetric_logs(logs), interval.of_logs(logs)
        held += found.low < math.exp(0.05) < found.high
        narrower += found.high / found.low < plain.high / plain.low
    assert held / 2000 == pytest.approx(0.957, abs=0.015)
    assert narrower > 1400


def test_of_few_values_both_intervals_are_the_same() -> None:
    logs = [0.1, 0.2, 0.4, 0.3]
    assert interval.of_symmetric_logs(logs) == interval.of_logs(logs)


def test_it_reads_as_ratio_and_bounds() -> None:
    assert str(interval.Interval(1.844, 1.786, 1.903)) == "1.84x [1.79, 1.90]"
