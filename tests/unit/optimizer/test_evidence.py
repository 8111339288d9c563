"""What a verdict rests on, in words."""

from dataclasses import replace

import pytest

from perftrace.model import Coverage, Evidence
from perftrace.optimizer import evidence

MANY = Evidence(20, 20, 0, generated=100, mistakes=(9, 9))
BASE = (
    "no difference in 20 recorded calls and 100 generated ones, which notice 9 of 9 small mistakes"
)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Evidence(1, 1, 0), "no difference in 1 recorded call"),
        (Evidence(12, 9, 3), "no difference in 12 recorded calls (3 through callers)"),
        (
            Evidence(1, 0, 1, mistakes=(4, 4)),
            "weak evidence: no difference in 1 recorded call (1 through callers), which notice 4 of"
            " 4 small mistakes",
        ),
        (
            Evidence(12, 12, 0, generated=20, mistakes=(4, 5)),
            "weak evidence: no difference in 12 recorded calls and 20 generated ones, which notice"
            " 4 of 5 small mistakes",
        ),
        (
            Evidence(12, 12, 0, generated=200),
            "no difference in 12 recorded calls and 200 generated ones",
        ),
    ],
)
def test_evidence_never_claims_more_than_no_difference(found: Evidence, expected: str) -> None:
    assert evidence.text(found) == expected


@pytest.mark.parametrize(
    ("coverage", "expected"),
    [
        (Coverage((15, 15), (8, 8)), f"{BASE}; lines 15 of 15, branches 8 of 8"),
        (Coverage((15, 15), (0, 0)), f"{BASE}; lines 15 of 15"),
        (
            Coverage((14, 15), (7, 8), (32,), ((30, 32),)),
            f"weak evidence: {BASE}; lines 14 of 15, branches 7 of 8; not reached: line 32",
        ),
        (
            Coverage((20, 20), (19, 20), (), ((30, 30),)),
            f"{BASE}; lines 20 of 20, branches 19 of 20; not reached: a second way on from line 30",
        ),
        (
            Coverage((94, 100), (18, 20), (1, 2, 3, 4, 5, 6), ((30, 33), (31, 33))),
            f"{BASE}; lines 94 of 100, branches 18 of 20; not reached: lines 1, 2, 3, 4 and 2 more,"
            " line 33 from line 30, line 33 from line 31",
        ),
        (
            Coverage((1, 1), (0, 0), left_out=3),
            f"{BASE}; lines 1 of 1 (at least: 3 of the calls were not watched)",
        ),
    ],
)
def test_what_the_calls_run_is_said_and_what_they_do_not(coverage: Coverage, expected: str) -> None:
    assert evidence.text(replace(MANY, coverage=coverage)) == expected


def test_that_coverage_could_not_be_seen_is_said() -> None:
    found = evidence.text(replace(MANY, not_covered="took longer than 2 s"))
    assert found == f"{BASE}; which lines they run could not be seen: took longer than 2 s"


@pytest.mark.parametrize(("branches", "weak"), [((9, 10), False), ((8, 10), True)])
def test_calls_that_take_few_of_the_branches_are_weak_evidence(
    branches: tuple[int, int], *, weak: bool
) -> None:
    assert evidence.is_weak(replace(MANY, coverage=Coverage((10, 10), branches))) is weak


def test_differences_outside_the_recorded_types_are_said() -> None:
    found = evidence.text(replace(MANY, outside_calls=9, outside=tuple("abcdef")))
    assert found == f"{BASE}; outside the recorded types: differs for a, b, c, d and 2 more"


def test_that_a_change_keeps_state_is_said() -> None:
    assert "keeps state between calls" in evidence.text(replace(MANY, keeps_state=True))
