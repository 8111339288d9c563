from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from perftrace.tracer.inside.function import (
    LARGEST_CAP,
    SMALLEST_CAP,
    Watched,
    kind_of,
    parameters_of,
)


def full(a: int, /, b: int, *c: int, d: int, **e: int) -> None: ...
def bare(*, d: int) -> None: ...
def generator() -> Iterator[int]:
    yield 1


async def coroutine() -> None: ...
async def items() -> AsyncIterator[int]:
    yield 1


def test_parameters_come_in_the_order_of_the_arguments() -> None:
    assert parameters_of(full.__code__) == (
        ("a", "positional"),
        ("b", "either"),
        ("c", "star"),
        ("d", "keyword"),
        ("e", "doublestar"),
    )
    assert parameters_of(bare.__code__) == (("d", "keyword"),)


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (full, "function"),
        (generator, "generator"),
        (coroutine, "coroutine"),
        (items, "async generator"),
    ],
)
def test_the_kind_is_what_calling_gives_back(function: Callable[..., Any], kind: str) -> None:
    assert kind_of(function.__code__) == kind


def test_a_value_too_big_gets_more_room_up_to_a_megabyte() -> None:
    watched = Watched(full.__code__, 1, ("a.py", "full", 1), "a")
    caps = [watched.cap]
    while watched.cap < LARGEST_CAP:
        watched.too_big()
        caps.append(watched.cap)
    watched.too_big()
    assert caps == sorted(set(caps))
    assert (caps[0], caps[-1], watched.cap) == (SMALLEST_CAP, LARGEST_CAP, LARGEST_CAP)
    assert watched.failures == len(caps)
