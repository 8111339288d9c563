"""Values as short text for people: constructor style, cut to a width, nothing executed."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from perftrace.nodes import (
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

CUT = "…"
_DEPTH = 6

_LOCKS = {"_thread.allocate_lock": "threading.Lock", "_thread.RLock": "threading.RLock"}
# Functions that make a value of a type with another name.
_MADE_BY = _LOCKS | {
    "re.compile": "re.Pattern",
    "logging.getLogger": "logging.Logger",
    "iter": "iterator",
    "numpy._core.numeric._frombuffer": "numpy.ndarray",
    "numpy._core.multiarray.scalar": "numpy.generic",
    "pandas._libs.tslibs.timestamps._unpickle_timestamp": "pandas.Timestamp",
}
# Functions whose first argument is the type of what they make.
_MADE_OF = frozenset(
    (
        "getattr",
        "copyreg.__newobj__",
        "numpy._core.multiarray._reconstruct",
        "numpy.ma.core._mareconstruct",
        "pandas.core.indexes.base._new_Index",
    )
)

_CONTAINERS: dict[type, str] = {
    ListNode: "list",
    TupleNode: "tuple",
    DictNode: "dict",
    SetNode: "set",
    FrozenSetNode: "frozenset",
    ByteArrayNode: "bytearray",
    MethodNode: "method",
}


def dotted(module: str, qualname: str) -> str:
    """A name as people write it: without `builtins.`."""
    if not qualname:
        return module
    return qualname if module == "builtins" else f"{module}.{qualname}"


def type_name(node: Node) -> str:
    """The name of the value's type: "int", "list", "shop.pricing.Item".

    What was found by name could be a class, a function or a constant: it is a "reference".
    """
    if isinstance(node, RefNode):
        return "reference" if node.qualname else "module"
    if isinstance(node, OpaqueNode):
        return node.type_name
    if isinstance(node, InstanceNode):
        return _name(node.cls)
    if isinstance(node, ReduceNode):
        return _made_type(node)
    return _CONTAINERS.get(type(node), type(node).__name__)


def _name(cls: Node) -> str:
    return dotted(cls.module, cls.qualname) if isinstance(cls, RefNode) else type_name(cls)


def _made_type(node: ReduceNode) -> str:
    if isinstance(node.function, MethodNode):
        return f"dict_{node.function.name}"
    name = _name(node.function).replace("numpy.core.", "numpy._core.")  # numpy 1 and 2
    if name in _MADE_OF and node.arguments.items:
        first = node.arguments.items[0]
        return (
            type_name(first) if isinstance(first, RefNode) and not first.qualname else _name(first)
        )
    return _MADE_BY.get(name, name)


def show(node: Node, width: int = 80) -> str:
    """The value as short readable text, in the style of a constructor call."""
    writer = _Writer(width)
    writer.node(node)
    text = "".join(writer.parts)
    return text if len(text) <= width else text[: width - len(CUT)] + CUT


class _Writer:
    """Writes a value's text until the room is used up."""

    def __init__(self, room: int) -> None:
        self.parts: list[str] = []
        self._room = room
        self._open: set[int] = set()  # nodes being written: one met again is a cycle

    def write(self, text: str) -> None:
        self.parts.append(text)
        self._room -= len(text)

    def node(self, node: Node) -> None:
        if node is None or isinstance(node, bool | int | float | str | bytes):
            self.write(_atom(node, self._room))
        elif id(node) in self._open:
            self.write("...")
        elif len(self._open) >= _DEPTH or self._room <= 0:
            self.write(CUT)
        else:
            self._open.add(id(node))
            _WRITERS[type(node)](self, node)
            self._open.discard(id(node))

    def many(self, items: Iterable[Callable[[], None]], opening: str, closing: str) -> None:
        """Items between brackets, as many as there is room for."""
        self.write(opening)
        for index, item in enumerate(items):
            if index:
                self.write(", ")
            if self._room <= len(closing):
                self.write(CUT)
                break
            item()
        self.write(closing)

    def sequence(self, items: list[Node], opening: str, closing: str) -> None:
        self.many((partial(self.node, item) for item in items), opening, closing)

    def pairs(self, pairs: list[tuple[Node, Node]]) -> None:
        self.many((partial(self._pair, *pair) for pair in pairs), "{", "}")

    def _pair(self, key: Node, value: Node) -> None:
        self.node(key)
        self.write(": ")
        self.node(value)

    def call(self, name: str, positional: list[Node], named: dict[str, Node]) -> None:
        self.write(name)
        values = [partial(self.node, item) for item in positional]
        pairs = [partial(self._named, *pair) for pair in named.items()]
        self.many([*values, *pairs], "(", ")")

    def _named(self, name: str, value: Node) -> None:
        self.write(f"{name}=")
        self.node(value)


