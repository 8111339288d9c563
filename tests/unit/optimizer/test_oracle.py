"""The oracle: the calls for which the original answers the same every time."""

from dataclasses import replace
from typing import Any

import pytest

from perftrace import snapshot
from perftrace.model import Ending, Rejected
from perftrace.optimizer import evidence, oracle, pipeline
from perftrace.optimizer.difference import differ_in_error
from perftrace.optimizer.verify import Passed, verify
from perftrace.replay.compare import Different, Same
from perftrace.replay.requests import Replayed

SOURCE = """\
count = 0


def f(n):
    return [n, n]


def fickle(n):
    global count
    count += 1
    return count if n else 0


def ordered(n):
    return seed


def slow(n):
    raise Gone


def caller(n):
    return f(n)


def idle(n):
    return n
# cost: 5000
"""
NAMES = ["f", "fickle", "ordered", "slow", "caller", "idle"]


def consult(lab: Any, name: str = "f") -> oracle.Oracle:
    return oracle.consult(lab.run, lab.version(name), lab.workers)


def make(make_lab: Any) -> Any:
    return make_lab(SOURCE, {name: ["n"] for name in NAMES})


def test_calls_that_do_what_was_recorded_are_cases(make_lab: Any) -> None:
    lab = make(make_lab)
    lab.call([1], [[1, 1], [None]])
    lab.call([2])  # how it ended was not recorded: the replay says it
    truth = consult(lab)
    assert [case.text for case in truth.cases] == ["f(1)", "f(2)"]
    assert truth.dropped == ()


def test_a_call_that_does_not_do_what_was_recorded_is_dropped(make_lab: Any) -> None:
    lab = make(make_lab)
    lab.call([1], [[1, 2], [None]])
    lab.call([1], [[1, 1], [None]], ending="raised")
    truth = consult(lab)
    assert truth.cases == ()
    assert truth.silence.startswith("not replayable: it does not do what was recorded")


def test_the_two_replays_must_agree(make_lab: Any) -> None:
    lab = make(make_lab)
    lab.call([0], name="fickle")
    lab.call([1], name="ordered")
    assert len(consult(lab, "fickle").cases) == 1
    assert "not do the same" in consult(lab, "ordered").silence


def test_a_call_that_cannot_be_made_is_dropped_with_its_reason(make_lab: Any) -> None:
    lab = make(make_lab)
    lab.call([1], name="slow")
    assert consult(lab, "slow").dropped == (("took longer than 2 s", 1),)


def test_arguments_that_were_not_recorded_are_counted(make_lab: Any) -> None:
    lab = make(make_lab)
    for _ in range(3):
        lab.call([1], arguments=None, missing="larger than 8 KB")
    reason = "its arguments were not recorded: larger than 8 KB"
    assert consult(lab).dropped == ((reason, 3),)


def test_calls_of_callers_that_reach_it_count_as_indirect(make_lab: Any) -> None:
    lab = make(make_lab)
    lab.call([1])
    lab.call([5], name="caller")
    lab.call([5], caller_id=lab.ids["caller"])
    evidence = consult(lab).evidence
    assert (evidence.recorded, evidence.direct, evidence.indirect) == (3, 2, 1)


def test_without_any_call_the_silence_says_so(make_lab: Any) -> None:
    assert consult(make(make_lab)).silence == "not replayable: no call of it was recorded"


def test_calls_that_would_take_too_long_are_left_out_but_one(make_lab: Any) -> None:
    lab = make(make_lab)
    for number in range(4):
        lab.call([number], duration_ns=900_000_000)
    truth = consult(lab)
    assert len(truth.cases) == 1
    assert sum(count for _, count in truth.dropped) >= 3


def test_what_is_wrong_with_a_callers_call_is_said_of_the_caller(make_lab: Any) -> None:
    lab = make(make_lab)
    lab.call([5], caller_id=lab.ids["caller"])
    for number in range(3):
        lab.call([number], name="caller", duration_ns=900_000_000)
    lab.call([7], arguments=None, missing="larger than 8 KB")
    truth = consult(lab)
    assert truth.dropped == (
        ("a call of caller, a caller: it takes too long to be made again and again", 3),
        ("its arguments were not recorded: larger than 8 KB", 1),
    )


def test_the_silence_gives_the_functions_own_reason_before_a_callers(make_lab: Any) -> None:
    truth = consult(make(make_lab))
    long = ("a call of main, a caller: it takes too long to be made again and again", 9)
    own = ("its arguments were not recorded: larger than 8 KB", 1)
    both = replace(truth, dropped=(long, own))
    assert both.silence.startswith(f"not replayable: {own[0]}, perftrace run --value-size")
    assert replace(truth, dropped=(long,)).silence == f"not replayable: {long[0]}"


def test_the_hottest_arguments_are_those_with_the_most_time(make_lab: Any) -> None:
    lab = make(make_lab)
    for number, duration in [(1, 500), (2, 300), (2, 300), (3, 100)]:
        lab.call([number], duration_ns=duration)
    calls = list(lab.store.calls(lab.function(), run=lab.run))
    assert [call.id for call in oracle.hottest(calls, 2)] == [2, 1]


