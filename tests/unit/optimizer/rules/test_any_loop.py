"""Tests of the rule any-loop."""

from typing import Any

from perftrace.optimizer.engines.rules.any_loop import AnyLoop

RULE = AnyLoop()


def test_it_returns_from_a_loop(case: Any) -> None:
    case(RULE, [([1, 2],), ([],)]).becomes(
        """
        def f(xs):
            return any(x > 1 for x in xs if x)
        """,
        """
        def f(xs):
            for x in xs:
                if x:
                    if x > 1:
                        return True
            return False
        """,
    )


def test_it_negates_all(case: Any) -> None:
    case(RULE, [([1, 2],), ([],)]).becomes(
        """
        def f(xs):
            return not all(x > 1 for x in xs)
        """,
        """
        def f(xs):
            for x in xs:
                if not (x > 1):
                    return True
            return False
        """,
    )


def test_it_breaks_for_an_assignment(case: Any) -> None:
    case(RULE, [([1, 2],), ([],)]).becomes(
        """
        def f(xs):
            found = any(x > 1 for x in xs)
            return found
        """,
        """
        def f(xs):
            found = False
            for x in xs:
                if x > 1:
                    found = True
                    break
            return found
        """,
    )


def test_it_leaves_from_an_if(case: Any) -> None:
    case(RULE, [([1, 2],), ([],)]).becomes(
        """
        def f(xs):
            if any(x > 1 for x in xs):
                return "big"
            return "small"
        """,
        """
        def f(xs):
            for x in xs:
                if x > 1:
                    return "big"
            return "small"
        """,
    )


def test_it_leaves_a_variable_that_the_function_uses(case: Any) -> None:
    case(RULE, [([1, 2], 3)]).stays("""
        def f(xs, x):
            y = any(x > 1 for x in xs)
            return y, x
    """)


def test_it_leaves_variables_that_a_lambda_sees(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            return any((lambda: x)() for x in xs)
    """)


def test_it_leaves_an_if_with_an_else(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            if any(x > 1 for x in xs):
                return 1
            else:
                return 2
    """)


def test_it_leaves_an_if_that_goes_on(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            n = 0
            if any(x > 0 for x in xs):
                n = 1
            return n
    """)
