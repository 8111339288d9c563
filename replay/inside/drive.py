"""Makes one call to its end, by the kind of the function, and says what came of it."""

import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
from contextlib import suppress
from opcode import opmap
from types import AsyncGeneratorType, CodeType, CoroutineType, GeneratorType
from typing import Any

from ...restore import Unreplayable
from ...snapshot import encode, immutable
from .clock import Stopwatch

AWAITABLE = (CoroutineType, GeneratorType)  # the latter from @types.coroutine
SEED = 20  # any constant: what counts is that both sides draw the same numbers

ASYNC = frozenset({"coroutine", "async generator"})
RAISE = opmap["RAISE_VARARGS"]
RETURNED, RAISED, YIELDED = "returned", "raised", "yielded"


class Arguments:
    """The arguments of one call, bound as the parameters say."""

    def __init__(self, values: list[Any], parameters: Sequence[tuple[str, str]]) -> None:
        self.values = values
        self.keywords: str | None = None  # the name of a `**kw` that is not empty; it comes last
        self.positional: list[Any] = []
        self.named: dict[str, Any] = {}
        for value, (name, binding) in zip(values, parameters, strict=True):
            if binding == "star":
                self.positional += value
            elif binding == "keyword":
                self.named[name] = value
            elif binding == "doublestar":
                self.named |= value
                self.keywords = name if value else None
            else:
                self.positional.append(value)


class Drive:
    """One call: its limits, its time and its outcome."""

    def __init__(self, kind: str, *, pull: int, rest: str, cap: int) -> None:
        self.watch = Stopwatch()
        self._kind = kind
        self._pull = pull
        self._rest = rest
        self._cap = cap
        self._raised: BaseException | None = None
        self.suspended = 0  # how often a coroutine let others run
        self._yielded: list[tuple[object, bytes]] = []  # each item, and what it was then

    @property
    def implicit(self) -> bool:
        """Whether an operation raised what ended the call, rather than a `raise` or `assert`."""
        return self._raised is not None and self.raising is None

    @property
    def raising(self) -> CodeType | None:
        """The code whose `raise` or `assert` ended the call; None: it ended otherwise."""
        trace = self._raised.__traceback__ if self._raised is not None else None
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is None:
            return None
        code = trace.tb_frame.f_code
        return code if code.co_code[trace.tb_lasti] == RAISE else None

    @property
    def alike(self) -> list[list[int]]:
        """Yielded items that are an earlier item again, and those that were changed afterwards."""
        first: dict[int, int] = {}
        again, later = [], []
        for index, (item, blob) in enumerate(self._yielded):
            if not immutable(item):
                if first.setdefault(id(item), index) != index:
                    again.append(index)
                if encode(item, self._cap)[0] != blob:
                    later.append(index)
        return [again, later]

    def _keep(self, items: list[object], item: object) -> None:
        blob = encode(item, self._cap)[0]
        items.append(blob)
        self._yielded.append((item, blob))

    def run(self, function: Callable[..., object], arguments: Arguments) -> tuple[str, object]:
        """How the call ended and with what (docs/values.md).

        Raises:
            Unreplayable: it touched something that was not recorded.
            TooBig: an item of a generator is larger than allowed.
            Unencodable: an item of a generator can't be written.
        """
        run = _runner() if self._kind in ASYNC else None
        seed()
        try:
            with self.watch:
                result = function(*arguments.positional, **arguments.named)
                if run is not None and isinstance(result, AWAITABLE):
                    result = run(self._awaited(result))
        except Unreplayable:
            raise
        except BaseException as error:  # noqa: BLE001 - the outcome of the user's code
            self._raised = error
            return RAISED, error
        if self._kind == "generator" and isinstance(result, GeneratorType):
            return YIELDED, self._pull_from(result)
        if run is not None and isinstance(result, AsyncGeneratorType):
            return YIELDED, run(self._await_from(result))
        return RETURNED, result

    async def _awaited(self, made: Any) -> object:
        return await _Counting(made, self)

    def _pull_from(self, source: Generator[object]) -> list[object]:
        items: list[object] = []
        while len(items) < self._pull:
            try:
                with self.watch:
                    item = next(source)
            except StopIteration as stop:
                return [items, RETURNED, stop.value]
            except Unreplayable:
                raise
            except BaseException as error:  # noqa: BLE001 - the outcome of the user's code
                self._raised = error
                return [items, RAISED, error]
            self._keep(items, item)
        with suppress(RuntimeError):  # it ignores that it is closed
            source.close()
        return [items, self._rest, None]

    async def _await_from(self, source: AsyncGenerator[object]) -> list[object]:
        items: list[object] = []
        while len(items) < self._pull:
            try:
                with self.watch:
                    item = await anext(source)
            except StopAsyncIteration:
                return [items, RETURNED, None]
            except Unreplayable:
                raise
            except BaseException as error:  # noqa: BLE001 - the outcome of the user's code
                self._raised = error
                return [items, RAISED, error]
            self._keep(items, item)
        with suppress(RuntimeError):
            await source.aclose()
        return [items, self._rest, None]


def seed() -> None:
    """Make the random numbers the same for every call."""
    for name in ("random", "numpy.random"):
        set_seed = getattr(sys.modules.get(name), "seed", None)
        if set_seed is not None:
            set_seed(SEED)


class _Counting:
    """Awaits a coroutine, and counts how often it is suspended."""

    def __init__(self, made: Any, drive: Drive) -> None:
        self._made = made
        self._drive = drive

    def __await__(self) -> Generator[Any, Any, object]:
        inner = self._made if isinstance(self._made, GeneratorType) else self._made.__await__()
        step, argument = inner.send, None
        while True:
            try:
                waited = step(argument)
            except StopIteration as stop:
                return stop.value
            self._drive.suspended += 1
            try:
                step, argument = inner.send, (yield waited)
            except GeneratorExit:
                inner.close()
                raise
            except BaseException as error:  # noqa: BLE001 - it is the coroutine's
                step, argument = inner.throw, error


def _runner() -> Callable[[Coroutine[Any, Any, object]], object]:
    import asyncio  # noqa: PLC0415 - costs a fifth of a second; few programs need it

    return asyncio.run
