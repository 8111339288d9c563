"""What is near a call's arguments, where all they lead to is too much to record.

A method's `self` may reach all of a program's objects, though it mostly uses few of them. The
nearest instances are found breadth first; what lies further away, and large containers, become
opaque parts. A replay that uses one of those says so, and is not believed. The arguments
themselves, and what they hold as containers, are all kept: a function given a list mostly looks at
all of it.

Runs inside the user's program: standard library only, private builtins.
"""

from __future__ import annotations

import builtins
from _collections import deque  # type: ignore[import-not-found]

from . import naming  # noqa: TID252 - loaded as _perftrace.near in the user's program
from .reduce import make, reduce  # noqa: TID252

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

globals()["__builtins__"] = dict(vars(builtins))

LARGE = 64  # items; a container that holds more is left out where an attribute holds it
MOST_HELD = 1000  # values that arguments may hold
MOST_SEEN = 16  # values looked at for each instance that is kept
FAR = "it is far from the arguments, and all they lead to is too much"

_SEQUENCES = frozenset(map(id, (list, tuple, set, frozenset, deque)))
_ATOMS = frozenset(map(id, (type(None), bool, int, float, complex, str, bytes)))


class LeftOut:
    """Stands for a large container in an instance's attribute."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name


class TooMany(Exception):  # noqa: N818 - an outcome, not a mistake
    """The arguments themselves are more instances than may be kept."""


class Neighbours:
    """The instances that are kept, with how each is taken apart."""

    def __init__(self, arguments: object, most: int) -> None:
        """Find so many of the nearest.

        Raises:
            TooMany: the arguments hold more of them.
        """
        self.kept: dict[int, tuple[object, Any]] = {}  # by id; holds them, so that ids stay theirs
        self._left_out: dict[int, tuple[object, LeftOut]] = {}
        self._seen: set[int] = set()
        self._todo: deque[object] = deque((arguments,))  # reached through containers alone
        self._next: deque[object] = deque()  # reached through an attribute
        self._large = MOST_HELD
        left = MOST_HELD
        while self._todo:
            left -= 1
            self._visit(self._todo.popleft())
            if left < 0 or len(self.kept) > most:
                raise TooMany
        self._todo = self._next
        self._large = LARGE
        left = most * MOST_SEEN
        while self._todo and len(self.kept) < most and left > 0:
            left -= 1
            self._visit(self._todo.popleft())

    def take_apart(self, value: object) -> Any:
        """How the value is reduced; None: it is an instance that lies too far away."""
        kept = self.kept.get(id(value))
        if kept is not None:
            return kept[1]
        reduced = reduce(value)
        return None if _has_state(reduced) else reduced

    def _visit(self, value: object) -> None:
        kind = id(type(value))
        if kind in _ATOMS or id(value) in self._seen:
            return
        self._seen.add(id(value))
        if kind in _SEQUENCES:
            self._look_into(value)  # type: ignore[arg-type]
        elif type(value) is dict:
            self._look_into(value.values())
        else:
            reduced = reduce(value)
            if _has_state(reduced):
                self._keep(value, reduced)

    def _look_into(self, held: Collection[object]) -> None:
        if len(held) <= self._large:
            self._todo.extend(held)
        elif self._large > LARGE and not all(id(type(each)) in _ATOMS for each in held):
            raise TooMany

    def _keep(self, value: object, reduced: Any) -> None:
        attributes, items = reduced[2]
        attributes = {name: self._held(held) for name, held in attributes.items()}
        self.kept[id(value)] = value, (*reduced[:2], (attributes, items), *reduced[3:])
        self._next.extend(attributes.values())
        if items is not None and len(items) <= LARGE:
            self._next.extend(items)

    def _held(self, held: object) -> object:
        kind = type(held)
        if (id(kind) in _SEQUENCES or kind is dict) and len(held) > LARGE:  # type: ignore[arg-type]
            known = self._left_out.get(id(held))
            if known is None:
                known = self._left_out[id(held)] = held, LeftOut(naming.text(kind))
            return known[1]
        return held


def _has_state(reduced: Any) -> bool:
    """Whether a reduction is an instance's, with attributes or items."""
    return type(reduced) is tuple and len(reduced) == 6 and reduced[0] is make
