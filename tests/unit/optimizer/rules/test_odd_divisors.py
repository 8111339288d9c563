"""Tests of the rule odd-divisors."""

from typing import Any

from perftrace.optimizer.engines.rules.odd_divisors import OddDivisors

RULE = OddDivisors()


NUMBERS = [(n,) for n in range(-3, 200)]


def test_even_numbers_are_not_tried(case: Any) -> None:
    case(RULE, NUMBERS).becomes(
        """
        def f(n):
            if n < 2:
                return False
            for i in range(2, int(n ** 0.5) + 1):
                if n % i == 0:
                    return False
            return True
        """,
        """
        from itertools import chain

        def f(n):
            if n < 2:
                return False
            end = int(n ** 0.5) + 1
            for i in chain(range(2, min(end, 3)), range(3, end, 2)):
                if n % i == 0:
                    return False
            return True
        """,
    )


def test_a_name_is_the_end_itself(case: Any) -> None:
    case(RULE, NUMBERS).becomes(
        """
        def f(n):
            prime = True
            for i in range(2, n):
                if not n % i:
                    prime = False
                    break
            return prime
        """,
        """
        from itertools import chain

        def f(n):
            prime = True
            for i in chain(range(2, min(n, 3)), range(3, n, 2)):
                if not n % i:
                    prime = False
                    break
            return prime
        """,
    )


def test_it_leaves_a_loop_that_uses_the_divisor(case: Any) -> None:
    case(RULE, NUMBERS).stays("""
        def f(n):
            for i in range(2, n):
                if n % i == 0:
                    return i
            return n
    """)


def test_it_leaves_floats_and_what_is_unknown(case: Any) -> None:
    source = """
        def f(n):
            for i in range(2, 9):
                if n % i == 0:
                    return False
            return True
    """
    case(RULE, [(9.0,)]).stays(source)
    case(RULE).stays(source)


def test_it_leaves_a_loop_that_does_more(case: Any) -> None:
    case(RULE, NUMBERS).stays("""
        def f(n):
            tried = 0
            for i in range(2, n):
                tried += 1
                if n % i == 0:
                    return tried
            return n
    """)
