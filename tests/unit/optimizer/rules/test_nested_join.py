"""Tests of the rule nested-join."""

from typing import Any

from perftrace.optimizer.engines.rules.nested_join import NestedJoin

RULE = NestedJoin()


def test_it_indexes_the_inner_list(case: Any) -> None:
    case(RULE, [([{"k": 1}, {"k": 2}], [{"k": 2, "v": 5}, {"k": 2, "v": 6}])]).becomes(
        """
        def f(xs, ys):
            out = []
            for x in xs:
                for y in ys:
                    if x["k"] == y["k"]:
                        out.append(y["v"])
            return out
        """,
        """
        def f(xs, ys):
            out = []
            y_index = {}
            for y in ys:
                y_index.setdefault(y["k"], []).append(y)
            for x in xs:
                for y in y_index.get(x["k"], ()):
                    out.append(y["v"])
            return out
        """,
    )


def test_it_leaves_a_variable_that_is_used_after(case: Any) -> None:
    case(RULE, [([(1, 2)], [(1, 3)])]).stays("""
        def f(xs, ys):
            out = []
            for x in xs:
                for y in ys:
                    if x[0] == y[0]:
                        out.append(x)
                out.append(y)
            return out
    """)


def test_it_leaves_float_keys(case: Any) -> None:
    case(RULE, [([(1.0, 2)], [(1.0, 3)])]).stays("""
        def f(xs, ys):
            out = []
            for x in xs:
                for y in ys:
                    if x[0] == y[0]:
                        out.append(y)
            return out
    """)


def test_it_leaves_a_list_that_the_body_changes(case: Any) -> None:
    case(RULE, [([(1, 2)], [(1, 3)])]).stays("""
        def f(xs, ys):
            for x in xs:
                for y in ys:
                    if x[0] == y[0]:
                        ys[0] = x
            return ys
    """)


def test_it_leaves_a_key_that_the_body_rebinds(case: Any) -> None:
    case(RULE, [([1, 2], [1, 2])]).stays("""
        def f(xs, ys):
            out = []
            for x in xs:
                for y in ys:
                    if y == x:
                        x = 5
                        out.append(y)
            return out
    """)


def test_it_leaves_an_else(case: Any) -> None:
    case(RULE, [([1, 2], [1, 2])]).stays("""
        def f(xs, ys):
            out = []
            for x in xs:
                for y in ys:
                    if y == x:
                        out.append(y)
                    else:
                        out.append(0)
            return out
    """)
