"""The largest recorded arguments at four times their size: what grows with them shows.

Lists, tables and long texts are repeated, once as they are and once with other parts: a list with
four times as many different items is another matter than one that says everything four times.
Records keep their places, and what is in them grows. Where nothing else has a size, short texts are
repeated and whole numbers multiplied: they may be one.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .amplify import SETS, is_record

TIMES = 4
LONG_TEXT = 16  # characters: a shorter one is a name rather than a text
SMALL_RECORD = 8  # keys of a dict that is a record at most
STEP = 1009  # between a number and the one that stands for it in another copy
LARGEST_SIZE = 10**6  # of a number that may be one
DEPTH = 3

type Values = list[Any]


def grown(fresh: Sequence[Callable[[], Values]]) -> Iterator[Values]:
    """The arguments of these calls at four times their size."""
    for make in fresh:
        for other in (False, True):
            growing = _Growing(other=other)
            copies = [make() for _ in range(TIMES)]
            made = [growing.grow(list(parts), DEPTH) for parts in zip(*copies, strict=True)]
            if growing.grew:
                yield made
            elif not other and any(map(_is_size, copies[0])):
                yield [value * TIMES if _is_size(value) else value for value in copies[0]]


def _is_size(value: Any) -> bool:
    return type(value) in (str, bytes) or (type(value) is int and 1 < value <= LARGEST_SIZE)


class _Growing:
    """Grows the arguments of one call; `other`: the copies of parts are made different."""

    def __init__(self, *, other: bool) -> None:
        self.grew = False
        self._other = other

    def grow(self, copies: list[Any], depth: int) -> Any:
        """All copies of a value as one."""
        first = copies[0]
        kind = type(first)
        if kind in (str, bytes, bytearray):
            return self._text(copies)
        if not first or not depth:
            return first
        if kind in (list, tuple):
            parts = self._record(copies, depth) if is_record(first) else self._sequence(copies)
            return kind(parts)
        if kind is dict:
            return self._dict(copies, depth)
        if kind in SETS:
            self.grew = True
            return kind(altered(one, copy) for copy, part in enumerate(copies) for one in part)
        return first

    def _text(self, copies: list[Any]) -> Any:
        first = copies[0]
        if len(first) < LONG_TEXT:
            return first
        self.grew = True
        return type(first)().join(copies)

    def _record(self, copies: list[Any], depth: int) -> list[Any]:
        return [self.grow(list(parts), depth - 1) for parts in zip(*copies, strict=True)]

    def _sequence(self, copies: list[Any]) -> list[Any]:
        self.grew = True
        return [self._part(one, copy) for copy, part in enumerate(copies) for one in part]

    def _dict(self, copies: list[Any], depth: int) -> Any:
        first = copies[0]
        if len(first) <= SMALL_RECORD and all(type(key) is str for key in first):
            return {key: self.grow([one[key] for one in copies], depth - 1) for key in first}
        self.grew = True
        return {
            altered(key, copy): self._part(value, copy)
            for copy, part in enumerate(copies)
            for key, value in part.items()
        }

    def _part(self, value: Any, copy: int) -> Any:
        return altered(value, copy) if self._other else value


def altered(value: Any, copy: int) -> Any:
    """The value as it stands in a copy; equal values become equal ones, of the same type."""
    change = ALTERED.get(type(value))
    return change(value, copy) if change and copy else value


def _text(value: str, copy: int) -> str:
    """What is a number as text, or a word, stays one."""
    return value + (str(copy * STEP) if value[-1:].isdigit() else "abc"[copy - 1])


def _number(value: Any, copy: int) -> Any:
    return value + copy * STEP


def _parts(value: Any, copy: int) -> Any:
    return type(value)(altered(one, copy) for one in value)


ALTERED: dict[type, Callable[[Any, int], Any]] = {
    str: _text,
    bytes: lambda value, copy: value + b"abc"[copy - 1 : copy],
    int: _number,
    float: _number,
    dict: lambda value, copy: {key: altered(held, copy) for key, held in value.items()},
    **dict.fromkeys((list, tuple, *SETS), _parts),
}
