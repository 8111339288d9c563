"""Which parts of recorded values are one object: those need a name in source text."""

from collections.abc import Iterator, Sequence
from typing import TypeGuard

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

type Compound = (
    ListNode
    | TupleNode
    | DictNode
    | SetNode
    | FrozenSetNode
    | ByteArrayNode
    | MethodNode
    | InstanceNode
    | ReduceNode
)
# What can be made empty and filled later, so that a cycle may pass through it.
FILLABLE = (ListNode, DictNode, SetNode)
DEEPEST = 40  # levels: Python's parser refuses more than about a hundred brackets


class TooDeep(Exception):  # noqa: N818 - an outcome, not a mistake
    """The values are nested too deeply to be written."""


def children(node: Node) -> Iterator[Node]:
    """The parts of a node, in the order they are written."""
    match node:
        case ListNode() | TupleNode() | SetNode() | FrozenSetNode():
            yield from node.items
        case DictNode():
            yield from (part for pair in node.items for part in pair)
        case MethodNode():
            yield node.owner
        case InstanceNode():
            yield from (node.cls, node.base, *node.attributes.values())
            yield from node.items.items if node.items else ()
        case ReduceNode():
            yield from (node.function, *node.arguments.items, node.state, *node.list_items)
            yield from (part for pair in node.dict_items for part in pair)
        case _:
            pass


def is_mutable(node: Node) -> bool:
    """Whether the object can change, so that its identity matters."""
    match node:
        case ListNode() | DictNode() | SetNode() | ByteArrayNode():
            return True
        case InstanceNode():
            return node.base is None or bool(node.attributes) or node.items is not None
        case ReduceNode():
            name = node.function.qualname if isinstance(node.function, RefNode) else ""
            return name in {"deque", "OrderedDict", "Counter", "defaultdict", "_reconstruct"}
        case _:
            return False


class Sharing:
    """The objects of some values that more than one path leads to."""

    def __init__(self, values: Sequence[Node]) -> None:
        """Walk the values.

        Raises:
            TooDeep: they are nested too deeply.
        """
        self.cyclic: set[int] = set()  # ids of nodes that are made empty and filled later
        self._leads: dict[int, bool] = {}  # whether it leads to one of those
        self._count: dict[int, int] = {}
        self._identity: dict[int, bool] = {}  # whether it is or holds something mutable
        for value in values:
            self._visit(value, [])

    def is_shared(self, node: Node) -> bool:
        """Whether the node needs a name."""
        key = id(node)
        twice = self._count.get(key, 0) > 1 and self._identity[key]
        return twice or key in self.cyclic

    def mutable(self, node: Node) -> bool:
        """Whether the value is or holds something that can change."""
        return self._identity.get(id(node), False)

    def attributes(self, node: InstanceNode) -> tuple[list[tuple[str, Node]], ...]:
        """Those that an object in a cycle gets at once, as its hash may need them, and the others.

        They stay in their order, as a program may see it, unless that is the alphabet's: what a
        call leaves is recorded in that one.
        """
        given = list(node.attributes.items())
        late = [n for n, (_, value) in enumerate(given) if self._leads_to_cycle(value)]
        first = min(late, default=len(given))
        if list(node.attributes) != sorted(node.attributes):
            return given[:first], given[first:]
        return [one for n, one in enumerate(given) if n not in late], [given[n] for n in late]

    def _leads_to_cycle(self, node: Node) -> bool:
        """Whether the value is or holds something that is filled later."""
        if not _is_compound(node):
            return False
        key = id(node)
        if key not in self._leads:  # every cycle has a part that is in `cyclic`, so this ends
            self._leads[key] = key in self.cyclic or any(map(self._leads_to_cycle, children(node)))
        return self._leads[key]

    def nodes_with_identity(self) -> set[int]:
        """The ids of everything that can change."""
        return {key for key, matters in self._identity.items() if matters}

    def _visit(self, node: Node, open_: list[Compound]) -> bool:
        if not _is_compound(node):
            return False
        key = id(node)
        self._count[key] = self._count.get(key, 0) + 1
        if key in self._identity:
            return self._identity[key]
        if any(other is node for other in open_):
            self._break_cycle(node, open_)
            return True
        if len(open_) > DEEPEST:
            raise TooDeep
        open_.append(node)
        parts = [self._visit(part, open_) for part in children(node)]
        open_.pop()
        self._identity[key] = is_mutable(node) or any(parts)
        return self._identity[key]

    def _break_cycle(self, node: Compound, open_: list[Compound]) -> None:
        """Choose where to cut: an end of the edge that closes the cycle, if that can be filled."""
        start = next(n for n, other in enumerate(open_) if other is node)
        cycle = [node, open_[-1], *open_[start:]]
        cut = next((part for part in cycle if _is_fillable(part)), node)
        self.cyclic.add(id(cut))


def _is_compound(node: Node) -> TypeGuard[Compound]:
    atoms = bool | int | float | str | bytes | RefNode | OpaqueNode
    return node is not None and not isinstance(node, atoms)


def _is_fillable(node: Compound) -> bool:
    return isinstance(node, FILLABLE) or (isinstance(node, InstanceNode) and node.base is None)
