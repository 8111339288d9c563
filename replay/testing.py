"""What replay tests import: a strict check, and ways to rebuild and run what was recorded.

It needs the standard library alone, so that a copy of it will do.
"""

import copyreg
import io
import math
import struct
import sys
import types
import warnings
from _thread import LockType, RLock
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from enum import Enum
from typing import Any, NamedTuple

__tracebackhide__ = True  # pytest shows where a test fails, not how that was found
VALUES = (int, float, complex, str, bytes)
ATOMS = (type(None), bool, *VALUES, type(...), type(NotImplemented))
BY_IDENTITY = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, Enum)
IMMUTABLE = (tuple, frozenset)
BRACKETS = {list: ("[", "]"), tuple: ("(", ")"), dict: ("{", "}"), set: ("{", "}")}
VIEWS: tuple[Any, ...] = (type({}.keys()), type({}.values()), type({}.items()))
NOT_PLAIN = (BaseException, types.MethodType, list, dict, set, tuple, frozenset, *VIEWS)
UNSEEN = ("obj", "message", "exceptions")  # of an exception: large, or in its arguments
LONGEST = 200  # characters of a value in a message
# How to read and fill a built-in container past the methods of the user's subclass.
CONTENTS: dict[type, tuple[Callable[..., Any], Callable[..., Any] | None]] = {
    OrderedDict: (OrderedDict.items, OrderedDict.update),
    dict: (dict.items, dict.update),
    list: (list.__iter__, list.extend),
    deque: (deque.__iter__, deque.extend),
    set: (set.__iter__, set.update),
    frozenset: (frozenset.__iter__, None),
    tuple: (tuple.__iter__, None),
}
# What is left of such an iterator tells all of it.
EMPTY: tuple[Any, ...] = ([], (), range(0), range(1 << 80), "", "\N{BULLET}", b"", bytearray())
ITERATORS = tuple(type(iter(items)) for items in EMPTY)
# Modules whose classes show their whole value in their repr, and reduce by code of their own.
PLAIN = frozenset(
    {"builtins", "datetime", "decimal", "fractions", "numpy", "pathlib", "re", "uuid", "zoneinfo"}
)


class Part(NamedTuple):
    """A value as it was at one moment: it can be compared when the value has moved on."""

    type: type
    text: str = ""  # of a part that is shown whole
    number: int = 0  # which object it is: the order of its first visit, or its id
    parts: tuple[tuple[str, "Part"], ...] = ()


def check(got: object, expected: object, where: str = "result", *, tolerance: str = "") -> None:
    """Fail unless both are strictly the same: types, order, sharing, NaN, -0.0, attributes.

    With a tolerance ("rtol 1e-9", "4 ulps") floats may differ by that, also those in containers
    and complex numbers; NaN, infinities and the sign of zero may not.
    """
    new, old = _freeze(got, {}), _freeze(expected, {})
    _compare(_settled(new, old, tolerance) if tolerance else new, old, where)


def close(got: float, expected: float, tolerance: str, form: str = "d") -> bool:
    """Whether two floats are within "rtol 1e-9" or "4 ulps" of each other, or the same.

    The first is relative to the larger of both; the second counts the floats of that width (a
    code of `struct`) from one to the other.
    """
    if got == expected or not (math.isfinite(got) and math.isfinite(expected)):
        same_sign = math.copysign(1, got) == math.copysign(1, expected)
        return (got == expected and same_sign) or (math.isnan(got) and math.isnan(expected))
    kind, _, size = tolerance.partition(" ")
    if kind == "rtol":
        return abs(got - expected) <= float(size) * max(abs(got), abs(expected))
    return abs(_rank(got, form) - _rank(expected, form)) <= int(kind)


def _rank(value: float, form: str) -> int:
    """The place of a float among all of its width."""
    data = struct.pack(f"<{form}", value)
    bits = int.from_bytes(data, "little")
    sign = 1 << (8 * len(data) - 1)
    return sign - bits if bits & sign else bits


