"""How values of trusted built-in and library types are taken apart: an allow-list.

Each entry takes a value of exactly the named type, so plain attribute access on it runs no code
of the user's. It gives back a reduction as `object.__reduce__` does, a string (why the value has
to stay opaque), or None (read it as an instance: it has attributes of its own).

Runs inside the user's program: standard library only, private builtins, no imports of the types'
modules; a type that the program has not loaded can't occur in it.
"""

from __future__ import annotations

import builtins
from gc import get_referents

from . import adapters, naming  # noqa: TID252 - loaded as _perftrace.native in the user's program

TYPE_CHECKING = False
if TYPE_CHECKING:  # the traced program must not import typing on our behalf
    from collections.abc import Callable
    from typing import Any

globals()["__builtins__"] = dict(vars(builtins))

type Reduced = tuple[Any, ...] | str | None
type Reducer = Callable[[Any], Reduced]

TRUSTED_PACKAGES = ("numpy", "pandas")  # their own reductions are used as they are
_PLAIN_KEYS = frozenset(map(id, (str, int, bool, float, bytes, type(None))))


def _arguments(*names: str) -> Reducer:
    """The constructor called with these attributes."""
    return lambda value: (type(value), tuple([getattr(value, name) for name in names]))


def _text(value: Any) -> Reduced:
    return type(value), (str(value),)


def _own(value: Any) -> Reduced:
    reduced: Reduced = value.__reduce_ex__(5)
    return reduced


def _clock(*names: str) -> Reducer:
    """A time or datetime; `fold` has no positional argument, so it needs the packed form."""

    def reduce(value: Any) -> Reduced:
        if value.fold:
            return _own(value)
        arguments = [getattr(value, name) for name in names]
        zone = () if value.tzinfo is None else (value.tzinfo,)
        return type(value), (*arguments, *zone)

    return reduce


def _zone(value: Any) -> Reduced:
    return (type(value), (value.key,)) if value.key else "a time zone without a key"


def _pattern(value: Any) -> Reduced:
    flags = value.flags & ~128  # re.DEBUG prints when compiled
    return naming.look_up("re", "compile"), (value.pattern, flags)


def _deque(value: Any) -> Reduced:
    arguments = () if value.maxlen is None else ((), value.maxlen)
    return type(value), arguments, None, iter(list(value))


def ordered_items(value: Any) -> list[tuple[object, object]]:
    """The pairs of an OrderedDict; its own order needs hashing, so only where keys are plain."""
    pairs = list(dict.items(value))
    if all(id(type(key)) in _PLAIN_KEYS for key, _ in pairs):
        ordered: Any = naming.look_up("collections", "OrderedDict")
        return list(ordered.items(value))
    return pairs


def _mapping(value: Any) -> Reduced:
    """An OrderedDict or a Counter."""
    return None if value.__dict__ else (type(value), (), None, None, iter(ordered_items(value)))


def _counter(value: Any) -> Reduced:
    return None if value.__dict__ else (type(value), (), None, None, iter(list(dict.items(value))))


def _defaultdict(value: Any) -> Reduced:
    factory = () if value.default_factory is None else (value.default_factory,)
    return type(value), factory, None, None, iter(list(dict.items(value)))


def _buffer(value: Any) -> Reduced:
    return "a closed file" if value.closed else (type(value), (), value.__getstate__())


def _lock(value: Any) -> Reduced:
    """A lock that nobody holds is as good as a new one."""
    return "a lock that is held" if value.locked() else (naming.look_up(*LOCK), ())


def _reentrant_lock(value: Any) -> Reduced:
    held = not repr(value).startswith("<unlocked ")
    return "a lock that is held" if held else (type(value), ())


def _proxy(value: Any) -> Reduced:
    return type(value), (get_referents(value)[0],)


def _view(method: Callable[[dict[Any, Any]], object]) -> Reducer:
    """A view of a dict: the bound method that makes it, called."""
    return lambda value: (method.__get__(get_referents(value)[0]), ())


