"""How values of library types are written: an entry for each type perftrace records by a call."""

import datetime
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from perftrace.values import (
    ByteArrayNode,
    DictNode,
    ListNode,
    Node,
    ReduceNode,
    RefNode,
    TupleNode,
)


@dataclass(frozen=True, slots=True)
class Made:
    """A value is made by calling a function, or is one of its attributes."""

    function: Node
    arguments: Sequence[Node] = ()
    keywords: Mapping[str, Node] = field(default_factory=dict)
    attribute: str = ""  # instead of a call


@dataclass(frozen=True, slots=True)
class NotMade:
    """Why there is no such call."""

    reason: str


ELEMENTS = {
    "f2": "e",
    "f4": "f",
    "f8": "d",
    "b1": "?",
    "i1": "b",
    "i2": "h",
    "i4": "i",
    "i8": "q",
} | {
    "u1": "B",
    "u2": "H",
    "u4": "I",
    "u8": "Q",
}
FLAGS = {2: "IGNORECASE", 8: "MULTILINE", 16: "DOTALL", 64: "VERBOSE", 256: "ASCII"}


def made(node: ReduceNode) -> Made | NotMade:
    """The expression for a recorded reduction."""
    function = node.function
    if isinstance(function, RefNode):
        package = function.module.partition(".")[0]
        name = ("numpy", function.qualname) if package == "numpy" else (package, function.qualname)
        entry = TYPES.get(name)
        if entry is not None:
            return entry(node)
        if package == "numpy":
            return NotMade(f"a numpy value ({function.qualname})")
    if node.state is not None or node.list_items or node.dict_items:
        return NotMade("an object whose state can't be written")
    return Made(function, node.arguments.items)


def _member(node: ReduceNode) -> Made | NotMade:
    match node.arguments.items:
        case [owner, str(name)]:
            return Made(owner, attribute=name)
        case _:
            return NotMade("a call of getattr")


def _date(least: int) -> Callable[[ReduceNode], Made]:
    """A date or time without the zeros at its end."""

    def entry(node: ReduceNode) -> Made:
        values = list(node.arguments.items)
        keywords: dict[str, Node] = {}
        if values and isinstance(values[0], bytes):
            values, keywords = _unpacked(node)
        elif values and not isinstance(values[-1], int):
            keywords["tzinfo"] = values.pop()
        while len(values) > least and values[-1] == 0:
            values.pop()
        return Made(node.function, values, keywords)

    return entry


def _unpacked(node: ReduceNode) -> tuple[list[Node], dict[str, Node]]:
    """The packed form, used where `fold` is set."""
    packed, *zone = node.arguments.items
    assert isinstance(packed, bytes)
    assert isinstance(node.function, RefNode)
    keywords: dict[str, Node] = {"tzinfo": zone[0]} if zone else {}
    if node.function.qualname == "time":
        clock = datetime.time(packed)  # type: ignore[arg-type]  # as it unpickles itself
        values: list[Node] = [clock.hour, clock.minute, clock.second, clock.microsecond]
        return values, keywords | {"fold": clock.fold}
    whole = datetime.datetime(packed)  # type: ignore[call-arg,arg-type]
    day: list[Node] = [whole.year, whole.month, whole.day]
    values = [*day, whole.hour, whole.minute, whole.second, whole.microsecond]
    return values, keywords | {"fold": whole.fold}


def _timedelta(node: ReduceNode) -> Made:
    names = ("days", "seconds", "microseconds")
    values = dict(zip(names, node.arguments.items, strict=True))
    return Made(node.function, (), {name: value for name, value in values.items() if value != 0})


def _timezone(node: ReduceNode) -> Made:
    match node.arguments.items:
        case [ReduceNode(arguments=TupleNode(items=[0, 0, 0]))]:
            return Made(node.function, attribute="utc")
        case _:
            return Made(node.function, node.arguments.items)


def _path(node: ReduceNode) -> Made:
    return Made(RefNode("pathlib", "Path"), node.arguments.items)


def _pattern(node: ReduceNode) -> Made:
    pattern, flags = node.arguments.items
    assert isinstance(flags, int)
    flags = flags & ~32 if isinstance(pattern, str) else flags  # re.UNICODE is always set
    if flags in FLAGS:
        return Made(node.function, [pattern, RefNode("re", FLAGS[flags])])
    return Made(node.function, [pattern, flags] if flags else [pattern])


def _deque(node: ReduceNode) -> Made:
    keywords = {"maxlen": node.arguments.items[1]} if node.arguments.items else {}
    items = [ListNode(node.list_items)] if node.list_items or keywords else []
    return Made(node.function, items, keywords)