def _settled(got: "Part", expected: "Part", tolerance: str) -> "Part":
    """What was got, with the floats that are near enough as they were expected."""
    if got.type is not expected.type:
        return got
    if got.type is float and close(float(got.text), float(expected.text), tolerance):
        return expected
    if got.type is complex:
        new, old = complex(got.text), complex(expected.text)
        pairs = (new.real, old.real), (new.imag, old.imag)
        return expected if all(close(*pair, tolerance) for pair in pairs) else got
    if len(got.parts) != len(expected.parts):
        return got
    parts = [
        (step, _settled(part, other, tolerance) if step == old_step else part)
        for (step, part), (old_step, other) in zip(got.parts, expected.parts, strict=True)
    ]
    return got._replace(parts=tuple(parts))


@contextmanager
def unchanged(**values: object) -> Iterator[None]:
    """Fail if the block changes one of the values."""
    before = _freeze(list(values.values()), {})
    yield
    after = _freeze(list(values.values()), {})
    for name, (_, new), (_, old) in zip(values, after.parts, before.parts, strict=True):
        _compare(new, old, name)


@contextmanager
def raises(expected: Any = None, *arguments: object) -> Iterator[list[BaseException]]:
    """Fail unless the block raises exactly this; or anything, which is the item of the list."""
    raised: list[BaseException] = []
    recorded = _freeze(restore(expected, arguments) if isinstance(expected, type) else expected, {})
    try:
        yield raised
    except BaseException as error:  # noqa: BLE001 - SystemExit may be what was recorded
        raised.append(error)
        if expected is not None:
            _compare(_freeze(error, {}), recorded, "exception")
    else:
        what = "an exception" if expected is None else _show(recorded)
        raise AssertionError(f"replay differs: nothing was raised, recorded {what}")


