"""Tests of the engine that proposes what was accepted before."""

import textwrap

import pytest

from perftrace.model import Function, Kind
from perftrace.optimizer import gate, patch
from perftrace.optimizer.engines.memory import MemoryEngine
from perftrace.optimizer.facts import NOTHING
from perftrace.rewrites import Rewrite

SLOW = """
def product(xs):
    n = 1
    for x in xs:
        n *= x
    return n
"""
FAST = """
def product(xs):
    n = 1
    n *= prod(xs)
    return n
"""


def text(code: str) -> str:
    return textwrap.dedent(code).lstrip("\n")


def rewrite(slow: str = SLOW, fast: str = FAST, *added: str) -> Rewrite:
    return Rewrite(
        function="shop:product",
        engine="rules",
        steps=("sum-loop",),
        slow=text(slow),
        fast=text(fast),
        ratio=2.5,
        low=2.4,
        high=2.6,
        python="3.13.0",
        created="2026-11-23T00:00:00+00:00",
        added=added or ("from math import prod",),
    )


def proposed(source: str, *rewrites: Rewrite, name: str = "scale") -> list[str]:
    place = next(one for one in patch.places(source) if one.qualname.endswith(name))
    function = Function(1, "/m.py", place.qualname, place.first, "m", Kind.FUNCTION, ())
    found = MemoryEngine(rewrites).preview(function, source, NOTHING)
    assert not [finding for one in found for finding in gate.check(one) if finding.hard]
    assert all(one.engine == "memory" and one.steps == ("sum-loop",) for one in found)
    return [one.source for one in found]


def test_a_method_gets_the_change_and_its_module_the_import() -> None:
    source = text("""
        \"\"\"A shop.\"\"\"

        import re


        class Till:
            def scale(self, parts):
                # by all of them
                size = 2
                for part in parts:
                    size *= part
                return size  # so much
    """)
    assert proposed(source, rewrite()) == [
        text("""
        \"\"\"A shop.\"\"\"

        import re
        from math import prod


        class Till:
            def scale(self, parts):
                # by all of them
                size = 2
                size *= prod(parts)
                return size  # so much
    """)
    ]


def test_an_import_that_is_there_is_not_added() -> None:
    source = text("""
        from math import prod

        def scale(parts, size):
            for part in parts:
                size *= part
            return size, prod
    """)
    (found,) = proposed(source, rewrite())
    assert found.count("import prod") == 1
    assert "    size *= prod(parts)\n" in found


@pytest.mark.parametrize(
    "source",
    [
        "prod = 3\n\ndef scale(parts, size):\n    for part in parts:\n        size *= part\n",
        "def scale(parts, size):\n    for part in parts:\n        size *= part  # why\n",
        "def scale(parts, size): \n    if parts: size = 1\n    for part in parts: size += part\n",
        "def scale(parts, size):\n    size = 1; size *= 2\n    return size\n",
    ],
)
def test_it_leaves_what_it_cannot_replace(source: str) -> None:
    assert proposed(source, rewrite()) == []


def test_line_ends_stay_what_they_are() -> None:
    source = "def scale(parts, size):\r\n    for part in parts:\r\n        size *= part\r\n"
    (found,) = proposed(source, rewrite())
    assert found.replace("\r\n", "").count("\n") == 0
    assert "    size *= prod(parts)\r\n" in found


def test_the_same_change_is_proposed_once() -> None:
    source = (
        "def scale(parts, size):\n    for part in parts:\n        size *= part\n    return size\n"
    )
    assert len(proposed(source, rewrite(), rewrite())) == 1


def test_a_step_of_memory_may_follow_another() -> None:
    source = text("""
        def scale(parts, size):
            for part in parts:
                size *= part
            for part in parts:
                size *= part
            return size
    """)
    engine = MemoryEngine([rewrite()])
    function = Function(1, "/m.py", "scale", 1, "m", Kind.FUNCTION, ())
    first, _ = engine.preview(function, source, NOTHING)
    (second,) = engine.refine(first, NOTHING)
    assert second.steps == ("sum-loop", "sum-loop")
    assert second.original == source
    assert second.source.count("size *= prod(parts)") == 2