def _mapping(node: ReduceNode) -> Made:
    items = [DictNode(node.dict_items)] if node.dict_items else []
    return Made(node.function, [*node.arguments.items, *items])


def _partial(node: ReduceNode) -> Made | NotMade:
    match node.state:
        case TupleNode(items=[function, TupleNode(items=values), DictNode(items=pairs), None]):
            keywords = {str(name): value for name, value in pairs}
            return Made(node.function, [function, *values], keywords)
        case _:
            return NotMade("a functools.partial with attributes")


def _iterator(node: ReduceNode) -> Made | NotMade:
    """What is left of it: what it has given already shows nowhere."""
    match node.arguments.items, node.state:
        case [items], None | 0:
            return Made(node.function, [items])
        case [ListNode() | TupleNode() as items], int(index):
            return Made(node.function, [type(items)(items.items[index:])])
        case [str() | bytes() as text], int(index):
            return Made(node.function, [text[index:]])
        case _:
            return NotMade("an iterator that was used already")


def _reversed(node: ReduceNode) -> Made | NotMade:
    match node.arguments.items, node.state:
        case [items], None:
            return Made(node.function, [items])
        case [ListNode() as items], int(index):
            return Made(node.function, [ListNode(items.items[: index + 1])])
        case _:
            return NotMade("an iterator that was used already")


def _threading(name: str) -> Callable[[ReduceNode], Made]:
    return lambda _: Made(RefNode("threading", name))


# --- numpy --------------------------------------------------------------------------------


def _array(node: ReduceNode) -> Made | NotMade:
    """`array([[1.0, 2.0]], dtype="float64")` of an array of numbers."""
    match node.arguments.items:
        case [bytes() | ByteArrayNode() as data, dtype, TupleNode(items=shape), "C"]:
            raw = data.data if isinstance(data, ByteArrayNode) else data
            numbers = _numbers(raw, dtype)
            sizes = [size for size in shape if isinstance(size, int)]
            if numbers is not None and math.prod(sizes) == len(numbers) and numbers:
                keywords: dict[str, Node] = {"dtype": _type_name(dtype)}
                return Made(RefNode("numpy", "array"), [_nested(numbers, sizes)], keywords)
        case _:
            pass
    return NotMade("a numpy array that is empty, strided or not of plain numbers")


def _scalar(node: ReduceNode) -> Made | NotMade:
    match node.arguments.items:
        case [dtype, bytes(data)]:
            numbers = _numbers(data, dtype)
            if numbers is not None:
                return Made(RefNode("numpy", _type_name(dtype)), numbers)
        case _:
            pass
    return NotMade("a numpy scalar that is not a plain number")


def _code(dtype: Node) -> str:
    """`f8` of a plain little-endian type, or an empty string."""
    match dtype:
        case ReduceNode(
            arguments=TupleNode(items=[str(code), *_]), state=TupleNode(items=[_, "<" | "|", *_])
        ):
            return code
        case _:
            return ""


def _numbers(data: bytes, dtype: Node) -> list[Node] | None:
    element = ELEMENTS.get(_code(dtype))
    return [n for (n,) in struct.iter_unpack(f"<{element}", data)] if element else None


def _type_name(dtype: Node) -> str:
    kind, size = _code(dtype)[0], int(_code(dtype)[1:])
    names = {"f": "float", "i": "int", "u": "uint"}
    return f"{names[kind]}{size * 8}" if kind in names else "bool"


def _nested(numbers: Sequence[Node], shape: Sequence[int]) -> Node:
    if not shape:
        return numbers[0]
    step = len(numbers) // shape[0]
    parts = [numbers[start : start + step] for start in range(0, len(numbers), step)]
    return ListNode([_nested(part, shape[1:]) for part in parts])


TYPES: dict[tuple[str, str], Callable[[ReduceNode], Made | NotMade]] = {
    ("builtins", "getattr"): _member,
    ("builtins", "iter"): _iterator,
    ("builtins", "reversed"): _reversed,
    ("_thread", "allocate_lock"): _threading("Lock"),
    ("_thread", "RLock"): _threading("RLock"),
    ("datetime", "date"): _date(3),
    ("datetime", "datetime"): _date(3),
    ("datetime", "time"): _date(1),
    ("datetime", "timedelta"): _timedelta,
    ("datetime", "timezone"): _timezone,
    ("pathlib", "PosixPath"): _path,
    ("pathlib", "WindowsPath"): _path,
    ("re", "compile"): _pattern,
    ("collections", "deque"): _deque,
    ("collections", "OrderedDict"): _mapping,
    ("collections", "Counter"): _mapping,
    ("collections", "defaultdict"): _mapping,
    ("functools", "partial"): _partial,
    ("numpy", "_frombuffer"): _array,
    ("numpy", "scalar"): _scalar,
}
