"""Turn recorded bytes into live objects again, in a worker that runs the recorded program.

Only the marks can be named by the bytes; every class and function they speak of comes from
`resolve`, which the worker supplies. No `__init__`, `__new__` or `__setstate__` of the user's runs.

Runs inside a foreign interpreter: standard library only.
"""

from __future__ import annotations

import _pickle
import io
import types

from . import naming, native, reduce  # noqa: TID252 - loaded as _perftrace.restore in the worker
from .layout import solid_base  # noqa: TID252

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn


class Unreplayable(BaseException):
    """The program touched a part that was not recorded.

    Not an Exception, so that the program's own `except Exception` does not hide it.
    """


class Placeholder:
    """Stands for an opaque part; whatever is done with it raises Unreplayable."""

    __slots__ = ("_number", "_reason", "_type_name")

    def __init__(self, type_name: str, reason: str, number: int) -> None:
        for name, value in zip(_FIELDS, (type_name, reason, number), strict=True):
            _FIELDS[name].__set__(self, value)


_FIELDS: dict[str, Any] = {
    name: vars(Placeholder)[name] for name in ("_type_name", "_reason", "_number")
}


def _touch(self: Placeholder, *_: object, **__: object) -> NoReturn:
    type_name, reason, _number = (field.__get__(self) for field in _FIELDS.values())
    raise Unreplayable(f"a {type_name} that could not be recorded: {reason}")


for _name in (
    *("getattribute", "setattr", "delattr", "call", "repr", "str", "format", "bytes", "dir"),
    *("hash", "eq", "ne", "lt", "le", "gt", "ge", "bool", "len", "length_hint", "contains"),
    *("iter", "next", "reversed", "getitem", "setitem", "delitem", "index", "get", "fspath"),
    *("int", "float", "complex", "round", "trunc", "floor", "ceil", "neg", "pos", "abs", "invert"),
    *("enter", "exit", "aenter", "aexit", "await", "aiter", "anext", "reduce", "reduce_ex", "copy"),
    *("deepcopy", "buffer", "instancecheck", "subclasscheck", "sizeof", "divmod", "rdivmod"),
    *(
        prefix + operator
        for prefix in ("", "r", "i")
        for operator in (
            *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow"),
            *("lshift", "rshift", "and", "or", "xor"),
        )
    ),
):
    setattr(Placeholder, f"__{_name}__", _touch)

reduce.register(
    Placeholder,
    lambda value: (reduce.opaque, (*(field.__get__(value) for field in _FIELDS.values()), True)),
)


def decode(blob: bytes, resolve: Callable[[str, str], object]) -> object:
    """Build the value; `resolve(module, qualname)` finds classes, functions and modules.

    Raises:
        Unreplayable: a part that is needed to build it was not recorded.
        LookupError: from `resolve`.
    """
    _setters.clear()
    return _Unpickler(blob, resolve).load()


class _Unpickler(_pickle.Unpickler):
    def __init__(self, blob: bytes, resolve: Callable[[str, str], object]) -> None:
        super().__init__(io.BytesIO(blob))
        self._resolve = resolve

    def find_class(self, module: str, name: str, /) -> Any:
        if module != reduce.MODULE or name not in ("ref", *_MARKS):
            raise _pickle.UnpicklingError(f"{module}.{name} is not one of perftrace's marks")
        return self._resolve if name == "ref" else _MARKS[name]


# --- what the marks do --------------------------------------------------------------------------


def _make(cls: Any, base: Any) -> object:
    """An instance without attributes, its state in C set from `base`."""
    if type(cls) is Placeholder:
        _touch(cls)
    if issubclass(cls, BaseException):
        return _make_exception(cls, base)
    root, name = _root(cls)
    if name in _INITIALISED:
        value = root.__new__(cls)
        root.__init__(value, *_INITIALISED[name](base))
        return value
    if name not in native.BASE_VALUES:
        return root.__new__(cls)
    parts = base.__reduce_ex__(5)[1] if name[0] == "datetime" else (base,)
    return root.__new__(cls, *parts)


_roots: dict[int, tuple[Any, Any, naming.Name]] = {}  # by the class's id: the class itself first


def _root(cls: Any) -> tuple[Any, naming.Name]:
    """The base that holds the state of a class's instances in C, and its name.

    A class is looked at once: a recorded value may have thousands of instances.
    """
    found = _roots.get(id(cls))
    if found is None:
        known = native.base_names()
        root = solid_base(cls, frozenset(known))
        if root is None:
            raise _pickle.UnpicklingError(f"{naming.text(cls)} now keeps state in C")
        found = _roots[id(cls)] = (cls, root, known[id(root)])
    return found[1:]


