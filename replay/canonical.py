"""The canonical form of a value: what kind of thing each part is, and what parts that has.

`take_apart` is the one table that says what of a value counts: comparison walks two values with
it, `canonical` makes a digest with it. Nothing here recurses: values may be nested very deeply.
"""

import hashlib
import math
import struct
from collections.abc import Callable, Generator, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from perftrace.replay.elements import floats, one_nan, with_floats
from perftrace.show import type_name
from perftrace.values import (
    ByteArrayNode,
    DictNode,
    FrozenSetNode,
    InstanceNode,
    ListNode,
    MethodNode,
    Node,
    OpaqueNode,
    ReduceNode,
    RefNode,
    SetNode,
    TupleNode,
)

NO_ALIASES: Mapping[str, str] = {}

# What makes values that can't change: sharing one or making two equal ones is no difference.
_IMMUTABLE = frozenset(
    """
    builtins.complex builtins.range builtins.slice builtins.getattr types.GenericAlias
    types.MappingProxyType types.MethodType datetime.date datetime.time datetime.datetime
    datetime.timedelta datetime.timezone zoneinfo.ZoneInfo decimal.Decimal fractions.Fraction
    uuid.UUID pathlib.PurePosixPath pathlib.PureWindowsPath pathlib.PosixPath pathlib.WindowsPath
    re.compile functools.partial operator.itemgetter operator.attrgetter operator.methodcaller
    time.struct_time logging.getLogger numpy.dtype numpy._core.multiarray.scalar
    numpy.core.multiarray.scalar
    """.split()  # noqa: SIM905 - one name a line would fill the page
)

BASE = "base"  # the step from an instance to the value of its base


@dataclass(slots=True)  # not frozen: making one has to be quick
class Part:
    """A part of a value: what it is matched by, the step that leads to it, and itself."""

    token: Hashable
    step: "tuple[str, Node]"  # "[]" and an index or key, "." and a name, "" or BASE
    node: Node


@dataclass(slots=True)
class Shape:
    """A value without its parts' values."""

    kind: tuple[Hashable, ...]
    parts: list[Part]
    ordered: bool = True  # else the parts are sorted by their tokens


class TooLarge(Exception):  # noqa: N818
    """It has more parts than can be looked at."""


def is_atom(node: Node) -> bool:
    """Whether it is a value of Python's own."""
    return node is None or isinstance(node, bool | int | float | str | bytes)


def is_mutable(node: Node) -> bool:
    """Whether it matters if two such values are one object."""
    if isinstance(node, ReduceNode):
        function = node.function
        if not isinstance(function, RefNode):
            return False  # a view of a dict
        return f"{function.module}.{function.qualname}" not in _IMMUTABLE
    if isinstance(node, InstanceNode):  # a namedtuple or an `int` of another name can't change
        return bool(node.attributes) or node.items is not None or node.base is None
    return isinstance(node, ListNode | DictNode | SetNode | ByteArrayNode)


def is_plain(node: Node) -> bool:
    """Whether it is made of atoms by one call, as a Decimal or a date: best shown whole."""
    return (
        isinstance(node, ReduceNode)
        and node.state is None
        and not (node.list_items or node.dict_items)
        and all(is_atom(part) or isinstance(part, RefNode) for part in node.arguments.items)
    )


def take_apart(node: Node, keys: "Names") -> Shape:
    """The shape of a value that is neither an atom nor opaque."""
    return _SHAPES[type(node)](node, keys)


def _items(items: Iterable[Node]) -> list[Part]:
    return [Part(index, ("[]", index), item) for index, item in enumerate(items)]


def _pairs(pairs: list[tuple[Node, Node]], keys: "Names") -> list[Part]:
    parts = []
    for token, (key, value) in zip(
        _numbered([keys.of(key) for key, _ in pairs]), pairs, strict=True
    ):
        parts.append(Part(token, ("[]", key), value))
        if not is_atom(key):
            parts.append(Part(("key", *token), ("[]", key), key))
    return parts


def _numbered(tokens: list[bytes]) -> list[tuple[bytes, int]]:
    """Tokens told apart where several are equal, as those of two NaN are."""
    seen: dict[bytes, int] = {}
    numbered = []
    for token in tokens:
        seen[token] = seen.get(token, -1) + 1
        numbered.append((token, seen[token]))
    return numbered


