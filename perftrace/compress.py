"""Compression of stored values; the only door to zstd."""

import sys

from perftrace.errors import TraceError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

WORTH_IT = 1024  # bytes: nothing smaller gains
LIMIT = 1 << 30  # bytes: the recorder's caps are far below


def backend() -> str:
    """What compresses, and its version."""
    return f"{zstd.__name__} with zstd {zstd.zstd_version}"


def pack(blob: bytes) -> tuple[str, bytes]:
    """The codec's name and the bytes to store."""
    if len(blob) < WORTH_IT:
        return "raw", blob
    packed = zstd.compress(blob, 1)
    return ("zstd", packed) if len(packed) < len(blob) else ("raw", blob)


def unpack(codec: str, data: bytes, size: int) -> bytes:
    """The bytes that were packed; size guards against a bomb.

    Raises:
        TraceError: the data is damaged.
    """
    try:
        blob = _decoded(codec, data, size)
    except (zstd.ZstdError, ValueError, TypeError) as error:
        raise TraceError("trace-damaged", f"A stored value does not unpack: {error}.") from error
    if len(blob) != size:
        raise TraceError("trace-damaged", "A stored value has the wrong size.")
    return blob


def _decoded(codec: str, data: bytes, size: int) -> bytes:
    if not 0 <= size <= LIMIT:
        raise ValueError(f"a size of {size} bytes")
    match codec:
        case "raw":
            return bytes(memoryview(data))
        case "zstd":
            return bytes(zstd.ZstdDecompressor().decompress(data, max_length=size + 1))
        case _:
            raise ValueError(f"unknown codec {codec!r}")
