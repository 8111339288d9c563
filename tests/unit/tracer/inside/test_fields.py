import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perftrace.tracer.inside.fields import Field, FieldError, pack, unpack

atoms = st.none() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.binary()
fields = st.recursive(atoms, lambda inner: st.lists(inner, max_size=4).map(tuple), max_leaves=10)


@given(st.lists(fields))
def test_what_is_packed_is_unpacked_the_same(given: list[Field]) -> None:
    assert unpack(pack(*given)) == tuple(given)


def test_lone_surrogates_of_file_names_survive() -> None:
    assert unpack(pack("caf\udce9")) == ("caf\udce9",)


@given(st.lists(fields, min_size=1), st.integers(1, 20))
def test_a_cut_is_noticed_or_falls_between_fields(given: list[Field], cut: int) -> None:
    data = pack(*given)
    with contextlib.suppress(FieldError):
        assert unpack(data[:-cut]) == tuple(given[: len(unpack(data[:-cut]))])


@given(st.binary())
def test_any_bytes_are_fields_or_a_field_error(data: bytes) -> None:
    with contextlib.suppress(FieldError):
        unpack(data)


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError):
        pack(1.5)  # type: ignore[arg-type]
