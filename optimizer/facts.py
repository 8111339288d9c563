"""What the recorded calls of a function say about its arguments and results."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from perftrace import values
from perftrace.model import Call, Ending, Function, Recorded, Value
from perftrace.optimizer.shapes import CONTAINERS, EMPTY, Shape, common
from perftrace.store import Store

CALLS = 300  # recorded calls read per function
ITEMS = 500  # elements looked at per container
DEPTH = 4  # levels of nesting described
FIELDS = 32  # attributes of an instance that are described


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long the arguments of one parameter were."""

    low: int
    median: int
    high: int


@dataclass(frozen=True, slots=True)
class ParameterFacts:
    """What was seen of one parameter."""

    types: Mapping[str, int]  # exact type name -> calls
    shape: Shape  # all calls joined
    lengths: Lengths | None = None
    mutated: bool = False  # some call left it changed
    kept: int = 0  # calls that were seen to leave it as it was
    attributes: Mapping[str, Shape] = field(default_factory=dict)  # own in every call

    @property
    def elements(self) -> frozenset[str]:
        """The exact types of the elements (of a dict: its keys)."""
        return self.shape.items.types if self.shape.items else frozenset()

    @property
    def hashable(self) -> bool:
        """Whether every argument was hashable, by built-in code."""
        return bool(self.shape.types) and self.shape.hashable


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen of one function. Recorded calls are a sample, so rates are estimates."""

    calls: int = 0
    distinct: int = 0  # different argument lists among them
    parameters: Mapping[str, ParameterFacts] = field(default_factory=dict)
    result: Shape = EMPTY
    exceptions: Mapping[str, int] = field(default_factory=dict)

    @property
    def repeat_rate(self) -> float:
        """The share of the recorded calls whose arguments had been seen before."""
        return 1 - self.distinct / self.calls if self.calls else 0.0

    def shape(self, parameter: str) -> Shape | None:
        """The shape of a parameter's arguments; None where none was recorded."""
        known = self.parameters.get(parameter)
        return known.shape if known and known.shape.types else None


NOTHING = Facts()


def gather(store: Store, function: Function, calls: Iterable[Call]) -> Facts:
    """The facts of a function's recorded calls, of at most `CALLS` of them.

    Raises:
        TraceError: the trace file is damaged.
    """
    seen = [_Seen(store, call) for call in _recorded(calls)[:CALLS]]
    whole = [one for one in seen if len(one.arguments) == len(function.parameters)]
    parameters = {
        parameter.name: observe(
            [one.arguments[index] for one in whole],
            [one.after[index] if index < len(one.after) else None for one in whole],
        )
        for index, parameter in enumerate(function.parameters)
    }
    endings = [(one.call.outcome.ending, one.payload) for one in seen if one.ended]
    returned = [describe(node) for ending, node in endings if ending is Ending.RETURNED]
    raised = [node for ending, node in endings if ending is Ending.RAISED]
    return Facts(
        calls=len(seen),
        distinct=len({_identity(one.call) for one in seen}),
        parameters=parameters,
        result=_known(common(returned)),
        exceptions=Counter(values.type_name(node) for node in raised),
    )


def _identity(call: Call) -> object:
    """What calls with the same arguments share; what is not recorded of them may differ."""
    arguments = call.arguments
    return arguments if isinstance(arguments, Recorded) and not arguments.opaque else call.id


class _Seen:
    """One recorded call, read."""

    def __init__(self, store: Store, call: Call) -> None:
        self.call = call
        self.arguments = _list(store, call.arguments)
        pair = _list(store, call.outcome.value)
        self.ended = len(pair) == 2
        self.payload = pair[0] if self.ended else None
        self.after = _nodes(pair[1]) if self.ended else []


def _recorded(calls: Iterable[Call]) -> list[Call]:
    """Calls with arguments; where there are some without a gap, those alone."""
    recorded: list[Call] = []
    whole: list[Call] = []
    for call in calls:
        if isinstance(call.arguments, Recorded):
            (recorded if call.arguments.opaque else whole).append(call)
            if len(whole) == CALLS:
                break
    return whole or recorded


def _list(store: Store, value: Value) -> list[values.Node]:
    return _nodes(values.read(store.blob(value))) if isinstance(value, Recorded) else []


def _nodes(node: values.Node) -> list[values.Node]:
    return node.items if isinstance(node, values.ListNode) else []


