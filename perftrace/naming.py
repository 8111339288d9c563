"""Find classes, functions and constants by name in `sys.modules`, running nothing of the user's.

A module or a class can run code when it is asked for an attribute (a module's `__getattr__`, a
metaclass's `__getattribute__`), so dictionaries are read through the descriptors of `type` and
`ModuleType`. Runs inside the user's program: standard library only, private builtins.
"""

from __future__ import annotations

import builtins
import sys
import types

TYPE_CHECKING = False
if TYPE_CHECKING:  # the traced program must not import typing on our behalf
    from typing import Any

# A program may patch `builtins.len`; functions defined below keep the real one.
globals()["__builtins__"] = dict(vars(builtins))

type Name = tuple[str, str]  # module, qualified name

MISSING = object()

modules = sys.modules
class_dict = type.__dict__["__dict__"].__get__
class_mro = type.__dict__["__mro__"].__get__
class_base = type.__dict__["__base__"].__get__
class_flags = type.__dict__["__flags__"].__get__
_HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE
_class_name = type.__dict__["__name__"].__get__
_class_qualname = type.__dict__["__qualname__"].__get__
_class_module = type.__dict__["__module__"].__get__
_namespace = vars(types.ModuleType)["__dict__"].__get__

# Private modules whose names are also public: the public one is what people write.
_PUBLIC = {"pathlib._local": "pathlib", "_io": "io", "_random": "random"}


def module_dict(name: object) -> dict[str, object]:
    """The namespace of a loaded module; empty where there is none."""
    module = modules.get(name) if type(name) is str else None
    return _namespace(module) if issubclass(type(module), types.ModuleType) else {}


def look_up(module: object, qualname: object) -> object:
    """What the name leads to, or MISSING; class attributes are not bound."""
    if type(qualname) is not str:
        return MISSING
    first, *rest = qualname.split(".")
    found = module_dict(module).get(first, MISSING)
    for part in rest:
        held = class_dict(found) if issubclass(type(found), type) else instance_dict(found)
        found = held.get(part, MISSING)
    if type(found) is staticmethod or type(found) is classmethod:
        return found.__func__
    return found


def instance_dict(value: object) -> dict[str, object]:
    """The `__dict__`, whatever property of that name a class puts before it."""
    for owner in class_mro(type(value)):
        descriptor = class_dict(owner).get("__dict__")
        kind = type(descriptor)
        if kind is types.GetSetDescriptorType or kind is types.MemberDescriptorType:
            found = descriptor.__get__(value)
            return {} if found is None else found
    return {}


def _checked(module: object, qualname: object, value: object) -> Name | None:
    if type(module) is not str or type(qualname) is not str:
        return None
    for place in (_PUBLIC.get(module, module), module):
        if look_up(place, qualname) is value:
            return place, qualname
    return None


def of_class(cls: type) -> Name | None:
    """The name that leads to a class."""
    try:
        module = _class_module(cls)
    except AttributeError:  # its dictionary has no `__module__`
        return None
    qualname = _class_qualname(cls)
    return _checked(module, qualname, cls) or _of_builtin(cls) or _replaced(module, qualname, cls)


def _replaced(module: object, qualname: str, cls: type) -> Name | None:
    """The name of a class written in C, where a program put one made from it in its place."""
    found: Any = look_up(module, qualname)
    if class_flags(cls) & _HEAP or not issubclass(type(found), type) or type(module) is not str:
        return None
    return (module, qualname) if any(base is cls for base in class_mro(found)) else None


def _of_builtin(cls: type) -> Name | None:
    """`NoneType`, `function` and their like, which only `types` has names for."""
    for name, value in module_dict("types").items():
        if value is cls:
            return "types", name
    return None


def of_function(function: object) -> Name | None:
    """The name that leads to a Python function, a built-in function or a cached wrapper."""
    if type(function) is types.FunctionType or type(function) is types.BuiltinFunctionType:
        return _checked(function.__module__, function.__qualname__, function)
    module, qualname = _field(function, "__module__"), _field(function, "__qualname__")
    return _checked(module, qualname, function)


def _field(value: object, name: str) -> object:
    """A name that an object written in C has: as a field (Cython), or in its `__dict__`."""
    for field in (name, "__dict__"):
        getter = class_dict(type(value)).get(field)
        kind = type(getter)
        if kind is types.GetSetDescriptorType or kind is types.MemberDescriptorType:
            found = getter.__get__(value)
            if found is not None:
                return found.get(name) if type(found) is dict else found
    return None


def of_descriptor(descriptor: types.MethodDescriptorType) -> Name | None:
    """The name of a method of a built-in class, such as `str.upper`."""
    owner = of_class(descriptor.__objclass__)
    return owner and _checked(owner[0], f"{owner[1]}.{descriptor.__name__}", descriptor)


def of_module(module: types.ModuleType) -> Name | None:
    """The name a module is loaded under."""
    name = _namespace(module).get("__name__")
    return (name, "") if type(name) is str and modules.get(name) is module else None


def of_constant(value: object, places: tuple[str, ...]) -> Name | None:
    """The global variable of these modules that holds this very object."""
    for place in places:
        for name, other in tuple(module_dict(place).items()):
            if other is value and type(name) is str and _is_constant(place, name):
                return place, name
    return None


def of_bound(function: object, module: object) -> Name | None:
    """The global variable, or the attribute of a class, that holds this very function."""
    if type(module) is not str:
        return None
    found = of_constant(function, (module,))
    cls: Any
    for name, cls in () if found else tuple(module_dict(module).items()):
        if issubclass(type(cls), type) and type(name) is str and own_module(cls) == (module,):
            for own, held in tuple(class_dict(cls).items()):
                if held is function and type(own) is str:
                    return module, f"{name}.{own}"
    return found


def _is_constant(module: str, name: str) -> bool:
    """A script's variables may be made under `if __name__ == "__main__"`: ask for a clear name."""
    return module != "__main__" or name.isupper() or name.startswith("_")


def text(cls: type) -> str:
    """A class's full name, for people."""
    try:
        module = _class_module(cls)
    except AttributeError:
        module = None
    qualname = _class_qualname(cls)
    plain = type(module) is not str or module == "builtins"
    return qualname if plain else f"{_PUBLIC.get(module, module)}.{qualname}"


def own_module(cls: type) -> tuple[str, ...]:
    """What a class says its module is, if it does."""
    module = class_dict(cls).get("__module__")
    return (module,) if type(module) is str else ()
