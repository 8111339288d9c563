"""Decide for each class how its instances are taken apart, running none of their code.

A *reducer* takes a value and gives a reduction for the pickler (as `__reduce__` would), or a
string: why the value has to stay opaque. It is chosen once per class.

Runs inside the user's program: standard library only, private builtins.
"""

from __future__ import annotations

import builtins
import types
from _weakref import ref as weak_reference

from . import adapters, naming, native  # noqa: TID252 - loaded as _perftrace.reduce in the user's program
from .constants import Constants  # noqa: TID252
from .layout import Layout, solid_base  # noqa: TID252

TYPE_CHECKING = False
if TYPE_CHECKING:  # the traced program must not import typing on our behalf
    from typing import Any

globals()["__builtins__"] = dict(vars(builtins))

MODULE = "_perftrace.snapshot"  # under this one name the marks are written


# --- marks: their names end up in the bytes; `restore` gives them a meaning -------------------


def ref(module: str, qualname: str) -> None:
    """A class, function, constant or (no qualname) module, found by name."""


def make(cls: type, base: object) -> None:
    """An instance, still without attributes."""


def fill(value: object, state: tuple[dict[str, object], list[object] | None]) -> None:
    """Sets an instance's attributes and contents."""


def method(owner: object, name: str) -> None:
    """A bound method."""


def opaque(type_name: str, reason: str, number: int, seen: bool) -> None:  # noqa: FBT001
    """A part that could not be recorded."""


MARKS = (ref, make, fill, method, opaque)
for _mark in MARKS:
    _mark.__module__ = MODULE
_MARK_IDS = frozenset(map(id, MARKS))


# --- one reducer per class ------------------------------------------------------------------------

type Plan = tuple[weak_reference[type], native.Reducer]

_plans: dict[int, Plan] = {}  # by the class's id: hashing a class can run its metaclass
_PLANS = 4096


def register(cls: type, reducer: native.Reducer) -> None:
    """Treat values of exactly this class in a way of its own."""
    _plans[id(cls)] = (weak_reference(cls), reducer)


def reduce(value: Any) -> Any:
    """The value's reduction, or why it is opaque."""
    cls = type(value)
    plan = _plans.get(id(cls))
    if plan is None or plan[0]() is not cls:
        if len(_plans) >= _PLANS:  # a program that makes classes in a loop
            _forget()
        register(cls, reducer := _reducer_of(cls))
        return reducer(value)
    return plan[1](value)


def _forget() -> None:
    for key, plan in tuple(_plans.items()):
        if plan[0]() is None:
            _plans.pop(key, None)


def _reducer_of(cls: type) -> native.Reducer:
    if issubclass(cls, type):
        return _reduce_class
    if issubclass(cls, types.ModuleType):
        return _reduce_module
    if issubclass(cls, types.BuiltinFunctionType):  # methods that want to know their class, too
        return _reduce_built_in
    reducer = _SPECIAL.get(id(cls))
    if reducer is not None:
        return reducer
    reducer = native.reducer_of(cls)
    if reducer is None:
        return _instance_reducer(cls)

    def native_or_instance(value: Any) -> native.Reduced:
        reduced = reducer(value)
        return _instance_reducer(cls)(value) if reduced is None else reduced

    return native_or_instance


def _instance_reducer(cls: type) -> native.Reducer:
    """For everything that is not on the allow-list."""
    enum = naming.look_up("enum", "Enum")
    mro = naming.class_mro(cls)
    known = native.base_names()
    base = solid_base(cls, frozenset(known))
    reducer: native.Reducer
    if any(base is enum for base in mro):
        reducer = _reduce_member
    elif issubclass(cls, BaseException):
        reducer = _ExceptionReducer(cls)
    elif base is None:
        return _by_name_or(_why_opaque(mro))
    else:
        reducer = _InstanceReducer(cls, base, known[id(base)])
    return reducer if naming.of_class(cls) else _if_importable(reducer)


def _if_importable(reducer: native.Reducer) -> native.Reducer:
    """A class without a name may get one later: a module binds it after making it."""
    constants = Constants()

    def reduce_or_not(value: Any) -> native.Reduced:
        if naming.of_class(type(value)) is None:
            name = None if naming.instance_dict(value) else constants.name(value)
            if name is not None:
                return ref, name
            return "an instance of a class without an importable name"
        return reducer(value)

    return reduce_or_not


