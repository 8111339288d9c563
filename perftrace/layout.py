"""Read an instance's attributes without running its code and without changing its layout.

CPython keeps the attributes of an ordinary object as *inline values*. Asking for `__dict__`
moves them into a dictionary, and from then on that object is slower to use. `gc.get_referents`
shows the values but not their names. Names are guessed (class-body assignments, annotations,
names in the methods' code, what was seen before), each guess is looked up with
`object.__getattribute__`, and the set is believed only if it explains every value by identity.
If it does not, the `__dict__` is read after all: exact, at that price for that one object.

Runs inside the user's program: standard library only, private builtins.
"""

from __future__ import annotations

import builtins
import types
from _operator import is_
from gc import get_referents

from .naming import (  # noqa: TID252 - loaded as _perftrace.layout in the user's program
    MISSING,
    class_base,
    class_dict,
    class_flags,
    class_mro,
    instance_dict,
)

globals()["__builtins__"] = dict(vars(builtins))

class_basicsize = type.__dict__["__basicsize__"].__get__
_class_dictoffset = type.__dict__["__dictoffset__"].__get__
_get = object.__getattribute__
_HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement (or a newer C extension)
_GUESSES = 256  # names tried per object
_MISSES = 8  # objects of a class read through `__dict__` before guessing is given up

# Types whose values have no `__get__`: as class attributes they never run code.
_INERT = frozenset(
    map(id, (type(None), bool, int, float, complex, str, bytes, tuple, list, dict, set, frozenset))
)


def solid_base(cls: type, known: frozenset[int]) -> type | None:
    """The nearest class of those known by id that holds all the state that slots don't.

    A class whose instances are larger than its base's plus its slots keeps state in C; then
    there is none.
    """
    while id(cls) not in known:
        base = class_base(cls)
        grown = class_basicsize(cls) - class_basicsize(base)
        if not class_flags(cls) & _HEAP or grown != 8 * len(_slots(cls)):
            return None
        cls = base
    return cls


def _slots(cls: type) -> list[str]:
    return [
        name for name, value in class_dict(cls).items() if type(value) is types.MemberDescriptorType
    ]


class Layout:
    """How the instances of one class hold their attributes."""

    __slots__ = ("_guesses", "_known", "_misses", "_slots", "has_dict", "inline")

    def __init__(self, cls: type, base: type) -> None:
        mro = class_mro(cls)
        self._slots = [
            (depth, name)
            for depth, owner in enumerate(mro)
            if class_flags(owner) & _HEAP
            for name in _slots(owner)
        ]
        self.has_dict = _class_dictoffset(cls) != 0
        self.inline = base is object  # no other layout has inline values
        self._guesses = _guess(mro)
        self._known: dict[int, tuple[str, ...]] = {}  # by the number of values, in their order
        self._misses = 0

    def read(self, value: object) -> dict[str, object]:
        """The attributes that are set, slots first."""
        cls = type(value)
        state: dict[str, object] = {}
        held = 0
        if self._slots:
            mro = class_mro(cls)
            for depth, name in self._slots:
                descriptor = class_dict(mro[depth]).get(name)
                if type(descriptor) is types.MemberDescriptorType:
                    try:
                        state.setdefault(name, descriptor.__get__(value, cls))
                    except AttributeError:  # not set
                        continue
                    held += 1
        if self.has_dict:
            state.update(self._named(value, cls, held))
        return state

    def _named(self, value: object, cls: type, skip: int) -> dict[str, object]:
        if not self.inline or self._misses > _MISSES:
            return instance_dict(value)
        values = get_referents(value)[skip:-1]  # slots, then attributes, then the class
        names = self._known.get(len(values))
        if names is not None and _unshadowed(names, cls):
            try:
                found = [_get(value, name) for name in names]
            except AttributeError:
                pass
            else:
                if all(map(is_, found, values)):
                    return dict(zip(names, found, strict=True))
        return self._learn(value, cls, values)

    def _learn(self, value: object, cls: type, values: list[object]) -> dict[str, object]:
        own = values[0] if len(values) == 1 else None
        if type(own) is dict and _is_own_dict(own, value, cls):
            return own
        named = _explain(value, cls, values, self._guesses)
        if named is None:
            self._misses += 1
            named = instance_dict(value)
            more = [name for name in named if type(name) is str and name not in self._guesses]
            self._guesses = (*more, *self._guesses)[:_GUESSES]
        elif len(self._known) < _GUESSES:
            self._known[len(values)] = tuple(named)
        return named


def _guess(mro: tuple[type, ...]) -> tuple[str, ...]:
    """Names that instances may have as attributes, the likeliest first."""
    names: dict[str, None] = {"__orig_class__": None}  # of `Queue[int]()`
    for owner in mro[:-1]:
        namespace = class_dict(owner)
        for key in ("__static_attributes__", "__annotations__"):
            declared = namespace.get(key)
            if type(declared) is tuple or type(declared) is dict:
                names.update((name, None) for name in declared if type(name) is str)
    for owner in mro[:-1]:
        for member in tuple(class_dict(owner).values()):
            names.update(dict.fromkeys(_names_in(member)))
    return tuple(names)[:_GUESSES]


def _names_in(member: object) -> tuple[str, ...]:
    if type(member) is property:
        member = member.fget
    elif type(member) is classmethod or type(member) is staticmethod:
        member = member.__func__
    return member.__code__.co_names if type(member) is types.FunctionType else ()


def _class_value(name: str, cls: type) -> object:
    for owner in class_mro(cls):
        found = class_dict(owner).get(name, MISSING)
        if found is not MISSING:
            return found
    return MISSING


def _inert(value: object) -> bool:
    """Whether a class attribute runs no code when looked up on an instance."""
    kind = type(value)
    if id(kind) in _INERT or kind is types.FunctionType:
        return True
    return all("__get__" not in class_dict(owner) for owner in class_mro(kind))


def _unshadowed(names: tuple[str, ...], cls: type) -> bool:
    """Whether looking these names up still runs no code: a class can change at any time."""
    for owner in class_mro(cls)[:-1]:
        namespace = class_dict(owner)
        if not namespace.keys().isdisjoint(names):
            for name in names:
                if name in namespace and not _inert(namespace[name]):
                    return False
    return True


def _is_own_dict(candidate: dict[object, object], value: object, cls: type) -> bool:
    """Whether the only value is the instance's `__dict__` and not an attribute that is a dict."""
    for name, held in candidate.items():
        if type(name) is str and held is not candidate and _class_value(name, cls) is MISSING:
            try:
                return _get(value, name) is held
            except AttributeError:
                return False
    return False


def _explain(
    value: object, cls: type, values: list[object], guesses: tuple[str, ...]
) -> dict[str, object] | None:
    """Names for all of these values, in their order; None where they can't be told."""
    wanted = set(map(id, values))
    sure: dict[int, list[str]] = {}
    doubtful: dict[int, list[str]] = {}  # equal to the class's own value of that name
    count = 0
    for name in guesses:
        default = _class_value(name, cls)
        if default is not MISSING and not _inert(default):
            continue
        try:
            found = _get(value, name)
        except AttributeError:
            continue
        if id(found) in wanted:
            names = doubtful if found is default else sure
            names.setdefault(id(found), []).append(name)
            count += names is sure
    if count < len(values):  # the class's own values count only if all of them fit
        for key, more in doubtful.items():
            sure.setdefault(key, []).extend(more)
            count += len(more)
    if count != len(values):
        return None
    named = {sure[id(held)].pop(0): held for held in values if sure.get(id(held))}
    return named if len(named) == len(values) else None
