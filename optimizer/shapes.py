"""Which exact types a value can have and what it holds: recorded, or inferred from code."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

ATOMS = frozenset({"int", "float", "bool", "str", "bytes", "NoneType", "complex"})
SEQUENCES = frozenset({"list", "tuple", "str", "bytes", "range"})
CONTAINERS = frozenset({"list", "tuple", "set", "frozenset", "dict"})
BUILTIN = ATOMS | CONTAINERS | {"range"}
ITERABLE = CONTAINERS | {  # built-in: iterating over them runs no user's code (but a generator's)
    *("str", "bytes", "range", "enumerate", "zip", "reversed", "generator"),
    *("dict_keys", "dict_values", "dict_items"),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The exact types a value can have, and the shapes of what it holds.

    No types at all means that no value was seen; a part that is None is unknown.
    """

    types: frozenset[str] = frozenset()
    items: "Shape | None" = None  # elements; the keys of a dict
    values: "Shape | None" = None  # the values of a dict
    parts: "tuple[Shape, ...] | None" = None  # of tuples that all have one length
    fields: "tuple[tuple[str, Shape], ...] | None" = None  # attributes that all had as their own

    @classmethod
    def of(cls, *types: str, items: "Shape | None" = None, values: "Shape | None" = None) -> Self:
        """The shape of values of these types."""
        return cls(frozenset(types), items, values)

    def within(self, types: Iterable[str]) -> bool:
        """Whether values were seen, and all are of these types."""
        return bool(self.types) and self.types <= frozenset(types)

    def field(self, name: str) -> "Shape | None":
        """The shape of an attribute that every value had as its own, by name."""
        return next((shape for own, shape in self.fields or () if own == name), None)

    @property
    def atomic(self) -> bool:
        """Whether it is immutable, holds nothing, and compares by built-in code."""
        return self.within(ATOMS)

    @property
    def hashable(self) -> bool:
        """Whether it is surely hashable, by built-in code, and never changes."""
        if not self.types <= ATOMS | {"tuple", "frozenset"}:
            return False
        return self.types <= ATOMS or self._all_parts(lambda part: part.hashable)

    @property
    def builtin(self) -> bool:
        """Whether comparing it runs no code but built-in code, at every level."""
        if not self.types <= BUILTIN:
            return False
        return self.types <= ATOMS | {"range"} or self._all_parts(lambda part: part.builtin)

    @property
    def ordered(self) -> bool:
        """Whether its values are totally ordered by built-in code and never fail to compare."""
        if self.within({"int", "bool"}) or self.within({"str"}) or self.within({"bytes"}):
            return True
        return self.within({"tuple"}) and bool(self.parts) and self._all_parts(lambda p: p.ordered)

    def _all_parts(self, holds: Callable[["Shape"], bool]) -> bool:
        parts: tuple[Shape | None, ...] = self.parts if self.parts is not None else (self.items,)
        if "dict" in self.types:
            parts = (*parts, self.values)
        return all(part is not None and holds(part) for part in parts)


EMPTY = Shape()


def join(first: Shape | None, second: Shape | None) -> Shape | None:
    """The shape of values that have either shape."""
    if first is None or second is None:
        return None
    if first == second or not second.types:
        return first
    if not first.types:
        return second
    return Shape(
        first.types | second.types,
        _join_part(first, first.items, second, second.items),
        _join_part(first, first.values, second, second.values),
        _join_parts(first, second),
        _join_fields(first, second),
    )


def _join_part(
    first: Shape, mine: Shape | None, second: Shape, other: Shape | None
) -> Shape | None:
    # A part of a type that has none (the items of an int) is no reason to know nothing.
    if first.atomic:
        return other
    if second.atomic:
        return mine
    return join(mine, other)


def _join_parts(first: Shape, second: Shape) -> tuple[Shape, ...] | None:
    mine, other = first.parts, second.parts
    if mine is None or other is None or len(mine) != len(other):
        return None
    joined = tuple(join(a, b) for a, b in zip(mine, other, strict=True))
    known = tuple(part for part in joined if part is not None)
    return known if len(known) == len(joined) else None


def _join_fields(first: Shape, second: Shape) -> tuple[tuple[str, Shape], ...] | None:
    joined = [(name, join(mine, second.field(name))) for name, mine in first.fields or ()]
    return tuple((name, shape) for name, shape in joined if shape is not None) or None


def items_of(shape: Shape | None) -> Shape | None:
    """The shape of what iterating over such a value gives; None where unknown."""
    if shape is None:
        return None
    found = [_OWN_ITEMS[name] for name in shape.types if name in _OWN_ITEMS]
    if not shape.types <= _OWN_ITEMS.keys():
        if shape.parts is not None and shape.types == {"tuple"}:
            found.extend(shape.parts)
        else:
            found.append(shape.items)
    return common(found)


def common(shapes: Iterable[Shape | None]) -> Shape | None:
    """The shape of values that have any of these shapes."""
    result: Shape | None = EMPTY
    for shape in shapes:
        result = join(result, shape)
    return result


INT, FLOAT, STR, BOOL, NONE, BYTES = (
    Shape.of(name) for name in ("int", "float", "str", "bool", "NoneType", "bytes")
)
_OWN_ITEMS: dict[str, Shape | None] = {"str": STR, "bytes": INT, "range": INT, "NoneType": EMPTY}
