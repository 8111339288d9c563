"""What a ranking is said to rest on."""

from dataclasses import replace
from pathlib import Path

from perftrace.model import Run
from perftrace.optimizer.attribution import Tally
from perftrace.report import basis

PYTHON = Path("/usr/bin/python3")
RUN = Run(
    1, ("a.py",), "script", Path("/w"), Path("/w"), PYTHON, "3.13.0", "2025", 1.34, 1.0,
    0, "py-spy", 0.01, 69, "", 0.02,
)  # fmt: skip


def test_samples_are_counted_so_that_they_add_up() -> None:
    """Of 69 in the file of an older version 10 were the recorder's own."""
    text = "59 samples by py-spy, one every 10 ms, 35 of them outside your code and left out."
    assert basis.ranking(RUN, Tally(total=24, outside=35)) == text
    assert basis.ranking(RUN, Tally(total=24)) == "24 samples by py-spy, one every 10 ms."


def test_where_no_sample_is_of_the_users_code_it_says_what_it_ranks_by_and_why() -> None:
    ranked = "Ranked by the durations of the recorded calls: "
    none = "none of 101 samples by py-spy fell into your code"
    assert basis.ranking(RUN, Tally(outside=101)) == f"{ranked}{none}."
    one = "none of 1 sample by py-spy fell into your code"
    assert basis.ranking(RUN, Tally(outside=1)) == f"{ranked}{one}."
    short = replace(RUN, sampler_note="too short")
    assert basis.ranking(short, Tally()) == f"{ranked}there are no samples (too short)."
    only_sampled = replace(RUN, overhead=0.0)
    assert basis.ranking(only_sampled, Tally(outside=101)) == f"N{none[1:]}."


def test_how_long_a_killed_recording_lasted_is_not_known() -> None:
    assert basis.duration(RUN) == "recorded for 1.3 s"
    assert basis.duration(replace(RUN, wall_s=0.0)) == "recorded for a time that is not known"


def test_what_recording_took_and_what_it_was_allowed_are_two_things() -> None:
    allowed = "it was allowed 2.0%"
    assert basis.cost(0.018, 0.02) == f"Recording took 1.8% of the CPU time; {allowed}."
    start = "or what its start takes where that is more"
    assert basis.cost(0.336, 0.02) == f"Recording took 33.6% of the CPU time; {allowed}, {start}."
    unknown = "Recording was allowed 2.0% of the CPU time; what it took is not known."
    assert basis.cost(None, 0.02) == unknown
