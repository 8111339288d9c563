"""Tests of the rule memoize-recursion."""

from typing import Any

from perftrace.optimizer.engines.rules.memoize_recursion import MemoizeRecursion

RULE = MemoizeRecursion()


def test_it_remembers_results_during_one_call(case: Any) -> None:
    case(RULE, [(10,), (0,)]).becomes(
        """
        def f(n):
            "The docstring stays."
            if n < 2:
                return n
            return f(n - 1) + f(n - 2)
        """,
        """
        def f(n):
            "The docstring stays."
            known = {}
            def f(n):
                key = (n, type(n))
                if key in known:
                    return known[key]
                if n < 2:
                    known[key] = result = n
                    return result
                known[key] = result = f(n - 1) + f(n - 2)
                return result
            return f(n)
        """,
    )


def test_it_leaves_a_single_recursive_call(case: Any) -> None:
    case(RULE, [(10,)]).stays("""
        def f(n):
            return 1 if n < 2 else n * f(n - 1)
    """)


def test_it_leaves_arguments_that_cannot_be_hashed(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            return 1 if not xs else f(xs[1:]) + f(xs[2:])
    """)


def test_it_leaves_results_that_can_change(case: Any) -> None:
    case(RULE, [(3,)]).stays("""
        def f(n):
            return [n] if n < 2 else f(n - 1) + f(n - 2)
    """)


def test_it_leaves_calls_of_other_functions(case: Any) -> None:
    case(RULE, [(3,)]).stays("""
        def g(n): return n
        def f(n):
            return g(n) if n < 2 else f(n - 1) + f(n - 2)
    """)


def test_it_leaves_what_prints(case: Any) -> None:
    case(RULE, [(3,)]).stays("""
        def f(n):
            print(n)
            return n if n < 2 else f(n - 1) + f(n - 2)
    """)


def test_it_leaves_what_reads_a_global(case: Any) -> None:
    case(RULE, [(3,)]).stays("""
        LIMIT = [2]
        def f(n):
            return n if n < LIMIT[0] else f(n - 1) + f(n - 2)
    """)


def test_it_goes_as_deep_as_the_original(case: Any) -> None:
    case(RULE, [(900,), (True,)]).becomes(
        """
        def f(n):
            if n < 2: return n
            return f(n - 1) if n > 20 else f(n - 1) + f(n - 2)
        """,
        """
        def f(n):
            known = {}
            def f(n):
                key = (n, type(n))
                if key in known:
                    return known[key]
                if n < 2: known[key] = result = n; return result
                known[key] = result = f(n - 1) if n > 20 else f(n - 1) + f(n - 2)
                return result
            return f(n)
        """,
    )
