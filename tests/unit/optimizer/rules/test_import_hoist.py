"""Tests of the rule import-hoist."""

from typing import Any

from perftrace.optimizer.engines.rules.import_hoist import ImportHoist

RULE = ImportHoist()


def test_it_imports_once(case: Any) -> None:
    case(RULE, [(4,)]).becomes(
        """
        import os

        def f(x):
            import math
            return math.sqrt(x)
        """,
        """
        import os
        import math

        def f(x):
            return math.sqrt(x)
        """,
    )


def test_it_leaves_other_modules(case: Any) -> None:
    case(RULE, []).stays("""
        def f(x):
            import json
            return json.dumps(x)
    """)


def test_it_leaves_a_name_that_the_module_uses(case: Any) -> None:
    case(RULE, [(4,)]).stays("""
        math = 3
        def f(x):
            import math
            return math.sqrt(x)
    """)


def test_it_leaves_an_import_with_a_comment(case: Any) -> None:
    case(RULE, [(4,)]).stays("""
        def f(x):
            import math  # late
            return math.sqrt(x)
    """)


def test_it_leaves_a_name_that_is_bound_again(case: Any) -> None:
    case(RULE, [(4,)]).stays("""
        def f(x):
            from math import floor
            if x > 9:
                floor = int
            return floor(x)
    """)


def test_it_leaves_a_name_that_hides_a_builtin(case: Any) -> None:
    case(RULE, [(4,)]).stays("""
        def f(x):
            from math import pow
            return pow(x, 2)
    """)
