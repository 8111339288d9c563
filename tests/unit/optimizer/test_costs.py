"""What a change costs elsewhere; the fake workers say what their source tells them."""

import random
from dataclasses import replace
from typing import Any

import pytest

from perftrace.model import Accepted, Costs, Evidence, Measurement, Rejected
from perftrace.optimizer import costs, measure, oracle
from perftrace.optimizer.measure import Timer, Workload
from perftrace.optimizer.workers import Version
from perftrace.replay.requests import BlockTime, NotReplayed

SOURCE = (
    "def f(rows):\n    return rows\n# grown: {grown}\n# memory: 2\n# import: 10\n# cost: 5000\n"
)
FAST = Accepted(Evidence(3, 3, 0), Measurement(2.0, 1.9, 2.1, 6, 2e-6, 1e-6, "cpu"))


def recorded(make_lab: Any, grown: str = "[[1, 1]]") -> Any:
    lab = make_lab(SOURCE.format(grown=grown), {"f": ["rows"]})
    lab.call([[1]])
    return lab


def look(lab: Any, *changes: tuple[str, str]) -> Costs:
    truth = oracle.consult(lab.run, lab.version(), lab.workers)
    workload = measure.warm(truth, lab.store.calls(lab.function(), run=lab.run))
    assert isinstance(workload, Workload)
    new = lab.file.read_text()
    for old, text in changes:
        new = new.replace(old, text)
    timer = Timer(lab.workers, random.Random(1))
    return costs.look(timer, lab.workers, truth, workload, Version(lab.function(), new))


def test_what_costs_nothing_more_has_its_figures(make_lab: Any) -> None:
    found = look(recorded(make_lab), ("cost: 5000", "cost: 2500"))
    assert found.growth is not None
    assert found.growth[0] == pytest.approx(2.0, rel=0.02)
    assert found.import_s == pytest.approx((0.01, 0.01))
    assert found.memory == pytest.approx((2 << 20, 2 << 20))
    assert not any((found.notes, found.worse, found.refused))


@pytest.mark.parametrize(
    ("old", "new", "worse", "refused"),
    [
        ("memory: 2", "memory: 3", (), ()),  # by no more than the limit
        ("memory: 2", "memory: 4", ("memory",), ()),
        ("memory: 2", "memory: 35", ("memory",), ("memory",)),
        ("memory: 2", "memory: 1", (), ()),
        ("import: 10", "import: 11", (), ()),
        ("import: 10", "import: 13", ("import",), ()),
        ("import: 10", "import: 90", ("import",), ("import",)),
    ],
)
def test_what_costs_more_is_told_and_beyond_a_limit_refused(
    make_lab: Any, old: str, new: str, worse: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    found = look(recorded(make_lab), (old, new))
    assert (found.worse, found.refused) == (worse, refused)
    assert isinstance(costs.judged(FAST, found), Rejected) is bool(refused)


def test_noise_is_not_worse(make_lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = recorded(make_lab)
    fake = lab.workers.session(1, lab.version(), 1).__class__
    pairs = iter([10**7, 10**7, 10**8, 10**8])  # a pair of processes each
    monkeypatch.setattr(fake, "time_import", lambda *_: BlockTime(next(pairs), 1, 1))
    assert look(lab).worse == ()


def test_slower_at_four_times_the_size_is_rejected(make_lab: Any) -> None:
    lab = recorded(make_lab, f"[{[1] * 40}]")
    found = look(lab, ("cost: 5000", "cost: 1000\n# byte: 70"))
    verdict = costs.judged(FAST, found)
    assert isinstance(verdict, Rejected)
    assert verdict.reason.startswith("faster on the recorded sizes, slower at four times: 0.")
    assert verdict.measurement is not None
    assert verdict.measurement.costs == found
    assert found.before is not None
    assert found.before[0] > 1


def test_calls_that_are_slower_at_any_size_are_no_matter_of_size(make_lab: Any) -> None:
    found = look(recorded(make_lab), ("cost: 5000", "cost: 7000"))
    verdict = costs.judged(FAST, found)
    assert isinstance(verdict, Accepted)
    assert costs.text(verdict.measurement) == (
        "at four times the size: 0.714x; the same calls as recorded: 0.714x"
    )
    alone = replace(found, before=None)  # they could not be timed
    assert isinstance(costs.judged(FAST, alone), Rejected)


def test_as_fast_at_four_times_the_size_is_accepted(make_lab: Any) -> None:
    found = look(recorded(make_lab), ("cost: 5000", "cost: 5100"))
    assert isinstance(costs.judged(FAST, found), Accepted)


def test_without_larger_calls_the_verdict_says_so(make_lab: Any) -> None:
    found = look(recorded(make_lab, "[]"))
    assert found.growth is None
    verdict = costs.judged(FAST, found)
    assert isinstance(verdict, Accepted)
    assert costs.text(verdict.measurement) == (
        "not measured: speed at four times the size: no such call could be made"
    )


def test_what_can_not_be_weighed_is_told(make_lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = recorded(make_lab)
    fake = lab.workers.session(1, lab.version(), 1).__class__
    monkeypatch.setattr(fake, "weigh_block", lambda _: NotReplayed("it was killed"))
    assert look(lab).notes == ("memory and import time: it was killed",)


@pytest.mark.parametrize(
    ("found", "keeps_state", "expected"),
    [
        (
            Costs((3.14159, 3.0, 3.3), (1.0, 2.0), (0.1, 0.1)),
            False,
            "at four times the size: 3.14x",
        ),
        (
            Costs(
                (0.99, 0.9, 1.1), (2 << 20, 5 << 20), (0.001, 0.0205), worse=("memory", "import")
            ),
            False,
            "at four times the size: 0.99x; it takes 5.0 MB of memory, was 2.0 MB; importing its"
            " module takes 20.5 ms, was 1.0 ms",
        ),
        (
            Costs(None, (1 << 20, 3 << 19)),
            True,
            "timed on the recorded order of calls; it takes 1.5 MB of memory, was 1.0 MB",
        ),
        (None, True, ""),
    ],
)
def test_costs_are_told_in_words(found: Costs | None, *, keeps_state: bool, expected: str) -> None:
    measurement = replace(FAST.measurement, costs=found)
    assert costs.text(measurement, keeps_state=keeps_state) == expected
