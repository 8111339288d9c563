"""The tiny typed encoding of journal fields: None, int, str, bytes and tuples of them."""

import builtins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Programs patch `len`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

type Field = int | str | bytes | tuple["Field", ...] | None


class FieldError(Exception):
    """The bytes are not encoded fields."""


def pack(*fields: Field) -> bytes:
    """Encode fields; each begins with a letter for its type."""
    parts: list[bytes] = []
    for field in fields:
        if field is None:
            parts.append(b"n")
        elif type(field) is int:
            parts += (b"i", field.to_bytes(8, "little", signed=True))
        elif type(field) is bytes:
            parts += (b"b", len(field).to_bytes(4, "little"), field)
        elif type(field) is str:
            text = field.encode("utf-8", "surrogatepass")
            parts += (b"s", len(text).to_bytes(4, "little"), text)
        elif type(field) is tuple:
            parts += (b"t", len(field).to_bytes(4, "little"), pack(*field))
        else:
            raise TypeError(type(field).__name__)
    return b"".join(parts)


def unpack(data: bytes) -> "tuple[Any, ...]":
    """Decode what `pack` encoded.

    Raises:
        FieldError: it is something else.
    """
    fields = []
    at = 0
    try:
        while at < len(data):
            field, at = _one(data, at)
            fields.append(field)
    except (IndexError, UnicodeDecodeError, RecursionError) as error:
        raise FieldError(str(error)) from error
    return tuple(fields)


def _one(data: bytes, at: int) -> tuple[Field, int]:
    letter = data[at : at + 1]
    at += 1
    if letter == b"n":
        return None, at
    if letter == b"i":
        return int.from_bytes(_exactly(data, at, 8), "little", signed=True), at + 8
    size = int.from_bytes(_exactly(data, at, 4), "little")
    at += 4
    if letter == b"b":
        return _exactly(data, at, size), at + size
    if letter == b"s":
        return _exactly(data, at, size).decode("utf-8", "surrogatepass"), at + size
    if letter == b"t":
        items = []
        for _ in range(size):
            item, at = _one(data, at)
            items.append(item)
        return tuple(items), at
    raise FieldError(f"unknown type {letter!r}")


def _exactly(data: bytes, at: int, size: int) -> bytes:
    part = data[at : at + size]
    if len(part) != size:
        raise IndexError("cut off")
    return part
