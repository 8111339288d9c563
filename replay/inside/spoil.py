"""Changes a result in place, as its caller might, to see whether a later result shares it.

A cache that hands out the object it keeps gives the right result until somebody changes it.
Containers and arrays are changed at every level that is near; what the program's own classes do
when they are changed is not run.
"""

from collections import deque
from typing import Any

from .within import attributes, is_array, within

MARK = "changed by perftrace"


def spoil(value: object, spared: object) -> int:
    """Change what can be changed in a value, but not the objects `spared` holds; how many."""
    keep = {id(one) for one in within(spared)}
    return sum(_change(one) for one in list(within(value)) if id(one) not in keep)


def _change(value: Any) -> int:
    kind = type(value)
    if kind is list or kind is deque:
        value.append(MARK)
    elif kind is set:
        value.add(MARK)
    elif issubclass(kind, dict):
        dict.__setitem__(value, MARK, MARK)
    elif kind is bytearray:
        value.append(0)
    elif is_array(kind):
        return _change_array(value)
    else:
        held = attributes(value)
        if held is None:
            return 0
        held["_changed_by_perftrace"] = MARK
    return 1


def _change_array(value: Any) -> int:
    """Every element becomes zero, or one where all are zero already."""
    if not (value.flags.writeable and value.size and value.dtype.kind in "?biufc"):
        return 0
    value[...] = 0 if value.any() else 1
    return 1
