"""The worker's end of the two pipes."""

import os
from typing import Any

from . import wire

type Request = dict[str, Any]  # a header: the parent wrote it, so its shape is known
type Message = tuple[wire.Header, list[bytes]]


class Channel:
    """Messages and single bytes, each waited for."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading = reading
        self._writing = writing
        for descriptor in (reading, writing):
            os.set_inheritable(descriptor, False)  # noqa: FBT003

    def receive(self) -> tuple[Request, list[bytes]]:
        """The next message; EOFError when the parent is gone."""
        sizes = wire.SIZES.unpack(self._read(wire.SIZES.size))
        text, payload = (self._read(size) for size in sizes)
        return wire.unpack(text, payload)

    def send(self, header: wire.Header, blobs: list[bytes]) -> None:
        """Send one message."""
        data = memoryview(wire.pack(header, blobs))
        while data:
            data = data[os.write(self._writing, data) :]

    def wait(self) -> None:
        """Block until the parent sends a single byte."""
        self._read(1)

    def signal(self) -> None:
        """Send the parent a single byte."""
        os.write(self._writing, b"!")

    def _read(self, size: int) -> bytes:
        parts = []
        while size:
            part = os.read(self._reading, min(size, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)