# What a type written in C can do tells what it is.
_TELLTALES = (
    ("gi_frame", "a generator can't be copied without running it"),
    ("cr_frame", "a coroutine can't be copied without running it"),
    ("ag_frame", "a generator can't be copied without running it"),
    ("acquire", "a lock"),
    ("recv_into", "a socket"),
    ("fileno", "an open file"),
    ("__next__", "an iterator can't be read without using it up"),
)


def _why_opaque(mro: tuple[type, ...]) -> str:
    for name, reason in _TELLTALES:
        if any(name in naming.class_dict(base) for base in mro):
            return reason
    return "its state is kept in C, out of reach"


def _by_name_or(reason: str) -> native.Reducer:
    """Function-like objects and standard streams by name, else opaque."""

    def reduce_by_name(value: Any) -> native.Reduced:
        for stream in ("stdin", "stdout", "stderr"):
            if naming.look_up("sys", stream) is value:
                return ref, ("sys", stream)
        name = naming.of_function(value)
        return (ref, name) if name else reason

    return reduce_by_name


# --- things found by name -----------------------------------------------------------------------

_found: dict[int, tuple[object, naming.Name]] = {}  # held so that ids stay theirs
_searches = 256  # how many times all modules may be searched for a bare object()
_function_searches = 256  # and one module for a function


def _reduce_class(value: Any) -> native.Reduced:
    name = naming.of_class(value)
    return (ref, name) if name else "a class without an importable name"


def _reduce_module(value: Any) -> native.Reduced:
    name = naming.of_module(value)
    return (ref, name) if name else "a module that is not in sys.modules"


def _reduce_function(value: Any) -> native.Reduced:
    if id(value) in _MARK_IDS:
        return NotImplemented  # type: ignore[no-any-return]  # the pickler knows what it means
    name = naming.of_function(value) or _bound_name(value)
    return (ref, name) if name else "a function without an importable name"


def _bound_name(value: Any) -> naming.Name | None:
    """Under which name its module holds a lambda, or what another function has made."""
    global _function_searches  # noqa: PLW0603 - the budget of one process
    held, name = _found.get(id(value), (None, None))
    if held is value:
        return name
    if _function_searches <= 0 or type(value) is not types.FunctionType:
        return None
    _function_searches -= 1
    name = naming.of_bound(value, value.__module__)
    if name:  # what has no name is not held: it would never be freed
        _found[id(value)] = (value, name)
    return name


def _reduce_built_in(value: Any) -> native.Reduced:
    owner = value.__self__
    if owner is None or issubclass(type(owner), types.ModuleType):
        return _reduce_function(value)
    return method, (owner, value.__name__)


def _reduce_method(value: Any) -> native.Reduced:
    owner, function = value.__self__, value.__func__
    if type(function) is types.FunctionType:
        cls = owner if issubclass(type(owner), type) else type(owner)
        for base in naming.class_mro(cls):
            found = naming.class_dict(base).get(function.__name__)
            if type(found) is classmethod:
                found = found.__func__
            if found is function:
                return method, (owner, function.__name__)
    return types.MethodType, (function, owner)


def _reduce_descriptor(value: Any) -> native.Reduced:
    name = naming.of_descriptor(value)
    return (ref, name) if name else "a descriptor without an importable name"


def _reduce_member(value: Any) -> native.Reduced:
    """A member of an enum, by name; a combination of flags by value."""
    cls = type(value)
    members = naming.class_dict(cls).get("_member_map_")
    try:
        name = object.__getattribute__(value, "_name_")
        number = object.__getattribute__(value, "_value_")
    except AttributeError:
        return "an enum member that is still being made"
    if type(members) is dict and type(name) is str and members.get(name) is value:
        return getattr, (cls, name)
    return (cls, (number,)) if type(number) is int else "not a member of its enum"


_MethodWrapper = type((0).__add__)

_SPECIAL: dict[int, native.Reducer] = {
    id(types.FunctionType): _reduce_function,
    id(types.BuiltinFunctionType): _reduce_built_in,
    id(_MethodWrapper): lambda value: (method, (value.__self__, value.__name__)),
    id(types.MethodType): _reduce_method,
    id(types.MethodDescriptorType): _reduce_descriptor,
    id(types.WrapperDescriptorType): _reduce_descriptor,
    id(type(Ellipsis)): lambda value: (ref, ("builtins", "Ellipsis")),
    id(type(NotImplemented)): lambda value: (ref, ("builtins", "NotImplemented")),
    id(types.CellType): lambda value: "a closure's variable",
    id(property): lambda value: "a property",
    id(staticmethod): lambda value: "a static method's wrapper",
    id(classmethod): lambda value: "a class method's wrapper",
}


