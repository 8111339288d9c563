"""Tests of the rule membership-set."""

from typing import Any

from perftrace.optimizer.engines.rules.membership_set import MembershipSet

RULE = MembershipSet()


def test_it_searches_a_set_made_before_the_loop(case: Any) -> None:
    case(RULE, [([1, 2], [2, True]), ([], [5])]).becomes(
        """
        def f(xs, ys):
            out = []
            for y in ys:
                if y in xs:
                    out.append(y)
            return out
        """,
        """
        def f(xs, ys):
            out = []
            xs_set = set(xs)
            for y in ys:
                if y in xs_set:
                    out.append(y)
            return out
        """,
    )


def test_it_serves_comprehensions_and_not_in(case: Any) -> None:
    case(RULE, [(["a"], ["a", "b"])]).becomes(
        """
        def f(xs, ys):
            return [y for y in ys if y not in xs]
        """,
        """
        def f(xs, ys):
            xs_set = set(xs)
            return [y for y in ys if y not in xs_set]
        """,
    )


def test_it_leaves_elements_that_cannot_be_hashed(case: Any) -> None:
    case(RULE, [([[1]], [[1]])]).stays("""
        def f(xs, ys):
            return [y for y in ys if y in xs]
    """)


def test_it_leaves_a_search_for_what_cannot_be_hashed(case: Any) -> None:
    case(RULE, [([1], [[1]])]).stays("""
        def f(xs, ys):
            return [y for y in ys if y in xs]
    """)


def test_it_leaves_a_list_that_the_loop_changes(case: Any) -> None:
    case(RULE, [([1], [1, 2, 2])]).stays("""
        def f(xs, ys):
            for y in ys:
                if y not in xs:
                    xs.append(y)
            return xs
    """)


def test_it_leaves_a_list_that_may_be_the_one_changed(case: Any) -> None:
    case(RULE, [([1], [1, 2])]).stays("""
        def f(xs, ys):
            for y in list(ys):
                if y not in xs:
                    ys.append(y)
            return xs
    """)


def test_it_leaves_a_single_test(case: Any) -> None:
    case(RULE, [([1], 1)]).stays("""
        def f(xs, y):
            return y in xs
    """)


def test_it_leaves_a_str(case: Any) -> None:
    case(RULE, [("abc", ["a"])]).stays("""
        def f(xs, ys):
            return [y for y in ys if y in xs]
    """)


def test_it_leaves_types_that_were_not_recorded(case: Any) -> None:
    case(RULE, []).stays("""
        def f(xs, ys):
            return [y for y in ys if y in xs]
    """)


CALLS_OTHERS = """
    def norm(y):
        return y.strip()


    def f(xs, ys):
        out = []
        for y in ys:
            if y not in xs:
                out.append(norm(y))
        return out
"""
STOPS = [(["a", "the"], ["the ", "cat", "a"])]


def test_a_list_that_every_call_left_alone_may_be_searched_while_others_run(case: Any) -> None:
    [found] = case(RULE, STOPS, seen_after=True).proposed(CALLS_OTHERS)
    assert "xs_set = set(xs)" in found


def test_without_knowing_how_calls_left_it_other_code_may_change_it(case: Any) -> None:
    case(RULE, STOPS).stays(CALLS_OTHERS)


def test_it_groups_by_what_is_searched(case: Any) -> None:
    [found] = case(RULE, STOPS, seen_after=True).proposed("""
        def f(xs, ys):
            groups = {}
            for y in ys:
                if y not in xs:
                    groups.setdefault(y[0], []).append(y)
            return groups
    """)
    assert "if y not in xs_set:" in found


def test_it_leaves_a_list_that_other_code_changed_meanwhile(case: Any) -> None:
    case(RULE, [(["a"], ["a", "b", "b"])], seen_after=True).stays("""
        def note(xs, y):
            xs.append(y)


        def f(xs, ys):
            for y in ys:
                if y not in xs:
                    note(xs, y)
            return xs
    """)


def test_it_leaves_a_list_that_other_code_is_given(case: Any) -> None:
    case(RULE, STOPS, seen_after=True).stays("""
        def look(xs, y):
            return len(xs)


        def f(xs, ys):
            n = 0
            for y in ys:
                if y not in xs:
                    n += look(xs, y)
            return n
    """)


def test_it_leaves_a_list_that_others_get_at_between_two_items(case: Any) -> None:
    case(RULE, STOPS, seen_after=True).stays("""
        def f(xs, ys):
            for y in ys:
                if y not in xs:
                    yield y
    """)


def test_it_leaves_elements_with_a_hash_and_equality_of_their_own(case: Any, thing: Any) -> None:
    xs, ys = [thing(n=1)], [thing(n=1), thing(n=2)]
    case(RULE, [(xs, ys)], seen_after=True).stays("""
        def f(xs, ys):
            return [y for y in ys if y in xs]
    """)
    case(RULE, [([1, 2], ys)], seen_after=True).stays("""
        def f(xs, ys):
            return [y for y in ys if y in xs]
    """)


def test_it_leaves_a_loop_that_never_ran_twice(case: Any) -> None:
    case(RULE, [(["a", "b"], ["a"]), (["a", "b"], [])]).stays("""
        def f(xs, ys):
            return [y for y in ys if y in xs]
    """)
