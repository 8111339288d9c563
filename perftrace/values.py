"""Read recorded bytes as inert nodes; nothing here can run code from a trace file.

The bytes are a pickle, but this is no unpickler: it knows only the opcodes that the C pickler
writes for protocol 5 and only perftrace's five marks, and makes nodes of them. `docs/values.md`
has the format.
"""

import struct
from collections.abc import Callable

from perftrace.nodes import (
    Atom,
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
from perftrace.show import show, type_name

__all__ = [
    "Atom",
    "BadValue",
    "ByteArrayNode",
    "DictNode",
    "FrozenSetNode",
    "InstanceNode",
    "ListNode",
    "MethodNode",
    "Node",
    "OpaqueNode",
    "ReduceNode",
    "RefNode",
    "SetNode",
    "TupleNode",
    "read",
    "show",
    "type_name",
]

MAX_BYTES = 256 * 1024 * 1024
MAX_STEPS = 8_000_000  # opcodes; about two million nodes
MARKS_MODULE = "_perftrace.snapshot"


class BadValue(Exception):  # noqa: N818 - what the reader finds, not what it does
    """The bytes are not a value as perftrace writes them."""


def read(blob: bytes) -> Node:
    """The value's nodes. They may be nested very deeply: walk them without recursion.

    Raises:
        BadValue: the bytes are not such a value, or too large.
    """
    if len(blob) > MAX_BYTES:
        raise BadValue(f"{len(blob)} bytes are more than a value may have")
    if blob[:2] != b"\x80\x05":
        raise BadValue("it does not start as a recorded value does")
    return _Reader(blob).value()


class _Mark:
    """One of the five marks, on its way to being applied."""

    __slots__ = ("apply",)

    def __init__(self, apply: "Callable[[list[Node]], Node]") -> None:
        self.apply = apply


class _Reader:
    """A stack machine, as pickle defines it, over nodes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 2
        self.stack: list[Node | _Mark] = []
        self.below: list[list[Node | _Mark]] = []  # the stacks under each open MARK
        self.memo: list[Node | _Mark] = []

    def value(self) -> Node:
        for _ in range(MAX_STEPS):
            code = self.take(1)[0]
            if code == _STOP:
                return self._finish()
            step = _STEPS.get(code)
            if step is None:
                raise BadValue(f"opcode {code:#04x} at {self._at - 1} is not one of a value's")
            step(self)
        raise BadValue("it has more parts than a value may have")

    def _finish(self) -> Node:
        result = self.pop()
        if self.stack or self.below or self._at != len(self._data):
            raise BadValue("something is left over after its end")
        return result

    def take(self, size: int) -> bytes:
        chunk = self._data[self._at : self._at + size]
        if len(chunk) != size:
            raise BadValue("it ends too early")
        self._at += size
        return chunk

    def sized(self, width: int) -> bytes:
        """Bytes after a length of `width` bytes."""
        return self.take(int.from_bytes(self.take(width), "little"))

    def push(self, node: Node | _Mark) -> None:
        self.stack.append(node)

    def pop_any(self) -> Node | _Mark:
        if not self.stack:
            raise BadValue("it takes more than it has made")
        return self.stack.pop()

    def pop(self) -> Node:
        node = self.pop_any()
        if isinstance(node, _Mark):
            raise BadValue("a mark stands where a value belongs")
        return node

    def pop_mark(self) -> list[Node]:
        if not self.below:
            raise BadValue("it closes what it has not opened")
        found: list[Node] = []
        for node in self.stack:
            if isinstance(node, _Mark):
                raise BadValue("a mark stands where a value belongs")
            found.append(node)
        self.stack = self.below.pop()
        return found

    def top[T](self, kind: type[T]) -> T:
        return _as(kind, self.stack[-1] if self.stack else None)

    def get(self, index: int) -> None:
        if index >= len(self.memo):
            raise BadValue("it refers to a part that is not there")
        self.push(self.memo[index])


def _as[T](kind: type[T], node: object) -> T:
    if type(node) is not kind:
        raise BadValue(f"a {kind.__name__} was expected, not a {type(node).__name__}")
    return node


# --- marks ----------------------------------------------------------------------------------------


def _ref(arguments: list[Node]) -> Node:
    module, qualname = arguments
    return RefNode(_as(str, module), _as(str, qualname))


def _make(arguments: list[Node]) -> Node:
    cls, base = arguments
    if not isinstance(cls, RefNode | OpaqueNode):
        raise BadValue("an instance of something that is not a class")
    return InstanceNode(cls, base)


def _fill(arguments: list[Node]) -> Node:
    value, state = arguments
    attributes, items = _as(TupleNode, state).items
    instance = _as(InstanceNode, value)
    instance.attributes = {_as(str, name): item for name, item in _as(DictNode, attributes).items}
    instance.items = None if items is None else _as(ListNode, items)
    return None


def _method(arguments: list[Node]) -> Node:
    owner, name = arguments
    return MethodNode(owner, _as(str, name))


def _opaque(arguments: list[Node]) -> Node:
    kind, reason, number, seen = arguments
    return OpaqueNode(_as(str, kind), _as(str, reason), _as(int, number), seen=_as(bool, seen))


_MARKS = {
    name: _Mark(apply)
    for name, apply in (
        ("ref", _ref),
        ("make", _make),
        ("fill", _fill),
        ("method", _method),
        ("opaque", _opaque),
    )
}


# --- opcodes --------------------------------------------------------------------------------------


def _constant(node: Atom) -> Callable[[_Reader], None]:
    return lambda reader: reader.push(node)


def _number(width: int, *, signed: bool = False) -> Callable[[_Reader], None]:
    return lambda reader: reader.push(int.from_bytes(reader.take(width), "little", signed=signed))


def _long(width: int) -> Callable[[_Reader], None]:
    return lambda reader: reader.push(int.from_bytes(reader.sized(width), "little", signed=True))


def _bytes(width: int) -> Callable[[_Reader], None]:
    return lambda reader: reader.push(reader.sized(width))


def _text(width: int) -> Callable[[_Reader], None]:
    def step(reader: _Reader) -> None:
        try:
            reader.push(reader.sized(width).decode("utf-8", "surrogatepass"))
        except UnicodeDecodeError as error:
            raise BadValue(f"its text is not UTF-8: {error}") from error

    return step


def _float(reader: _Reader) -> None:
    reader.push(struct.unpack(">d", reader.take(8))[0])


def _empty(kind: Callable[[list[Node]], Node]) -> Callable[[_Reader], None]:
    return lambda reader: reader.push(kind([]))


def _tuple(size: int) -> Callable[[_Reader], None]:
    def step(reader: _Reader) -> None:
        items = [reader.pop() for _ in range(size)]
        reader.push(TupleNode(items[::-1]))

    return step


def _frame(reader: _Reader) -> None:
    reader.take(8)  # its length: of use only to a reader of files


def _mark(reader: _Reader) -> None:
    reader.below.append(reader.stack)
    reader.stack = []


def _pop(reader: _Reader) -> None:
    if reader.stack:
        reader.stack.pop()
    else:  # as the C reader does: it closes an empty MARK
        reader.pop_mark()


def _pop_mark(reader: _Reader) -> None:
    reader.pop_mark()


def _append(reader: _Reader) -> None:
    _extend(reader, [reader.pop()])


def _extend(reader: _Reader, items: list[Node]) -> None:
    target = reader.stack[-1] if reader.stack else None
    if isinstance(target, ReduceNode):
        target.list_items.extend(items)
    else:
        _as(ListNode, target).items.extend(items)


def _set_item(reader: _Reader) -> None:
    value = reader.pop()
    _update(reader, [reader.pop(), value])


def _update(reader: _Reader, items: list[Node]) -> None:
    target = reader.stack[-1] if reader.stack else None
    if len(items) % 2:
        raise BadValue("a key without a value")
    pairs = zip(items[::2], items[1::2], strict=True)
    if isinstance(target, ReduceNode):
        target.dict_items.extend(pairs)
    else:
        _as(DictNode, target).items.extend(pairs)


def _add_items(reader: _Reader) -> None:
    items = reader.pop_mark()
    reader.top(SetNode).items.extend(items)


def _stack_global(reader: _Reader) -> None:
    name, module = _as(str, reader.pop()), _as(str, reader.pop())
    if module != MARKS_MODULE or name not in _MARKS:
        raise BadValue(f"{module}.{name} is not one of perftrace's marks")
    reader.push(_MARKS[name])


def _reduce(reader: _Reader) -> None:
    arguments = _as(TupleNode, reader.pop())
    function = reader.pop_any()
    if isinstance(function, _Mark):
        try:
            reader.push(function.apply(arguments.items))
        except ValueError as error:
            raise BadValue("a mark with the wrong number of arguments") from error
    elif isinstance(function, RefNode | MethodNode | OpaqueNode):
        reader.push(ReduceNode(function, arguments))
    else:
        raise BadValue("a call of something that is not a function")


def _new_object(reader: _Reader) -> None:
    """`cls.__new__(cls, *arguments)`: some trusted libraries' own reductions."""
    arguments = _as(TupleNode, reader.pop())
    cls = _as(RefNode, reader.pop())
    parts = TupleNode([cls, *arguments.items])
    reader.push(ReduceNode(RefNode("copyreg", "__newobj__"), parts))


def _build(reader: _Reader) -> None:
    state = reader.pop()
    reader.top(ReduceNode).state = state


def _memoize(reader: _Reader) -> None:
    if not reader.stack:
        raise BadValue("it takes more than it has made")
    reader.memo.append(reader.stack[-1])


_STOP = ord(".")
_STEPS: dict[int, Callable[[_Reader], None]] = {
    ord("N"): _constant(None),
    0x88: _constant(node=True),
    0x89: _constant(node=False),
    ord("K"): _number(1),
    ord("M"): _number(2),
    ord("J"): _number(4, signed=True),
    0x8A: _long(1),
    0x8B: _long(4),
    ord("G"): _float,
    ord("C"): _bytes(1),
    ord("B"): _bytes(4),
    0x8E: _bytes(8),
    0x8C: _text(1),
    ord("X"): _text(4),
    0x8D: _text(8),
    0x96: lambda reader: reader.push(ByteArrayNode(reader.sized(8))),
    ord("]"): _empty(ListNode),
    0x8F: _empty(SetNode),
    ord("}"): lambda reader: reader.push(DictNode([])),
    ord(")"): _tuple(0),
    0x85: _tuple(1),
    0x86: _tuple(2),
    0x87: _tuple(3),
    ord("t"): lambda reader: reader.push(TupleNode(reader.pop_mark())),
    0x91: lambda reader: reader.push(FrozenSetNode(reader.pop_mark())),
    ord("a"): _append,
    ord("e"): lambda reader: _extend(reader, reader.pop_mark()),
    ord("s"): _set_item,
    ord("u"): lambda reader: _update(reader, reader.pop_mark()),
    0x90: _add_items,
    0x95: _frame,
    ord("("): _mark,
    ord("0"): _pop,
    ord("1"): _pop_mark,
    ord("h"): lambda reader: reader.get(reader.take(1)[0]),
    ord("j"): lambda reader: reader.get(int.from_bytes(reader.take(4), "little")),
    0x94: _memoize,
    0x93: _stack_global,
    ord("R"): _reduce,
    0x81: _new_object,
    ord("b"): _build,
}
