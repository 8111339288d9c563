"""Arguments outside the types that were recorded: what a function refuses there shows.

None, a tuple for a list, empty where it never was, text for bytes, items that have no hash,
negative and huge numbers, missing keys: for each argument as a whole first, then for a part of it.
Objects of the program's own classes stay as they are; where a parameter that is not the first takes
one, None is tried for it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, zip_longest
from typing import Any

HUGE = 10**30
LOOKED_AT = 100  # parts of a container, for their types
DEPTH = 2  # levels of containers
SPREAD = frozenset({"star", "doublestar"})  # a tuple and a dict always: only their parts can vary

type Values = list[Any]
type Change = Callable[[Any], Any]


class Seen:
    """What one argument, or the parts of one, were seen to be."""

    def __init__(self) -> None:
        self.kinds: set[type] = set()
        self.empty = self.negative = False
        self.keys: set[Any] | None = None  # that every dict had
        self._parts: Seen | None = None

    @property
    def parts(self) -> "Seen":
        """The same of its parts."""
        self._parts = self._parts or Seen()
        return self._parts

    def add(self, value: Any, depth: int = DEPTH) -> None:
        """One more value."""
        kind = type(value)
        self.kinds.add(kind)
        if kind in SIZED:
            self.empty |= not value
        elif kind in (int, float):
            self.negative |= value < 0
        if kind is dict:
            self.keys = set(value) if self.keys is None else self.keys & set(value)
        if kind in CONTAINERS and depth:
            for part in islice(value.values() if kind is dict else value, LOOKED_AT):
                self.parts.add(part, depth - 1)

    def knows(self, value: Any) -> bool:
        """Whether it is like what was seen."""
        kind = type(value)
        if kind not in self.kinds:
            return False
        if kind in (int, float):
            usual = math.isfinite(value) and abs(value) < HUGE
            return usual and (value >= 0 or self.negative)
        return kind not in SIZED or bool(value) or self.empty


def outsiders(fresh: Sequence[Callable[[], Values]], bindings: Sequence[str]) -> Iterator[Values]:
    """Arguments that are outside in one thing each, those of each parameter in turn."""
    calls = [make() for make in fresh]
    if not calls or not calls[0]:
        return
    seen = [Seen() for _ in calls[0]]
    for values in calls:
        for one, value in zip(seen, values, strict=True):
            one.add(value)
    ways = [
        [(place, change) for change in _changes(value, seen[place], place, bindings[place])]
        for place, value in enumerate(calls[0])
    ]
    for turn in zip_longest(*ways):
        for place, change in filter(None, turn):
            values = fresh[0]()
            values[place] = change(values[place])
            yield values


def _changes(value: Any, seen: Seen, place: int, binding: str) -> Iterator[Change]:
    if type(value) not in TABLE and place == 0:
        return  # a method's own object
    if binding not in SPREAD:
        yield from _of_whole(value, seen)
    yield from _of_part(value, seen)


def _of_whole(value: Any, seen: Seen) -> Iterator[Change]:
    """Other values in its place."""
    for change in (_none, *TABLE.get(type(value), ())):
        if not seen.knows(change(value)):
            yield change


def _of_part(value: Any, seen: Seen) -> Iterator[Change]:
    """Other values for its first part, and dicts without a key."""
    kind = type(value)
    if kind not in (list, tuple, dict) or not value:
        return
    if kind is dict:
        for key in islice((key for key in value if key in (seen.keys or ())), 2):
            yield _without(key)
    first = next(iter(value.values() if kind is dict else value))
    for change in _of_whole(first, seen.parts):
        yield _first(change)
    if not {list, dict, set} & seen.parts.kinds:
        yield _first(lambda _: [])  # it has no hash
    if type(first) is dict:
        for change in _of_part(first, seen.parts):
            yield _first(change)


def _none(_value: Any) -> None:
    return None


def _without(key: Any) -> Change:
    return lambda value: {name: held for name, held in value.items() if name != key}


def _first(change: Change) -> Change:
    """The change of a container by a change of its first part."""

    def changed(value: Any) -> Any:
        if type(value) is dict:
            key = next(iter(value))
            return {**value, key: change(value[key])}
        return type(value)([change(value[0]), *value[1:]])

    return changed


CONTAINERS = frozenset({list, tuple, dict, set, frozenset})
SIZED = CONTAINERS | {str, bytes, bytearray}

# What is tried in the place of a value of each type, as far as it was not recorded; the huge number
# last, for it may be a size.
TABLE: dict[type, tuple[Change, ...]] = {
    list: (tuple, lambda _: [], lambda _: 0, lambda _: ""),
    tuple: (list, lambda _: (), lambda _: 0),
    dict: (lambda _: {}, lambda value: list(value.items()), lambda _: ""),
    set: (list, lambda _: set()),
    frozenset: (list, lambda _: frozenset()),
    str: (lambda _: "", str.encode, lambda _: 0, lambda _: []),
    bytes: (lambda _: b"", lambda value: value.decode("latin-1"), lambda _: 0),
    bytearray: (bytes, lambda _: bytearray()),
    bool: (str, lambda _: []),
    int: (lambda value: -abs(value) - 1, str, lambda value: value + 0.5, lambda _: HUGE),
    float: (lambda value: -abs(value) - 1, str, lambda _: math.nan, lambda _: math.inf),
    type(None): (lambda _: 0, lambda _: "", lambda _: []),
}
