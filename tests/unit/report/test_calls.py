"""Recorded calls as text."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from perftrace.model import (
    Binding,
    Call,
    Ending,
    Function,
    Kind,
    Outcome,
    Parameter,
    Recorded,
    Unrecorded,
    Value,
)
from perftrace.report.calls import arguments_text, outcome_text, seen_in
from perftrace.snapshot import encode
from perftrace.store import Store

PARAMETERS = (
    Parameter("price", Binding.EITHER),
    Parameter("rest", Binding.STAR),
    Parameter("options", Binding.DOUBLE_STAR),
)
FUNCTION = Function(1, "/shop/app.py", "quote", 1, "app", Kind.FUNCTION, PARAMETERS)
NOTHING = Unrecorded("larger than 8 KB")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open_to_write(tmp_path / "trace.db") as store:
        yield store


def recorded(store: Store, value: object) -> Recorded:
    blob, opaque = encode(value, 10_000)
    return Recorded(store.add_value(blob, opaque), len(blob), opaque)


def call(arguments: Value = NOTHING, value: Value = NOTHING, ending: str = "returned") -> Call:
    outcome = Outcome(Ending(ending), value)
    return Call(1, FUNCTION, 1, 1, None, arguments, outcome, 0, 1000)


def test_arguments_are_shown_as_they_would_be_written(store: Store) -> None:
    given = recorded(store, [12, (3, "x"), {"vat": 0.2}])
    text = arguments_text(store, call(given))
    assert text == "price=12, *rest=(3, 'x'), **options={'vat': 0.2}"


def test_what_was_not_recorded_says_why(store: Store) -> None:
    assert arguments_text(store, call()) == "<not recorded: larger than 8 KB>"
    assert outcome_text(store, call()) == "<not recorded: larger than 8 KB>"
    assert outcome_text(store, call(ending="raised")) == "raised <not recorded: larger than 8 KB>"


@pytest.mark.parametrize(
    ("ending", "payload", "text"),
    [
        ("returned", 12.5, "12.5"),
        ("returned", None, "None"),
        ("raised", ValueError("no"), "raised ValueError('no')"),
        ("yielded", [[b"", b""], "returned", None], "yielded 2 items, then returned"),
        ("yielded", [[b""], "returned", 7], "yielded 1 item, then returned 7"),
        ("yielded", [[b""], "suspended", None], "yielded 1 item, not exhausted"),
        ("yielded", [[], "suspended", None], "yielded 0 items, not exhausted"),
        ("yielded", [[b""], "truncated", None], "yielded 1 item, then more than is kept"),
        ("yielded", 5, "<unreadable>"),
        ("unknown", None, "end not seen"),
    ],
)
def test_outcomes_are_shown_by_how_the_call_ended(
    ending: str, payload: object, text: str, store: Store
) -> None:
    assert outcome_text(store, call(value=recorded(store, [payload, None]), ending=ending)) == text


@pytest.mark.parametrize(
    "blob", [b"", b"cos\nsystem\n(S'true'\ntR.", b"\x80\x05]\x94.", b"\x80\x05K\x05."]
)
def test_bytes_that_are_no_recorded_value_are_unreadable_and_run_nothing(
    blob: bytes, store: Store
) -> None:
    odd = Recorded(store.add_value(blob, 0), len(blob), 0)
    assert "unreadable" in outcome_text(store, call(value=odd))
    assert not arguments_text(store, call(odd)) or "unreadable" in arguments_text(store, call(odd))


def test_types_are_counted_over_calls(store: Store) -> None:
    calls = [
        call(recorded(store, [1, (), {}]), recorded(store, [2.5, None])),
        call(recorded(store, ["a", (), {}]), recorded(store, [ValueError(), None]), "raised"),
        call(recorded(store, [2, (), {}]), NOTHING),
    ]
    seen = seen_in(store, calls)
    assert seen.calls == 3
    assert seen.arguments == [{"int": 2, "str": 1}, {"tuple": 3}, {"dict": 3}]
    assert (seen.results, seen.exceptions) == ({"float": 1}, {"ValueError": 1})