def _logger(value: Any) -> Reduced:
    logging = naming.module_dict("logging")
    root: Any = logging.get("root")
    if value is root:
        return logging["getLogger"], ()
    if root is not None and root.manager.loggerDict.get(value.name) is value:
        return logging["getLogger"], (value.name,)
    return "a logger that logging.getLogger does not know"


def _trusted(package: str, reducer: Reducer) -> Reducer:
    """A library's own reduction; some refuse, or give a name where a value has one."""

    def reduce(value: Any) -> Reduced:
        try:
            reduced = reducer(value)
        except (TypeError, ValueError, NotImplementedError) as error:
            reduced = f"{package} refuses to reduce it: {type(error).__name__}"
        if package == "pandas":
            reduced = adapters.without_caches(reduced)
        name = naming.of_constant(value, (package,)) if type(reduced) is str else None
        return (getattr, (naming.modules[package], name[1])) if name else reduced

    return reduce


LOCK = ("_thread", "allocate_lock")
# Iterators whose own reduction reads them without using them up, as that of generators, of
# itertools (which warns) and of dicts and sets (which forgets what they go through) does not.
ITERATORS = (
    *("list_iterator", "tuple_iterator", "range_iterator", "longrange_iterator", "str_iterator"),
    *("str_ascii_iterator", "bytes_iterator", "bytearray_iterator", "list_reverseiterator"),
    *("enumerate", "reversed", "zip", "map", "filter"),
)
REDUCERS: dict[naming.Name, Reducer] = {
    **{("builtins", name): _own for name in ITERATORS},
    ("_thread", "lock"): _lock,
    ("builtins", "_thread.lock"): _lock,  # before 3.13 its class has no name
    ("_thread", "RLock"): _reentrant_lock,
    ("builtins", "complex"): _arguments("real", "imag"),
    ("builtins", "range"): _arguments("start", "stop", "step"),
    ("builtins", "slice"): _arguments("start", "stop", "step"),
    ("types", "MappingProxyType"): _proxy,
    ("builtins", "dict_keys"): _view(dict.keys),
    ("builtins", "dict_values"): _view(dict.values),
    ("builtins", "dict_items"): _view(dict.items),
    ("types", "GenericAlias"): _arguments("__origin__", "__args__"),
    ("datetime", "date"): _arguments("year", "month", "day"),
    ("datetime", "time"): _clock("hour", "minute", "second", "microsecond"),
    ("datetime", "datetime"): _clock(
        "year", "month", "day", "hour", "minute", "second", "microsecond"
    ),
    ("datetime", "timedelta"): _arguments("days", "seconds", "microseconds"),
    ("datetime", "timezone"): lambda value: (type(value), value.__getinitargs__()),
    ("zoneinfo", "ZoneInfo"): _zone,
    ("decimal", "Decimal"): _text,
    ("fractions", "Fraction"): _arguments("_numerator", "_denominator"),
    ("uuid", "UUID"): _text,
    ("pathlib", "PurePosixPath"): _text,
    ("pathlib", "PureWindowsPath"): _text,
    ("pathlib", "PosixPath"): _text,
    ("pathlib", "WindowsPath"): _text,
    ("re", "Pattern"): _pattern,
    ("collections", "deque"): _deque,
    ("collections", "OrderedDict"): _mapping,
    ("collections", "Counter"): _counter,
    ("collections", "defaultdict"): _defaultdict,
    ("functools", "partial"): _own,
    ("operator", "itemgetter"): _own,
    ("operator", "attrgetter"): _own,
    ("operator", "methodcaller"): _own,
    ("array", "array"): lambda value: (type(value), (value.typecode, value.tobytes())),
    ("time", "struct_time"): _own,
    ("io", "StringIO"): _buffer,
    ("io", "BytesIO"): _buffer,
    ("random", "Random"): lambda value: (type(value), (), value.getstate()),
    ("logging", "Logger"): _logger,
    ("logging", "RootLogger"): _logger,
    ("numpy", "ndarray"): adapters.array,
    ("numpy.ma", "MaskedArray"): adapters.masked_array,
    ("numpy.ma.core", "MaskedArray"): adapters.masked_array,
    ("pandas", "DataFrame"): adapters.frame,
    ("pandas.core.frame", "DataFrame"): adapters.frame,
    ("pandas", "Series"): adapters.frame,
    ("pandas.core.series", "Series"): adapters.frame,
}