def test_a_call_reads_as_it_would_be_written(make_lab: Any) -> None:
    lab = make_lab("def f(a, b):\n    pass\n# cost: 1\n", {"f": ["a", "b"]})
    lab.call([[("a", 1.5)], {"x": None}])
    assert consult(lab).cases[0].text == "f([('a', 1.5)], {'x': None})"


LEAVING = """\
def f(n):
    global LEFT
    LEFT = {"a clock": seed, "log record 1": "a"}
    return [n]
# cost: 5000
"""


def test_of_what_a_call_does_outside_the_unsteady_is_not_looked_at(make_lab: Any) -> None:
    lab = make_lab(LEAVING, {"f": ["n"]})
    lab.call([1])
    truth = consult(lab)
    [case] = truth.cases
    assert case.unsteady == {"a clock"}
    changes = {
        "{": Passed,
        '{"more": 1, ': Rejected,
        '{"log record 2": 1, ': Rejected,
        '{"a clock": 7, "log record 1": "b"} or {': Rejected,
        '{"a clock": 7, "log record 1": "a"} or {': Passed,
        '{"log record 1": "a"} or {': Passed,
        "{} and {": Rejected,
    }
    for text, kind in changes.items():
        candidate = lab.candidate(LEAVING.replace("{", text, 1))
        assert isinstance(verify(candidate, truth, lab.workers), kind), text


def test_another_versions_floats_may_differ_by_the_tolerance_alone(make_lab: Any) -> None:
    source = "def f(n):\n    return [n / 10 + {more}]\n# cost: 1\n"
    lab = make_lab(source.format(more=0), {"f": ["n"]})
    lab.call([1.0], [[0.1], [None]])
    for text, more, kind in [
        ("2 ulps", 1e-17, Passed),
        ("2 ulps", 2e-17, Passed),
        ("2 ulps", 1e-15, Rejected),
        ("rtol 1e-12", 1e-15, Passed),
        ("", 2e-17, Rejected),
    ]:
        allowed = pipeline.tolerance_of(lab.function(), {"app.py:f": text, "b.py:f": "9 ulps"})
        truth = oracle.consult(lab.run, lab.version(), lab.workers, allowed)
        found = verify(lab.candidate(source.format(more=more)), truth, lab.workers)
        assert isinstance(found, kind), (text, more)
        if isinstance(found, Passed):
            assert found.evidence.tolerance == text
            assert f"floats within {text}" in evidence.text(found.evidence)


REPEATS = {"[n]": True, "({}, n)": True, "n": False, "globals().setdefault('kept', [n])": False}


@pytest.mark.parametrize("result", REPEATS)
def test_what_hands_out_its_own_is_known_by_a_call_after_its_result_was_changed(
    make_lab: Any, result: str
) -> None:
    lab = make_lab(f"def f(n):\n    return {result}\n# cost: 1\n", {"f": ["n"]})
    lab.call([1])
    assert [case.again is not None for case in consult(lab).cases] == [REPEATS[result]]


GENERATING = """\
def f(n):
    if n == 7:
        raise ValueError(n)
    if n == 8:
        raise Gone
    return [n, 1 // n if n else 1]
# like: {like}
# cost: 5000
"""


def generating(make_lab: Any, like: list[object]) -> oracle.Oracle:
    lab = make_lab(GENERATING.format(like=like), {"f": ["n"]})
    lab.call([1])
    return consult(lab)


def test_calls_like_the_recorded_ones_are_added(make_lab: Any) -> None:
    truth = generating(make_lab, [2, 3, 7])
    assert [case.text for case in truth.cases] == ["f(1)"]
    assert [case.text for case in truth.generated] == ["f(2)", "f(3)", "f(7)"]
    assert all(case.generated for case in truth.generated)
    assert (truth.evidence.recorded, truth.evidence.generated, truth.unused) == (1, 3, 0)


def test_generation_ends_where_calls_take_too_long(make_lab: Any) -> None:
    truth = generating(make_lab, [2, 8, 8, 8, 3])
    assert [case.text for case in truth.generated] == ["f(2)"]
    assert truth.unused == 3


def test_without_a_recorded_call_none_is_generated(make_lab: Any) -> None:
    lab = make_lab(GENERATING.format(like=[1, 2]), {"f": ["n"]})
    assert consult(lab).generated == ()


def test_a_generated_call_that_fails_in_an_operation_is_held_to_its_kind_of_error() -> None:
    expected, same, other, fine = (
        Replayed(ending, snapshot.encode([value, None], 9999)[0], 1, 1, out, "", implicit=True)
        for ending, value, out in [
            (Ending.RAISED, KeyError("a"), "x"),
            (Ending.RAISED, KeyError("b"), ""),
            (Ending.RAISED, IndexError("a"), "x"),
            (Ending.RETURNED, 1, "x"),
        ]
    )
    assert isinstance(differ_in_error(expected, same), Same)
    assert isinstance(differ_in_error(expected, other), Different)
    assert isinstance(differ_in_error(expected, fine), Different)