def _atom(node: Any, room: int) -> str:
    if isinstance(node, str | bytes):
        return repr(node[: max(room, 1) + 1])  # what is cut off here, show() cuts off again
    if type(node) is int and node.bit_length() > 4000:  # repr refuses such a number
        return hex(node)
    return repr(node)


def _constructor(cls: Node) -> str:
    """A class's name at the start of a call: without its module."""
    return (cls.qualname or cls.module) if isinstance(cls, RefNode) else type_name(cls)


def _tuple(writer: _Writer, node: TupleNode) -> None:
    writer.sequence(node.items, "(", ",)" if len(node.items) == 1 else ")")


def _set(writer: _Writer, node: SetNode) -> None:
    if node.items:
        writer.sequence(node.items, "{", "}")
    else:
        writer.write("set()")


def _frozenset(writer: _Writer, node: FrozenSetNode) -> None:
    if node.items:
        writer.sequence(node.items, "frozenset({", "})")
    else:
        writer.write("frozenset()")


def _bytearray(writer: _Writer, node: ByteArrayNode) -> None:
    writer.call("bytearray", [node.data], {})


def _method(writer: _Writer, node: MethodNode) -> None:
    writer.node(node.owner)
    writer.write(f".{node.name}")


def _instance(writer: _Writer, node: InstanceNode) -> None:
    base: list[Node] = [] if node.base is None else [node.base]
    if isinstance(node.base, TupleNode):  # a namedtuple, or an exception's args
        base = node.base.items
    items: list[Node] = [] if node.items is None else [node.items]
    writer.call(_constructor(node.cls), [*base, *items], node.attributes)


def _reduce(writer: _Writer, node: ReduceNode) -> None:
    arguments = node.arguments.items
    name = _name(node.function) if isinstance(node.function, RefNode) else ""
    if name == "getattr" and len(arguments) == 2:
        cls, member = arguments
        writer.write(f"{_constructor(cls)}.{member if isinstance(member, str) else CUT}")
        return
    if name == "copyreg.__newobj__" and arguments:
        name, arguments = _constructor(arguments[0]), arguments[1:]
    elif name:
        name = _LOCKS.get(name) or (name if name in _MADE_BY else _constructor(node.function))
    else:
        writer.node(node.function)
    state: dict[str, Node] = {"state": node.state} if node.state not in (None, 0) else {}
    contents: list[Node] = [ListNode(node.list_items)] if node.list_items else []
    contents += [DictNode(node.dict_items)] if node.dict_items else []
    if name == "deque" and arguments:  # ((), maxlen)
        arguments, state = [], {"maxlen": arguments[-1]}
    writer.call(name, [*arguments, *contents], state)


def _opaque(writer: _Writer, node: OpaqueNode) -> None:
    writer.write(f"<{node.type_name}: {node.reason}>")


_WRITERS: dict[type, Callable[[_Writer, Any], None]] = {
    ListNode: lambda writer, node: writer.sequence(node.items, "[", "]"),
    TupleNode: _tuple,
    DictNode: lambda writer, node: writer.pairs(node.items),
    SetNode: _set,
    FrozenSetNode: _frozenset,
    ByteArrayNode: _bytearray,
    RefNode: lambda writer, node: writer.write(dotted(node.module, node.qualname)),
    MethodNode: _method,
    InstanceNode: _instance,
    ReduceNode: _reduce,
    OpaqueNode: _opaque,
}
