"""Tests of the rule compile-regex."""

from typing import Any

from perftrace.optimizer.engines.rules.compile_regex import CompileRegex

RULE = CompileRegex()


def test_it_compiles_when_the_module_is_loaded(case: Any) -> None:
    case(RULE, [("a1",), ("b",)]).becomes(
        r"""
        import re

        def f(s):
            return bool(re.search(r"\d+", s, re.I))
        """,
        r"""
        import re

        _F_PATTERN = re.compile(r"\d+", re.I)

        def f(s):
            return bool(_F_PATTERN.search(s))
        """,
    )


def test_it_keeps_the_other_arguments(case: Any) -> None:
    case(RULE, [("a1b2",)]).becomes(
        """
        import re
        def f(s):
            return re.sub("[0-9]", "#", s, count=1)
        """,
        """
        import re

        _F_PATTERN = re.compile("[0-9]")

        def f(s):
            return _F_PATTERN.sub("#", s, count=1)
        """,
    )


def test_it_leaves_a_pattern_that_is_worked_out(case: Any) -> None:
    case(RULE, [("a", "aa")]).stays("""
        import re
        def f(p, s):
            return bool(re.match(p + "a", s))
    """)


def test_it_leaves_a_wrong_pattern(case: Any) -> None:
    case(RULE, []).stays("""
        import re
        def f(s):
            return re.match("(", s)
    """)


def test_it_leaves_another_re(case: Any) -> None:
    case(RULE, []).stays("""
        class re:
            def match(p, s): return 1
        def f(s):
            return re.match("a", s)
    """)


def test_it_leaves_flags_that_are_not_constant(case: Any) -> None:
    case(RULE, [("a", 0)]).stays("""
        import re
        def f(s, flags):
            return bool(re.match("a", s, flags))
    """)