@contextmanager
def prints(expected: str) -> Iterator[None]:
    """Fail unless the block prints exactly this on standard output."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        yield
    check(printed.getvalue(), expected, "stdout")


@contextmanager
def logs(*expected: tuple[str, str, str]) -> Iterator[None]:
    """Fail unless the block logs exactly these: name of the logger, of the level, message."""
    with listening() as found:
        yield
    check(found, list(expected), "logs")


@contextmanager
def listening() -> Iterator[list[tuple[str, str, str]]]:
    """What a block logs from INFO on, whatever the levels are set to; nothing handles it."""
    import logging  # noqa: PLC0415 - few tests need it

    found: list[tuple[str, str, str]] = []
    enabled, handle = logging.Logger.isEnabledFor, logging.Logger.handle

    def is_enabled_for(logger: logging.Logger, level: int) -> bool:
        return level >= logging.INFO or enabled(logger, level)

    def keep(_: logging.Logger, record: logging.LogRecord) -> None:
        if record.levelno >= logging.INFO:
            found.append((record.name, record.levelname, record.getMessage()))

    logging.Logger.isEnabledFor, logging.Logger.handle = is_enabled_for, keep  # type: ignore[assignment, method-assign]
    try:
        yield found
    finally:
        logging.Logger.isEnabledFor, logging.Logger.handle = enabled, handle  # type: ignore[method-assign]


@contextmanager
def warns(*expected: tuple[type[Warning], str]) -> Iterator[None]:
    """Fail unless the block gives exactly these warnings: category and text."""
    with warned() as found:
        yield
    check(found, list(expected), "warnings")


@contextmanager
def warned() -> Iterator[list[tuple[type[Warning], str]]]:
    """The warnings of a block, whatever the filters say; not those of open files."""
    found: list[tuple[type[Warning], str]] = []
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            yield found
        finally:
            kept = (one for one in seen if not issubclass(one.category, ResourceWarning))
            found.extend((one.category, str(one.message)) for one in kept)


def restore(cls: type, base: Any = None, /, **attributes: object) -> Any:
    """An instance made without its `__init__`; base: what its built-in base class holds."""
    container = next((native for native in CONTENTS if issubclass(cls, native)), None)
    native: Any = container or next(c for c in cls.__mro__ if not _is_heap(c))
    if issubclass(cls, BaseException):
        made = native.__new__(cls, *base or ())
        with suppress(TypeError):  # the class may take other arguments than it keeps
            native.__init__(made, *base or ())
        made.args, base = tuple(base or ()), None
    elif base is None or (container and container not in IMMUTABLE):
        made = native.__new__(cls)
        if "maxlen" in attributes:
            size: Any = attributes.pop("maxlen")
            deque.__init__(made, (), size)
    else:
        kind: Any = type(base)
        plain = kind in (*ATOMS, *IMMUTABLE, bytearray)
        made = kind.__new__(cls, *((base,) if plain else _reduced(base)[1]))
        if kind is bytearray:
            bytearray.__init__(made, base)
        base = None
    return fill(made, base, **attributes)


def fill(made: Any, base: Any = None, /, **attributes: object) -> Any:
    """Put contents and attributes into an object past its own methods; the object."""
    if base is not None:
        add = CONTENTS[next(native for native in CONTENTS if isinstance(made, native))][1]
        assert add is not None, "an immutable base is given to restore"
        add(made, base)
    for name, value in attributes.items():
        slot = next((vars(c)[name] for c in type(made).__mro__ if name in vars(c)), None)
        if isinstance(slot, types.MemberDescriptorType | types.GetSetDescriptorType):
            slot.__set__(made, value)
        else:
            object.__getattribute__(made, "__dict__")[name] = value
    return made


def take(generator: Any, count: int) -> list[Any]:
    """The first items of a generator, which is then closed."""
    items = [item for _, item in zip(range(count), generator, strict=False)]
    generator.close()
    return items


def exhaust(generator: Any) -> tuple[list[Any], str, Any]:
    """All items of a generator, how it ended (returned or raised), and with what."""
    items = []
    try:
        while True:
            items.append(next(generator))
    except StopIteration as stop:
        return items, "returned", stop.value
    except Exception as error:  # noqa: BLE001 - what it raises is the behaviour to compare
        return items, "raised", error


def run(awaitable: Any) -> Any:
    """The result of a coroutine, or the items of an asynchronous generator."""
    import asyncio  # noqa: PLC0415 - slow to import, and few tests need it

    async def items() -> list[Any]:
        return [item async for item in awaitable]

    return asyncio.run(items() if hasattr(awaitable, "__aiter__") else awaitable)


def _freeze(value: Any, seen: dict[int, tuple[int, object]]) -> Part:
    kind = ITERATORS[0] if type(value) in ITERATORS else type(value)
    if kind in ATOMS:
        huge = kind is int and value.bit_length() > 9999  # repr refuses these
        return Part(kind, hex(value) if huge else repr(value))
    built_in = issubclass(
        kind, types.BuiltinFunctionType
    )  # a bound one is made when it is asked for
    bound = built_in and type(value.__self__) not in (types.ModuleType, type(None))
    if kind is object or (issubclass(kind, BY_IDENTITY) and not bound):
        name = f"{kind.__name__}.{value._name_}" if issubclass(kind, Enum) else ""
        return Part(kind, name or getattr(value, "__qualname__", "object"), id(value))
    if id(value) in seen:
        return Part(kind, "...", seen[id(value)][0])
    plain = kind.__module__.partition(".")[0] in PLAIN and not issubclass(kind, NOT_PLAIN)
    text = repr(value) if plain and not repr(value).startswith("<") else ""  # with an address
    number = 0
    fixed = text or (issubclass(kind, (*IMMUTABLE, *VALUES)) and not _attributes(value))
    if kind.__hash__ is None or not fixed:  # it can change, so its identity matters
        number = len(seen) + 1
        seen[id(value)] = number, value  # kept alive, so that no id is used twice
    steps = (("", part) for part in _reduced(value)) if plain else _steps(value)
    return Part(kind, text, number, tuple((step, _freeze(part, seen)) for step, part in steps))


def _steps(value: Any) -> Iterator[tuple[str, Any]]:
    """The parts of a value, each with the path that leads to it."""
    kind = type(value)
    native: Any = next((c for c in (*CONTENTS, *ATOMS) if issubclass(kind, c)), None)
    state = _attributes(value)
    if issubclass(kind, BaseException):
        yield ".args", value.args
    elif native in ATOMS:
        yield "", native.__getnewargs__(value)[0]
    elif native is not None or kind in VIEWS:
        yield from _contents(native or list, CONTENTS[native][0](value) if native else value)
    elif (base := _base(kind)) or not state:
        yield from (("", part) for part in _reduced(value, base))
    yield from ((f".{name}", state[name]) for name in sorted(state))


def _contents(native: type, items: Any) -> Iterator[tuple[str, Any]]:
    if issubclass(native, dict):
        for number, (key, item) in enumerate(items):
            yield f" key {number}", key
            yield f"[{_show(_freeze(key, {}))}]", item
    else:
        unordered = native in (set, frozenset)
        ordered = sorted(items, key=lambda item: _show(_freeze(item, {}))) if unordered else items
        yield from ((f"[{number}]", item) for number, item in enumerate(ordered))


def _attributes(value: Any) -> dict[str, Any]:
    is_error = issubclass(type(value), BaseException)
    found: dict[str, Any] = {"maxlen": value.maxlen} if isinstance(value, deque) else {}
    for cls in type(value).__mro__:
        for name, slot in vars(cls).items():
            shown = _is_heap(cls) or cls is defaultdict or (is_error and name not in UNSEEN)
            if shown and isinstance(slot, types.MemberDescriptorType):
                with suppress(AttributeError):  # a slot that was never set
                    found[name] = slot.__get__(value)
    if is_error:
        found = {
            name: part for name, part in found.items() if part is not None and part is not False
        }
        found |= {"__cause__": value.__cause__} if value.__cause__ else {}
    with suppress(AttributeError):  # it has slots alone
        found |= object.__getattribute__(value, "__dict__")
    return found


def _is_heap(cls: type) -> bool:
    return bool(cls.__flags__ & 1 << 9)  # made by a class statement, not in C


def _base(kind: type) -> Any:
    """How Python's own base class (such as a date) reduces what it holds, past user's methods."""
    for cls in kind.__mro__[:-1]:
        own = vars(cls).get("__reduce__") or vars(cls).get("__reduce_ex__")
        known = cls.__module__.partition(".")[0] in sys.stdlib_module_names
        if own and (known or not isinstance(own, types.FunctionType)):
            return own
    return None


def _reduced(value: Any, base: Any = None) -> list[Any]:
    """What an object without visible state reduces to; its own id if it does not."""
    if type(value).__module__.startswith("pathlib"):
        return []  # its text says all; a/b may be of one part or of two
    if type(value) in (LockType, RLock):
        return [repr(value).startswith("<unlocked ")]
    if type(value) in ITERATORS:
        function, arguments, *state = value.__reduce__()
        copied = function(*arguments)
        for place in (part for part in state if part is not None):
            copied.__setstate__(place)
        return list(copied)
    reduce: Any = base or copyreg.dispatch_table.get(type(value)) or type(value).__reduce_ex__
    try:
        made = reduce(value, 4) if "_ex_" in getattr(reduce, "__name__", "") else reduce(value)
    except TypeError:
        return [id(value)]
    parts = [made] if isinstance(made, str) else made
    return [list(part) if isinstance(part, Iterator) else part for part in parts]


def _compare(got: Part, expected: Part, where: str) -> None:
    """Raise AssertionError naming the first place where they differ."""
    alike = got.type is expected.type and got.text == expected.text
    if alike and not got.text:
        for (step, one), (old_step, other) in zip(got.parts, expected.parts, strict=False):
            if step == old_step:
                _compare(one, other, f"{where}{step}")
    if alike and got.number == expected.number and got.parts == expected.parts:
        return
    new, old = (_show(part)[:LONGEST] for part in (got, expected))
    if new == old:
        new, old = (
            f"{new} ({part.type.__module__}.{part.type.__qualname__}, object {part.number})"
            for part in (got, expected)
        )
    raise AssertionError(f"replay differs at {where}: {new}, recorded {old}")


def _show(part: Part) -> str:
    """A frozen value as text, without the user's `__repr__`."""
    if part.text:
        return part.text
    texts = [(step, _show(child)) for step, child in part.parts if not step.startswith(" key")]
    if part.type in BRACKETS:
        inside = (f"{step[1:-1]}: {text}" if part.type is dict else text for step, text in texts)
        return ", ".join(inside).join(BRACKETS[part.type])
    inside = (
        text[1:-1] if step == ".args" else f"{step[1:]}={text}" if step.startswith(".") else text
        for step, text in texts
    )
    return f"{part.type.__name__}({', '.join(inside)})"
