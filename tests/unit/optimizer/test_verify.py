"""A candidate is held against what the original does."""

from typing import Any

import pytest

from perftrace.model import Inconclusive, Rejected
from perftrace.optimizer import oracle
from perftrace.optimizer.verify import Passed, verify

SOURCE = """\
def f(rows, name):
    total = 0
    for row in rows:
        total = total + row
    rows.append(name)
    print(name)
    if name == "bad":
        raise ValueError("no such name")
    return [total, rows]


def caller(n):
    return f([n], "x")
# cost: 5000
"""


@pytest.fixture
def lab(make_lab: Any) -> Any:
    lab = make_lab(SOURCE, {"f": ["rows", "name"], "caller": ["n"]})
    lab.call([[1, 2, 3, 4, 5, 6], "a"])
    lab.call([[1, 2], "a"])
    lab.call([[], "bad"])
    return lab


def judge(lab: Any, old: str, new: str, **options: bool) -> Passed | Rejected | Inconclusive:
    truth = oracle.consult(lab.run, lab.version(), lab.workers)
    source = SOURCE.replace(old, new)
    assert source != SOURCE
    return verify(lab.candidate(source), truth, lab.workers, **options)


def test_a_candidate_that_does_the_same_passes_with_its_evidence(lab: Any) -> None:
    found = judge(lab, "total = total + row", "total += row")
    assert isinstance(found, Passed)
    assert (found.evidence.recorded, found.evidence.direct, found.evidence.indirect) == (3, 3, 0)
    assert not found.keeps_state


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("total = 0", "total = 1", "result[0]"),
        ("total = 0", "total = 0.0", "result[0]"),
        ("rows.append(name)", "rows = [*rows, name]", "rows"),
        ("[total, rows]", "[total, list(rows)]", "result[1]"),
        ("no such name", "no name", "exception.args[0]"),
        ("no such name", "no such name.", "exception.args[0]"),
        ("ValueError", "KeyError", "exception"),
        ("print(name)", "print(name, name)", "stdout"),
        ("    print(name)", "    print(name)\n    if not rows[1:]:\n        return 5", "result"),
    ],
)
def test_each_difference_is_rejected_and_named(lab: Any, old: str, new: str, where: str) -> None:
    found = judge(lab, old, new)
    assert isinstance(found, Rejected)
    assert found.witness is not None
    assert found.witness.where.startswith(where)
    assert where in found.reason


def test_the_witness_is_the_call_with_the_shortest_text(lab: Any) -> None:
    found = judge(lab, "total = 0", "total = 1")
    assert isinstance(found, Rejected)
    assert found.witness is not None
    assert found.witness.call == "f([1, 2], 'a')"
    assert (found.witness.expected, found.witness.got) == ("3", "4")


def test_a_candidate_that_hangs_or_exits_is_rejected_where_the_original_answers(lab: Any) -> None:
    found = judge(lab, "print(name)", "print(name)\n    raise Gone")
    assert isinstance(found, Rejected)
    assert found.witness is not None
    assert (found.witness.where, found.witness.got) == ("the call", "took longer than 2 s")


def test_a_candidate_that_depends_on_the_hash_seed_is_rejected(lab: Any) -> None:
    found = judge(lab, "total = 0", "total = seed - 1")
    assert isinstance(found, Rejected)


def test_what_breaks_a_rule_of_the_gate_is_not_run(lab: Any) -> None:
    found = judge(lab, "print(name)", "print(name)\n    __import__('os')\n    raise Gone")
    assert isinstance(found, Rejected)
    assert found.reason.startswith("gate: ")
    assert found.witness is None


def test_a_witness_can_be_asked_for_besides_the_gates_reason(lab: Any) -> None:
    found = judge(lab, "    print(name)\n", "", explain=True)
    assert isinstance(found, Rejected)
    assert found.reason.startswith("gate: ")
    assert found.witness is not None
    assert (found.witness.where, found.witness.got) == ("stdout", "''")


def test_the_gates_reason_says_whether_the_calls_differ_as_well(lab: Any) -> None:
    same = judge(lab, "total = 0", "total = eval('0')", explain=True)
    differs = judge(lab, "total = 0", "total = eval('1')", explain=True)
    assert isinstance(same, Rejected)
    assert same.reason == (
        "gate: `eval` is used 1 more time(s) than before."
        " Its calls do not differ: no difference in 3 recorded calls."
    )
    assert isinstance(differs, Rejected)
    assert differs.reason.endswith("than before. Its calls differ as well.")
    assert differs.witness is not None


def test_what_is_not_python_is_said_once(lab: Any) -> None:
    found = judge(lab, "total = 0", "total = 0 +", explain=True)
    reason = "gate: The new source is not valid Python: invalid syntax (line 2)."
    assert found == Rejected(reason)


def test_without_a_replayable_call_nothing_is_said(make_lab: Any) -> None:
    lab = make_lab(SOURCE, {"f": ["rows", "name"]})
    lab.call([[1], "a"], arguments=None, missing="larger than 8 KB")
    found = judge(lab, "total = total + row", "total += row")
    assert found == Inconclusive(
        "not replayable: its arguments were not recorded: larger than 8 KB"
        ", perftrace run --value-size 64KB allows more"
    )


def test_a_candidate_that_remembers_results_is_marked(make_lab: Any) -> None:
    source = "import functools\n\n\ndef f(n):\n    return n * n\n# cost: 5000\n"
    lab = make_lab(source, {"f": ["n"]})
    lab.call([3])
    truth = oracle.consult(lab.run, lab.version(), lab.workers)
    cached = source.replace("def f(", "@functools.cache\ndef f(")
    found = verify(lab.candidate(cached), truth, lab.workers)
    assert isinstance(found, Passed)
    assert found.keeps_state
    assert found.evidence.keeps_state


def test_a_difference_that_only_a_generated_call_shows_is_rejected(make_lab: Any) -> None:
    lab = make_lab("def f(n):\n    return n + n\n# like: [5, 2]\n# cost: 5000\n", {"f": ["n"]})
    lab.call([2])
    truth = oracle.consult(lab.run, lab.version(), lab.workers)
    wrong = lab.file.read_text().replace("n + n", "n * 2 if n != 5 else 11")
    found = verify(lab.candidate(wrong), truth, lab.workers)
    assert isinstance(found, Rejected)
    assert found.witness is not None
    assert (found.witness.call_id, found.witness.call) == (None, "f(5)")
    right = lab.file.read_text().replace("n + n", "n * 2")
    passed = verify(lab.candidate(right), truth, lab.workers)
    assert isinstance(passed, Passed)
    assert passed.evidence.generated == 2
