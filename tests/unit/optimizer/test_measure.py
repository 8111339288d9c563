"""Speed-ups from interleaved blocks; the fake workers' speed is known."""

import random
from dataclasses import replace
from typing import Any

import pytest

from perftrace.model import Measurement
from perftrace.optimizer import measure, oracle
from perftrace.optimizer.measure import CONFIRM, MEASURE, SCREEN, NotMeasured, Timer, Workload
from perftrace.optimizer.workers import Version
from perftrace.replay.requests import BlockTime, NotReplayed

SOURCE = "def f(n):\n    return n\n# cost: 5000\n"


@pytest.fixture
def lab(make_lab: Any) -> Any:
    lab = make_lab(SOURCE, {"f": ["n"]})
    for number in (1, 1, 1, 2):
        lab.call([number])
    return lab


def workload(lab: Any) -> Workload:
    truth = oracle.consult(lab.run, lab.version(), lab.workers)
    found = measure.warm(truth, lab.store.calls(lab.function(), run=lab.run))
    assert isinstance(found, Workload)
    return found


def time(
    lab: Any,
    cost: int,
    effort: measure.Effort = MEASURE,
    wanted: float = 1.0,
    alone: str = "# alone\n",
) -> Measurement:
    new = Version(lab.function(), alone + SOURCE.replace("5000", str(cost)))
    timer = Timer(lab.workers, random.Random(1))
    found = timer.measure(workload(lab), lab.version(), new, effort, wanted)
    assert isinstance(found, Measurement)
    return found


@pytest.mark.parametrize("cost", [500, 2500, 4500])
def test_the_true_ratio_lies_in_the_interval(lab: Any, cost: int) -> None:
    found = time(lab, cost, CONFIRM)
    assert found.low < 5000 / cost < found.high
    assert found.ratio == pytest.approx(5000 / cost, rel=0.02)
    assert found.pairs == 6
    assert found.old_s == pytest.approx(5e-6, rel=0.02)
    assert found.new_s == pytest.approx(cost / 1e9, rel=0.02)


def test_the_same_code_is_not_clearly_faster(lab: Any) -> None:
    assert time(lab, 5000).low < 1.05


def test_it_gives_up_as_soon_as_it_is_clearly_too_slow(lab: Any) -> None:
    slow = time(lab, 10_000, CONFIRM, wanted=1.05)
    assert slow.pairs == measure.GIVES_UP
    assert slow.high < 1.05
    patient = replace(CONFIRM, gives_up=False)
    assert time(lab, 10_000, patient, wanted=1.05).pairs == CONFIRM.pairs
    assert time(lab, 4500, CONFIRM, wanted=1.05).pairs == CONFIRM.pairs


def test_in_one_process_both_versions_have_the_same_noise(lab: Any) -> None:
    found = time(lab, 4500, CONFIRM, alone="")
    assert found.low == pytest.approx(5000 / 4500, rel=1e-6)
    assert found.high == pytest.approx(5000 / 4500, rel=1e-6)
    assert found.pairs == CONFIRM.pairs


def test_what_is_confirmed_in_one_process_is_measured_in_separate_ones_too(lab: Any) -> None:
    found = time(lab, 4500, CONFIRM, alone="")
    assert found.apart is not None
    ratio, low, high = found.apart
    assert low < 5000 / 4500 < high
    assert high - low > 0.001
    assert ratio == pytest.approx(5000 / 4500, rel=0.02)
    assert time(lab, 4500, MEASURE, alone="").apart is None
    assert time(lab, 4500, CONFIRM, wanted=1.2, alone="").apart is None  # it has failed already
    assert time(lab, 4500, CONFIRM).apart is None  # it was in separate ones


def test_one_pair_proves_nothing(lab: Any) -> None:
    assert time(lab, 500, SCREEN).low == 0.0


def test_more_pairs_are_measured_where_it_is_not_clear(lab: Any) -> None:
    close = 5000 / time(lab, 4800).ratio
    assert time(lab, 4800, MEASURE, wanted=5000 / close * 0.9999).pairs > MEASURE.pairs
    assert time(lab, 2500, MEASURE, wanted=1.05).pairs == MEASURE.pairs


def test_a_jolt_costs_a_group_of_blocks_and_not_the_figure(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = lab.workers.session(1, lab.version(), 1).__class__
    steady, blocks = fake.run_block, iter(range(10**6))

    def jolted(session: Any, rounds: int, version: int, move: int) -> BlockTime:
        block: BlockTime = steady(session, rounds, version, move)
        times = 20 if next(blocks) % 40 == 39 else 1  # another program was let in
        return BlockTime(block.cpu_ns * times, block.wall_ns, block.calls)

    monkeypatch.setattr(fake, "run_block", jolted)
    found = time(lab, 4500, CONFIRM)
    assert found.ratio == pytest.approx(5000 / 4500, rel=0.02)
    assert found.high / found.low < 1.05


@pytest.mark.parametrize(("cost", "blocks"), [(5_000, 20), (40_000_000, 8), (900_000_000, 4)])
def test_the_longer_a_round_the_fewer_blocks(
    lab: Any, cost: int, blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = lab.workers.session(1, lab.version(), 1).__class__
    rounds: list[int] = []

    def run_block(_: Any, many: int, *__: int) -> BlockTime:
        rounds.append(many)
        return BlockTime(cost * many, cost * many, many)

    monkeypatch.setattr(fake, "run_block", run_block)
    timer = Timer(lab.workers, random.Random(1))
    one_pair = measure.Effort(pairs=1, most=1, groups=5, block_s=10)
    timer.measure(workload(lab), lab.version(), lab.version(), one_pair)
    first = len(rounds)
    timer.measure(workload(lab), lab.version(), lab.version(), one_pair)
    warm_ups = 2 * blocks // 4 if blocks > 4 else 0  # in each group
    assert len(rounds) - first == blocks + warm_ups


def test_a_round_has_each_call_as_often_as_it_was_recorded(lab: Any) -> None:
    found = workload(lab)
    arguments = [request.arguments for request in found.requests]
    assert len(arguments) == 4
    assert sorted(map(arguments.count, set(arguments))) == [1, 3]


def test_code_that_keeps_state_is_timed_on_the_recorded_sequence(lab: Any) -> None:
    calls = list(lab.store.calls(lab.function(), run=lab.run))
    found = measure.cold(lab.workers, calls)
    assert isinstance(found, Workload)
    assert found.cold
    expected = [lab.store.blob(call.arguments) for call in calls]
    assert [request.arguments for request in found.requests] == expected


def test_a_sequence_that_takes_no_time_gives_no_figure(lab: Any) -> None:
    found = measure.cold(lab.workers, lab.store.calls(lab.function(), run=lab.run))
    assert isinstance(found, Workload)
    timer = Timer(lab.workers, random.Random(1))
    none = timer.measure(found, lab.version(), lab.version(), MEASURE)
    assert isinstance(none, NotMeasured)
    assert none.reason.startswith("keeps state between calls")


def test_a_block_that_fails_gives_its_reason(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = lab.workers.session(1, lab.version(), 1).__class__
    monkeypatch.setattr(fake, "run_block", lambda *_: NotReplayed("it was killed"))
    timer = Timer(lab.workers, random.Random(1))
    found = timer.measure(workload(lab), lab.version(), lab.version(), MEASURE)
    assert found == NotMeasured("it was killed")
