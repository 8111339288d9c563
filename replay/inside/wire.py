"""The messages between perftrace and a worker: a JSON header and raw bytes, over a pipe."""

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

type Header = Mapping[str, object]

SIZES = struct.Struct("<II")  # of the header and of what follows it


def pack(header: Header, blobs: Sequence[bytes] = ()) -> bytes:
    """One message; the blobs come out of `unpack` in the same order."""
    text = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}).encode()
    payload = b"".join(blobs)
    return b"".join((SIZES.pack(len(text), len(payload)), text, payload))


def unpack(text: bytes, payload: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """The header and the blobs of a message.

    Raises:
        ValueError: the message is not well formed.
    """
    header = json.loads(text)
    sizes = header.pop("blobs", None) if isinstance(header, dict) else None
    if not isinstance(sizes, list) or not all(type(n) is int and n >= 0 for n in sizes):
        raise ValueError("not a message")
    if sum(sizes) != len(payload):
        raise ValueError("the sizes do not add up")
    blobs = []
    start = 0
    for size in sizes:
        blobs.append(payload[start : start + size])
        start += size
    return header, blobs
