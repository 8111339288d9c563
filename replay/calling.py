"""The source text that calls a recorded function again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from perftrace.model import Binding, Function
from perftrace.replay.imports import Imports
from perftrace.replay.layout import Doc, flat, group, prefixed
from perftrace.replay.literals import NotWritten, Slot, Writer
from perftrace.replay.sharing import Sharing, TooDeep
from perftrace.replay.static import Located, Sources
from perftrace.values import DictNode, InstanceNode, ListNode, Node, ReduceNode, RefNode, TupleNode


class Role(StrEnum):
    """How a function is reached."""

    FUNCTION = "function"
    METHOD = "method"
    STATIC = "static method"
    CLASS = "class method"
    GETTER = "property"
    CACHED = "cached property"
    SETTER = "property setter"


# One row per decorator that says how a function is reached (the last part of its name).
ROLES = {
    "staticmethod": Role.STATIC,
    "classmethod": Role.CLASS,
    "property": Role.GETTER,
    "getter": Role.GETTER,
    "cached_property": Role.CACHED,
    "setter": Role.SETTER,
}
# Where a descriptor keeps the function itself, for an object whose class may override it.
RAW = {Role.CLASS: ".__func__", Role.GETTER: ".fget", Role.SETTER: ".fset", Role.CACHED: ".func"}
IMPLICIT = {
    "__new__": Role.STATIC,
    "__init_subclass__": Role.CLASS,
    "__class_getitem__": Role.CLASS,
}
# Decorators whose result is something else than the function called: it is reached below them.
HIDING = frozenset({"contextmanager", "asynccontextmanager"})


@dataclass(frozen=True, slots=True)
class Subject:
    """A function to write tests of, as it stands in its file."""

    function: Function
    located: Located
    imports: Imports
    sources: Sources
    cap: int  # characters of one value
    tolerance: str = ""  # of the floats that it returns, as the settings say it

    def writer(self) -> Writer:
        """A writer for one test."""
        return Writer(self.imports, self.sources, self.cap)

    @property
    def role(self) -> Role:
        """How the function is reached."""
        if not self.located.owner:
            return Role.FUNCTION
        named = [decorator.rpartition(".")[2] for decorator in self.located.decorators]
        found = [ROLES[name] for name in named if name in ROLES]
        return found[0] if found else IMPLICIT.get(self.function.name, Role.METHOD)

    @property
    def attribute(self) -> str:
        """The name to get it by from its class; a private one is mangled there."""
        name, owner = self.function.name, self.located.owner.rpartition(".")[2].lstrip("_")
        mangled = owner and name.startswith("__") and not name.endswith("__")
        below = any(name.rpartition(".")[2] in HIDING for name in self.located.decorators)
        return f"{f'_{owner}' if mangled else ''}{name}{'.__wrapped__' if below else ''}"

    @property
    def module(self) -> str:
        """The module to import it from."""
        return self.sources.name(self.function.module)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument as the call text gives it."""

    name: str
    node: Node
    after: Node  # as the call left it; None: it can't change, or that is not known
    keyword: bool = False  # written `name=value`


@dataclass(frozen=True, slots=True)
class CallText:
    """A call as source, with the variables it needs."""

    setup: tuple[str, ...]  # statements
    call: Doc
    bound: tuple[Argument, ...]  # those in a variable (their name), to be looked at afterwards


def write_call(
    subject: Subject, arguments: ListNode, after: ListNode | None, writer: Writer
) -> CallText | NotWritten:
    """The text of a recorded call."""
    if subject.function.nested or "<" in subject.function.qualname:
        return NotWritten("defined inside a function")
    given = list(_arguments(subject, arguments, after))
    callee = _callee(subject)  # first, so that no variable takes its name
    bound = [_needs_variable(argument, subject) for argument in given]
    slots = [Slot(a.name, a.node, bind=bind) for a, bind in zip(given, bound, strict=True)]
    written = writer.write(slots)
    if isinstance(written, NotWritten):
        return written
    kept = tuple(
        Argument(flat(value), argument.node, argument.after)
        for argument, value, bind in zip(given, written.values, bound, strict=True)
        if bind
    )
    call = _call(subject, callee, given, written.values)
    return CallText(written.statements, call, kept)


