"""Which candidate wins, and the reason a function ends with."""

from dataclasses import replace
from typing import Any

import pytest

from perftrace.model import (
    Accepted,
    Candidate,
    Evidence,
    Function,
    Inconclusive,
    Kind,
    Measurement,
    Rejected,
    Verdict,
    Witness,
)
from perftrace.optimizer import choose
from perftrace.optimizer.choose import Timed
from perftrace.optimizer.verify import Passed

EVIDENCE = Evidence(3, 3, 0)
FUNCTION = Function(1, "/a.py", "f", 1, "a", Kind.FUNCTION, ())


def speed(ratio: float, low: float) -> Measurement:
    return Measurement(ratio, low, ratio * 2 - low, 5, 2.0, 1.0, "cpu")


def timed(name: str, ratio: float, low: float = 0.0) -> Timed:
    candidate = Candidate(FUNCTION, "rules", (name,), "", "", name)
    return Timed(candidate, Passed(EVIDENCE), speed(ratio, low))


def steps(many: list[Timed]) -> list[str]:
    return [one.candidate.steps[0] for one in many]


def test_only_the_three_fastest_at_first_look_are_measured() -> None:
    looked = [timed("a", 1.3), timed("b", 1.6), timed("c", 0.9), timed("d", 1.5), timed("e", 1.4)]
    assert steps(choose.survivors(looked)) == ["b", "d", "e"]


def test_what_is_far_behind_the_fastest_at_first_look_is_not_measured() -> None:
    assert steps(choose.survivors([timed("a", 30), timed("b", 1.2)])) == ["a"]


def test_what_can_hardly_be_clearly_faster_is_not_measured() -> None:
    assert choose.survivors([timed("a", 1.01)]) == []


def test_the_winner_is_the_one_whose_interval_begins_highest() -> None:
    found = choose.best([timed("a", 1.9, 1.1), timed("b", 1.5, 1.4), timed("c", 1.2, 1.0)], 1.05)
    assert found is not None
    assert found.candidate.steps == ("b",)


def test_there_is_no_winner_when_no_interval_is_above_the_bar() -> None:
    assert choose.best([timed("a", 1.9, 1.05)], 1.05) is None


@pytest.mark.parametrize(
    ("measurement", "word"), [(speed(1.2, 1.1), Accepted), (speed(1.2, 1.04), Inconclusive)]
)
def test_a_winner_must_be_as_fast_when_measured_again(
    measurement: Measurement, word: type[Verdict]
) -> None:
    found = choose.confirmed(EVIDENCE, measurement, 1.05)
    assert isinstance(found, word)
    if isinstance(found, Inconclusive):
        assert found.reason == "not reproduced: 1.20x [1.04, 1.36] when measured again"


def test_a_gain_that_is_lost_in_the_program_is_not_worth_a_change() -> None:
    accepted = Accepted(EVIDENCE, speed(1.5, 1.4))
    found = choose.worth_it(accepted, share=0.01)
    assert isinstance(found, Rejected)
    assert found.reason.startswith("not worth a change (saves 0.3% of the program): 1.50x")
    assert choose.worth_it(accepted, share=0.02) is accepted
    assert choose.worth_it(accepted, share=None) is accepted


def test_without_candidates_no_rule_applies() -> None:
    assert choose.nearest([]) == (None, Rejected("no rule applies"))


def test_the_nearest_miss_is_the_reason() -> None:
    ranked: list[Verdict] = [
        Accepted(EVIDENCE, speed(2, 1.9)),
        choose.confirmed(EVIDENCE, speed(1.2, 1.0), 1.05),
        choose.not_chosen(speed(1.2, 1.0), 1.05),
        choose.not_chosen(speed(1.1, 0.9), 1.05),
        Inconclusive("result can't be compared"),
        Rejected("differs", Witness(1, "f()", "result", "1", "2")),
        Rejected("gate: a new import"),
    ]
    tried = [(timed(str(number), 1).candidate, one) for number, one in enumerate(ranked)]
    for first in range(len(tried)):
        assert choose.nearest(tried[: first - 1 : -1] or tried[::-1])[1] == ranked[first]


def test_a_measured_candidate_says_why_it_did_not_win() -> None:
    assert choose.not_chosen(speed(1.2, 1.0), 1.05).reason == (
        "not clearly faster: 1.20x [1.00, 1.40]"
    )
    assert choose.not_chosen(speed(1.2, 1.1), 1.05).reason.startswith("another candidate is faster")


@pytest.mark.parametrize("judge", [choose.judged, choose.confirmed])
@pytest.mark.parametrize(
    ("apart", "accepted"),
    [(None, True), ((1.3, 1.1, 1.5), True), ((1.3, 1.0, 1.6), False), ((0.9, 0.8, 1.1), False)],
)
def test_what_is_faster_in_one_process_has_to_be_faster_in_separate_ones(
    judge: Any, apart: tuple[float, float, float] | None, accepted: bool
) -> None:
    found = judge(EVIDENCE, replace(speed(1.4, 1.3), apart=apart), 1.05)
    assert isinstance(found, Accepted) is accepted
    if not accepted:
        assert isinstance(found, Inconclusive)
        assert found.reason.startswith("not reproduced: 1.40x [1.30, 1.50] with both versions in")
