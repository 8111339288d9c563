"""Recorded values as Python source text."""

import keyword
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from perftrace import secret
from perftrace.replay import library_types
from perftrace.replay.construction import Construction
from perftrace.replay.identifiers import identifier, is_keyword_argument
from perftrace.replay.imports import ALWAYS, Imports
from perftrace.replay.layout import Doc, flat, group, prefixed, statement
from perftrace.replay.sharing import Sharing, TooDeep
from perftrace.replay.static import Sources
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
    type_name,
)

# Attributes that built-in exceptions set from their arguments: name, place. A class of the user's
# may have one of the same name that is its own.
TAKEN_FROM_ARGUMENTS = {"errno": 0, "strerror": 1, "code": 0, "value": 0}


@dataclass(frozen=True, slots=True)
class Slot:
    """A value to write, and what it is called."""

    name: str
    node: Node
    bind: bool = False  # whether it becomes a variable of that name


@dataclass(frozen=True, slots=True)
class Written:
    """Values as source: first the statements, then an expression for each value."""

    statements: tuple[str, ...]
    values: tuple[Doc, ...]

    @property
    def text(self) -> str:
        """All of it, to compare."""
        return "".join((*self.statements, *map(flat, self.values)))


@dataclass(frozen=True, slots=True)
class NotWritten:
    """Why a value has no source."""

    reason: str


class _Refused(Exception):  # noqa: N818 - leaves the recursion, never this file
    pass


class Writer:
    """Writes the values of one test, whose names must not clash."""

    def __init__(self, imports: Imports, sources: Sources, cap: int) -> None:
        self._imports = imports
        self._sources = sources
        self._cap = cap
        self._taken: set[str] = set()

    def write(self, slots: Sequence[Slot]) -> Written | NotWritten:
        """Source for values that may share parts with each other."""
        try:
            page = _Page(self, slots)
        except TooDeep:
            return NotWritten("nested too deeply")
        except _Refused as refused:
            return NotWritten(str(refused))
        written = Written(tuple(page.statements), tuple(page.values))
        if len(written.text) > self._cap:
            return NotWritten(f"over {self._cap / 1024:g} KiB")
        return written

    def name(self, wish: str) -> str:
        """A free name for a variable, as near to the wish as can be."""
        base = identifier(wish)
        number, name = 1, base
        while self._is_taken(name):
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return name

    def reserve(self, names: Iterable[str]) -> None:
        """Names of variables that the test has already."""
        self._taken.update(names)

    def reference(self, node: Node) -> str:
        """The expression for a class, function or module."""
        if not isinstance(node, RefNode):
            raise _Refused(f"{type_name(node)} has no name to import")
        if re.search(r"<\w+>", node.qualname):
            raise _Refused(f"{node.qualname} is defined inside a function")
        return self._imports.use(self._sources.name(node.module), node.qualname)

    def fields(self, node: InstanceNode) -> tuple[str, ...] | None:
        """The keywords of a call that makes exactly this instance, if there is one."""
        cls = node.cls
        assert isinstance(cls, RefNode)
        if (cls.module, cls.qualname) == ("types", "SimpleNamespace"):
            return tuple(node.attributes)
        names = self._sources.fields(cls.module, cls.qualname)
        if names is None or node.items is not None:
            return None
        if isinstance(node.base, TupleNode):
            whole = not node.attributes and len(names) == len(node.base.items)
            return names if whole else None
        return names if node.base is None and {*names} == {*node.attributes} else None

    def construction(self, node: InstanceNode) -> Construction | None:
        """The call that makes exactly this instance of a class with an `__init__` of its own."""
        cls = node.cls
        if not isinstance(cls, RefNode) or node.base is not None or node.items is not None:
            return None
        made = self._sources.construction(cls.module, cls.qualname)
        return made if made is not None and made.fits(node.attributes) else None

    def _is_taken(self, name: str) -> bool:
        used = name in self._taken or name in ALWAYS or keyword.iskeyword(name)
        return used or self._imports.is_local(name)


