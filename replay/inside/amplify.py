"""More inputs like those that were recorded: the same types, other values.

Recorded calls alone notice too few wrong changes, as a program asks the same few things again and
again. So arguments are varied within what was seen: parts are left out, doubled, reordered, taken
from other calls, lengthened, or replaced by values at the bounds. Types stay as they are, and so
do objects of the program's own classes, whose attributes may depend on each other; an argument may
only be exchanged for another call's as a whole. Dictionaries that lie in a row and have the same
names as keys are records: they keep their keys, as functions that read them rely on these. What is
one object in a recorded call stays one, but what is doubled is a copy: a program whose calls never
share a part may well rely on that.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

DEPTH = 4  # of containers that are varied within containers
TRIES = 6  # variants that are made for each that is wanted: many are alike
POOL = 200  # values of one type that are kept for exchange
LONGER = 4  # times the length
LARGEST = 4096  # items or characters after that
RECORD = 8  # parts of a record at most
FEW, LONG_TEXT = 12, 200  # what a shrunk container, or text, keeps at most
CROSSED, GROWN = 0.2, 0.1  # the share of variants that exchange an argument, or lengthen one

type Values = list[Any]  # the arguments of a call, by parameter
type Pools = dict[type, list[Any]]
type Records = set[frozenset[str]]  # the keys of each kind


class Amplifier:
    """Varies the arguments of recorded calls of one function; the same seed, the same variants."""

    def __init__(self, fresh: Sequence[Callable[[], Values]], seed: int) -> None:
        """Each of `fresh` makes a call's arguments anew."""
        self._fresh = fresh
        self._random = random.Random(seed)  # noqa: S311 - the variants are no secret
        self._pools: Pools = {}
        self._records: Records = set()
        for make in fresh:
            values = make()
            _gather(values, self._pools, DEPTH)
            for value in values:
                _note_records([value], self._records, DEPTH)

    def variants(self, count: int) -> Iterator[Values]:
        """Arguments of about so many calls, some of which may be alike."""
        for _ in range(count * TRIES):
            values = self._random.choice(self._fresh)()
            if not values:
                return
            luck = self._random.random()
            if luck < CROSSED:
                self._cross(values)
            elif luck < CROSSED + GROWN:
                self._vary(values, self._longer)
            else:
                for _ in range(self._random.choice((1, 1, 2))):
                    self._vary(values, self._changed)
            yield values

    def _cross(self, values: Values) -> None:
        other = self._random.choice(self._fresh)()
        place = self._random.randrange(len(values))
        if len(other) == len(values):
            values[place] = other[place]

    def _vary(self, values: Values, change: Callable[[Any, int], Any]) -> None:
        place = self._random.randrange(len(values))
        values[place] = change(values[place], DEPTH)

    def _changed(self, value: Any, depth: int) -> Any:
        """The value with one thing about it changed; containers that can change, in place."""
        kind = type(value)
        if kind in ATOMS:
            return self._other_atom(value, kind)
        if kind not in CONTAINERS or not depth or not _has_order(value):
            return value
        if value and (self._keeps_places(value) or self._random.random() < 0.5):
            return self._inside(value, depth)
        return _refill(value, self._rearranged(list(_items(value))))

    def _inside(self, value: Any, depth: int) -> Any:
        """The container with one of its parts changed."""
        items = list(_items(value))
        place = self._random.randrange(len(items))
        if type(value) is dict:
            key, held = items[place]
            if not self._keeps_places(value) and self._random.random() < 0.25:
                key = self._changed(key, 0 if type(key) in CONTAINERS else depth - 1)
            items[place] = key, self._changed(held, depth - 1)
        else:
            items[place] = self._changed(items[place], depth - 1)
        return _refill(value, items)

    def _keeps_places(self, value: Any) -> bool:
        """Whether each of its parts has a meaning of its own."""
        return is_record(value) or (type(value) is dict and _keys(value) in self._records)

    def _rearranged(self, items: list[Any]) -> list[Any]:
        dice = self._random
        if not items:
            return items
        place = dice.randrange(len(items))
        match dice.randrange(7):
            case 0:
                del items[place]
            case 1:
                items.insert(dice.randrange(len(items) + 1), _copied(items[place]))
            case 2:
                dice.shuffle(items)
            case 3:
                items.reverse()
            case 4:
                items = items[place : place + dice.randrange(3)]  # none, one alone, or two
            case 5:
                items = items[: place + 1]
            case _:
                items[place] = _copied(items[dice.randrange(len(items))])
        return items

    def _longer(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in (str, bytes, bytearray):
            return value * LONGER if len(value) * LONGER <= LARGEST else value
        fits = kind in (list, tuple) and not is_record(value) and len(value) * LONGER <= LARGEST
        if not fits or not depth:
            return self._changed(value, depth)
        items = [*value, *(_copied(part) for _ in range(LONGER - 1) for part in value)]
        self._random.shuffle(items)
        return _refill(value, items)

    def _other_atom(self, value: Any, kind: type) -> Any:
        pool = self._pools.get(kind, ())
        if pool and self._random.random() < 0.4:
            return self._random.choice(pool)
        return ATOMS[kind](self._random, value)


def shrunk(value: Any, dice: random.Random, depth: int = DEPTH) -> Any:
    """The value with at most a few parts in each container: quick to copy and to look through."""
    kind = type(value)
    if kind in (str, bytes):
        return value[:LONG_TEXT]
    if kind not in CONTAINERS or not depth or not _has_order(value):
        return value
    items = list(_items(value))
    size = dice.randint(1, FEW)
    start = dice.randrange(max(1, len(items) - size + 1))
    whole = len(items) <= FEW or (kind is not dict and is_record(value))
    kept = items if whole else items[start : start + size]
    if kind is dict:
        return _refill(value, [(key, shrunk(held, dice, depth - 1)) for key, held in kept])
    return _refill(value, [shrunk(part, dice, depth - 1) for part in kept])


# --- atoms ------------------------------------------------------------------------------


def _bool(_dice: random.Random, value: bool) -> bool:  # noqa: FBT001 - it is data
    return not value


def _int(dice: random.Random, value: int) -> int:
    """Near it, or at a bound; never far larger, which might be a size."""
    between = dice.randrange(2 * abs(value) + 1) * (-1 if value < 0 else 1)
    near = (value + 1, value - 1, -value, value // 2, value * 2)
    return dice.choice((0, 1, -1, 2, *near, between, between))


def _float(dice: random.Random, value: float) -> float:
    between = 2 * value * dice.random()
    near = (-value, value / 2, value * 2, value + 0.1, _rounded(value))
    return dice.choice((0.0, -0.0, 1.0, *near, between, between))


def _rounded(value: float) -> float:
    return float(round(value)) if math.isfinite(value) else value


def _str(dice: random.Random, value: str) -> str:
    place = dice.randrange(len(value) + 1)
    extra = dice.choice((" ", ",", "\n", "0", "-", "ß", "é", "\U0001f600", value[:1]))
    return dice.choice(
        (
            "",
            value[:place],
            value[place:],
            value[:place] + extra + value[place:],
            value[::-1],
            value.swapcase(),
            f" {value} ",
            value + value,
        )
    )


def _bytes(dice: random.Random, value: bytes) -> bytes:
    place = dice.randrange(len(value) + 1)
    kept = bytes(value)
    extra = dice.choice((b" ", b"\0", b"\xff", b"\n", kept[:1]))
    made = (b"", kept[:place], kept[place:], kept[:place] + extra + kept[place:], kept[::-1])
    return type(value)(dice.choice(made))


ATOMS: dict[type, Callable[[random.Random, Any], Any]] = {
    bool: _bool,
    int: _int,
    float: lambda dice, value: float(_float(dice, value)),
    str: _str,
    bytes: _bytes,
}


# --- containers -------------------------------------------------------------------------

SETS = frozenset({set, frozenset})
CONTAINERS = SETS | {list, tuple, dict}


def is_record(value: Any) -> bool:
    """Whether each place has a meaning of its own: then none is left out, or exchanged."""
    kinds = set(map(type, value)) if type(value) in (list, tuple) else set()
    if type(value) is tuple:
        return len(value) <= RECORD or len(kinds) > 1
    return len(kinds) > 1 and len(value) <= RECORD


def _keys(value: dict[Any, Any]) -> frozenset[str]:
    """The names that a dictionary has as keys; none where a key is something else."""
    plain = all(type(key) is str for key in value)
    return frozenset(value) if plain else frozenset()


def _note_records(row: Sequence[Any], found: Records, depth: int) -> None:
    """Keep the keys of dictionaries that lie side by side and have the same ones."""
    if not depth:
        return
    dicts = [value for value in row if type(value) is dict]
    kinds = {_keys(value) for value in dicts}
    if len(dicts) == len(row) > 1 and len(kinds) == 1 and frozenset() not in kinds:
        found.update(kinds)
        for name in sorted(*kinds):
            _note_records([value[name] for value in dicts], found, depth - 1)
        return
    for value in row:
        if type(value) in CONTAINERS and _has_order(value):
            parts = list(value.values()) if type(value) is dict else list(value)
            _note_records(parts, found, depth - 1)


def _copied(value: Any, depth: int = DEPTH) -> Any:
    """The value with containers of its own; what is in no plain container stays itself."""
    kind = type(value)
    if kind not in CONTAINERS or not depth:
        return value
    if kind is dict:
        return {key: _copied(held, depth - 1) for key, held in value.items()}
    return kind([_copied(part, depth - 1) for part in value])


def _has_order(value: Any) -> bool:
    """Whether its parts can be put into an order that is the same in every process."""
    return type(value) not in SETS or all(type(part) in ATOMS for part in value)


def _items(value: Any) -> Any:
    """The parts, in an order that does not depend on the hash seed."""
    if type(value) is dict:
        return value.items()
    return sorted(value, key=repr) if type(value) in SETS else value


def _refill(value: Any, items: list[Any]) -> Any:
    """The container with these items: itself, so that what shares it sees them too, or anew."""
    kind = type(value)
    if kind in (tuple, frozenset):
        return kind(items)
    if kind is list:
        value[:] = items
    else:
        value.clear()
        value.update(items)
    return value


def _gather(value: Any, pools: Pools, depth: int) -> None:
    """Keep atoms for exchange."""
    kind = type(value)
    if kind in ATOMS:
        pool = pools.setdefault(kind, [])
        if len(pool) < POOL and value not in pool:
            pool.append(value)
    elif kind in CONTAINERS and depth and _has_order(value):
        for part in list(_items(value))[:POOL]:
            if kind is dict:
                for half in part:
                    _gather(half, pools, depth - 1)
            else:
                _gather(part, pools, depth - 1)
