"""Tests of the rule cache-results."""

from typing import Any

from perftrace.optimizer.engines.rules.cache_results import CacheResults

RULE = CacheResults()


def test_it_caches_a_pure_function_that_is_called_again_and_again(case: Any) -> None:
    case(RULE, [(3,), (4,)] * 6).becomes(
        """
        def f(n):
            return n * n
        """,
        """
        from functools import lru_cache

        @lru_cache(maxsize=1024, typed=True)
        def f(n):
            return n * n
        """,
    )


def test_it_leaves_calls_that_rarely_repeat(case: Any) -> None:
    case(RULE, [(n,) for n in range(12)]).stays("""
        def f(n):
            return n * n
    """)


def test_it_leaves_arguments_that_cannot_be_hashed(case: Any) -> None:
    case(RULE, [([3],)] * 12).stays("""
        def f(n):
            return len(n)
    """)


def test_it_leaves_impure_functions(case: Any) -> None:
    case(RULE, [(3,)] * 12).stays("""
        STATE = []
        def f(n):
            STATE.append(n)
            return n
    """)


def test_it_leaves_results_that_can_change(case: Any) -> None:
    case(RULE, [(3,)] * 12).stays("""
        def f(n):
            return [n]
    """)


def test_it_leaves_recursion_which_a_cache_makes_less_deep(case: Any) -> None:
    case(RULE, [(3,)] * 12).stays("""
        def f(n):
            return 1 if n < 2 else n * f(n - 1)
    """)
