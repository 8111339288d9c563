"""What comparisons of known truth say of a machine."""

import math
from dataclasses import replace

import pytest

from perftrace.model import Measurement
from perftrace.optimizer import calibrate
from perftrace.optimizer.calibrate import Calibration, upper_bound

PLAIN = Measurement(1.0, 0.98, 1.02, 6, 1e-6, 1e-6, "cpu")


@pytest.mark.parametrize(
    ("count", "of", "expected"),
    [(0, 1, 0.95), (0, 10, 0.2589), (0, 59, 0.0495), (1, 10, 0.3942), (5, 100, 0.1023)],
)
def test_the_bound_of_a_rate_is_that_of_clopper_and_pearson(
    count: int, of: int, expected: float
) -> None:
    assert upper_bound(count, of) == pytest.approx(expected, abs=1e-4)


def test_a_rate_of_all_or_of_nothing_has_no_bound() -> None:
    assert upper_bound(3, 3) == 1.0
    assert upper_bound(0, 0) == 1.0


def test_the_smallest_speed_up_is_what_the_usual_interval_leaves_above_the_limit() -> None:
    widths = [0.01] * 8 + [0.03, 0.5]
    same = tuple(replace(PLAIN, low=math.exp(-width)) for width in widths)
    found = Calibration(1.05, same, (), 1.0)
    assert found.half_width == pytest.approx(math.expm1(0.03))
    assert found.smallest == pytest.approx(1.05 * math.exp(0.03))


def test_what_was_given_up_early_says_nothing_of_the_widths() -> None:
    found = Calibration(1.05, (replace(PLAIN, pairs=3, low=0.5), PLAIN), (), 1.0)
    assert found.half_width == pytest.approx(1 / 0.98 - 1)
    assert Calibration(1.05, (replace(PLAIN, pairs=3),), (), 1.0).smallest == math.inf


def test_verdicts_are_those_of_optimize() -> None:
    fast = replace(PLAIN, ratio=1.06, low=1.055, apart=(1.06, 1.02, 1.1))
    alone = replace(fast, apart=(1.0, 0.98, 1.02))  # not faster in processes of its own
    assert Calibration(1.05, (PLAIN, fast, alone), (), 1.0).accepted == 1
    near = replace(fast, low=1.03)
    assert Calibration(1.05, (), (near, PLAIN), 1.0).found == 1


def test_the_program_has_what_is_compared() -> None:
    compile(calibrate.PROGRAM, "app.py", "exec")
    assert calibrate.PROGRAM.count(calibrate.LOOPS) == 2
