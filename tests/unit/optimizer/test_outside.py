"""What a candidate does outside the recorded types."""

from typing import Any

import pytest

from perftrace.model import Inconclusive, Rejected
from perftrace.optimizer import oracle
from perftrace.optimizer.verify import Passed, verify

SOURCE = """\
calls = 0


def f(rows):
    global calls
    calls += 1
    if rows == 0:
        raise ValueError("no rows")
    total = 0
    for row in rows:
        total = total + row
    return total
# outside: [None, (), 0, [None], 'x']
# cost: 5000
"""


def judge(make_lab: Any, old: str, new: str) -> Passed | Rejected | Inconclusive:
    lab = make_lab(SOURCE, {"f": ["rows"]})
    lab.call([[1, 2]])
    truth = oracle.consult(lab.run, lab.version(), lab.workers)
    assert len(truth.outside) == 5
    source = SOURCE.replace(old, new)
    assert source != SOURCE
    return verify(lab.candidate(source), truth, lab.workers)


def test_what_does_the_same_there_too_has_nothing_to_tell(make_lab: Any) -> None:
    found = judge(make_lab, "total = total + row", "total += row")
    assert isinstance(found, Passed)
    assert found.evidence.outside_calls == 5
    assert found.evidence.outside == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "    total = 0\n",
            "    if rows is None:\n        raise KeyError(1)\n    total = 0\n",
            ("f(None): TypeError becomes KeyError",),
        ),
        ("    total = 0\n", "    total = 0 if rows else rows and 0\n    total = total or 0\n", ()),
        ("    return total\n", "    return total if rows else -1\n", ("f(()): 0 becomes -1",)),
        (
            "    total = 0\n",
            "    if rows == 'x':\n        raise Gone\n    total = 0\n",
            ("f('x'): TypeError becomes no answer (took longer than 2 s)",),
        ),
    ],
)
def test_a_difference_is_told_and_no_reason_against_it(
    make_lab: Any, old: str, new: str, expected: tuple[str, ...]
) -> None:
    found = judge(make_lab, old, new)
    assert isinstance(found, Passed), found
    assert found.evidence.outside == expected


def test_a_check_of_its_own_has_to_stay(make_lab: Any) -> None:
    found = judge(make_lab, "if rows == 0:", "if rows == -1:")
    assert isinstance(found, Rejected)
    expected = "drops a check: f(0) raises ValueError, now TypeError (outside the recorded types)"
    assert found.reason == expected
    assert found.witness is not None
    assert found.witness.call == "f(0)"


def test_a_set_may_refuse_what_has_no_hash_before_a_check_does(make_lab: Any) -> None:
    source = "def f(n):\n    if n not in (1, 2):\n        raise ValueError(n)\n    return n\n"
    lab = make_lab(f"{source}# outside: [[], 7]\n# cost: 5000\n", {"f": ["n"]})
    lab.call([1])
    truth = oracle.consult(lab.run, lab.version(), lab.workers)
    changed = lab.file.read_text().replace("(1, 2)", "{1, 2}")
    found = verify(lab.candidate(changed), truth, lab.workers)
    assert isinstance(found, Passed), found
    assert found.evidence.outside == ("f([]): ValueError becomes TypeError",)
    failing = lab.file.read_text().replace("if n not in (1, 2)", "if n + 1 not in (2, 3)")
    assert isinstance(verify(lab.candidate(failing), truth, lab.workers), Rejected)


def test_another_text_of_the_same_error_is_only_told(make_lab: Any) -> None:
    found = judge(make_lab, '"no rows"', '"none"')
    assert isinstance(found, Passed), found
    assert found.evidence.outside == ("f(0): ValueError becomes ValueError",)


def test_what_only_the_calls_before_it_explain_is_no_difference(make_lab: Any) -> None:
    found = judge(make_lab, "    return total\n", "    return total if calls < 3 else total\n")
    assert isinstance(found, Passed)
    changed = SOURCE.replace("    return total\n", "    return total + (calls > 2) * 0\n")
    assert changed != SOURCE
    assert found.evidence.outside == ()
