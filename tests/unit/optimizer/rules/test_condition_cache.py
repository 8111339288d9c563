"""Tests of the rule condition-cache."""

from typing import Any

from perftrace.optimizer.engines.rules.condition_cache import ConditionCache

RULE = ConditionCache()


NUMBERS = [(n,) for n in range(1, 200)]


def test_it_is_computed_where_it_may_have_changed(case: Any) -> None:
    case(RULE, NUMBERS).becomes(
        """
        def f(n):
            found = []
            i = 2
            while i <= int(n ** 0.5):
                if n % i == 0:
                    found.append(i)
                    n //= i
                else:
                    i += 1
            return found, n
        """,
        """
        def f(n):
            found = []
            i = 2
            limit = int(n ** 0.5)
            while i <= limit:
                if n % i == 0:
                    found.append(i)
                    n //= i
                    limit = int(n ** 0.5)
                else:
                    i += 1
            return found, n
        """,
    )


def test_it_leaves_what_changes_in_each_round(case: Any) -> None:
    case(RULE, NUMBERS).stays("""
        def f(n):
            i = 2
            while i <= int(n ** 0.5):
                i += 1
                n -= 1
            return n
    """)


def test_it_leaves_an_assignment_in_the_middle_of_a_round(case: Any) -> None:
    case(RULE, NUMBERS).stays("""
        def f(n):
            i = 2
            while i <= int(n ** 0.5):
                if n % i == 0:
                    n //= i
                    i += 1
                i += 1
            return n
    """)


def test_it_leaves_what_is_not_always_computed(case: Any) -> None:
    case(RULE, NUMBERS).stays("""
        def f(n):
            i = 2
            while i < 20 and i <= int(n ** 0.5):
                if n % i == 0:
                    n //= i
                else:
                    i += 1
            return n
    """)


def test_it_leaves_lists_that_others_may_change(case: Any) -> None:
    case(RULE, [([1, 2, 3],)]).stays("""
        def f(xs):
            i = 0
            while i < sum(xs):
                if i > 2:
                    xs = [1]
                else:
                    i += 1
                    xs.append(0)
            return xs
    """)
