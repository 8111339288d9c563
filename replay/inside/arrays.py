"""Which arrays of a result and of the arguments share memory: a view is no copy."""

import sys
from typing import Any

from .within import is_array, within

MOST = 64  # arrays looked at

type Span = tuple[int, int, str]  # from, to, name


def sharing(payload: object, after: object) -> list[list[str]]:
    """Pairs of arrays whose memory overlaps, by where they are; empty without numpy."""
    if "numpy" not in sys.modules:
        return []
    spans: list[Span] = []
    seen: set[int] = set()
    for place, value in (("the result", payload), ("the arguments", after)):
        arrays = [one for one in within(value) if is_array(type(one))][:MOST]
        for number, array in enumerate(arrays, 1):
            if id(array) not in seen and array.size:  # one object: the comparison sees that
                seen.add(id(array))
                spans.append((*_bounds(array), f"array {number} of {place}"))
    return [
        [name, other]
        for index, (low, high, name) in enumerate(spans)
        for start, end, other in spans[index + 1 :]
        if start < high and low < end
    ]


def _bounds(array: Any) -> tuple[int, int]:
    """The addresses of its first and behind its last byte."""
    low = high = array.__array_interface__["data"][0]
    for size, stride in zip(array.shape, array.strides, strict=True):
        if stride < 0:
            low += (size - 1) * stride
        else:
            high += (size - 1) * stride
    return low, high + array.itemsize
