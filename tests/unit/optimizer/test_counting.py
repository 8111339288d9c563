"""When a number of calls is estimated, and when only a bound is told."""

import math
from pathlib import Path

import pytest

from perftrace.model import Run
from perftrace.optimizer.counting import NOT_KNOWN, Clock, clock, error, estimate

STEADY = (0.010, 0.011, 0.009, 0.010) * 5
CLOCK = Clock(0.01, 0.0)


def run_of(wall_s: float, cpu_s: float, sampler: str = "py-spy") -> Run:
    python = Path("/usr/bin/python3")
    return Run(
        1, ("a.py",), "script", Path("/w"), Path("/w"), python, "3.13.0", "2025", wall_s, cpu_s,
        0, sampler, 0.01, 100, "", 0.02,
    )  # fmt: skip


def test_calls_that_take_about_the_same_time_are_estimated() -> None:
    assert estimate(300, CLOCK, STEADY) == 300
    assert error(300, CLOCK, STEADY) < 0.1


@pytest.mark.parametrize(
    ("samples", "durations"),
    [
        (77, STEADY[:1]),  # a test that ran once
        (300, STEADY[:7]),  # too few durations
        (12, STEADY),  # too few samples: their error alone is 29 %
        (300, (0.025,) * 4 + (8e-6,) * 5),  # once.py: few long calls, then many short ones
        (3000, (0.025,) * 200 + (1e-5,) * 2),  # the same, with many long ones recorded
        (3000, (0.01,) * 100 + (0.03,) * 100),  # it grows
        (300, (0.0,) * 20),
        (0, STEADY),
    ],
)
def test_nothing_is_estimated_that_may_be_far_off(
    samples: int, durations: tuple[float, ...]
) -> None:
    assert estimate(samples, CLOCK, durations) is None


def test_durations_that_may_hold_waiting_are_not_divided_by() -> None:
    """All that the program waited may have been in this function: 3 s are its sampled time."""
    assert estimate(300, Clock(0.01, 0.3), STEADY) == 300
    assert estimate(300, Clock(0.01, 0.9), STEADY) is None
    assert estimate(300, NOT_KNOWN, STEADY) is None


def test_the_error_has_the_parts_that_are_documented() -> None:
    alternating = (0.8, 1.2) * 50
    parts = (1 / 400, 0.2**2 / 99, 0.0, (1 / (1 - 0.04) - 1) ** 2, 0.1**2)
    assert error(400, Clock(1.0, 40.0), alternating) == pytest.approx(
        math.sqrt(sum(parts)), rel=0.01
    )


def test_samples_are_wall_time_however_little_of_the_cores_the_program_had() -> None:
    """A busy neighbour makes recorded calls longer, and samples of them more, alike."""
    assert clock(run_of(1.0, 0.4), 100, [0.39]) == Clock(0.01, 0.0)


def test_what_it_waited_is_bounded_by_samples_and_by_cpu_time() -> None:
    assert clock(run_of(1.0, 0.4), 70, [0.4]).waited_s == pytest.approx(0.3)
    assert clock(run_of(1.0, 0.9), 70, [0.9]).waited_s == pytest.approx(0.1)
    assert clock(run_of(1.0, 0.5, "timing"), 100, [0.5]).waited_s == 0.5


@pytest.mark.parametrize(
    ("run", "seen", "cpu_s"),
    [
        (run_of(0.0, 0.0), 50, [0.4]),  # perftrace was killed: nobody knows how long it ran
        (run_of(1.0, 1.0), 200, [1.0]),  # several threads worked
        (run_of(1.0, 1.0), 100, [0.3]),  # a child that was not recorded worked
        (run_of(1.0, 1.0), 100, [0.5, 0.5]),
        (run_of(1.0, 1.0), 100, [None]),
        (run_of(1.0, 1.0), 0, [1.0]),
    ],
)
def test_no_clock_fits_where_durations_hold_more_than_the_samples(
    run: Run, seen: int, cpu_s: list[float | None]
) -> None:
    assert clock(run, seen, cpu_s) is NOT_KNOWN
