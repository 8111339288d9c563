"""Tests of the rule key-getter."""

from typing import Any

from perftrace.optimizer.engines.rules.key_getter import KeyGetter

RULE = KeyGetter()


def test_it_sorts_by_itemgetter(case: Any) -> None:
    case(RULE, [([(2, 1), (1, 2)],)]).becomes(
        """
        def f(xs):
            return sorted(xs, key=lambda x: x[1])
        """,
        """
        from operator import itemgetter

        def f(xs):
            return sorted(xs, key=itemgetter(1))
        """,
    )


def test_it_passes_a_builtin_itself(case: Any) -> None:
    case(RULE, [(["aa", "b"],)]).becomes(
        """
        def f(xs):
            xs.sort(key=lambda x: len(x))
            return xs
        """,
        """
        def f(xs):
            xs.sort(key=len)
            return xs
        """,
    )


def test_it_leaves_other_lambdas(case: Any) -> None:
    case(RULE, [([(2, 1)],)]).stays("""
        def f(xs):
            return sorted(xs, key=lambda x: -x[1])
    """)


def test_it_leaves_an_index_that_can_change(case: Any) -> None:
    case(RULE, [([(2, 1)], 1)]).stays("""
        def f(xs, i):
            return sorted(xs, key=lambda x: x[i])
    """)


def test_it_leaves_a_lambda_with_a_default(case: Any) -> None:
    case(RULE, [([(2, 1)],)]).stays("""
        def f(xs):
            return sorted(xs, key=lambda x=1: x[1])
    """)


def test_it_leaves_a_function_of_the_module(case: Any) -> None:
    case(RULE, [(["a"],)]).stays("""
        def size(x): return len(x)
        def f(xs):
            return sorted(xs, key=lambda x: size(x))
    """)
