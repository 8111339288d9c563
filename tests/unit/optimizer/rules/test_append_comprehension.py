"""Tests of the rule append-comprehension."""

from typing import Any

from perftrace.optimizer.engines.rules.append_comprehension import AppendComprehension

RULE = AppendComprehension()


def test_it_becomes_a_list_comprehension(case: Any) -> None:
    case(RULE, [([1, -2, 3],), ([],)]).becomes(
        """
        def f(xs):
            # collect
            out = []
            for x in xs:
                if x > 0:
                    out.append(x * 2)
            return out
        """,
        """
        def f(xs):
            # collect
            out = [x * 2 for x in xs if x > 0]
            return out
        """,
    )


def test_it_nests_loops(case: Any) -> None:
    case(RULE, [([[1], [2, 3]],)]).becomes(
        """
        def f(rows):
            out = set()
            for row in rows:
                for x in row:
                    out.add(x)
            return out
        """,
        """
        def f(rows):
            out = {x for row in rows for x in row}
            return out
        """,
    )


def test_it_becomes_a_dict_comprehension(case: Any) -> None:
    case(RULE, [([1, 2],)]).becomes(
        """
        def f(xs):
            out = {}
            for x in xs:
                out[x] = x * x
            return out
        """,
        """
        def f(xs):
            out = {x: x * x for x in xs}
            return out
        """,
    )


def test_it_leaves_a_loop_variable_that_is_used_after(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            out = []
            for x in xs:
                out.append(x)
            return out, x
    """)


def test_it_leaves_a_list_that_is_read_in_the_loop(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            out = []
            for x in xs:
                out.append(x + len(out))
            return out
    """)


def test_it_leaves_a_loop_inside_try(case: Any) -> None:
    case(RULE, [([1, "a"],)]).stays("""
        def f(xs):
            try:
                out = []
                for x in xs:
                    out.append(x + 1)
            except TypeError:
                pass
            return out
    """)


def test_it_leaves_comments(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def f(xs):
            out = []
            for x in xs:
                # why
                out.append(x)
            return out
    """)


def test_it_leaves_an_else(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def f(xs):
            out = []
            for x in xs:
                out.append(x)
            else:
                out.append(0)
            return out
    """)


def test_it_leaves_variables_that_a_lambda_sees(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            out = []
            for x in xs:
                out.append(lambda: x)
            return [g() for g in out]
    """)


def test_it_leaves_yields(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            out = []
            for x in xs:
                out.append((yield x))
            return out
    """)


def test_it_chooses_between_two_elements(case: Any) -> None:
    case(RULE, [("a,b",), ("",)]).becomes(
        """
        def f(s):
            out = []
            for c in s:
                if c == ",":
                    out.append(" ")
                else:
                    out.append(c)
            return out
        """,
        """
        def f(s):
            out = [" " if c == "," else c for c in s]
            return out
        """,
    )


def test_it_leaves_else_that_does_something_else(case: Any) -> None:
    case(RULE, [("a,b",)]).stays("""
        def f(s):
            out = []
            for c in s:
                if c == ",":
                    out.append(" ")
                else:
                    out.append(c)
                    out.append(c)
            return out
    """)