def _members(kind: str) -> "Callable[[Any, Names], Shape]":
    def shape(node: SetNode | FrozenSetNode, keys: "Names") -> Shape:
        tokens = _numbered([keys.of(item) for item in node.items])
        pairs = sorted(zip(tokens, node.items, strict=True), key=lambda pair: pair[0])
        parts = [Part(token, ("{}", item), item) for token, item in pairs]
        return Shape((kind,), parts, ordered=False)

    return shape


def _instance(node: InstanceNode, keys: "Names") -> Shape:
    parts = [Part(BASE, (BASE, None), node.base)]
    parts += [
        Part((".", name), (".", name), node.attributes[name]) for name in sorted(node.attributes)
    ]
    if node.items is not None:
        parts += _items(node.items.items)
    return Shape(("instance", keys.name(node.cls)), parts, ordered=False)


def _reduction(node: ReduceNode, keys: "Names") -> Shape:
    parts = [
        Part("function", ("", None), node.function),
        Part("arguments", ("", None), _arguments(node)),
        Part("state", ("", None), node.state),
        *_items(node.list_items),
        *_pairs(node.dict_items, keys),
    ]
    return Shape(("call", keys.made(node)), parts)


def _arguments(node: ReduceNode) -> TupleNode:
    """The arguments; numpy's floats have one NaN, as Python's."""
    found = floats(node)
    if found is None:
        return node.arguments
    plain = one_nan(*found)
    return node.arguments if plain is found[0] else with_floats(node, plain)


_SHAPES: "dict[type, Callable[[Any, Names], Shape]]" = {
    ListNode: lambda node, _: Shape(("list",), _items(node.items)),
    TupleNode: lambda node, _: Shape(("tuple",), _items(node.items)),
    DictNode: lambda node, keys: Shape(("dict",), _pairs(node.items, keys)),
    SetNode: _members("set"),
    FrozenSetNode: _members("frozenset"),
    ByteArrayNode: lambda node, _: Shape(("bytearray", node.data), []),
    RefNode: lambda node, keys: Shape(("ref", keys.name(node)), []),
    MethodNode: lambda node, _: Shape(
        ("method", node.name), [Part("owner", (".", "__self__"), node.owner)]
    ),
    InstanceNode: _instance,
    ReduceNode: _reduction,
}


# --- digests --------------------------------------------------------------------------------------


