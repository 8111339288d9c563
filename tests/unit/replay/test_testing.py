"""The helpers that emitted replay tests import."""

import logging
import re
import subprocess
import sys
import warnings
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, SupportsIndex

import pytest

from perftrace.replay import testing
from perftrace.replay.testing import (
    check,
    exhaust,
    fill,
    logs,
    raises,
    restore,
    run,
    take,
    unchanged,
    warns,
)


@dataclass
class Item:
    sku: str
    price: object = None


class Liar:
    """Equal to everything, and shown as anything."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return "Liar"


class Slotted:
    __slots__ = ("a", "b")


class Names(list[Any]):
    pass


class Metres(float):
    pass


class Queue(deque[Any]):
    pass


class Money(Decimal):
    pass


class Strict:
    def __init__(self) -> None:
        raise AssertionError

    def __setattr__(self, name: str, value: object) -> None:
        raise AssertionError


class OddError(Exception):
    def __init__(self, text: str, code: object) -> None:
        super().__init__(text)
        self.code = code


def difference(got: object, expected: object) -> str:
    with pytest.raises(AssertionError) as caught:
        check(got, expected)
    return str(caught.value).removeprefix("replay differs at ")


CYCLE: list[Any] = []
CYCLE.append(CYCLE)
SHARED = [1]


@pytest.mark.parametrize(
    ("got", "expected", "message"),
    [
        ({"a": Decimal("7.7")}, {"a": Decimal("7.9")}, "result['a']: Decimal('7.7'), recorded"),
        (1, True, "result: 1, recorded True"),
        (1, 1.0, "result: 1, recorded 1.0"),
        (0.0, -0.0, "result: 0.0, recorded -0.0"),
        (Decimal("1.0"), Decimal("1.00"), "result: Decimal('1.0'), recorded Decimal('1.00')"),
        ([1, 2], [1, 3], "result[1]: 2, recorded 3"),
        ([1], [1, 2], "result: [1], recorded [1, 2]"),
        ([1].index, [2].index, "result[0][0]: 1, recorded 2"),
        ([1].index, [1].count, "result[1]: 'index', recorded 'count'"),
        (re.compile("a").match, re.compile("b").match, "result[0]: re.compile('a'), recorded"),
        (len, abs, "result: len, recorded abs"),
        ((1,), [1], "result: (1), recorded [1]"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "result key 0: 'a', recorded 'b'"),
        ({1, 2}, {1, 3}, "result[1]: 2, recorded 3"),
        (Item("a", [1]), Item("a", [2]), "result.price[0]: 1, recorded 2"),
        (Liar(1), Liar(2), "result.value: 1, recorded 2"),
        ([SHARED, SHARED], [[1], [1]], "result[1]: ..., recorded [1]"),
        (CYCLE, [[]], "result[0]: ..., recorded []"),
        (OddError("x", 1), OddError("x", 2), "result.code: 1, recorded 2"),
        (ValueError("a"), ValueError("b"), "result.args[0]: 'a', recorded 'b'"),
        (deque([1], 2), deque([1]), "result.maxlen: 2, recorded None"),
        (defaultdict(int), defaultdict(list), "result.default_factory: int, recorded list"),
        (OrderedDict(a=1), {"a": 1}, "result: OrderedDict"),
        (Counter("aa"), Counter("a"), "result['a']: 2, recorded 1"),
        (Names([1]), [1], "result: Names"),
        (Metres(1), 1.0, "result: Metres"),
    ],
)  # fmt: skip
def test_a_difference_is_found_and_named(got: object, expected: object, message: str) -> None:
    assert difference(got, expected).startswith(message)


@pytest.mark.parametrize(
    "make",
    [
        lambda: float("nan"),
        lambda: [Decimal("1")] * 2,
        lambda: {"b": 1, "a": {3, 1, 2}},
        lambda: Item("a", Path("x")),
        lambda: [1].index,
        lambda: re.compile("a").match,
        lambda: (len, dict.fromkeys),
        lambda: Liar([1]),
        lambda: [SHARED, SHARED],
        lambda: CYCLE,
        lambda: restore(Slotted, a=1),
        lambda: restore(Names, [1], tag=2),
        lambda: OddError("x", {"a": 1}),
        lambda: 10**6000,
        lambda: iter([1, 2]),
        lambda: Counter("aab"),
    ],
)
def test_what_is_the_same_passes(make: Any) -> None:
    check(make(), make())


class Day(date):
    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        raise AttributeError("a method of the user's")


@pytest.mark.parametrize("more", [{}, {"seen": 1}])
@pytest.mark.parametrize(
    ("cls", "one", "other"),
    [(Day, date(1999, 8, 4), date(1999, 8, 5)), (Money, Decimal(1), Decimal(2))],
)
def test_what_a_built_in_base_class_holds_counts_beside_attributes(
    cls: type, one: Any, other: Any, more: dict[str, int]
) -> None:
    check(restore(cls, one, **more), restore(cls, one, **more))
    with pytest.raises(AssertionError):
        check(restore(cls, one, **more), restore(cls, other, **more))


def test_two_equal_texts_of_different_things_are_told_apart() -> None:
    def one() -> None: ...

    def other() -> None: ...

    other.__qualname__ = one.__qualname__
    assert "object" in difference(one, other)


def test_an_object_is_restored_without_its_own_methods() -> None:
    made = restore(Strict, a=1)
    assert made.a == 1
    assert restore(Slotted, b=2).b == 2
    assert not hasattr(restore(Slotted, b=2), "a")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (restore(Names, [1, 2]), Names([1, 2])),
        (restore(Metres, 1.5), Metres(1.5)),
        (restore(Queue, [1], maxlen=3), Queue([1], 3)),
        (restore(Money, Decimal("1.50")), Money("1.50")),
        (restore(OddError, ("x",), code=3), OddError("x", 3)),
        (restore(FileNotFoundError, (2, "gone"), filename="f"), FileNotFoundError(2, "gone", "f")),
        (restore(SystemExit, (3,)), SystemExit(3)),
    ],
)
def test_a_value_of_a_built_in_base_is_restored(made: object, expected: object) -> None:
    check(made, expected)
    assert type(made) is type(expected)


def test_a_cycle_is_filled_in_later() -> None:
    node = restore(Item)
    fill(node, sku="a", price=node)
    assert node.price is node


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("x", 1), (ValueError, "x", 1)),
        (OddError("x", 3), (restore(OddError, ("x",), code=3),)),
        (SystemExit(3), (SystemExit, 3)),
    ],
)
def test_raises_wants_exactly_the_recorded_exception(
    error: BaseException, expected: tuple[Any, ...]
) -> None:
    with raises(*expected):
        raise error


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("y"), "replay differs at exception.args[0]: 'y', recorded 'x'"),
        (UnicodeError("x"), "replay differs at exception: UnicodeError('x'), recorded"),
        (None, "replay differs: nothing was raised, recorded ValueError('x')"),
    ],
)
def test_another_exception_or_none_fails(error: Exception | None, message: str) -> None:
    def fail() -> None:
        if error:
            raise error

    with pytest.raises(AssertionError) as caught, raises(ValueError, "x"):
        fail()
    assert str(caught.value).startswith(message)


def test_whatever_is_raised_may_be_checked_afterwards() -> None:
    def fail() -> None:
        raise ValueError("x", SHARED, SHARED)

    with raises() as raised:
        fail()
    check(raised, [ValueError("x", SHARED, SHARED)], "raised")
    with pytest.raises(AssertionError) as caught:
        check(raised, [ValueError("x", SHARED, list(SHARED))], "raised")
    assert str(caught.value).startswith("replay differs at raised[0].args[2]: ")
    with pytest.raises(AssertionError) as caught, raises():
        check(1, 1)
    assert str(caught.value) == "replay differs: nothing was raised, recorded an exception"


def test_a_change_of_an_argument_is_found() -> None:
    rows, item = [1], Item("a")
    with unchanged(rows=rows, item=item):
        rows.append(2)
        rows.pop()
    with pytest.raises(AssertionError) as caught, unchanged(rows=rows, item=item):
        item.price = 3
    assert str(caught.value) == "replay differs at item.price: 3, recorded None"


def test_generators_are_run_as_far_as_recorded() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        yield 2
        raise KeyError("end")

    stream = numbers()
    assert take(stream, 1) == [1]
    assert list(stream) == []
    items, how, error = exhaust(numbers())
    assert (items, how) == ([1, 2], "raised")
    check(error, KeyError("end"))


def test_coroutines_and_asynchronous_generators_are_run() -> None:
    async def double(x: int) -> int:
        return x * 2

    async def ticks() -> AsyncIterator[int]:
        yield 1
        yield 2

    assert run(double(2)) == 4
    assert run(ticks()) == [1, 2]


def test_the_file_works_alone_and_imports_little() -> None:
    code = (
        "import sys; before = set(sys.modules); import testing;"
        "testing.check([1], [1]);"
        "print(sorted(m for m in set(sys.modules) - before if m.startswith(('perf', 'asyncio'))))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=Path(testing.__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


# --- what is logged and warned ---------------------------------------------------------------


def test_records_from_info_on_count_whatever_the_levels_are() -> None:
    log = logging.getLogger("quiet")
    log.setLevel(logging.CRITICAL)
    adapter = logging.LoggerAdapter(log, {})
    with logs(("quiet", "INFO", "n is 3"), ("quiet", "ERROR", "b")):
        log.debug("not looked at")
        log.info("n is %d", 3)
        adapter.error("b")


@pytest.mark.parametrize("words", [(), ("b",), ("a", "a")])
def test_other_records_differ(words: tuple[str, ...]) -> None:
    def speak() -> None:
        with logs(("root", "WARNING", "a")):
            for word in words:
                logging.getLogger().warning(word)

    with pytest.raises(AssertionError, match="replay differs at logs"):
        speak()


def test_nothing_handles_what_is_logged_and_all_is_as_before_afterwards() -> None:
    before = vars(logging.Logger).copy()
    seen: list[logging.LogRecord] = []
    log = logging.getLogger("handled")
    handler = logging.Handler()
    handler.emit = seen.append  # type: ignore[assignment, method-assign]
    log.addHandler(handler)
    with pytest.raises(ZeroDivisionError), logs():
        raise ZeroDivisionError
    with logs(("handled", "WARNING", "a")):
        log.warning("a")
    log.warning("b")
    assert [record.getMessage() for record in seen] == ["b"]
    assert vars(logging.Logger) == before


def test_warnings_count_each_time_even_where_they_are_errors() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with warns((UserWarning, "a"), (UserWarning, "a"), (DeprecationWarning, "b")):
            for _ in range(2):
                warnings.warn("a", stacklevel=1)
            warnings.warn("b", DeprecationWarning, stacklevel=1)
            warnings.warn("c", ResourceWarning, stacklevel=1)


@pytest.mark.parametrize("category", [FutureWarning, None])
def test_other_warnings_differ(category: type[Warning] | None) -> None:
    def speak() -> None:
        with warns((UserWarning, "a")):
            if category is not None:
                warnings.warn("a", category, stacklevel=1)

    with pytest.raises(AssertionError, match="replay differs at warnings"):
        speak()