def reducer_of(cls: type) -> Reducer | None:
    """The entry for exactly this class, if it is on the list."""
    module, qualname = naming.of_class(cls) or ("builtins", naming.text(cls))
    reducer = REDUCERS.get((module, qualname))
    package = module.partition(".")[0]
    return _trusted(package, reducer or _own) if package in TRUSTED_PACKAGES else reducer


# --- base classes whose state is not in attributes ------------------------------------------


def _exact(cls: Any) -> Callable[[object], object]:
    """Makes a value of exactly the base class, from its own C reduction."""
    namespace = naming.class_dict(cls)
    reduce = namespace.get("__reduce_ex__")
    if reduce is None:
        return lambda value: cls(*namespace["__reduce__"](value)[1])
    return lambda value: cls(*reduce(value, 5)[1])


def _attribute(name: str) -> Callable[[Any], Callable[[object], object]]:
    return lambda cls: naming.class_dict(cls)[name].__get__


def _always(read: Callable[[Any], object]) -> Callable[[Any], Callable[[object], object]]:
    return lambda cls: read


type Maker = Callable[[Any], Callable[[Any], object]]

# How to read the value of an immutable base (or what a container is constructed with), given
# the base class; only C functions of that class, never a method of the subclass.
BASE_VALUES: dict[naming.Name, Maker] = {
    ("builtins", "int"): _always(int.__int__),
    ("builtins", "float"): _always(float.__float__),
    ("builtins", "complex"): _always(complex.__complex__),
    ("builtins", "str"): _always(str.__str__),
    ("builtins", "bytes"): _always(lambda value: bytes.__getitem__(value, slice(None))),
    ("builtins", "bytearray"): _always(bytearray.copy),
    ("builtins", "tuple"): _always(lambda value: tuple.__getitem__(value, slice(None))),
    ("builtins", "frozenset"): _always(frozenset),
    ("datetime", "date"): _exact,
    ("datetime", "time"): _exact,
    ("datetime", "datetime"): _exact,
    ("datetime", "timedelta"): _exact,
    ("decimal", "Decimal"): lambda cls: lambda value: cls(cls.__str__(value)),
    ("collections", "deque"): _attribute("maxlen"),
    ("collections", "defaultdict"): _attribute("default_factory"),
}

MUTABLE = frozenset(
    {("builtins", "bytearray"), ("collections", "deque"), ("collections", "defaultdict")}
)
IMMUTABLE = BASE_VALUES.keys() - MUTABLE

# How to read the contents of a mutable base.
BASE_ITEMS: dict[naming.Name, Callable[[Any], list[Any]]] = {
    ("builtins", "list"): list.copy,
    ("builtins", "set"): lambda value: list(set.__iter__(value)),
    ("builtins", "dict"): lambda value: list(dict.items(value)),
    ("collections", "OrderedDict"): ordered_items,
    ("collections", "defaultdict"): lambda value: list(dict.items(value)),
    ("collections", "deque"): lambda value: list(
        naming.class_dict(naming.look_up("collections", "deque"))["__iter__"](value)
    ),
}

_STATELESS = (("builtins", "object"), ("types", "SimpleNamespace"), ("datetime", "tzinfo"))


def base_names() -> dict[int, naming.Name]:
    """The readable base classes that are loaded, by the class's id."""
    names = (*BASE_VALUES, *BASE_ITEMS, *_STATELESS)
    return {id(_original(name)): name for name in names if naming.module_dict(name[0])}


def _original(name: naming.Name) -> object:
    """The class of this name; a program may have put one made from it in its place."""
    found = naming.look_up(*name)
    wanted = ".".join(name).removeprefix("builtins.")
    if issubclass(type(found), type):
        for base in naming.class_mro(found):
            if naming.text(base) == wanted:
                return base
    return found
