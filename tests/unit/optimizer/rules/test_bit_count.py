"""Tests of the rule bit-count."""

from typing import Any

from perftrace.optimizer.engines.rules.bit_count import BitCount

RULE = BitCount()


def test_it_counts_bits(case: Any) -> None:
    case(RULE, [(n,) for n in (-5, 0, 7, 255)]).becomes(
        """
        def f(n):
            return bin(n).count("1")
        """,
        """
        def f(n):
            return n.bit_count()
        """,
    )


def test_it_serves_the_digits_alone(case: Any) -> None:
    case(RULE, [(n,) for n in (0, 7, 255)]).becomes(
        """
        def f(n):
            return bin(n)[2:].count('1')
        """,
        """
        def f(n):
            return n.bit_count()
        """,
    )


def test_it_leaves_zeros(case: Any) -> None:
    case(RULE, [(5,)]).stays("""
        def f(n):
            return bin(n).count("0")
    """)


def test_it_leaves_bools(case: Any) -> None:
    case(RULE, [(True,)]).stays("""
        def f(n):
            return bin(n).count("1")
    """)


def test_it_leaves_other_bases(case: Any) -> None:
    case(RULE, [(5,)]).stays("""
        def f(n):
            return hex(n).count("1")
    """)
