"""The interval of a few ratios."""

import math

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


def test_more_pairs_than_the_table_use_its_last_value() -> None:
    logs = [0.0, 0.2] * 20
    half = 2.042 * math.sqrt(0.01 * 40 / 39) / math.sqrt(40)
    assert interval.of_logs(logs).high == pytest.approx(math.exp(0.1 + half))


def test_it_reads_as_ratio_and_bounds() -> None:
    assert str(interval.Interval(1.844, 1.786, 1.903)) == "1.84x [1.79, 1.90]"
