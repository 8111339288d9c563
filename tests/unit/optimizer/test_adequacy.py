"""How many small mistakes the calls of an oracle notice."""

import ast
from typing import Any

import pytest

from perftrace.optimizer import oracle
from perftrace.optimizer.adequacy import mutation_score, weighed
from perftrace.optimizer.mutants import mutants

SOURCE = '''\
"""A module."""

def other(n):
    return n + 1


class C:
    def f(self, n):
        """Text
        of two lines."""
        if n > 3 and n != 9:  # a comment
            return n + 1
        return True


def f(n):
    return n + 1 if n > 3 else 0
# like: {like}
# cost: 5000
'''


def test_each_mistake_is_in_the_function_alone() -> None:
    source = SOURCE.format(like=[])
    lines = source.splitlines()
    found = list(mutants(source, "C.f", 8))
    assert len(found) == len(set(found)) >= 8
    for text in found:
        ast.parse(text)
        assert text.splitlines()[:7] == lines[:7]
        assert text.splitlines()[-5:] == lines[-5:]
    assert any("n <= 3 and n != 9" in text for text in found)
    assert any("return n - 1" in text for text in found)
    assert any("return False" in text for text in found)


def score(make_lab: Any, like: list[int]) -> tuple[int, int]:
    lab = make_lab(SOURCE.format(like=like), {"f": ["n"]})
    lab.call([5])
    truth = oracle.consult(lab.run, lab.version(), lab.workers)
    with lab.workers.start(lab.version(), 1) as started:
        return mutation_score(truth, started)


@pytest.mark.parametrize(("like", "least", "most"), [([], 1, 5), ([3, 4, 2], 7, 7)])
def test_more_calls_notice_more_mistakes(
    make_lab: Any, like: list[int], least: int, most: int
) -> None:
    noticed, tried = score(make_lab, like)
    assert tried == 7
    assert least <= noticed <= most


def test_without_a_call_nothing_is_known(make_lab: Any) -> None:
    lab = make_lab(SOURCE.format(like=[]), {"f": ["n"]})
    truth = oracle.consult(lab.run, lab.version(), lab.workers)
    assert weighed(truth.evidence, truth, lab.workers).mistakes == (0, 0)


def test_all_kinds_of_mistakes_leave_out_swap_and_shift() -> None:
    source = '''\
def f(rows, more):
    """Text."""
    rows.sort()
    if more:
        rows = rows[1:5]
    return max(rows, more)
'''
    usual = list(mutants(source, "f", 1))
    found = list(mutants(source, "f", 1, all_kinds=True))
    assert found[: len(usual)] == usual
    texts = [ast.unparse(ast.parse(text)) for text in found[len(usual) :]]
    assert len(texts) == len(set(texts)) == 7
    assert sum("rows.sort()" not in text for text in texts) == 1
    assert any("rows[1 + 1:5]" in text for text in texts)
    assert any("rows[1:5 + 1]" in text for text in texts)
    assert any("max(more, rows)" in text for text in texts)
    assert all('"""Text."""' in text for text in texts)


def test_alone_a_function_keeps_its_classes_and_its_number_among_its_namesakes() -> None:
    source = """\
from __future__ import annotations
class A(object):
    other = 1
    class B:
        @property
        def f(self): return 1
        @f.setter
        def f(self, n): self.n = n + 1
def outer(n):
    def inner(): return n
    return inner
"""
    found = list(mutants(source, "A.B.f", 7, alone=True))
    head = (
        "from __future__ import annotations\nclass A:\n    class B:\n        def f(): pass\n"
        "        @f.setter\n        def f(self, n):\n            self.n = "
    )
    assert found == [f"{head}n - 1\n", f"{head}n + 2\n"]
    nested = list(mutants(source, "outer.<locals>.inner", 10, alone=True))
    assert nested == list(mutants(source, "outer.<locals>.inner", 10))
    assert "class A(object)" in nested[0]


def test_some_of_many_are_the_same_each_time() -> None:
    source = SOURCE.format(like=[])
    every = list(mutants(source, "C.f", 8))
    some = list(mutants(source, "C.f", 8, most=4))
    assert some == list(mutants(source, "C.f", 8, most=4))
    assert len(set(some)) == 4
    assert set(some) < set(every)
    assert sorted(mutants(source, "C.f", 8, most=400)) == sorted(every)
