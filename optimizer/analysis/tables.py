"""What built-in functions and methods do: their results, and whether they can raise."""

from collections.abc import Callable, Sequence

from perftrace.optimizer.shapes import BOOL, BYTES, FLOAT, INT, STR, Shape, common, items_of

type Result = Callable[[Sequence[Shape | None]], Shape | None]  # argument shapes -> result


def _always(shape: Shape) -> Result:
    return lambda _: shape


def _holding(kind: str) -> Result:
    """A new container of the first argument's items."""
    return lambda given: Shape.of(kind, items=items_of(given[0]) if given else Shape())


def _member(given: Sequence[Shape | None]) -> Shape | None:
    """One of the arguments, or of the only argument's items."""
    return items_of(given[0]) if len(given) == 1 else common(given)


def _total(given: Sequence[Shape | None]) -> Shape | None:
    items = items_of(given[0])
    if items is not None and items.types <= {"int", "bool"} and len(given) == 1:
        return INT
    if items is not None and items.types <= {"int", "bool", "float"} and len(given) == 1:
        return Shape.of("int", "float")
    return None


def _numbered(given: Sequence[Shape | None]) -> Shape | None:
    items = items_of(given[0])
    pair = None if items is None else (INT, items)
    return Shape.of("enumerate", items=Shape(frozenset({"tuple"}), None, None, pair))


def _zipped(given: Sequence[Shape | None]) -> Shape | None:
    items = [items_of(one) for one in given]
    known = tuple(one for one in items if one is not None)
    parts = known if len(known) == len(items) else None
    return Shape.of("zip", items=Shape(frozenset({"tuple"}), common(items), None, parts))


def _rounded(given: Sequence[Shape | None]) -> Shape | None:
    if len(given) == 1:
        return INT
    return given[0]


def _same(given: Sequence[Shape | None]) -> Shape | None:
    return given[0]


# Built-in functions that change nothing and run no code but built-in code when their arguments
# are built-in values at every level. `zip`, `map` and the like are lazy, see `LAZY`.
FUNCTIONS: dict[str, Result] = {
    "abs": _same,
    "all": _always(BOOL),
    "any": _always(BOOL),
    "bin": _always(STR),
    "bool": _always(BOOL),
    "chr": _always(STR),
    "dict": lambda given: given[0] if given else Shape.of("dict", items=Shape(), values=Shape()),
    "divmod": lambda given: Shape(frozenset({"tuple"}), common(given), None, None),
    "enumerate": _numbered,
    "float": _always(FLOAT),
    "frozenset": _holding("frozenset"),
    "hex": _always(STR),
    "int": _always(INT),
    "isinstance": _always(BOOL),
    "len": _always(INT),
    "list": _holding("list"),
    "max": _member,
    "min": _member,
    "oct": _always(STR),
    "ord": _always(INT),
    "range": _always(Shape.of("range", items=INT)),
    "repr": _always(STR),
    "reversed": _holding("reversed"),
    "round": _rounded,
    "set": _holding("set"),
    "sorted": _holding("list"),
    "str": _always(STR),
    "sum": _total,
    "tuple": _holding("tuple"),
    "zip": _zipped,
}
LAZY = frozenset({"enumerate", "reversed", "zip"})  # results that can be used up: not shareable
NUMBERS = frozenset({"int", "float", "bool"})
_MATH_INTEGERS = ("ceil", "comb", "factorial", "floor", "gcd", "isqrt", "lcm", "trunc")
_MATH_FLOATS = (
    *("sqrt", "sin", "cos", "tan", "atan", "atan2", "exp", "log", "log2", "log10"),
    *("hypot", "pow", "fabs", "degrees", "radians", "asin", "acos", "fmod"),
)
MATH: dict[str, Shape] = {
    **dict.fromkeys(_MATH_INTEGERS, INT),
    **dict.fromkeys(_MATH_FLOATS, FLOAT),
}

_STR_TO_STR = (
    *("capitalize", "casefold", "center", "expandtabs", "join", "ljust", "lower", "lstrip"),
    *("removeprefix", "removesuffix", "replace", "rjust", "rstrip", "strip", "swapcase"),
    *("title", "translate", "upper", "zfill"),
)
_STR_TO_BOOL = (
    *("endswith", "startswith", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit"),
    *("isidentifier", "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper"),
)
_LINES = Shape.of("list", items=STR)
_THREE = Shape(frozenset({"tuple"}), STR, None, (STR, STR, STR))

# Methods that change nothing, with their results. All str methods are of this kind.
STR_METHODS: dict[str, Shape] = {
    **dict.fromkeys(_STR_TO_STR, STR),
    **dict.fromkeys(_STR_TO_BOOL, BOOL),
    **dict.fromkeys(("count", "find", "rfind", "index", "rindex"), INT),
    **dict.fromkeys(("split", "rsplit", "splitlines"), _LINES),
    **dict.fromkeys(("partition", "rpartition"), _THREE),
    "encode": BYTES,
}

type Method = Callable[[Shape], Shape | None]


def _pairs(owner: Shape) -> Shape:
    keys, inner = owner.items, owner.values
    parts = (keys, inner) if keys is not None and inner is not None else None
    return Shape.of("dict_items", items=Shape(frozenset({"tuple"}), None, None, parts))


METHODS: dict[str, dict[str, Method]] = {
    "list": {"count": lambda _: INT, "index": lambda _: INT, "copy": lambda owner: owner},
    "tuple": {"count": lambda _: INT, "index": lambda _: INT},
    "dict": {
        "get": lambda owner: None,  # its default is one of the arguments: see Types
        "keys": lambda owner: Shape.of("dict_keys", items=owner.items),
        "values": lambda owner: Shape.of("dict_values", items=owner.values),
        "items": _pairs,
        "copy": lambda owner: owner,
    },
    "set": {
        **dict.fromkeys(("copy", "difference", "intersection"), lambda owner: owner),
        **dict.fromkeys(("isdisjoint", "issubset", "issuperset"), lambda _: BOOL),
        "union": lambda _: None,
    },
    "int": {"bit_length": lambda _: INT, "bit_count": lambda _: INT},
    "float": {"is_integer": lambda _: BOOL},
}
METHODS["frozenset"] = METHODS["set"]

# Methods that change their object.
MUTATORS: dict[str, frozenset[str]] = {
    "list": frozenset({"append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse"}),
    "set": frozenset(
        {"add", "remove", "discard", "pop", "clear", "update", "intersection_update"}
        | {"difference_update", "symmetric_difference_update"}
    ),
    "dict": frozenset({"pop", "popitem", "clear", "update", "setdefault"}),
}

# Built-in calls and methods that cannot raise on the values they are typed for.
SAFE_FUNCTIONS = frozenset(
    {"bool", "len", "repr", "str", "all", "any", "list", "tuple", "isinstance", "enumerate", "zip"}
)
SAFE_STR_METHODS = frozenset(STR_METHODS) - frozenset({"index", "rindex", "translate", "encode"})
