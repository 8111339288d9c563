"""Tests of the rule dict-get."""

from typing import Any

from perftrace.optimizer.engines.rules.dict_get import DictGet

RULE = DictGet()


def test_it_looks_once(case: Any) -> None:
    case(RULE, [({"a": 1}, "a"), ({}, "b")]).becomes(
        """
        def f(d, k):
            return d[k] if k in d else 0
        """,
        """
        def f(d, k):
            return d.get(k, 0)
        """,
    )


def test_it_reads_the_other_way_round(case: Any) -> None:
    case(RULE, [({1: None}, 1, 5), ({}, 2, 6)]).becomes(
        """
        def f(d, k, other):
            return (other if k not in d else d[k]) == 5
        """,
        """
        def f(d, k, other):
            return (d.get(k, other)) == 5
        """,
    )


def test_none_needs_no_default(case: Any) -> None:
    case(RULE, [({"a": 1}, "a"), ({}, "b")]).becomes(
        """
        def f(d, k):
            return d[k] if k in d else None
        """,
        """
        def f(d, k):
            return d.get(k)
        """,
    )


def test_it_leaves_what_runs_code_or_is_no_dict(case: Any) -> None:
    for body in (
        "d[k] if k in d else g()",
        "d[k] if k in e else 0",
        "d[k] if j in d else 0",
        "d[k] + 1 if k in d else 0",
    ):
        source = f"def f(d, k, e, j):\n    return {body}\n"
        case(RULE, [({"a": 1}, "a", {"a": 1}, "a")]).stays(source)
    looking = "def f(d, k):\n    return d[k] if k in d else 0\n"
    case(RULE, [([1, 2], 1)]).stays(looking)
