"""Tests of the rule extend-loop."""

from typing import Any

from perftrace.optimizer.engines.rules.extend_loop import ExtendLoop

RULE = ExtendLoop()


def test_it_extends_at_once(case: Any) -> None:
    case(RULE, [([1, 2],)]).becomes(
        """
        def f(xs):
            out = [0]
            for x in xs:
                out.append(x)
            return out
        """,
        """
        def f(xs):
            out = [0]
            out.extend(xs)
            return out
        """,
    )


def test_it_updates_a_set(case: Any) -> None:
    case(RULE, [([1, 2],)]).becomes(
        """
        def f(xs):
            out = {0}
            for x in xs:
                out.add(x + 1)
            return out
        """,
        """
        def f(xs):
            out = {0}
            out.update([x + 1 for x in xs])
            return out
        """,
    )


def test_it_leaves_a_parameter(case: Any) -> None:
    case(RULE, [([1], [0])]).stays("""
        def f(xs, out):
            for x in xs:
                out.append(x)
            return out
    """)


def test_it_leaves_a_list_that_the_loop_reads(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def f(xs):
            out = [0]
            for x in xs:
                out.append(out[-1] + x)
            return out
    """)


def test_it_leaves_a_variable_that_is_used_after(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def f(xs):
            out = [0]
            for x in xs:
                out.append(1)
            return out, x
    """)


def test_it_leaves_itself(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def f(xs):
            out = [0]
            for x in out:
                out.append(x)
                if len(out) > 5: return out
    """)
