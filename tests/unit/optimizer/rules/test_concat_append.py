"""Tests of the rule concat-append."""

from typing import Any

from perftrace.optimizer.engines.rules.concat_append import ConcatAppend

RULE = ConcatAppend()


def test_it_appends_in_place(case: Any) -> None:
    case(RULE, [([1, 2],)]).becomes(
        """
        def f(xs):
            out = []
            for x in xs:
                out = out + [x * 2]
            return out
        """,
        """
        def f(xs):
            out = []
            for x in xs:
                out.append(x * 2)
            return out
        """,
    )


def test_it_leaves_a_list_with_a_second_name(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            out = []
            old = out
            for x in xs:
                out = out + [x]
            return out, old
    """)


def test_it_leaves_a_parameter(case: Any) -> None:
    case(RULE, [([1, 2], [])]).stays("""
        def f(xs, out):
            for x in xs:
                out = out + [x]
            return out
    """)


def test_it_leaves_a_list_that_is_kept_elsewhere(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            out, steps = [], []
            for x in xs:
                out = out + [x]
                steps.append(out)
            return steps
    """)


def test_it_leaves_tuples(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            out = ()
            for x in xs:
                out = out + (x,)
            return out
    """)
