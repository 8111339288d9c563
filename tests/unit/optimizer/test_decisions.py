"""Decisions come out of the trace file as they went in."""

from dataclasses import replace
from typing import Any

import pytest

from perftrace.errors import TraceError
from perftrace.model import (
    Accepted,
    Decision,
    Evidence,
    Inconclusive,
    Measurement,
    Rejected,
    Verdict,
    Witness,
)
from perftrace.optimizer import decisions

SOURCE = "def f(n):\n    return n\n\n\ndef g(n):\n    return n\n"
FAST = Accepted(
    Evidence(12, 9, 3, (("larger than 8 KB", 4),)),
    Measurement(1.84, 1.79, 1.9, 6, 2e-6, 1e-6, "cpu"),
)
WRONG = Rejected("differs at result", Witness(7, "f(1)", "result", "1", "2", "main"))


@pytest.fixture
def lab(make_lab: Any) -> Any:
    return make_lab(SOURCE, {"f": ["n"], "g": ["n"]})


def decision(lab: Any, verdict: Verdict, name: str = "f", source: str = "new") -> Decision:
    candidate = replace(lab.candidate(source), function=lab.function(name))
    tried = ((candidate, verdict), (replace(candidate, source="other"), WRONG))
    found = decisions.identity(candidate) if isinstance(verdict, Accepted) else ""
    return Decision(lab.function(name), candidate, verdict, tried, found)


@pytest.mark.parametrize(
    "verdict", [FAST, WRONG, Inconclusive("why"), Rejected("slow", measurement=FAST.measurement)]
)
def test_a_decision_comes_back_as_it_was(lab: Any, verdict: Verdict) -> None:
    made = [decision(lab, verdict), Decision(lab.function("g"), None, Inconclusive("no"))]
    decisions.save(lab.store, lab.run, made, decisions.now())
    assert decisions.every(lab.store) == made


def test_the_newest_optimize_comes_first_and_the_older_ones_stay(lab: Any) -> None:
    decisions.save(lab.store, lab.run, [decision(lab, FAST)], "2026-01-01")
    decisions.save(lab.store, lab.run, [decision(lab, WRONG, "g")], "2026-01-02")
    assert [one.function.name for one in decisions.every(lab.store)] == ["g", "f"]
    assert [one.function.name for one in decisions.accepted(lab.store)] == ["f"]


def test_what_was_accepted_on_earlier_runs_is_apart(lab: Any) -> None:
    made = [decision(lab, FAST), decision(lab, WRONG, "g")]
    decisions.save(lab.store, lab.run, made, "2026-01-01")
    later = replace(lab.run, id=lab.run.id + 1)
    assert decisions.accepted_before(lab.store, later) == made[:1]
    assert decisions.accepted_before(lab.store, lab.run) == []


def test_a_newer_verdict_on_the_same_change_replaces_the_older(lab: Any) -> None:
    decisions.save(lab.store, lab.run, [decision(lab, FAST)], "2026-01-01")
    decisions.save(lab.store, lab.run, [decision(lab, Inconclusive("output"))], "2026-01-02")
    assert decisions.accepted(lab.store) == []


def test_an_identity_is_the_functions_name_and_a_digest_of_the_change(lab: Any) -> None:
    one, other = (decisions.identity(lab.candidate(text)) for text in ("a", "b"))
    assert one.startswith("f-")
    assert one != other


def test_a_function_that_was_never_recorded_has_no_row(lab: Any) -> None:
    made_up = replace(lab.function(), id=-1)
    decisions.save(lab.store, lab.run, [Decision(made_up, None, Inconclusive("no"))], "now")
    assert decisions.every(lab.store) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("document", "{}"),
        ("document", "[1"),
        ("document", '{"verdict": "accepted", "reason": "", "tried": []}'),
        ("steps", "3"),
        ("function_id", 99),
    ],
)
def test_a_row_that_makes_no_sense_is_one_clear_error(lab: Any, column: str, value: object) -> None:
    decisions.save(lab.store, lab.run, [decision(lab, FAST)], "now")
    row = next(lab.store.rows("SELECT * FROM decision"))
    with lab.store.transaction():
        lab.store.put("decision", {**row, column: value})
    with pytest.raises(TraceError, match="damaged"):
        decisions.every(lab.store)
