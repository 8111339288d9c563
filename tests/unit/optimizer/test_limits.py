"""How much slower is too slow."""

import pytest

from perftrace.model import Function, Kind, Measurement
from perftrace.optimizer import limits
from perftrace.optimizer.limits import Limits

TOTAL = Function(1, "/shop/till.py", "total", 3, "till", Kind.FUNCTION, ())
OTHER = Function(2, "/shop/till.py", "other", 9, "till", Kind.FUNCTION, ())


def measured(low: float, high: float) -> Measurement:
    return Measurement((low + high) / 2, low, high, pairs=9, old_s=1.0, new_s=1.0, clock="cpu")


@pytest.mark.parametrize(
    ("text", "share"), [(">5%", 0.05), ("5%", 0.05), ("> 12.5 %", 0.125), ("0%", 0.0)]
)
def test_a_limit_is_a_share(text: str, share: float) -> None:
    assert limits.share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["5", "", "%", "five%", "-5%", "nan%", "inf%", "<5%"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - it has no other words
        limits.share(text)


@pytest.mark.parametrize(
    ("low", "high", "exceeded"),
    [
        (0.90, 0.94, True),  # surely more than 5 % slower
        (0.90, 0.96, False),  # perhaps not
        (1.00, 1.10, False),
    ],
)
def test_the_whole_interval_has_to_be_slower(low: float, high: float, exceeded: bool) -> None:
    assert Limits(0.05, {}).exceeded(TOTAL, measured(low, high)) is exceeded


def test_a_function_may_have_a_limit_of_its_own() -> None:
    allowed = Limits(0.05, {"till.py:total": "50%"})
    assert not allowed.exceeded(TOTAL, measured(0.7, 0.8))
    assert allowed.exceeded(OTHER, measured(0.7, 0.8))
    assert limits.percent(allowed.of(TOTAL)) == "50%"