class _Page:
    """The text of some slots; `statements` and `values` are its result."""

    def __init__(self, writer: Writer, slots: Sequence[Slot]) -> None:
        self.statements: list[str] = []
        self.values: list[Doc] = []
        self._writer = writer
        self._sharing = Sharing([slot.node for slot in slots])
        self._names: dict[int, str] = {}  # of the shared nodes that are defined
        self._late: list[tuple[str, Node]] = []  # to be filled when all else is defined
        for slot in slots:
            self._slot(slot)

    def _slot(self, slot: Slot) -> None:
        _refuse_secret(slot.node, slot.name)
        value = self._write(slot.node, slot.name)
        if slot.bind and value != slot.name:
            name = self._writer.name(slot.name)
            self.statements.append(statement(prefixed(f"{name} = ", value)))
            value = name
        while self._late:
            self._fill(*self._late.pop(0))
        self.values.append(value)

    def _write(self, node: Node, hint: str) -> Doc:
        if id(node) in self._names:
            return self._names[id(node)]
        if not self._is_shared(node):
            return self._literal(node, hint)
        if id(node) not in self._sharing.cyclic:
            value = self._literal(node, hint)
            name = self._names[id(node)] = self._writer.name(_called(node, hint))
        else:
            name = self._names[id(node)] = self._writer.name(_called(node, hint))
            value = self._empty(node)
            self._late.append((name, node))
        self.statements.append(statement(prefixed(f"{name} = ", value)))
        return name

    def _is_shared(self, node: Node) -> bool:
        return self._sharing.is_shared(node)

    def _literal(self, node: Node, hint: str) -> Doc:
        match node:
            case None | bool() | int() | float() | str() | bytes():
                return _atom(node)
            case ListNode() | TupleNode() | SetNode() | FrozenSetNode() | DictNode():
                return self._container(node, _singular(hint))
            case ByteArrayNode():
                return f"bytearray({_bytes(node.data)})"
            case RefNode():
                return self._writer.reference(node)
            case InstanceNode():
                return self._instance(node)
            case ReduceNode() | MethodNode():
                return self._made(node, hint)
            case _:
                raise _Refused(_why_not(node))

    def _made(self, node: ReduceNode | MethodNode, hint: str) -> Doc:
        made = self._reduced if isinstance(node, ReduceNode) else self._method
        return made(node, hint)  # type: ignore[arg-type]

    def _method(self, node: MethodNode, hint: str) -> str:
        return f"{flat(self._write(node.owner, hint))}.{node.name}"

    def _container(
        self, node: ListNode | TupleNode | SetNode | FrozenSetNode | DictNode, hint: str
    ) -> Doc:
        match node:
            case ListNode():
                return group("[", (self._write(item, hint) for item in node.items), "]")
            case TupleNode():
                return group("(", (self._write(item, hint) for item in node.items), ")")
            case DictNode():
                return group("{", self._pairs(node.items, hint), "}")
            case _:
                pass
        inside = [self._set(node.items, hint)] if node.items else []
        if isinstance(node, FrozenSetNode):
            return group("frozenset(", inside, ")")
        return inside[0] if inside else "set()"

    def _set(self, items: Iterable[Node], hint: str) -> Doc:
        return group("{", sorted((self._write(item, hint) for item in items), key=flat), "}")

    def _pairs(self, items: Iterable[tuple[Node, Node]], hint: str) -> Iterable[Doc]:
        for key, value in items:
            named = key if isinstance(key, str) else hint
            _refuse_secret(value, named)
            yield prefixed(f"{flat(self._write(key, 'key'))}: ", self._write(value, named))

    def _keywords(self, attributes: Iterable[tuple[str, Node]]) -> Iterable[Doc]:
        odd: list[Doc] = []
        for name, value in attributes:
            _refuse_secret(value, name)
            written = self._write(value, name)
            if is_keyword_argument(name):
                yield prefixed(f"{name}=", written)
            else:
                odd.append(prefixed(f"{quoted(name)}: ", written))
        if odd:
            yield group("**{", odd, "}")

    def _instance(self, node: InstanceNode) -> Doc:
        cls = self._writer.reference(node.cls)
        fields = self._writer.fields(node)
        if fields is not None:
            values = [node.attributes[name] for name in fields if name in node.attributes]
            if isinstance(node.base, TupleNode):
                values = node.base.items
            return group(f"{cls}(", self._keywords(zip(fields, values, strict=True)), ")")
        made = self._writer.construction(node)
        if made is not None and not any(map(self._is_shared, map(node.attributes.get, made.fixed))):
            given = [(name, node.attributes[kept]) for name, kept in made.parameters.items()]
            return group(f"{cls}(", self._keywords(given), ")")
        attributes = own_attributes(node)
        base = node.base if node.items is None else node.items
        is_builtin = isinstance(node.cls, RefNode) and node.cls.module == "builtins"
        if is_builtin and isinstance(base, TupleNode) and not attributes:  # an exception
            return group(f"{cls}(", (self._write(item, "argument") for item in base.items), ")")
        first = [] if base is None else [self._write(base, "items")]
        return group("restore(", [cls, *first, *self._keywords(attributes.items())], ")")

    def _reduced(self, node: ReduceNode, hint: str) -> Doc:
        made = library_types.made(node)
        if isinstance(made, library_types.NotMade):
            raise _Refused(made.reason)
        if isinstance(made.function, MethodNode):  # of a dict, for a view of it
            function = self._method(made.function, hint)
        else:
            function = self._writer.reference(made.function)
        if made.attribute:
            return f"{function}.{made.attribute}"
        values = [self._write(value, hint) for value in made.arguments]
        return group(f"{function}(", [*values, *self._keywords(made.keywords.items())], ")")

    def _empty(self, node: Node) -> Doc:
        match node:
            case ListNode():
                return "[]"
            case DictNode():
                return "{}"
            case SetNode():
                return "set()"
            case InstanceNode(base=None):
                ready = self._keywords(self._sharing.attributes(node)[0])
                return group("restore(", [self._writer.reference(node.cls), *ready], ")")
            case _:
                raise _Refused(f"a cycle through {type_name(node)}")

    def _fill(self, name: str, node: Node) -> None:
        hint = _singular(name)
        match node:
            case ListNode(items=[item]):
                done: Doc = group(f"{name}.append(", [self._write(item, hint)], ")")
            case ListNode():
                done = group(f"{name}.extend([", [self._write(i, hint) for i in node.items], "])")
            case SetNode():
                done = group(f"{name}.update(", [self._set(node.items, hint)], ")")
            case DictNode():
                done = group(f"{name}.update({{", self._pairs(node.items, hint), "})")
            case _:
                assert isinstance(node, InstanceNode)
                items = [self._write(node.items, "items")] if node.items else []
                rest = self._keywords(self._sharing.attributes(node)[1])
                done = group("fill(", [name, *items, *rest], ")")
        self.statements.append(statement(done))


