"""What counts as a secret, by name and by form."""

import pickle
import string
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perftrace import values
from perftrace.secret import REMOVED, STANDARD, Rules, has_form, without
from perftrace.snapshot import encode

# In parts, so that no scanner takes this file for a leak.
TOKENS = [
    "ghp" + "_" + "a1B2" * 9,
    "sk" + "-" + "proj-" + "a1B2c3D4" * 4,
    "AK" + "IA" + "ABCDEFGH12345678",
    "xo" + "xb-" + "1234567890-abcdef",
    "ey" + "JhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0." + "c2lnbmF0dXJl",
    "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE",
    "postgres://shop:" + "hunter2@db.example.org/orders",
    "https://:" + "hunter2@example.org",
    "Bearer " + "abcdef0123456789abcdef",
]
HARMLESS = [
    "https://example.org/a:b@c",
    "task_id",
    "the passenger paid",
    "eyJ",
    "mailto:someone@example.org",
    "A" * 40,
    "disk_usage_of_all_the_machines",
    "token",
]


def found(value: object, names: tuple[str, ...] = ()) -> str | None:
    blob = encode(value, 1 << 20)[0]
    return STANDARD.find(values.read(blob), names)


@pytest.mark.parametrize("text", TOKENS)
def test_known_forms_are_found_anywhere(text: str) -> None:
    assert has_form(f"before {text} after")
    assert found({"note": [f"x {text}"]}) == "note"
    assert found((text.encode(),)) == "a text of a known form"
    assert found({text: 1}) == "a text of a known form"
    assert has_form(without(text)) is False


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_resembles_one_is_not(text: str) -> None:
    assert not has_form(text)
    assert found([text, {"note": text}]) is None


@pytest.mark.parametrize(
    ("name", "weight"),
    [
        *((name, 2) for name in ("password", "db_password", "userPassword", "PASSWD", "api-key")),
        *((name, 2) for name in ("apiKey", "Authorization", "access_token", "clientSecret")),
        *((name, 1) for name in ("token", "tokens", "csrf_cookie", "secret", "credentials")),
        *((name, 0) for name in ("tokenizer", "author", "passenger", "key", "keys", "compass")),
        *((name, 0) for name in ("PWD", "secretary", "bypass", "")),
    ],
)
def test_names_weigh(name: str, weight: int) -> None:
    assert STANDARD.weight(name) == weight


@dataclass
class Account:
    name: str
    password: str


def test_secrets_are_found_by_the_name_they_stand_under() -> None:
    assert found({"password": "x"}) == "password"
    assert found({"password": ["a", "b"]}) == "password"
    assert found({"a": [{"api_key": b"x"}]}) == "api_key"
    assert found(Account("ann", "x")) == "password"
    assert found(Account("ann", "")) is None
    assert found({"password": 12}) is None
    assert found(["x", "y"], ("login", "password")) == "password"
    assert found(["x", "y"], ("login", "hint")) is None


def test_a_parsers_tokens_are_not_secrets() -> None:
    assert found({"token": "SELECT"}) is None
    assert found({"tokens": ["a_long_identifier_1 "]}) is None
    assert found({"token": "f81d4fae7dec11d0a765"}) == "token"


def test_cyclic_values_are_walked_once() -> None:
    cyclic: list[Any] = [1]
    cyclic.append({"self": cyclic, "password": "x"})
    assert found(cyclic) == "password"


def test_the_projects_own_names_count() -> None:
    own = Rules(["iban", "patient-id"])
    blob = encode([{"IBAN": "x"}, {"patient_id": "7"}, {"patientId": "7"}], 1 << 10)[0]
    assert own.may_hold(blob)
    assert own.find(values.read(blob)) is not None
    assert own.weight("patientId") == 2
    assert STANDARD.find(values.read(blob)) is None


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (("app.py", "--password=x", "y"), ("app.py", f"--password={REMOVED}", "y")),
        (("--api-key", "x", "y"), ("--api-key", REMOVED, "y")),
        (("--password", "--verbose"), ("--password", "--verbose")),
        (("DB_PASSWORD=x", "run"), (f"DB_PASSWORD={REMOVED}", "run")),
        (("--tokens", "100", "--token=abc"), ("--tokens", "100", f"--token={REMOVED}")),
        ((TOKENS[6],), (f"{REMOVED}db.example.org/orders",)),
        (("-m", "pass", "a=b"), ("-m", "pass", "a=b")),
    ],
)
def test_command_lines(words: tuple[str, ...], kept: tuple[str, ...]) -> None:
    assert STANDARD.command(words) == kept


# --- properties -------------------------------------------------------------------------

PLAIN = st.text(string.ascii_lowercase + " ", max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["name", "rows", "x"]), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


def plant(value: Any, secret: str, path: list[int]) -> Any:
    """The value with a secret put somewhere into it."""
    step, rest = (path[0], path[1:]) if path else (0, [])
    if isinstance(value, list) and value:
        at = step % len(value)
        return [*value[:at], plant(value[at], secret, rest), *value[at + 1 :]]
    if isinstance(value, tuple) and value:
        at = step % len(value)
        return (*value[:at], plant(value[at], secret, rest), *value[at + 1 :])
    if isinstance(value, dict) and value:
        key = sorted(value)[step % len(value)]
        return {**value, key: plant(value[key], secret, rest)}
    return f"{value} {secret}"


@given(VALUES, st.sampled_from(TOKENS), st.lists(st.integers(0, 9), max_size=6))
def test_a_planted_secret_is_always_found(value: Any, secret: str, path: list[int]) -> None:
    planted = encode([plant(value, secret, path)], 1 << 20)[0]
    assert STANDARD.may_hold(planted)
    assert STANDARD.find(values.read(planted)) is not None


@given(VALUES, st.sampled_from(["password", "apiKey", "Authorization", "access-token"]), PLAIN)
def test_what_stands_under_a_secrets_name_is_always_found(value: Any, name: str, text: str) -> None:
    planted = encode([{"rows": [value, {name: [text + "x", value]}]}], 1 << 20)[0]
    assert STANDARD.may_hold(planted)
    assert STANDARD.find(values.read(planted)) == name


@given(VALUES)
def test_values_without_a_secret_pass(value: Any) -> None:
    blob = encode([value], 1 << 20)[0]
    assert STANDARD.find(values.read(blob)) is None


@given(VALUES, st.binary(max_size=40))
def test_what_is_not_looked_into_holds_no_secret(value: Any, data: bytes) -> None:
    blob = pickle.dumps([value, data], 5)
    if not STANDARD.may_hold(blob):
        assert STANDARD.find(values.read(blob)) is None


@given(st.lists(PLAIN), st.sampled_from(TOKENS))
def test_no_command_line_keeps_a_secret_of_a_known_form(words: list[str], secret: str) -> None:
    assert not any(map(has_form, STANDARD.command([*words, secret, f"--x={secret}"])))
