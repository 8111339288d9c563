"""Many calls in a row, timed from outside: all that can be done before the clock starts is done."""

import gc
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby, islice
from typing import Any

from ...restore import Unreplayable
from .drive import ASYNC, Arguments, seed

type Call = tuple[Callable[..., Any], list[Any], dict[str, Any], int]


class Work:
    """One prepared call; each `copy` has arguments of its own."""

    def __init__(
        self,
        function: Callable[..., Any],
        fresh: Callable[[], Arguments],
        kind: str,
        pull: int,
    ) -> None:
        self.kind = kind
        self._function = function
        self._fresh = fresh
        self._pull = pull

    def copy(self) -> Call:
        """The call with a fresh copy of its arguments."""
        arguments = self._fresh()
        return self._function, arguments.positional, arguments.named, self._pull


class Block:
    """Rounds of prepared calls, ready to run once."""

    def __init__(self, works: Sequence[Work], rounds: int) -> None:
        order = [work for _ in range(rounds) for work in works]
        self._parts = [
            (kind, [work.copy() for work in part])
            for kind, part in groupby(order, key=lambda work: work.kind)
        ]
        if any(kind in ASYNC for kind, _ in self._parts):
            import asyncio  # noqa: F401, PLC0415 - now rather than on the clock
        self.calls = len(order)
        gc.collect()
        seed()

    def run(self) -> None:
        """Make the calls; what they return is dropped, what they raise is part of the time.

        Raises:
            Unreplayable: one of them touched something that was not recorded.
        """
        for kind, calls in self._parts:
            LOOPS[kind](calls)


def _functions(calls: Sequence[Call]) -> None:
    for function, positional, named, _ in calls:
        try:
            function(*positional, **named)
        except Unreplayable:
            raise
        except BaseException:  # noqa: BLE001, S110 - recorded calls may raise
            pass


def _generators(calls: Sequence[Call]) -> None:
    for function, positional, named, pull in calls:
        try:
            deque(islice(function(*positional, **named), pull), maxlen=0)
        except Unreplayable:
            raise
        except BaseException:  # noqa: BLE001, S110 - recorded calls may raise
            pass


def _in_loop(calls: Sequence[Call]) -> None:
    import asyncio  # noqa: PLC0415 - loaded when the block was made

    asyncio.run(_await_all(calls))


async def _await_all(calls: Sequence[Call]) -> None:
    for function, positional, named, pull in calls:
        try:
            made = function(*positional, **named)
            if hasattr(made, "__anext__"):
                await _exhaust(made, pull)
            else:
                await made
        except Unreplayable:
            raise
        except BaseException:  # noqa: BLE001, S110 - recorded calls may raise
            pass


async def _exhaust(source: Any, pull: int) -> None:
    for _ in range(pull):
        try:
            await anext(source)
        except StopAsyncIteration:
            return
    await source.aclose()


LOOPS: dict[str, Callable[[Sequence[Call]], None]] = {
    "function": _functions,
    "generator": _generators,
    "coroutine": _in_loop,
    "async generator": _in_loop,
}
