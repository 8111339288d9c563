"""What a call changes outside its arguments: the program's globals and classes, random numbers.

Values that the program's modules and classes hold are written to bytes before and after the call,
as the recorder does: none of the program's code runs. One pickle tells whether anything changed;
only then each name is looked at. Functions, classes and modules are not state, but what functions
keep in their defaults and attributes is.
"""

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    ModuleType,
)
from typing import Any

from ...naming import instance_dict, look_up, module_dict
from ...native import IMMUTABLE
from ...snapshot import TooBig, Unencodable, encode, immutable

RANDOM = "random numbers"
LARGEST = 32 << 10  # bytes of one name's value: more is a table
MOST = 512 << 10  # of all of them in one go; if it is more, each name is looked at
FOREIGN = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
NOT_STATE = (
    *(FunctionType, BuiltinFunctionType, ModuleType, type, staticmethod, classmethod, property),
    *(MemberDescriptorType, GetSetDescriptorType),
)
type Held = tuple[str, Any]  # "shop.COUNTS", and its value


class State:
    """The names of a program that hold state, and what each holds."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root) + os.sep
        self._tables: set[str] = set()  # too large to be looked at each time
        self._known: dict[str, bytes] = {}
        self._whole: bytes | None = None
        self._random = b""
        self._objects: dict[str, object] = {}
        self._count = 0  # of all modules, when ours were listed
        self._modules: list[tuple[str, Mapping[str, Any]]] = []

    def begin(self) -> None:
        """A call is about to begin."""
        whole = self._written()
        if whole is None or whole != self._whole:  # an import, or the program set something
            self._known = self._each()
            self._whole = self._written()
        self._objects = {name: value for name, value in self._held() if not immutable(value)}
        self._random = _random_state()

    def changed(self) -> dict[str, bytes]:
        """Each name that holds something else since, as `[value, None]`; no bytes: it is gone."""
        found: dict[str, bytes] = {}
        whole = self._written()
        if whole is None or whole != self._whole:
            now = self._each()
            found = {name: blob for name, blob in now.items() if blob != self._known.get(name)}
            found |= dict.fromkeys(self._known.keys() - now.keys(), b"")
            self._known, self._whole = now, whole
        for name, value in self._held():
            if name in self._objects and self._objects[name] is not value:
                found[f"the object of {name}"] = encode(["another one", None], LARGEST)[0]
        drawn = _random_state()
        if drawn != self._random:
            found[RANDOM] = encode([f"state {drawn.hex()[:8]}", None], LARGEST)[0]
        return found

    def _written(self) -> bytes | None:
        """All of it in one go; None: it is too much for that."""
        held = [(name, value) for name, value in self._held() if name not in self._tables]
        try:
            return encode(held, MOST)[0]
        except (TooBig, Unencodable):
            return None

    def _each(self) -> dict[str, bytes]:
        found = {}
        for name, value in self._held():
            if name not in self._tables:
                try:
                    found[name] = encode([value, None], LARGEST)[0]
                except (TooBig, Unencodable):
                    self._tables.add(name)
        return found

    def _held(self) -> Iterator[Held]:
        if len(sys.modules) != self._count:
            self._count = len(sys.modules)
            ours = {
                id(module): (name, vars(module))
                for name, module in sorted(sys.modules.items())  # `__main__` has two names
                if type(module) is ModuleType and self._is_ours(vars(module).get("__file__"))
            }
            self._modules = sorted(ours.values(), key=_name_of)
        fixed = _fixed()
        for name, names in self._modules:
            yield from _of(name, names, names.get("__name__"), fixed)

    def _is_ours(self, file: object) -> bool:
        if type(file) is not str or any(part in file for part in FOREIGN):
            return False
        return os.path.abspath(file).startswith(self._root)


def _of(
    prefix: str, names: Mapping[str, Any], module: object, fixed: tuple[Any, ...]
) -> Iterator[Held]:
    """What a module holds under names of its own; or a class of its own, then without a module."""
    for name, value in list(names.items()):
        place = f"{prefix}.{name}"
        if type(name) is not str or (name.startswith("__") and name.endswith("__")):
            continue
        if type(value) is FunctionType:
            yield from _of_function(place, value)
        elif issubclass(type(value), type):
            held = _namespace(value)
            if module is not None and held.get("__module__") == module:
                yield from _of(place, held, None, fixed)
        elif not issubclass(type(value), NOT_STATE):
            yield place, value
            if issubclass(type(value), fixed):
                yield from _led_to(place, value, {id(value)})


def _fixed() -> tuple[Any, ...]:
    """The classes whose instances may be known by their names."""
    return tuple(look_up(*name) for name in IMMUTABLE if module_dict(name[0]))


def _led_to(place: str, value: Any, seen: set[int]) -> Iterator[Held]:
    """The attributes of a constant, and of those that it leads to: it may be known by its name."""
    held = instance_dict(value)
    if held:
        yield f"{place}.__dict__", held
    for name, other in list(held.items()):
        if type(other) is type(value) and id(other) not in seen:
            seen.add(id(other))
            yield from _led_to(f"{place}.{name}", other, seen)


def _namespace(cls: type) -> Mapping[str, Any]:
    """What a class holds; a metaclass has no say in it."""
    held: Mapping[str, Any] = type.__dict__["__dict__"].__get__(cls)
    return held


def _of_function(place: str, function: FunctionType) -> Iterator[Held]:
    if not all(map(immutable, function.__defaults__ or ())):
        yield f"{place}.__defaults__", function.__defaults__
    if not all(map(immutable, (function.__kwdefaults__ or {}).values())):
        yield f"{place}.__kwdefaults__", function.__kwdefaults__
    for name, value in vars(function).items():
        if not issubclass(type(value), NOT_STATE):
            yield f"{place}.{name}", value


def _name_of(named: tuple[str, object]) -> str:
    return named[0]


def _random_state() -> bytes:
    """A digest of the states of the usual generators."""
    digest = hashlib.blake2b(digest_size=16)
    get = getattr(sys.modules.get("random"), "getstate", None)  # it may be the program's own
    if get is not None:
        digest.update(str(hash(get())).encode())
    get = getattr(sys.modules.get("numpy.random"), "get_state", None)
    if get is not None:
        for name, part in sorted(get(legacy=False)["state"].items()):
            digest.update(name.encode())
            digest.update(part.tobytes() if hasattr(part, "tobytes") else repr(part).encode())
    return digest.digest()
