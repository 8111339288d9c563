"""Reasons name the option that helps."""

import pytest

from perftrace.advice import advised


@pytest.mark.parametrize(
    ("reason", "size"),
    [
        ("larger than 8 KB", "64KB"),
        ("its arguments were not recorded: larger than 512 KB", "4MB"),
        ("larger than 1024 KB", "8MB"),
        ("larger than 8192 KB", "16MB"),
    ],
)
def test_a_value_that_was_too_large_can_be_allowed(reason: str, size: str) -> None:
    assert advised(reason) == f"{reason}, perftrace run --value-size {size} allows more"


@pytest.mark.parametrize("reason", ["larger than 16384 KB", "holds a secret (password)", ""])
def test_other_reasons_stay_as_they_are(reason: str) -> None:
    assert advised(reason) == reason