def observe(
    arguments: Sequence[values.Node], afters: Sequence[values.Node | None] = ()
) -> ParameterFacts:
    """The facts of one parameter, from its arguments before and after each call."""
    sizes = [len(items) for node in arguments if (items := _items(node)) is not None]
    same = [
        _same(before, after)
        for before, after in zip(arguments, afters, strict=False)
        if after is not None
    ]
    return ParameterFacts(
        types=Counter(values.type_name(node) for node in arguments),
        shape=_known(common(describe(node) for node in arguments)),
        lengths=Lengths(min(sizes), int(median(sizes)), max(sizes)) if sizes else None,
        mutated=not all(same),
        kept=sum(same),
        attributes=_attributes(arguments),
    )


def describe(node: values.Node, depth: int = DEPTH) -> Shape | None:
    """The shape of one recorded value."""
    name = values.type_name(node)
    if name not in CONTAINERS:
        return Shape(frozenset({name}), fields=_fields(node, depth))
    if depth == 0:
        return None
    if isinstance(node, values.DictNode):
        pairs = node.items[:ITEMS]
        keys = common(describe(key, depth - 1) for key, _ in pairs)
        return Shape.of(name, items=keys, values=common(describe(v, depth - 1) for _, v in pairs))
    inner = [describe(item, depth - 1) for item in (_items(node) or ())[:ITEMS]]
    parts = None
    if name == "tuple" and len(inner) <= 8:
        parts = tuple(part for part in inner if part is not None)
        parts = parts if len(parts) == len(inner) else None
    return Shape(frozenset({name}), common(inner), None, parts)


def _fields(node: values.Node, depth: int) -> tuple[tuple[str, Shape], ...] | None:
    """The attributes that an instance holds itself: reading them runs no code."""
    if not isinstance(node, values.InstanceNode) or depth == 0:
        return None
    few = sorted(node.attributes.items())[:FIELDS]
    described = [(name, describe(value, depth - 1)) for name, value in few]
    return tuple((name, shape) for name, shape in described if shape is not None) or None


def _known(shape: Shape | None) -> Shape:
    """The same shape, where parts of which nothing was seen count as unknown."""
    if shape is None or not shape.types:
        return EMPTY
    parts = shape.parts
    if parts is not None:
        parts = tuple(_known(part) for part in parts)
    fields = shape.fields
    if fields is not None:
        fields = tuple((name, _known(field)) for name, field in fields)
    return Shape(shape.types, _part(shape.items), _part(shape.values), parts, fields)


def _part(shape: Shape | None) -> Shape | None:
    return _known(shape) if shape is not None and shape.types else None


def _items(node: values.Node) -> Sequence[Any] | None:
    """What a container or string holds."""
    match node:
        case str() | bytes():
            return node
        case values.ListNode() | values.TupleNode() | values.DictNode():
            return node.items
        case values.SetNode() | values.FrozenSetNode():
            return node.items
        case _:
            return None


def _attributes(arguments: Sequence[values.Node]) -> dict[str, Shape]:
    """The attributes that every argument had as its own, with their shapes."""
    instances = [node for node in arguments if isinstance(node, values.InstanceNode)]
    if not instances or len(instances) < len(arguments):
        return {}
    shared = set.intersection(*(set(node.attributes) for node in instances))
    return {
        name: _known(common(describe(node.attributes[name]) for node in instances))
        for name in sorted(shared)
    }


def _same(before: object, after: object) -> bool:
    """Whether two recorded values have the same structure and the same atoms, however deep."""
    seen: set[tuple[int, int]] = set()
    todo = [(before, after)]
    while todo:
        mine, other = todo.pop()
        if type(mine) is not type(other):
            return False
        if (id(mine), id(other)) in seen:
            continue
        seen.add((id(mine), id(other)))
        parts, others = _parts(mine), _parts(other)
        if parts is None or others is None:
            if repr(mine) != repr(other):  # exact for atoms; NaN is unequal to itself
                return False
        elif len(parts) != len(others):
            return False
        else:
            todo += zip(parts, others, strict=True)
    return True


def _parts(value: object) -> list[object] | None:
    """What a node is made of; None for an atom."""
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, dict):
        return list(value.items())
    slots = getattr(type(value), "__slots__", None)
    return None if slots is None else [getattr(value, name) for name in slots]