def own_attributes(node: InstanceNode) -> dict[str, Node]:
    """What `restore` needs besides the base: not what an exception takes from its arguments."""
    found = dict(node.attributes)
    if node.items is not None and node.base is not None:
        found["maxlen" if isinstance(node.base, int) else "default_factory"] = node.base
    known = isinstance(node.cls, RefNode) and node.cls.module == "builtins"
    arguments = node.base.items if known and isinstance(node.base, TupleNode) else []
    for name, place in TAKEN_FROM_ARGUMENTS.items():
        if name in found and place < len(arguments) and found[name] is arguments[place]:
            del found[name]
    return found


def _why_not(node: Node) -> str:
    return f"{node.type_name}: {node.reason}" if isinstance(node, OpaqueNode) else type_name(node)


def _called(node: Node, hint: str) -> str:
    """A readable name: that of the class for an object, else where it was met."""
    if isinstance(node, InstanceNode) and isinstance(node.cls, RefNode) and hint != "self":
        name = node.cls.qualname.rpartition(".")[2]
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return hint


def _singular(hint: str) -> str:
    return hint[:-1] if len(hint) > 3 and hint.endswith("s") and not hint.endswith("ss") else hint


def _refuse_secret(node: Node, name: str) -> None:
    """Refuse a text, also inside containers, that stands under a name of secrets."""
    weight = secret.STANDARD.weight(name)
    if weight and any(weight > 1 or secret.might_be(text) for text in _texts(node)):
        raise _Refused(f"{name} looks like a secret")


def _texts(node: Node) -> Iterable[str]:
    """The texts in a value and in the containers in it."""
    match node:
        case str() | bytes() if node:
            yield node if isinstance(node, str) else node.decode("latin-1")
        case ListNode() | TupleNode() | SetNode() | FrozenSetNode():
            for item in node.items:
                yield from _texts(item)
        case DictNode():
            for _, value in node.items:
                yield from _texts(value)
        case _:
            pass


def _atom(value: bool | int | float | str | bytes | None) -> str:  # noqa: FBT001 - any atom
    match value:
        case str():
            if secret.looks_random(value):
                raise _Refused("a text looks like a secret")
            return quoted(value)
        case bytes():
            return _bytes(value)
        case float() if not math.isfinite(value):
            return f'float("{value}")'
        case int() if value.bit_length() > 9999:  # more digits than int() takes
            return hex(value)
    return repr(value)


def _bytes(value: bytes) -> str:
    if secret.looks_random(value.decode("latin-1")):
        raise _Refused("a text looks like a secret")
    return quoted(value)


def quoted(value: str | bytes) -> str:
    """A string or bytes literal, in double quotes where that needs no backslash."""
    literal = repr(value)
    prefix = "b" if isinstance(value, bytes) else ""
    quote = literal[len(prefix)]
    if quote == '"' or '"' in literal:
        return literal
    inner = literal[len(prefix) + 1 : -1].replace("\\'", "'")
    return f'{prefix}"{inner}"'
