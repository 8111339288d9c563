import pytest
from hypothesis import given
from hypothesis import strategies as st

from perftrace import compress
from perftrace.errors import TraceError

LONG = b"the same again; " * 1000


@given(st.binary(max_size=200), st.integers(1, 50))
def test_what_was_packed_comes_back(piece: bytes, times: int) -> None:
    blob = piece * times
    assert compress.unpack(*compress.pack(blob), len(blob)) == blob


def test_short_and_incompressible_values_stay_raw() -> None:
    assert compress.pack(b"short") == ("raw", b"short")
    noise = bytes((n * n * 31 + (n >> 3) * 17) % 251 for n in range(1100))
    codec, data = compress.pack(noise)
    assert len(data) <= len(noise)
    assert compress.unpack(codec, data, len(noise)) == noise


def test_long_values_are_packed() -> None:
    codec, data = compress.pack(LONG)
    assert codec == "zstd"
    assert len(data) < len(LONG) // 10


@pytest.mark.parametrize("size", [len(LONG) - 1, len(LONG) + 1, 0, -1, 1 << 60])
@pytest.mark.parametrize("codec", ["raw", "zstd"])
def test_a_wrong_size_is_damage(codec: str, size: int) -> None:
    data = LONG if codec == "raw" else compress.pack(LONG)[1]
    with pytest.raises(TraceError) as caught:
        compress.unpack(codec, data, size)
    assert caught.value.slug == "trace-damaged"


def test_a_bomb_is_not_unpacked_beyond_its_stated_size() -> None:
    _, data = compress.pack(bytes(50_000_000))
    with pytest.raises(TraceError, match="wrong size"):
        compress.unpack("zstd", data, 100)


@pytest.mark.parametrize(("codec", "data"), [("zstd", b"nonsense"), ("zstd", LONG), ("gzip", LONG)])
def test_bytes_that_are_not_packed_are_damage(codec: str, data: bytes) -> None:
    with pytest.raises(TraceError, match="does not unpack"):
        compress.unpack(codec, data, len(data))
