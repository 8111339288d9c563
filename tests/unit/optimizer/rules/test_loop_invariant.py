"""Tests of the rule loop-invariant."""

from typing import Any

from perftrace.optimizer.engines.rules.loop_invariant import LoopInvariant

RULE = LoopInvariant()


def test_it_hoists_a_pure_call_in_front_of_the_loop(case: Any) -> None:
    case(RULE, [([3, 1], ["a"]), ([], ["b"])]).becomes(
        """
        def f(xs, names):
            out = []
            # each name
            for name in names:
                out.append((name, len(xs)))
            return out
        """,
        """
        def f(xs, names):
            out = []
            len_xs = len(xs)
            # each name
            for name in names:
                out.append((name, len_xs))
            return out
        """,
    )


def test_it_hoists_out_of_a_comprehension(case: Any) -> None:
    case(RULE, [([3, 1],), ([5],)]).becomes(
        """
        def f(xs):
            return [x / sum(xs) for x in xs]
        """,
        """
        def f(xs):
            sum_xs = sum(xs)
            return [x / sum_xs for x in xs]
        """,
    )


def test_it_hoists_an_attribute_that_nothing_sets(case: Any, thing: Any) -> None:
    case(RULE, [(thing(rate=2), [1, 2])]).becomes(
        """
        def f(self, xs):
            total = 0
            for x in xs:
                total += x * self.rate
            return total
        """,
        """
        def f(self, xs):
            total = 0
            rate = self.rate
            for x in xs:
                total += x * rate
            return total
        """,
    )


def test_it_hoists_max_only_with_a_default_for_no_items(case: Any) -> None:
    case(RULE, [([3.0, 1.0],), ([],)]).becomes(
        """
        def f(xs):
            return [x / max(xs) for x in xs]
        """,
        """
        def f(xs):
            max_xs = max(xs, default=None)
            return [x / max_xs for x in xs]
        """,
    )


def test_it_leaves_max_of_another_list_that_may_be_empty(case: Any) -> None:
    case(RULE, [([3, 1], [2]), ([], [])]).stays("""
        def f(xs, ys):
            return [y / max(xs) for y in ys]
    """)


def test_it_leaves_what_the_loop_changes(case: Any) -> None:
    case(RULE, [([1, 2],)]).stays("""
        def f(xs):
            for x in list(xs):
                xs.append(len(xs))
            return xs
    """)


def test_it_leaves_what_may_be_changed_under_another_name(case: Any) -> None:
    case(RULE, [([1, 2], [3])]).stays("""
        def f(xs, ys):
            out = 0
            for x in range(3):
                ys.append(x)
                out += len(xs)
            return out
    """)


def test_it_leaves_what_unknown_code_could_change(case: Any) -> None:
    case(RULE, [([1, 2], [3])]).stays("""
        def g(): ...
        def f(xs, ys):
            out = 0
            for y in ys:
                g()
                out += len(xs)
            return out
    """)


def test_it_leaves_an_attribute_that_the_loop_sets(case: Any, thing: Any) -> None:
    case(RULE, [(thing(rate=2), [1, 2])]).stays("""
        def f(self, xs):
            for x in xs:
                self.rate = x + self.rate
            return self.rate
    """)


def test_it_leaves_a_list_that_each_round_gets_anew(case: Any) -> None:
    case(RULE, [([1, 2], [3])]).stays("""
        def f(xs, ys):
            out = []
            for y in ys:
                out.append(sorted(xs))
            return out
    """)


def test_it_leaves_a_name_that_the_loop_rebinds(case: Any) -> None:
    case(RULE, [([1, 2], [3])]).stays("""
        def f(xs, ys):
            out = 0
            for y in ys:
                out += len(xs)
                xs = xs + [y]
            return out
    """)


def test_it_leaves_a_shadowed_builtin(case: Any) -> None:
    case(RULE, [([1, 2], [3])]).stays("""
        def len(xs):
            return 1
        def f(xs, ys):
            return [len(xs) for y in ys]
    """)


def test_it_leaves_a_loop_that_yields(case: Any) -> None:
    case(RULE, [([1, 2], [3])]).stays("""
        def f(xs, ys):
            for y in ys:
                yield len(xs)
    """)


def test_it_leaves_a_generator_that_outlives_the_statement(case: Any) -> None:
    case(RULE, [([1, 2], [3])]).stays("""
        def f(xs, ys):
            return (len(xs) for y in ys)
    """)


def test_the_code_of_a_letter_is_looked_up_once(case: Any) -> None:
    case(RULE, [("abz",), ("",)]).becomes(
        """
        def f(text):
            return [ord(one) - ord("a") for one in text]
        """,
        """
        def f(text):
            ord_value = ord("a")
            return [ord(one) - ord_value for one in text]
        """,
    )
