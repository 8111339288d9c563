"""The numbers in what numpy writes as bytes: arrays and scalars of floats, without numpy."""

import math
import struct
from collections.abc import Callable

from perftrace.values import ByteArrayNode, Node, ReduceNode, RefNode, TupleNode

# The code of a type, without its byte order -> the format of one number, numbers in an element.
FORMATS = {"f2": ("e", 1), "f4": ("f", 1), "f8": ("d", 1), "c8": ("f", 2), "c16": ("d", 2)}
ORDERS = ("<", ">", "=", "|")
LARGEST = 64 << 20  # bytes


def floats(node: ReduceNode) -> tuple[bytes, str] | None:
    """The bytes of an array or scalar of floats, and the format of one; None: it is none."""
    found = _data(node)
    if found is None:
        return None
    data, kind = found
    raw = data.data if isinstance(data, ByteArrayNode) else data
    form = _format(kind)
    if not isinstance(raw, bytes | bytearray) or form is None or len(raw) > LARGEST:
        return None
    return (bytes(raw), form) if len(raw) % struct.calcsize(form) == 0 else None


def with_floats(node: ReduceNode, raw: bytes) -> TupleNode:
    """Its arguments with other bytes in the place of its numbers."""
    found = _data(node)
    assert found is not None
    data = found[0]
    new = ByteArrayNode(raw) if isinstance(data, ByteArrayNode) else raw
    return TupleNode([new if item is data else item for item in node.arguments.items])


def one_nan(raw: bytes, form: str) -> bytes:
    """The bytes with every NaN written alike."""
    numbers = _unpacked(raw, form)
    if not any(map(math.isnan, numbers)):
        return raw
    return struct.pack(
        _many(form, len(numbers)), *(math.nan if math.isnan(one) else one for one in numbers)
    )


def all_pairs(raw: bytes, other: bytes, form: str, test: Callable[[float, float], bool]) -> bool:
    """Whether a test holds of every number and the one in its place."""
    if len(raw) != len(other):
        return False
    return all(map(test, _unpacked(raw, form), _unpacked(other, form)))


def _unpacked(raw: bytes, form: str) -> tuple[float, ...]:
    return struct.unpack(_many(form, len(raw) // struct.calcsize(form)), raw)


def _many(form: str, count: int) -> str:
    return f"{form[0]}{count}{form[1]}"


def _data(node: ReduceNode) -> tuple[Node, Node] | None:
    """The bytes and the type of an array or a scalar of numpy."""
    function = node.function
    if not isinstance(function, RefNode) or not function.module.startswith("numpy"):
        return None
    match function.qualname, node.arguments.items:
        case "_frombuffer", [data, kind, _, _]:
            return data, kind
        case "scalar", [kind, data]:
            return data, kind
        case _:
            return None


def _format(kind: Node) -> str | None:
    """Such as "<d"; None: it is no type of floats that Python knows."""
    match kind:
        case ReduceNode(
            arguments=TupleNode(items=[str(code), *_]), state=TupleNode(items=[_, str(order), *_])
        ) if code in FORMATS and order in ORDERS:
            return ("<" if order == "|" else order) + FORMATS[code][0]
        case _:
            return None