# --- instances ----------------------------------------------------------------------------------


class _InstanceReducer:
    """Reads instances of one class: inline attributes, slots, and the state of its base."""

    __slots__ = ("_caches", "_constants", "_items", "_layout", "_value")

    def __init__(self, cls: type, base: type, name: naming.Name) -> None:
        self._layout = Layout(cls, base)
        maker = native.BASE_VALUES.get(name)
        self._value = maker(base) if maker else None
        self._items = native.BASE_ITEMS.get(name)
        self._caches = adapters.cached_names(cls)
        fixed = name in native.IMMUTABLE and self._layout.has_dict
        self._constants = Constants() if fixed else None

    def __call__(self, value: Any) -> native.Reduced:
        if self._constants is not None:
            name = self._constants.name(value)
            if name is not None:
                return ref, name
        attributes = self._layout.read(value)
        if self._caches or adapters.HASH in attributes:
            attributes = self._without_caches(attributes)
        if self._value is None and self._items is None:
            if not attributes:
                return _reduce_stateless(value)
            return make, (type(value), None), (attributes, None), None, None, fill
        base = self._value(value) if self._value else None
        items = self._items(value) if self._items else None
        if items is None and not attributes:
            return make, (type(value), base)
        return make, (type(value), base), (attributes, items), None, None, fill

    def _without_caches(self, attributes: dict[str, object]) -> dict[str, object]:
        kept = {name: one for name, one in attributes.items() if name not in self._caches}
        if adapters.HASH in kept:
            kept[adapters.HASH] = None
        return kept


def _reduce_stateless(value: Any) -> native.Reduced:
    """An object without state is known by its identity: a sentinel, if a global holds it."""
    global _searches  # noqa: PLW0603 - the budget of one process
    cls = type(value)
    held, name = _found.get(id(value), (None, None))
    if held is value and name is not None:
        return ref, name
    name = None
    if cls is not object:
        name = naming.of_constant(value, naming.own_module(cls))
    elif _searches > 0:
        _searches -= 1
        name = naming.of_constant(value, tuple(naming.modules))
        if name:
            _found[id(value)] = (value, name)
    return (ref, name) if name else (make, (cls, None))


_EXCEPTION_ARGS = BaseException.__dict__["args"].__get__
_CAUSE = BaseException.__dict__["__cause__"].__get__
_SUPPRESSED = BaseException.__dict__["__suppress_context__"].__get__
# `obj` is the object that lacked an attribute: large, and no part of the message. The others
# are in `args`.
_SKIPPED = frozenset(("obj", "message", "exceptions", "__suppress_context__"))


class _ExceptionReducer:
    """Reads exceptions of one class; never their tracebacks or contexts."""

    __slots__ = ("_layout", "_members", "_reason")

    def __init__(self, cls: type) -> None:
        built_in = {
            id(base) for base in naming.class_mro(cls) if not naming.class_flags(base) & 512
        }
        base = solid_base(cls, frozenset(built_in))
        self._reason = None if base else "an exception whose state is kept in C"
        self._layout = Layout(cls, base or cls)
        self._members = [
            (name, descriptor.__get__)
            for owner in naming.class_mro(base or cls)[:-1]
            for name, descriptor in naming.class_dict(owner).items()
            if type(descriptor) is types.MemberDescriptorType and name not in _SKIPPED
        ]

    def __call__(self, value: Any) -> native.Reduced:
        if self._reason:
            return self._reason
        attributes = self._layout.read(value)
        if type(attributes) is dict:
            attributes = dict(attributes)
        for name, read in self._members:
            member = read(value)
            if member is not None:
                attributes[name] = member
        if _CAUSE(value) is not None:
            attributes["__cause__"] = _CAUSE(value)
        if _SUPPRESSED(value):
            attributes["__suppress_context__"] = True
        reduced = make, (type(value), _EXCEPTION_ARGS(value))
        return (*reduced, (attributes, None), None, None, fill) if attributes else reduced
