"""Names from whatever a value calls its parts."""

import keyword
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perftrace.replay.identifiers import identifier, is_keyword_argument


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("total", "total"),
        ("order id", "order_id"),
        ("_private_", "private"),
        ("", "value"),
        ("!", "value"),
        ("2nd", "_2nd"),
        ("größe", "größe"),
        ("¼", "_1_4"),
        ("ﬁle", "file"),
        ("x²", "x2"),
        ("\u0663", "_\u0663"),
    ],
)
def test_a_name_is_near_to_the_wish(wish: str, name: str) -> None:
    assert identifier(wish) == name


@given(st.text(max_size=8))
def test_every_wish_gives_a_name_that_python_reads_as_it_is(wish: str) -> None:
    name = identifier(wish)
    assert name.isidentifier()
    assert unicodedata.normalize("NFKC", name) == name


@given(st.text(max_size=4))
def test_a_keyword_argument_has_the_very_name(name: str) -> None:
    if is_keyword_argument(name):
        assert eval(f"dict({name}=1)") == {name: 1}


@pytest.mark.parametrize("name", ["ﬁ", "¼", "", "a b", *keyword.kwlist])
def test_what_is_no_keyword_argument(name: str) -> None:
    assert not is_keyword_argument(name)