def _arguments(subject: Subject, arguments: ListNode, after: ListNode | None) -> Iterator[Argument]:
    """The recorded values one by one: `*args` and `**kw` are taken apart."""
    parameters = subject.function.parameters
    values = dict(zip((p.name for p in parameters), arguments.items, strict=True))
    left = dict(zip(values, after.items, strict=True)) if after else dict.fromkeys(values)
    variadic = any(p.binding is Binding.STAR and _items(values[p.name]) for p in parameters)
    for parameter in parameters:
        name, value, changed = parameter.name, values[parameter.name], left[parameter.name]
        match parameter.binding:
            case Binding.POSITIONAL:
                yield Argument(name, value, changed)
            case Binding.EITHER:
                by_name = name in subject.located.defaulted and not variadic
                yield Argument(name, value, changed, keyword=by_name)
            case Binding.STAR:
                items, ends = _items(value), _items(changed)
                ends = ends if len(ends) == len(items) else [None] * len(items)
                yield from (Argument(name, *pair) for pair in zip(items, ends, strict=True))
            case Binding.KEYWORD:
                yield Argument(name, value, changed, keyword=True)
            case Binding.DOUBLE_STAR:
                found = _pairs(changed)
                for key, item in _pairs(value).items():
                    yield Argument(key, item, found.get(key), keyword=True)


def _items(node: Node) -> list[Node]:
    return node.items if isinstance(node, TupleNode) else []


def _pairs(node: Node) -> dict[str, Node]:
    return {str(key): value for key, value in node.items} if isinstance(node, DictNode) else {}


def _needs_variable(argument: Argument, subject: Subject) -> bool:
    """Whether the argument is looked at after the call, or called upon."""
    first = subject.function.parameters[0].name if subject.function.parameters else ""
    owned = subject.role in {Role.METHOD, Role.GETTER, Role.CACHED, Role.SETTER}
    if owned and argument.name == first:
        return True
    try:
        return argument.after is not None and Sharing([argument.node]).mutable(argument.node)
    except TooDeep:
        return False


def _callee(subject: Subject) -> str:
    name = subject.located.owner or subject.function.qualname
    top = subject.imports.use(subject.module, name)
    if subject.located.owner:
        return f"{top}.{subject.attribute}"
    return f"{top}.__wrapped__" if subject.attribute.endswith(".__wrapped__") else top


def _call(subject: Subject, callee: str, given: Sequence[Argument], values: Sequence[Doc]) -> Doc:
    passed = [
        prefixed(f"{argument.name}=", value) if argument.keyword else value
        for argument, value in zip(given, values, strict=True)
    ]
    role = subject.role
    if role in {Role.FUNCTION, Role.STATIC} or not given:
        return group_call(callee, passed)
    if _is_own(given[0].node, subject) and role in {Role.CLASS, Role.METHOD, Role.GETTER}:
        first, rest = flat(values[0]), passed[1:]
        reached = callee if role is Role.CLASS else f"{first}.{subject.attribute}"
        return reached if role is Role.GETTER else group_call(reached, rest)
    return group_call(callee + RAW.get(role, ""), passed)


def group_call(callee: str, arguments: Sequence[Doc]) -> Doc:
    """`callee(arguments)`."""
    return group(f"{callee}(", arguments, ")")


def _is_own(node: Node, subject: Subject) -> bool:
    """Whether the object's class defines the function itself, so that nothing overrides it."""
    cls: Node = node
    if isinstance(node, InstanceNode):
        cls = node.cls
    elif isinstance(node, ReduceNode):
        cls = node.function
    if not isinstance(cls, RefNode):
        return False
    same = subject.sources.name(cls.module) == subject.module
    return same and cls.qualname == subject.located.owner
