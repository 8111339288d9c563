"""How values of numpy, pandas, scipy and attrs are taken apart where their own way says too little.

Or too much: what a library has only looked up once and keeps (a *cache*) is no part of a value.

Runs inside the user's program: standard library only, private builtins, no imports of the types'
modules; a type that the program has not loaded can't occur in it.
"""

from __future__ import annotations

import builtins

from . import naming  # noqa: TID252 - loaded as _perftrace.adapters in the user's program

TYPE_CHECKING = False
if TYPE_CHECKING:  # the traced program must not import typing on our behalf
    from typing import Any

globals()["__builtins__"] = dict(vars(builtins))

COPY_LIMIT = 16 * 1024 * 1024  # bytes of an array that has to be copied to be read

# Attributes that a library works out when it is asked and then keeps; by its package.
CACHES = {"scipy": ("_has_canonical_format", "_has_sorted_indices")}
HASH = "_attrs_cached_hash"  # of attrs, for one process; it has to be there, so it is None
_PANDAS_CACHE = "_cache"
_DEEPEST = 4


# --- numpy ----------------------------------------------------------------------------------------


def array(value: Any) -> Any:
    """An array, with the order of its elements, and whether it may be written to."""
    flags = value.flags
    if flags.c_contiguous or flags.f_contiguous:
        reduced = value.__reduce_ex__(5)
        tells = type(reduced) is tuple and len(reduced) == 2  # as a buffer, which says it
        return reduced if tells or flags.writeable else _read_only(value)
    if value.nbytes > COPY_LIMIT:
        return f"a strided array of {value.nbytes} bytes"
    return _strided(value)


def _read_only(value: Any) -> Any:
    """`numpy.broadcast_to` of a copy gives a view of it that can't be written to."""
    if value.nbytes > COPY_LIMIT:
        return f"a read-only array of {value.nbytes} bytes"
    return naming.look_up("numpy", "broadcast_to"), (value.copy("K"), value.shape)


def _strided(value: Any) -> Any:
    """Every other element of an array whose last axis is twice as long."""
    numpy: Any = naming.modules["numpy"]
    whole = numpy.zeros((*value.shape[:-1], 2 * value.shape[-1]), value.dtype)
    whole[..., ::2] = value
    whole.flags.writeable = value.flags.writeable
    return naming.look_up("_operator", "getitem"), (whole, (..., slice(None, None, 2)))


def masked_array(value: Any) -> Any:
    """Data, mask (or that there is none), fill value (or none yet), and a hard mask."""
    data, mask, fill = value._data, value._mask, value._fill_value
    numpy: Any = naming.modules["numpy"]
    if type(data) is not numpy.ndarray:
        return value.__reduce_ex__(5)
    # mask, dtype, copy, subok, ndmin, fill_value, keep_mask, hard_mask, shrink
    settings = mask, None, False, True, 0, fill, True, value._hardmask, False
    return type(value), (data, *settings)


# --- pandas ---------------------------------------------------------------------------------------


def frame(value: Any) -> Any:
    """A data frame or series; how its columns lie in memory together is no part of it.

    pandas puts columns of one type side by side, and in another order, whenever it sees fit.
    """
    reduced = value.__reduce_ex__(5)
    manager = value._mgr
    if len(manager.blocks) < 2 or not _is_small(manager):
        return reduced
    manager = manager.consolidate()
    blocks = tuple(sorted(manager.blocks, key=_first_column))
    state = dict(reduced[2])
    state["_mgr"] = type(manager)(blocks, manager.axes, verify_integrity=False)
    return (*reduced[:2], state, *reduced[3:])


def _first_column(block: Any) -> int:
    places = block.mgr_locs.as_array
    return int(places[0]) if len(places) else -1


def _is_small(manager: Any) -> bool:
    return sum([getattr(one, "nbytes", 0) for one in manager.arrays]) <= COPY_LIMIT


def without_caches(reduced: Any, depth: int = 0) -> Any:
    """A reduction of pandas without what its objects keep for the next time."""
    kind = type(reduced)
    if kind is tuple and depth < _DEEPEST:
        return tuple([without_caches(part, depth + 1) for part in reduced if not _is_cache(part)])
    if kind is dict and _PANDAS_CACHE in reduced:
        return {name: part for name, part in reduced.items() if name != _PANDAS_CACHE}
    return reduced


def _is_cache(part: Any) -> bool:
    return type(part) is dict and list(part) == [_PANDAS_CACHE]


# --- instances ------------------------------------------------------------------------------------


def cached_names(cls: type) -> tuple[str, ...]:
    """The attributes of a class's instances that are caches."""
    module = naming.own_module(cls)
    return CACHES.get(module[0].partition(".")[0], ()) if module else ()
