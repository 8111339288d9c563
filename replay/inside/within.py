"""The containers, instances and arrays that a value holds, running none of the program's code."""

import sys
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

DEEPEST = 4
MOST = 1000  # containers, and parts of one container
ITERABLE = (list, tuple, set, frozenset, deque)


def within(value: object) -> Iterator[Any]:
    """Each of them once, the outermost first; atoms are left out."""
    waiting: list[tuple[object, int]] = [(value, 0)]
    seen: set[int] = set()
    for one, depth in waiting:
        if id(one) in seen or len(seen) >= MOST:
            continue
        parts = _parts(one)
        if parts is None:
            continue
        seen.add(id(one))
        yield one
        if depth < DEEPEST:
            waiting += [(part, depth + 1) for part in parts]


def _parts(value: Any) -> list[object] | None:
    """What a container holds; None: it is none."""
    kind = type(value)
    if kind in ITERABLE:
        return list(islice(value, MOST))
    if issubclass(kind, dict):
        return list(islice(dict.values(value), MOST))
    if kind is bytearray or is_array(kind):
        return []
    held = attributes(value)
    return None if held is None else list(held.values())


def attributes(value: Any) -> dict[str, object] | None:
    """An instance's own dictionary, if its class was made in Python."""
    if not type(value).__flags__ & 1 << 9 or issubclass(type(value), type):
        return None
    try:
        held = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return held if type(held) is dict else None


def is_array(kind: type) -> bool:
    """Whether it is exactly numpy's class of arrays, if that is loaded."""
    return kind is getattr(sys.modules.get("numpy"), "ndarray", None)
