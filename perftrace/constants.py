"""Instances that a module makes once and that all others share: known by name, not by value.

A lexer's kinds of tokens are an example: code asks for them by identity (`kind is Keyword`), so a
copy would be another kind. Only instances of classes made from an immutable built-in (`str`, `int`,
`tuple`, …) count: of others the state at the time of a call matters. They are found under the
class's own module and in the class itself, and where attributes of those lead
(`Token.Keyword.Order`).

Runs inside the user's program: standard library only, private builtins.
"""

from __future__ import annotations

import builtins

from . import naming  # noqa: TID252 - loaded as _perftrace.constants in the user's program

globals()["__builtins__"] = dict(vars(builtins))

MOST = 2000  # constants of one class


class Constants:
    """Those of one class. A program may make more at any time."""

    __slots__ = ("_known", "_unknown")

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, naming.Name]] = {}  # held, so that ids stay theirs
        self._unknown = 0  # how often one was asked for that has no name

    def name(self, value: object) -> naming.Name | None:
        """The name that leads to this very object."""
        found = self._known.get(id(value))
        if found is None:
            self._unknown += 1
            if self._unknown & (self._unknown - 1):  # looked for at the 1st, 2nd, 4th, 8th, …
                return None
            self._known = _constants(type(value))
            found = self._known.get(id(value))
        if found is None:
            return None
        return found[1] if naming.look_up(*found[1]) is value else None


def _constants(cls: type) -> dict[int, tuple[object, naming.Name]]:
    """By their ids, with the shortest way to each."""
    found: dict[int, tuple[object, naming.Name]] = {}
    for module in naming.own_module(cls):
        waiting = [*_of_module(module, cls), *_of_class(module, cls)]
        while waiting and len(found) < MOST:
            further = []
            for value, qualname in waiting:
                if id(value) not in found:
                    found[id(value)] = value, (module, qualname)
                    further += _led_to(value, qualname)
            waiting = further
    return found


type _Found = list[tuple[object, str]]  # with the qualified name


def _of_module(module: str, cls: type) -> _Found:
    names = tuple(naming.module_dict(module).items())
    return [(value, name) for name, value in names if type(value) is cls and _is_clear(name)]


def _of_class(module: str, cls: type) -> _Found:
    name = naming.of_class(cls)
    if name is None or name[0] != module:
        return []
    held = tuple(naming.class_dict(cls).items())
    return [(value, f"{name[1]}.{own}") for own, value in held if type(value) is cls]


def _led_to(value: object, qualname: str) -> _Found:
    cls = type(value)
    held = tuple(naming.instance_dict(value).items())
    return [
        (other, f"{qualname}.{name}")
        for name, other in held
        if type(other) is cls and type(name) is str and name.isidentifier()
    ]


def _is_clear(name: object) -> bool:
    """Whether a variable's name says that it is a constant: `Keyword`, `EOF`, `_MISSING`."""
    return type(name) is str and (name[:1].isupper() or name[:1] == "_") and name.isidentifier()
