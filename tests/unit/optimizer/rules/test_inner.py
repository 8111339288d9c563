"""Rules look into functions inside a function, too."""

from typing import Any

from perftrace.optimizer.engines.rules.parity import Parity
from perftrace.optimizer.engines.rules.trial_division import TrialDivision


def test_arguments_are_what_the_calls_give(case: Any) -> None:
    case(TrialDivision(), [(30,), (1,), (49,)]).becomes(
        """
        def f(n):
            def is_prime(k):
                if k < 2:
                    return False
                for i in range(2, k - 1):
                    if k % i == 0:
                        return False
                return True
            return [j for j in range(n) if is_prime(j)]
        """,
        """
        from math import isqrt

        def f(n):
            def is_prime(k):
                if k < 2:
                    return False
                for i in range(2, isqrt(k) + 1 if k > 3 else 2):
                    if k % i == 0:
                        return False
                return True
            return [j for j in range(n) if is_prime(j)]
        """,
    )


def test_it_leaves_a_function_that_others_may_call(case: Any) -> None:
    case(Parity(), [([1, 2.5],)]).stays("""
        def f(xs):
            def odd(k):
                if k % 2 == 1:
                    return True
                return False
            odd(3)
            return list(map(odd, xs))
    """)


def test_it_leaves_arguments_of_several_types(case: Any) -> None:
    case(Parity(), [([1, 2.5],)]).stays("""
        def f(xs):
            def odd(k):
                if k % 2 == 1:
                    return True
                return False
            return [odd(x) for x in xs]
    """)


def test_it_leaves_a_function_that_calls_itself(case: Any) -> None:
    case(Parity(), [(3,)]).stays("""
        def f(n):
            def odd(k):
                if k % 2 == 1:
                    return True
                return odd(k / 2)
            return odd(n)
    """)