def atom_bytes(node: Node) -> bytes:
    """An atom's exact type and value; every NaN is the same."""
    if isinstance(node, float):
        return b"float" + (b"nan" if math.isnan(node) else struct.pack(">d", node))
    if isinstance(node, str):
        return b"str" + node.encode("utf-8", "surrogatepass")
    if isinstance(node, bytes):
        return b"bytes" + node
    if node is None or isinstance(node, bool):
        return repr(node).encode()
    if isinstance(node, int):
        return b"int" + node.to_bytes(node.bit_length() // 8 + 1, "little", signed=True)
    raise TypeError(type(node))


def _digest(head: object, parts: Iterable[bytes]) -> bytes:
    whole = hashlib.blake2b(repr(head).encode("utf-8", "surrogatepass"), digest_size=16)
    for part in parts:
        whole.update(len(part).to_bytes(8, "little"))
        whole.update(part)
    return whole.digest()


type _Walk = Generator[tuple[Node, int], bytes, bytes]


def _drive(visit: Callable[[Node, int], _Walk], node: Node, depth: int, limit: int) -> bytes:
    """Run a recursive visit on a stack of its own: `yield child, depth` is the recursive call."""
    stack = [visit(node, depth)]
    result: bytes | None = None
    for _ in range(limit):
        try:
            child = stack[-1].send(result) if result is not None else next(stack[-1])
        except StopIteration as done:
            stack.pop()
            result = done.value
            if not stack:
                return done.value  # type: ignore[no-any-return]  # what the visit returned
        else:
            stack.append(visit(*child))
            result = None
    raise TooLarge


_LIMIT = 10_000_000
_KEY_DEPTH = 3  # mutable objects inside each other that a key looks into


class Names:
    """Names with one name for each module; `of` gives atoms alone a key."""

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._aliases = aliases

    def of(self, node: Node) -> bytes:
        """The key of a value, as far as it has one."""
        return atom_bytes(node) if is_atom(node) else b""

    def name(self, cls: Node) -> str:
        """The name of a class or reference, with one name for each module."""
        if isinstance(cls, RefNode):
            return f"{self._aliases.get(cls.module, cls.module)}:{cls.qualname}"
        return self.type_text(type_name(cls))

    def made(self, node: ReduceNode) -> str:
        """The type that a call makes, with one name for each module."""
        return self.type_text(type_name(node))

    def type_text(self, text: str) -> str:
        """A dotted name, with one name for each module."""
        for module, alias in self._aliases.items():
            if text.startswith(f"{module}."):
                return alias + text[len(module) :]
        return text


class Keys(Names):
    """Matches members of sets and keys of dicts: equal values have equal keys.

    A key is blind to aliasing, and to what lies deep in mutable members, so it always ends.
    """

    def __init__(self, aliases: Mapping[str, str]) -> None:
        super().__init__(aliases)
        self._shallow = Names(aliases)
        self._known: dict[tuple[int, int], bytes] = {}

    def of(self, node: Node) -> bytes:
        """The key of a value."""
        return atom_bytes(node) if is_atom(node) else _drive(self._visit, node, _KEY_DEPTH, _LIMIT)

    def _visit(self, node: Node, depth: int) -> _Walk:
        if is_atom(node):
            return atom_bytes(node)
        if isinstance(node, OpaqueNode):
            return _digest(("opaque", self.type_text(node.type_name)), ())
        known = self._known.get((id(node), depth))
        if known is not None:
            return known
        inner = depth - is_mutable(node)
        if inner < 0:
            return _digest(("deep", type(node).__name__), ())
        if isinstance(node, SetNode | FrozenSetNode):  # its shape would ask for keys at full depth
            digests = []
            for item in node.items:
                digests.append((yield item, inner))  # noqa: PERF401 - it can't yield
            found = _digest(type(node).__name__, sorted(digests))
        else:
            found = yield from _visit_parts(take_apart(node, self._shallow), inner)
        self._known[id(node), depth] = found
        return found


def _visit_parts(shape: Shape, depth: int) -> _Walk:
    digests = []
    for part in shape.parts:
        digests.append((yield part.node, depth))  # noqa: PERF401 - it can't yield
    return _digest((shape.kind, [part.token for part in shape.parts]), digests)


def canonical(node: Node, aliases: Mapping[str, str] = NO_ALIASES) -> bytes:
    """A 16-byte digest of the value; independent of set order and of memo accidents.

    Raises:
        TooLarge: the value has too many parts.
    """
    return _drive(_Canonical(aliases).visit, node, 0, _LIMIT)


class _Canonical:
    """Digests with mutable objects numbered as they are met, so that sharing counts."""

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._keys = Keys(aliases)
        self._numbers: dict[int, int] = {}
        self._visits: dict[int, int] = {}
        self._known: dict[int, bytes] = {}

    def visit(self, node: Node, depth: int) -> _Walk:
        if is_atom(node):
            return atom_bytes(node)
        if id(node) in self._numbers:
            return _digest(("again", self._numbers[id(node)]), ())
        if isinstance(node, OpaqueNode):
            self._numbers[id(node)] = len(self._numbers)
            return _digest(("opaque", self._keys.type_text(node.type_name), node.reason), ())
        if is_mutable(node):
            self._numbers[id(node)] = len(self._numbers)
            return (yield from _visit_parts(take_apart(node, self._keys), depth))
        return (yield from self._visit_immutable(node, depth))

    def _visit_immutable(self, node: Node, depth: int) -> _Walk:
        """From its second visit on, all that is mutable in it has numbers: its digest is fixed."""
        if id(node) in self._known:
            return self._known[id(node)]
        self._visits[id(node)] = visits = self._visits.get(id(node), 0) + 1
        if visits > 2:
            return _digest("inside itself", ())
        found = yield from _visit_parts(take_apart(node, self._keys), depth)
        if visits == 2:
            self._known[id(node)] = found
        return found
