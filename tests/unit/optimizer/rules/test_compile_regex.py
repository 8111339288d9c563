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


def test_a_name_of_the_function_stands_for_its_literal(case: Any) -> None:
    case(RULE, [("abb",), ("",)]).becomes(
        """
        import re

        def f(text):
            pattern = "ab{2,3}"
            if re.search(pattern, text):
                return True
            return False
        """,
        """
        import re

        _F_PATTERN = re.compile("ab{2,3}")

        def f(text):
            if _F_PATTERN.search(text):
                return True
            return False
        """,
    )


def test_a_name_that_is_used_otherwise_keeps_its_line(case: Any) -> None:
    (found,) = case(RULE, [("abb",), ("",)]).proposed("""
        import re

        def f(text):
            pattern = "ab{2,3}"
            if re.search(pattern, text):
                return True
            return pattern
    """)
    assert 'pattern = "ab{2,3}"\n' in found
    assert "_F_PATTERN.search(text)" in found


def test_a_name_of_the_module_is_used_behind_its_line(case: Any) -> None:
    case(RULE, [("abb",), ("",)]).becomes(
        """
        import re

        FORM = "ab{2,3}"

        def f(text):
            return bool(re.search(FORM, text))
        """,
        """
        import re

        FORM = "ab{2,3}"

        _F_PATTERN = re.compile(FORM)

        def f(text):
            return bool(_F_PATTERN.search(text))
        """,
    )


def test_it_leaves_names_that_may_stand_for_something_else(case: Any) -> None:
    case(RULE, [("abb", True)]).stays("""
        import re

        FORM = "ab{2,3}"
        FORM = "b"
        NUMBER = 3

        def f(text, other):
            pattern = "a"
            if other:
                pattern = "b"
            return bool(re.search(FORM, text)), bool(re.search(pattern, text))

        def g(text):
            return re.search(NUMBER, text)
    """)
