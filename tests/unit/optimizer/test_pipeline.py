"""Every function asked for ends with a decision and its reason."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from perftrace.errors import UsageError
from perftrace.model import (
    Accepted,
    Candidate,
    Decision,
    Function,
    HotFunction,
    Inconclusive,
    Rejected,
    Share,
    Verdict,
)
from perftrace.optimizer import decisions, pipeline
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.pipeline import Goal, Task
from perftrace.optimizer.whole_program import OutputChanged

SOURCE = """\
def f(n):
    total = 0
    for one in range(n):
        total = total + one
    return total


def g(n):
    return n
# cost: 5000
"""


class FakeEngine:
    """Proposes what it is told to, and one more step of each that it is told of."""

    name = "fake"
    asks = False
    patience = 60.0

    def __init__(self, changes: dict[str, list[tuple[str, str]]], steps: Any = ()) -> None:
        self.changes = changes
        self.steps = dict(steps)

    def preview(self, function: Function, source: str, facts: Facts) -> list[Candidate]:
        return list(self.propose(function, source, facts))

    def told(self, candidate: Candidate, verdict: Verdict, ratio: float | None) -> None:
        """It learns nothing."""

    def propose(self, function: Function, source: str, facts: Facts) -> Iterator[Candidate]:
        for old, new in self.changes.get(function.name, []):
            changed = source.replace(old, new)
            yield Candidate(function, "fake", (new,), f"why {new}", source, changed)

    def refine(self, candidate: Candidate, facts: Facts) -> Iterator[Candidate]:
        for old, new in self.steps.get(candidate.steps[-1], []):
            changed = candidate.source.replace(old, new)
            yield replace(candidate, source=changed, steps=(*candidate.steps, new))


FASTER = ("total = total + one\n    return total\n", "total += one\n    return total\n")


def faster(cost: int) -> tuple[str, str]:
    """A change of the speed alone."""
    return "cost: 5000", f"cost: {cost}"


@pytest.fixture
def lab(make_lab: Any) -> Any:
    lab = make_lab(SOURCE, {"f": ["n"], "g": ["n"]})
    for number in (1, 2, 5):
        lab.call([number])
    return lab


def goal(lab: Any, name: str = "f", hot: float = 0.5, *, named: bool = False) -> Goal:
    share = Share(hot, hot, hot)
    return Goal(HotFunction(lab.function(name), share, hot, hot, 3, 5e-6, 3, 3, ()), named)


def run(
    lab: Any, changes: dict[str, list[tuple[str, str]]], goals: list[Goal], **more: Any
) -> list[Decision]:
    engine = FakeEngine(changes, more.pop("steps", ()))
    task = Task(lab.run, (), 10, engine, 1.05, more.pop("seconds", 60.0))
    return list(pipeline.optimize(lab.workers, task, goals, lambda _: None))


def test_a_faster_candidate_that_does_the_same_is_accepted_and_stored(lab: Any) -> None:
    [made] = run(lab, {"f": [faster(2500)]}, [goal(lab)])
    assert isinstance(made.verdict, Accepted)
    assert made.verdict.measurement.ratio == pytest.approx(2, rel=0.02)
    assert made.verdict.evidence.recorded == 3
    assert made.id.startswith("f-")
    assert decisions.every(lab.store) == [made]


def test_the_fastest_of_several_wins_and_the_others_say_why_not(lab: Any) -> None:
    changes = [faster(4000), faster(1000), ("total = 0", "total = 1"), faster(9000)]
    [made] = run(lab, {"f": changes}, [goal(lab)])
    assert made.candidate is not None
    assert made.candidate.steps == ("cost: 1000",)
    reasons = {one.steps[-1]: decisions.reason(verdict) for one, verdict in made.tried}
    assert reasons["cost: 4000"].startswith("others are faster at first look")
    assert reasons["total = 1"].startswith("differs at result")
    assert reasons["cost: 9000"].startswith("not clearly faster at first look")


def test_a_further_step_is_taken_where_it_is_faster_still(lab: Any) -> None:
    steps = {"cost: 2500": [("cost: 2500", "cost: 500"), ("cost: 2500", "cost: 2499")]}
    [made] = run(lab, {"f": [faster(2500)]}, [goal(lab)], steps=steps)
    assert made.candidate is not None
    assert made.candidate.steps == ("cost: 2500", "cost: 500")
    assert isinstance(made.verdict, Accepted)
    assert made.verdict.measurement.ratio == pytest.approx(10, rel=0.02)


def test_no_faster_candidate_is_a_rejection_with_figures(lab: Any) -> None:
    [made] = run(lab, {"f": [faster(4800)]}, [goal(lab)])
    assert isinstance(made.verdict, Rejected)
    assert made.verdict.reason.startswith("not clearly faster: 1.0")
    assert made.id == ""


def test_a_wrong_candidate_is_a_rejection_with_a_witness(lab: Any) -> None:
    [made] = run(lab, {"f": [("total = 0", "total = 1")]}, [goal(lab)])
    assert isinstance(made.verdict, Rejected)
    assert made.verdict.witness is not None
    assert made.verdict.witness.call == "f(1)"


def test_without_candidates_no_rule_applies(lab: Any) -> None:
    [made] = run(lab, {}, [goal(lab)])
    assert made.verdict == Rejected("no rule applies")


def test_a_function_without_recorded_calls_is_not_replayable(lab: Any) -> None:
    [made] = run(lab, {"g": [faster(2500)]}, [goal(lab, "g")])
    assert made.verdict == Inconclusive("not replayable: no call of it was recorded")


def test_the_code_of_a_module_is_not_said_to_lack_calls(lab: Any) -> None:
    known = goal(lab)
    body = replace(lab.function(), id=-1, qualname="<module>")
    [made] = run(lab, {}, [replace(known, hot=replace(known.hot, function=body))])
    assert made.verdict == Inconclusive("not replayable: the code of a module: runs on import")


def test_a_function_of_little_weight_is_left_alone_unless_named(lab: Any) -> None:
    changes = {"f": [faster(2500)]}
    [made] = run(lab, changes, [goal(lab, hot=0.001)])
    assert made.verdict == Rejected("not worth a change: 0.1% of the program, below 0.5%")
    [named] = run(lab, changes, [goal(lab, hot=0.001, named=True)])
    assert isinstance(named.verdict, Accepted)


def test_a_file_that_changed_since_is_named(lab: Any) -> None:
    lab.file.write_text(SOURCE + "# mine\n")
    [made] = run(lab, {"f": [faster(2500)]}, [goal(lab)])
    assert isinstance(made.verdict, Inconclusive)
    assert made.verdict.reason == (
        f"{lab.file} changed since it was recorded; record again: perftrace run"
    )


def test_when_the_budget_is_used_up_each_function_says_so(lab: Any) -> None:
    made = run(lab, {"f": [faster(2500)]}, [goal(lab), goal(lab, "g")], seconds=0)
    reason = "not tried: the time for all functions was used up"
    assert [one.verdict for one in made] == [Inconclusive(reason)] * 2


def test_what_was_finished_before_an_interrupt_is_stored(lab: Any) -> None:
    task = Task(lab.run, (), 10, FakeEngine({}), 1.05, 60.0)
    doing = pipeline.optimize(lab.workers, task, [goal(lab), goal(lab, "g")], lambda _: None)
    first = next(doing)
    assert decisions.every(lab.store) == [first]


def test_changes_of_the_same_lines_are_not_both_accepted(lab: Any) -> None:
    lab.call([1], name="g")
    changes = {"f": [faster(2500)], "g": [faster(1000)]}
    one, other = run(lab, changes, [goal(lab), goal(lab, "g")])
    assert isinstance(one.verdict, Accepted)
    assert isinstance(other.verdict, Inconclusive)
    assert "can't be put together with the change of f" in other.verdict.reason


def test_when_the_programs_output_changes_nothing_stays_accepted(lab: Any) -> None:
    made = run(lab, {"f": [faster(2500)]}, [goal(lab)])
    changed = OutputChanged(3, "'1'", "'2'")
    [withdrawn] = pipeline.withdraw(lab.store, lab.run, made, changed)
    assert withdrawn.verdict == Inconclusive("program output changed: line 3 is '2', was '1'")
    assert decisions.accepted(lab.store) == []
    assert decisions.every(lab.store) == [withdrawn]


def test_the_expected_gain_is_amdahls_law(lab: Any) -> None:
    todo = [goal(lab, hot=0.5)]
    [made] = run(lab, {"f": [faster(2500)]}, todo)
    assert pipeline.expected(todo, [made]) == pytest.approx(1 / (0.5 + 0.25), rel=0.02)
    assert pipeline.expected(todo, []) == 1


def test_goals_are_the_hottest_or_those_named(lab: Any) -> None:
    ranked = [goal(lab).hot, goal(lab, "g").hot]
    task = Task(lab.run, (), 1, FakeEngine({}), 1.05, 60.0)
    assert pipeline.goals(ranked, task) == [Goal(ranked[0], named=False)]
    named = replace(task, names=("app:g",))
    assert pipeline.goals(ranked, named) == [Goal(ranked[1], named=True)]
    with pytest.raises(UsageError):
        pipeline.goals(ranked, replace(task, names=("nothing",)))


@pytest.mark.parametrize(("cost", "verdict"), [(2500, Accepted), (5000, Rejected)])
def test_a_given_candidate_may_have_to_be_faster_too(lab: Any, cost: int, verdict: Any) -> None:
    candidate = lab.candidate(SOURCE.replace("5000", str(cost)))
    assert not isinstance(pipeline.check(lab.workers, lab.run, candidate, None), Rejected)
    assert isinstance(pipeline.check(lab.workers, lab.run, candidate, 1.05), verdict)


def test_what_keeps_state_is_timed_on_the_recorded_order_of_calls(
    make_lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "import functools\n\n\ndef f(n):\n    return n * n\n# cost: 5000000\n"
    lab = make_lab(source, {"f": ["n"]})
    recorded = [3, 1, 3, 3, 2, 1]
    for number in recorded:
        lab.call([number])
    fake = lab.workers.session(1, lab.version(), 1).__class__
    prepare, timed = fake.prepare, []

    def noted(session: Any, requests: Any, other: Any = None) -> Any:
        timed.append([request.arguments for request in requests])
        return prepare(session, requests, other)

    monkeypatch.setattr(fake, "prepare", noted)
    cached = source.replace("def f(", "@functools.cache\ndef f(").replace("5000000", "1000000")
    found = pipeline.check(lab.workers, lab.run, lab.candidate(cached), 1.05)
    assert isinstance(found, Accepted), found
    calls = list(lab.store.calls(lab.function(), run=lab.run))
    order = [lab.store.blob(call.arguments) for call in calls]
    assert len(order) == len(recorded)
    assert timed
    assert all(one == order for one in timed)
    assert "keeps state between calls; timed on the recorded order" in decisions.reason(found)
