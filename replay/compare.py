"""Compare a recorded outcome with a replayed one: exact types, order, sharing; three answers."""

from collections.abc import Iterator, Mapping, Sequence

from perftrace.model import Ending
from perftrace.replay.canonical import NO_ALIASES, TooLarge, canonical, is_atom
from perftrace.replay.tolerance import Tolerance
from perftrace.replay.walk import Comparison, Different, Same, Unknown, Walk
from perftrace.values import BadValue, ListNode, Node, read, show

__all__ = ["Comparison", "Different", "Same", "TooLarge", "Unknown", "canonical", "compare"]


def compare(
    expected: Node,
    got: Node,
    *,
    names: Sequence[str] = (),
    aliases: Mapping[str, str] = NO_ALIASES,
    ending: Ending = Ending.RETURNED,
    tolerance: Tolerance | None = None,
) -> Comparison:
    """Compare two `[payload, after]` values of calls that ended alike (`docs/values.md`).

    Args:
        expected: what was recorded, or what the original did.
        got: what the replay did.
        names: the parameters' names, in order.
        aliases: other names of modules, such as `{"__main__": "app"}`.
        ending: how both calls ended.
        tolerance: what floats in results may differ by; arguments and exceptions stay exact.
    """
    walk = Walk(aliases, tolerance)
    unknown: Unknown | None = None
    try:
        for found in _outcomes(expected, got, names, ending, walk):
            if isinstance(found, Different):
                return found
            if isinstance(found, Unknown):
                unknown = unknown or found
    except _Malformed as error:
        return Unknown("result", str(error))
    except TooLarge:
        return Unknown("result", "it has too many parts to compare")
    except BadValue as error:
        return Unknown("result", f"it can't be read: {error}")
    return unknown or Same()


class _Malformed(Exception):  # noqa: N818
    """It is not laid out as an outcome."""


def _list(node: Node, size: int | None = None) -> list[Node]:
    if not isinstance(node, ListNode) or (size is not None and len(node.items) != size):
        raise _Malformed("it is not laid out as an outcome")
    return node.items


def _outcomes(
    expected: Node, got: Node, names: Sequence[str], ending: Ending, walk: Walk
) -> Iterator[Comparison]:
    """The parts of the outcome, each compared; the payload and `after` share one walk."""
    (payload, after), (got_payload, got_after) = _list(expected, 2), _list(got, 2)
    if ending is Ending.YIELDED:
        yield from _generators(_list(payload, 3), _list(got_payload, 3), walk)
    else:
        root = "exception" if ending is Ending.RAISED else "result"
        yield walk.compare(payload, got_payload, root, exact=ending is Ending.RAISED)
    if after is None:
        return
    if got_after is None:
        yield Unknown("arguments", "how the replay left them was not recorded")
        return
    left = _list(after)
    replayed = _list(got_after, len(left))
    for index, (old, new) in enumerate(zip(left, replayed, strict=True)):
        name = names[index] if index < len(names) else f"argument {index + 1}"
        if old is None or (new is None and is_atom(old)):
            continue  # an argument that can't change
        if new is None:
            yield Unknown(name, "how the replay left it was not recorded")
        else:
            yield walk.compare(old, new, name, exact=True)


# --- generators -----------------------------------------------------------------------------------

_ENDED = ("returned", "raised")


def _generators(expected: list[Node], got: list[Node], walk: Walk) -> Iterator[Comparison]:
    """`[items, how, final]`: items were written when they were yielded, each on its own."""
    items, new_items = _list(expected[0]), _list(got[0])
    how, new_how = _how(expected[1]), _how(got[1])
    for index, (old, new) in enumerate(zip(items, new_items, strict=False)):
        yield walk.fresh().compare(_item(old), _item(new), f"result[{index}]")
    first = min(len(items), len(new_items))
    if len(items) > first:
        if new_how == "truncated":
            yield Unknown(f"result[{first}]", "the replay kept fewer items")
        else:
            yield Different(f"result[{first}]", show(_item(items[first])), "yielded nothing")
        return
    if how not in _ENDED:  # the program took no more: what comes after it is not known
        return
    if len(new_items) > first:
        yield Different(f"result[{first}]", "yielded nothing", show(_item(new_items[first])))
    elif new_how not in _ENDED:
        yield Unknown("result", f"the replay was {new_how}, so its end is not known")
    elif how != new_how:
        yield Different("result", *(f"{end} after {first} items" for end in (how, new_how)))
    else:
        root = "exception" if how == "raised" else "returned value"
        yield walk.compare(expected[2], got[2], root, exact=how == "raised")


def _how(ending: Node) -> str:
    if not isinstance(ending, str):
        raise _Malformed("how it ended is not laid out as text")
    return ending


def _item(blob: Node) -> Node:
    if not isinstance(blob, bytes):
        raise _Malformed("a yielded item is not laid out as one")
    return read(blob)
