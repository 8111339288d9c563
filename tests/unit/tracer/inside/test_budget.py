import pytest

from perftrace.tracer.inside import budget as module
from perftrace.tracer.inside.budget import (
    BEYOND,
    CREDIT_NS,
    FEW,
    MORE_SHOTS,
    MOST_PEEKS,
    NEAR_NS,
    QUICK_NS,
    QUOTA,
    USUAL_NS,
    Budget,
)
from perftrace.tracer.inside.function import GROWTH, Watched


def function(*, captured: int = 1, bill: int = 1000, failures: int = 0) -> Watched:
    """A function that was captured once more, for so much."""
    made = Watched(function.__code__, 1, ("app.py", "f", 1), "app")
    made.captured, made.settled = captured, captured - 1
    made.cost = bill if made.settled else 0
    made.bill, made.failures = bill, failures
    return made


@pytest.fixture
def budget(monkeypatch: pytest.MonkeyPatch) -> Budget:
    monkeypatch.setattr(module, "process_time_ns", lambda: 10**9)
    made = Budget(0.02)
    made.refresh()
    return made


def test_it_closes_when_the_share_is_spent(budget: Budget) -> None:
    budget.spent = 20_000_000 - 1
    assert budget.open()
    budget.spent += 1
    assert not budget.open()
    assert budget.choose() == []


def test_a_short_program_gets_a_little_beside_the_recorders_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "process_time_ns", lambda: 10**8)
    budget = Budget(0.02)
    budget.started(11_000_000)
    budget.refresh()
    budget.spent += CREDIT_NS - 1
    assert budget.open()
    budget.spent += 1
    assert not budget.open()


def test_the_least_captured_and_cheapest_come_first(budget: Budget) -> None:
    often, seldom, costly = function(captured=9), function(), function(bill=10_000)
    for each in (often, seldom, costly):
        budget.settle(each)
    assert budget.choose() == [seldom, often, costly]
    assert budget.choose() == []


def test_the_cost_is_a_moving_average(budget: Budget) -> None:
    one = function(bill=1000)
    budget.settle(one)
    budget.choose()
    one.captured, one.bill = 3, 6000
    budget.settle(one)
    budget.choose()
    assert (one.cost, one.bill) == (2000, 0)


def test_the_event_that_ends_a_capture_is_on_its_bill(budget: Budget) -> None:
    one = function(bill=1000)
    budget.settle(one)
    one.bill += 500  # counted when its callback is done
    budget.choose()
    assert one.cost == 1500


def test_after_a_value_that_did_not_fit_the_next_capture_is_expected_to_cost_more(
    budget: Budget,
) -> None:
    one = function(bill=1000)
    one.too_big()
    budget.settle(one)
    budget.choose()
    assert one.cost == 1000 * GROWTH


def test_an_event_that_led_to_no_capture_leaves_the_cost(budget: Budget) -> None:
    one = function(bill=20_000_000)
    budget.settle(one)
    budget.choose()
    one.bill = 400  # it started when the budget was closed
    budget.settle(one)
    budget.choose()
    assert (one.cost, one.bill) == (20_000_000, 0)


def test_while_it_saves_up_for_a_hot_function_no_other_gets_in_its_way(budget: Budget) -> None:
    costly, cheap, cold = function(bill=24_000_000), function(bill=1000), function(bill=10)
    costly.seen = cheap.seen = 9
    budget.spent = 16_000_000
    for each in (costly, cheap, cold):
        budget.settle(each)
    assert budget.choose() == [cheap]
    assert cheap.shots == 1


def test_a_round_spends_no_more_than_half_a_second_earns(budget: Budget) -> None:
    budget.choose()  # else it is the first second's
    for _ in range(10):
        budget.settle(function(bill=2_900_000))
    assert len(budget.choose()) == 3


def test_what_costs_more_than_a_round_waits_for_a_whole_one(budget: Budget) -> None:
    budget.spent = 19_000_000
    costly = function(bill=50_000_000)
    budget.settle(costly)
    assert budget.choose() == []
    budget.spent = 0
    assert budget.choose() == [costly]


def test_what_is_left_of_a_round_is_used_for_the_very_next_calls(budget: Budget) -> None:
    cheap, costly = function(), function(bill=8_000_000)
    budget.settle(cheap)
    assert budget.choose() == [cheap]
    shots = 1
    while budget.another(cheap):
        shots += 1
    assert shots == 1 + MORE_SHOTS
    budget.settle(costly)
    assert budget.choose() == [costly]
    assert not budget.another(costly)


def test_what_never_fits_rests_longer_and_longer(budget: Budget) -> None:
    def rounds_until_chosen(failures: int) -> int:
        budget.settle(function(failures=failures))
        return next(n for n in range(1, 100) if budget.choose())

    assert [rounds_until_chosen(n) for n in (0, 1, 2, 3)] == [1, 2, 5, 10]


def test_a_forked_child_starts_anew(budget: Budget) -> None:
    budget.spent = 10**12
    budget.begin_again()
    assert budget.open()


def test_a_function_beyond_its_quota_rests_longer_with_each_call(budget: Budget) -> None:
    one = function(captured=QUOTA)
    one.whole = QUOTA
    rounds = []
    for _ in range(3):
        budget.settle(one)
        waited = 1
        while not budget.choose():
            waited += 1
        rounds.append(waited)
        assert one.shots == 1
        one.whole += BEYOND
        one.captured += 1
    assert rounds == [2, 3, 5]


def test_calls_that_look_like_recorded_ones_are_let_go_by_but_not_for_long(budget: Budget) -> None:
    one = function()
    assert not budget.passes(one, 1)  # the first of its shape
    assert not budget.passes(one, 1)  # there are few calls yet
    one.whole = FEW
    budget.settle(one)
    budget.choose()
    assert [budget.passes(one, 1) for _ in range(MOST_PEEKS + 1)] == [True] * MOST_PEEKS + [False]
    assert not budget.passes(one, 2)
    budget.settle(one)
    budget.choose()
    assert budget.passes(one, 2)
    budget.choose()  # the round is over, and it was not called enough
    assert not budget.passes(one, 2)


def test_a_function_not_captured_yet_is_expected_to_cost_what_others_do(budget: Budget) -> None:
    news = Watched(function.__code__, 2, ("app.py", "g", 1), "app")
    budget.settle(news)
    assert budget.choose() == [news]
    assert news.cost == USUAL_NS


def test_the_second_call_is_captured_where_the_first_was_quickly_found_too_large(
    budget: Budget,
) -> None:
    one = function(failures=1, bill=QUICK_NS - 1)
    assert budget.another(one)
    one.bill = QUICK_NS
    assert not budget.another(one)
    one.bill, one.captured = 0, 2
    assert not budget.another(one)


def test_calls_that_look_alike_are_captured_once_a_round(budget: Budget) -> None:
    one = function()
    one.whole = FEW
    budget.passes(one, 1)
    budget.settle(one)
    budget.choose()
    assert one.shots > 1
    while budget.passes(one, 1):
        pass
    assert not budget.another(one)
    budget.settle(one)
    budget.choose()
    assert budget.another(one)


def test_of_a_function_whose_neighbours_are_recorded_the_few_whole_captures_are_no_rule(
    budget: Budget,
) -> None:
    one = function()
    one.near = True
    costs = []
    for bill in (8_000_000, 7_000_000, 400_000, 8_000_000):
        one.bill = bill
        budget.settle(one)
        budget.choose()
        costs.append(one.cost)
        one.captured += 1
    assert costs == [8_000_000, NEAR_NS, 400_000, 400_000]