# Bases that take their value in `__init__`: its arguments.
_INITIALISED: dict[naming.Name, Callable[[Any], tuple[Any, ...]]] = {
    ("collections", "deque"): lambda base: ((), base),
    ("collections", "defaultdict"): lambda base: (base,),
    ("builtins", "bytearray"): lambda base: (base,),
}


def _make_exception(cls: Any, arguments: tuple[object, ...]) -> BaseException:
    """An exception as its built-in base makes it; the user's `__init__` is left out."""
    root: Any = next(base for base in cls.__mro__ if not naming.class_flags(base) & 1 << 9)
    value: BaseException
    try:
        value = root.__new__(cls, *arguments)
        root.__init__(value, *arguments)
    except (TypeError, ValueError):  # not the built-in's own args: an `__init__` set them
        value = root.__new__(cls)
    vars(BaseException)["args"].__set__(value, arguments)
    return value


def _fill(value: object, state: tuple[dict[str, object], list[Any] | None]) -> None:
    attributes, items = state
    if items is not None:
        _fill_items(value, items)
    if issubclass(type(value), BaseException):
        attributes = _fill_exception(value, dict(attributes))
    cls = type(value)
    setters = _setters.get(id(cls))
    if setters is None:
        setters = _setters[id(cls)] = {}
    for name, attribute in attributes.items():
        put = setters.get(name)
        if put is None:
            put = setters[name] = _setter(cls, name)
        put(value, name, attribute)


def _fill_items(value: Any, items: list[Any]) -> None:
    for root in type(value).__mro__:
        put = _PUT.get((root.__module__, root.__qualname__))
        if put is not None:
            put(root, value, items)
            return


def _set_pairs(root: Any, value: Any, pairs: list[tuple[object, object]]) -> None:
    for key, item in pairs:
        root.__setitem__(value, key, item)


_PUT: dict[naming.Name, Callable[[Any, Any, list[Any]], None]] = {
    ("builtins", "list"): lambda root, value, items: root.extend(value, items),
    ("builtins", "set"): lambda root, value, items: root.update(value, items),
    ("collections", "deque"): lambda root, value, items: root.extend(value, items),
    ("collections", "OrderedDict"): _set_pairs,
    ("builtins", "dict"): _set_pairs,
}


def _fill_exception(value: object, attributes: dict[str, object]) -> dict[str, object]:
    """Sets the cause, whose setter also sets the flag beside it; gives back the rest."""
    built_in = vars(BaseException)
    built_in["__cause__"].__set__(value, attributes.pop("__cause__", None))
    suppressed = attributes.pop("__suppress_context__", False)
    built_in["__suppress_context__"].__set__(value, suppressed)
    return attributes


type Setter = Callable[[Any, str, object], None]
# By the class's id and the attribute, while one value is built: its classes live that long.
_setters: dict[int, dict[str, Setter]] = {}


def _setter(cls: Any, name: str) -> Setter:
    """What sets an attribute in its slot or in the instance, past the user's `__setattr__`."""
    for owner in naming.class_mro(cls):
        found = naming.class_dict(owner).get(name)
        if type(found) is types.MemberDescriptorType:
            put = found.__set__
            return lambda value, _, attribute: put(value, attribute)
        if found is not None and hasattr(type(found), "__set__"):  # a property hides it
            return _set_in_dict
    if cls.__setattr__ is object.__setattr__ or _plain_set(cls):
        return object.__setattr__  # attributes stay where the interpreter finds them soonest
    return _set_in_dict


def _set_in_dict(value: object, name: str, attribute: object) -> None:
    naming.instance_dict(value)[name] = attribute


def _plain_set(cls: type) -> bool:
    """Whether `object.__setattr__` may be used: not past a `__setattr__` written in C."""
    return all(
        "__setattr__" not in naming.class_dict(owner) or naming.class_flags(owner) & 1 << 9
        for owner in naming.class_mro(cls)[:-1]
    )


def _method(owner: Any, name: str) -> object:
    if type(owner) is Placeholder:
        return owner
    return getattr(owner, name)


def _opaque(type_name: str, reason: str, number: int, seen: bool) -> Placeholder:  # noqa: FBT001
    return Placeholder(type_name, reason, number)


_MARKS: dict[str, Callable[..., object]] = {
    "make": _make,
    "fill": _fill,
    "method": _method,
    "opaque": _opaque,
}
