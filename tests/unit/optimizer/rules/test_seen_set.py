"""Tests of the rule seen-set."""

from typing import Any

from perftrace.optimizer.engines.rules.seen_set import SeenSet

RULE = SeenSet()


def test_it_keeps_a_set_beside_the_list(case: Any) -> None:
    case(RULE, [([1, 1, 2],)]).becomes(
        """
        def f(xs):
            out = []
            n = 0
            for x in xs:
                n += 1
                if x not in out:
                    out.append(x)
            return out, n
        """,
        """
        def f(xs):
            out_seen = set()
            out = []
            n = 0
            for x in xs:
                n += 1
                if x not in out_seen:
                    out_seen.add(x)
                    out.append(x)
            return out, n
        """,
    )


def test_it_leaves_elements_that_cannot_be_hashed(case: Any) -> None:
    case(RULE, [([[1], [1]],)]).stays("""
        def f(xs):
            out = []
            for x in xs:
                if x not in out:
                    out.append(x)
            return out
    """)


def test_it_leaves_a_list_that_something_else_changes(case: Any) -> None:
    case(RULE, [([1, 1],)]).stays("""
        def f(xs):
            out = []
            for x in xs:
                if x not in out:
                    out.append(x)
                out.append(0)
            return out
    """)


def test_it_leaves_a_list_that_others_can_reach(case: Any) -> None:
    case(RULE, [([1, 1],)]).stays("""
        def g(xs): xs.append(7)
        def f(xs):
            out = []
            for x in xs:
                if x not in out:
                    out.append(x)
                g(out)
            return out
    """)


def test_it_leaves_a_parameter(case: Any) -> None:
    case(RULE, [([1, 1], [])]).stays("""
        def f(xs, out):
            for x in xs:
                if x not in out:
                    out.append(x)
            return out
    """)
