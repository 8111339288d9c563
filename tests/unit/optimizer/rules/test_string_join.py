"""Tests of the rule string-join."""

from typing import Any

from perftrace.optimizer.engines.rules.string_join import StringJoin

RULE = StringJoin()


def test_it_joins_the_pieces(case: Any) -> None:
    case(RULE, [(["a", "b"],), ([],)]).becomes(
        """
        def f(xs):
            s = ""
            for x in xs:
                s += x
            return s
        """,
        """
        def f(xs):
            s_parts = []
            for x in xs:
                s_parts.append(x)
            s = "".join(s_parts)
            return s
        """,
    )


def test_it_joins_what_grows_in_front(case: Any) -> None:
    case(RULE, [(6,)]).becomes(
        """
        def f(n):
            s = ""
            while n:
                s = str(n % 2) + s
                n //= 2
            return s
        """,
        """
        def f(n):
            s_parts = []
            while n:
                s_parts.append(str(n % 2))
                n //= 2
            s = "".join(reversed(s_parts))
            return s
        """,
    )


def test_it_leaves_numbers(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            s = 0
            for x in xs:
                s += x
            return s
    """)


def test_it_leaves_a_string_that_the_loop_reads(case: Any) -> None:
    case(RULE, [(["a"],)]).stays("""
        def f(xs):
            s = ""
            for x in xs:
                if s:
                    s += ","
                s += x
            return s
    """)


def test_it_leaves_a_string_used_before_the_loop(case: Any) -> None:
    case(RULE, [(["a"],)]).stays("""
        def f(xs):
            s = "-"
            n = len(s)
            for x in xs:
                s += x
            return s, n
    """)


def test_it_leaves_a_loop_inside_try(case: Any) -> None:
    case(RULE, [(["a"],)]).stays("""
        def f(xs):
            try:
                s = ""
                for x in xs:
                    s += x
            finally:
                pass
            return s
    """)
