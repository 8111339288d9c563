"""Values as inert nodes: what recorded bytes look like to the parent, which runs none of them.

Atoms are Python's own `None`, `bool`, `int`, `float`, `str` and `bytes`. `is` between two nodes of
one value means they were one object in the program.
"""


class ListNode:
    """A list."""

    __slots__ = ("items",)

    def __init__(self, items: "list[Node]") -> None:
        self.items = items


class TupleNode:
    """A tuple."""

    __slots__ = ("items",)

    def __init__(self, items: "list[Node]") -> None:
        self.items = items


class DictNode:
    """A dict, in its order."""

    __slots__ = ("items",)

    def __init__(self, items: "list[tuple[Node, Node]]") -> None:
        self.items = items


class SetNode:
    """A set, in the order it was iterated."""

    __slots__ = ("items",)

    def __init__(self, items: "list[Node]") -> None:
        self.items = items


class FrozenSetNode:
    """A frozenset, in the order it was iterated."""

    __slots__ = ("items",)

    def __init__(self, items: "list[Node]") -> None:
        self.items = items


class ByteArrayNode:
    """A bytearray."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class RefNode:
    """Something found by name: a class, a function, a constant, or (no qualname) a module."""

    __slots__ = ("module", "qualname")

    def __init__(self, module: str, qualname: str) -> None:
        self.module = module
        self.qualname = qualname


class MethodNode:
    """A bound method."""

    __slots__ = ("name", "owner")

    def __init__(self, owner: "Node", name: str) -> None:
        self.owner = owner
        self.name = name


class InstanceNode:
    """An instance: its class, the value of its immutable base, attributes and contents."""

    __slots__ = ("attributes", "base", "cls", "items")

    def __init__(self, cls: "Node", base: "Node") -> None:
        self.cls = cls
        self.base = base
        self.attributes: dict[str, Node] = {}
        self.items: ListNode | None = None


class ReduceNode:
    """What calling `function(*arguments)` makes, then given `state` and items."""

    __slots__ = ("arguments", "dict_items", "function", "list_items", "state")

    def __init__(self, function: "Node", arguments: TupleNode) -> None:
        self.function = function
        self.arguments = arguments
        self.state: Node = None
        self.list_items: list[Node] = []
        self.dict_items: list[tuple[Node, Node]] = []


class OpaqueNode:
    """A part that could not be recorded."""

    __slots__ = ("number", "reason", "seen", "type_name")

    def __init__(self, type_name: str, reason: str, number: int, *, seen: bool) -> None:
        self.type_name = type_name
        self.reason = reason
        self.number = number
        self.seen = seen


type Atom = bool | int | float | str | bytes | None
type Node = (
    Atom
    | ListNode
    | TupleNode
    | DictNode
    | SetNode
    | FrozenSetNode
    | ByteArrayNode
    | RefNode
    | MethodNode
    | InstanceNode
    | ReduceNode
    | OpaqueNode
)
