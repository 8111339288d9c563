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


def test_it_reads_as_ratio_and_bounds() -> None:
    assert str(interval.Interval(1.844, 1.786, 1.903)) == "1.84x [1.79, 1.90]"
