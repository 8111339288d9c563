"""Tests of the rule flat-copy."""

from typing import Any

from perftrace.optimizer.engines.rules.flat_copy import FlatCopy

RULE = FlatCopy()


def test_it_copies_a_flat_list(case: Any) -> None:
    case(RULE, [([1, 2],)]).becomes(
        """
        import copy
        def f(xs):
            ys = copy.deepcopy(xs)
            ys.append(3)
            return ys
        """,
        """
        import copy
        def f(xs):
            ys = xs.copy()
            ys.append(3)
            return ys
        """,
    )


def test_it_copies_a_flat_dict(case: Any) -> None:
    case(RULE, [({"a": (1, 2)},)]).becomes(
        """
        from copy import deepcopy
        def f(d):
            return deepcopy(d)
        """,
        """
        from copy import deepcopy
        def f(d):
            return d.copy()
        """,
    )


def test_it_leaves_nested_containers(case: Any) -> None:
    case(RULE, [([[1], [2]],)]).stays("""
        import copy
        def f(xs):
            return copy.deepcopy(xs)
    """)


def test_it_leaves_dicts_of_lists(case: Any) -> None:
    case(RULE, [({"a": [1]},)]).stays("""
        import copy
        def f(xs):
            return copy.deepcopy(xs)
    """)


def test_it_leaves_another_deepcopy(case: Any) -> None:
    case(RULE, [([1],)]).stays("""
        def deepcopy(xs): return xs
        def f(xs):
            return deepcopy(xs)
    """)
