"""Which recorded calls become tests, and why the others do not."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import pytest

from perftrace import snapshot
from perftrace.model import (
    Binding,
    Call,
    Ending,
    Function,
    Kind,
    Outcome,
    Parameter,
    Recorded,
    Run,
    Unrecorded,
    Value,
)
from perftrace.replay import cases
from perftrace.replay.calling import Subject
from perftrace.replay.cases import Drafter, Drafts
from perftrace.replay.imports import Imports
from perftrace.replay.requests import NotReplayed, Replayed, Reply, Request
from perftrace.replay.static import Sources

if TYPE_CHECKING:
    from perftrace.store import Store

SOURCE = "def double(x):\n    return x * 2\n"


class Trace:
    """A trace file in memory, as far as drafting needs one."""

    def __init__(self, file: Path) -> None:
        self.recorded: list[Call] = []
        self.function = Function(
            1, str(file), "double", 1, "app", Kind.FUNCTION, (Parameter("x", Binding.EITHER),)
        )
        self._blobs: dict[bytes, bytes] = {}

    def add(self, argument: object, result: object, *, ending: Ending = Ending.RETURNED) -> None:
        """Record a call."""
        self.put(self.value([argument]), self.value([result, [None]]), ending)

    def put(self, arguments: Value, result: Value, ending: Ending = Ending.RETURNED) -> None:
        """Record a call with these values."""
        number = len(self.recorded) + 1
        outcome = Outcome(ending, result)
        call = Call(number, self.function, 1, 1, None, arguments, outcome, number, 1000)
        self.recorded.append(call)

    def value(self, value: object) -> Recorded:
        """The bytes of a value."""
        blob, opaque = snapshot.encode(value, 1 << 20)
        digest = hashlib.blake2b(blob, digest_size=16).digest()
        self._blobs[digest] = blob
        return Recorded(digest, len(blob), opaque)

    def calls(self, function: Function, *, run: Run | None = None) -> Iterator[Call]:
        """As Store.calls."""
        return iter(self.recorded)

    def blob(self, value: Recorded) -> bytes:
        """As Store.blob."""
        return self._blobs[value.digest]

    def source_text(self, function: Function) -> str:
        """As Store.source_text."""
        return SOURCE

    def process(self, number: int) -> None:
        """As Store.process; the sessions here need none."""


def doubling(argument: Any, seed: int) -> Reply:
    return replayed(argument * 2)


def replayed(result: object, stdout: str = "") -> Replayed:
    blob = snapshot.encode([result, [None]], 1 << 20)[0]
    return Replayed(Ending.RETURNED, blob, 0, 0, stdout, "", frozenset({1}))


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    file = tmp_path / "app.py"
    file.write_text(SOURCE)
    return Trace(file)


@pytest.fixture
def draft(monkeypatch: pytest.MonkeyPatch, trace: Trace) -> Callable[..., Drafts]:
    def drafted(behave: Callable[[Any, int], Reply] = doubling, most: int = 12) -> Drafts:
        class Worker:
            main_alias: dict[str, str] = {}  # noqa: RUF012

            def __init__(self, process: object, *, hash_seed: int) -> None:
                self._seed = hash_seed

            def __enter__(self) -> Self:
                return self

            def __exit__(self, *_: object) -> None: ...

            def ask(self, request: Request, *, lines: bool) -> Callable[[], Reply]:
                from perftrace import restore

                (argument,) = cast("list[object]", restore.decode(request.arguments, no_names))
                return lambda: behave(argument, self._seed)

        monkeypatch.setattr(cases, "Session", Worker)
        file = Path(trace.function.file)
        sources = Sources([str(file.parent)])
        located = sources.locate(file, "double", 1)
        assert located is not None
        subject = Subject(trace.function, located, Imports(), sources, 4096)
        with Drafter(cast("Store", trace), cast("Run", None)) as drafter:
            return drafter.draft(subject, most)

    return drafted


def no_names(module: str, qualname: str) -> object:
    raise LookupError(module, qualname)


def test_calls_that_repeat_become_tests(trace: Trace, draft: Callable[..., Drafts]) -> None:
    trace.add(2, 4)
    trace.add("a", "aa")
    trace.add(2, 4)
    drafts = draft()
    assert [test.text.splitlines()[1].strip() for test in drafts.tests] == [
        "check(double(2), 4)",
        'check(double("a"), "aa")',
    ]
    assert not drafts.left


def test_no_more_are_drafted_than_asked_for(trace: Trace, draft: Callable[..., Drafts]) -> None:
    for number in range(40):
        trace.add(number, number * 2)
    assert len(draft(most=3).tests) == 3


def test_the_same_call_with_two_results_becomes_no_test(
    trace: Trace, draft: Callable[..., Drafts]
) -> None:
    trace.add(2, 4)
    trace.add(2, 5)
    drafts = draft()
    assert not drafts.tests
    assert drafts.left == {"not deterministic: the same call gave two results": 2}


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (lambda x, seed: replayed(x * 3), "it does something else when it is made again"),
        (lambda x, seed: replayed(x * (2 + seed)), "it does something else when it is made again"),
        (lambda x, seed: replayed(x * 2, str(seed)), "it prints something else each time"),
        (lambda x, seed: NotReplayed("it would open a socket"), "it would open a socket"),
    ],
)
def test_a_call_that_does_not_repeat_is_left_out_with_the_reason(
    trace: Trace, draft: Callable[..., Drafts], behave: Callable[[Any, int], Reply], reason: str
) -> None:
    trace.add(2, 4)
    drafts = draft(behave)
    assert not drafts.tests
    assert drafts.left == {reason: 1}


def test_what_a_call_prints_is_part_of_its_test(trace: Trace, draft: Callable[..., Drafts]) -> None:
    trace.add(2, 4)
    (test,) = draft(lambda x, seed: replayed(4, "hi\n")).tests
    assert 'with prints("hi\\n"):' in test.text


def test_values_that_are_missing_or_unfit_are_counted_by_reason(
    trace: Trace, draft: Callable[..., Drafts]
) -> None:
    trace.put(Unrecorded("over budget"), trace.value([1, [None]]))
    trace.put(trace.value([1]), Unrecorded("larger than 8 KB"))
    trace.put(trace.value([1]), trace.value([1, [None]]), Ending.UNKNOWN)
    trace.add("x" * 20_000, 1)
    trace.add((i for i in [1]), 1)
    trace.add({"password": "x"}, {"password": "x"})
    trace.add("x" * 5000, "x" * 10_000)
    drafts = draft(lambda x, seed: replayed(x if isinstance(x, dict) else x * 2))
    assert not drafts.tests
    assert drafts.left == {
        "over budget": 1,
        "larger than 8 KB": 1,
        "how it ended was not seen": 1,
        "over 4 KiB": 2,
        "holds a part that could not be recorded": 1,
        "password looks like a secret": 1,
    }
