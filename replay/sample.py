"""The few recorded calls of a function that tell the most about it."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from perftrace.model import Call, Ending, Recorded
from perftrace.replay.unsafe import unsafe
from perftrace.store import Store
from perftrace.values import (
    BadValue,
    DictNode,
    FrozenSetNode,
    ListNode,
    Node,
    SetNode,
    TupleNode,
    read,
    type_name,
)

LIMIT = 24
ENOUGH = 6  # calls, where it is known what each notices; more only if they tell more
LOOKED_AT = 100  # items of a container, for its shape
DEPTH = 3  # levels of containers that make a shape


@dataclass(frozen=True, slots=True)
class Seen:
    """A recorded call and what is known of it."""

    call: Call
    shape: str  # the exact types of its arguments: "list[int | str], dict[str, float]"
    error: str = ""  # type of the exception it raised
    lines: frozenset[int] = frozenset()  # that it executes, where it was replayed already
    notices: frozenset[int] | None = None  # the mistakes, by number; None: not known


@dataclass(frozen=True, slots=True)
class Chosen:
    """A call and what it adds to those chosen before it."""

    call: Call
    why: str


def choose(store: Store, calls: Iterable[Call], limit: int = LIMIT) -> list[Call]:
    """Of the recorded calls that may be made again, those that tell the most, as chosen."""
    seen = [look(store, call) for call in calls if not unsafe(call)]
    return [chosen.call for chosen in tell_most(seen, limit)]


def tell_most(seen: Sequence[Seen], limit: int = LIMIT) -> list[Chosen]:
    """A deterministic choice of at most `limit` calls, no two with the same arguments.

    First what runs new lines, then each way of ending, each shape of the arguments, what notices
    mistakes that no other does, the slowest, the largest, and for the rest calls spread evenly
    over the run: as many as there may be, or where it is known what each notices, a few.
    """
    choice = _Choice(_distinct(seen), limit)
    choice.take_new_lines()
    for aspect, words in ASPECTS:
        choice.take_each(aspect, words)
    choice.take_new_mistakes()
    for measure, why in EXTREMES:
        choice.take_most(measure, why)
    weighed = any(one.notices is not None for one in seen)
    choice.take_spread("spread over the run", min(limit, ENOUGH) if weighed else limit)
    return [Chosen(one.call, why) for one, why in choice.taken]


class _Choice:
    """What was taken so far, and what is left."""

    def __init__(self, left: list[Seen], limit: int) -> None:
        self.taken: list[tuple[Seen, str]] = []
        self._left = left
        self._limit = limit

    def take_new_lines(self) -> None:
        covered: set[int] = set()
        while self._left:
            best = max(self._left, key=lambda one: len(one.lines - covered))
            new = best.lines - covered
            if not new:
                return
            covered |= new
            self._take(best, f"runs {len(new)} lines that none before it does")

    def take_each(self, aspect: Callable[[Seen], object], words: Callable[[Seen], str]) -> None:
        known = {aspect(one) for one, _ in self.taken}
        for one in list(self._left):
            if aspect(one) not in known:
                known.add(aspect(one))
                self._take(one, words(one))

    def take_new_mistakes(self) -> None:
        noticed = {number for one, _ in self.taken for number in one.notices or ()}
        while self._left:
            best = max(self._left, key=lambda one: len((one.notices or set()) - noticed))
            new = (best.notices or frozenset()) - noticed
            if not new:
                return
            noticed |= new
            self._take(best, f"notices {len(new)} small mistakes that none before it does")

    def take_most(self, measure: Callable[[Seen], int], why: str) -> None:
        if self._left:
            self._take(max(self._left, key=measure), why)

    def take_spread(self, why: str, most: int) -> None:
        left = list(self._left)
        count = max(0, min(most - len(self.taken), len(left)))
        for place in range(count):
            self._take(left[(2 * place + 1) * len(left) // (2 * count)], why)

    def _take(self, one: Seen, why: str) -> None:
        self._left.remove(one)
        if len(self.taken) < self._limit:
            self.taken.append((one, why))


def look(store: Store, call: Call, lines: Collection[int] = ()) -> Seen:
    """What is known of a recorded call."""
    error = ""
    if call.outcome.ending is Ending.RAISED:
        match _node(store, call.outcome.value):
            case ListNode(items=[raised, _]):
                error = type_name(raised)
            case _:
                error = "exception"
    match _node(store, call.arguments):
        case ListNode(items=arguments):
            shape = ", ".join(shape_of(argument) for argument in arguments)
        case _:
            shape = "not recorded"
    return Seen(call, shape, error, frozenset(lines))


def shape_of(node: Node, depth: int = DEPTH) -> str:
    """The exact types in a value, containers to some depth: "dict[str, list[int | None]]"."""
    name = type_name(node)
    parts: list[list[Node]] = []
    match node:
        case DictNode(items=pairs):
            seen = pairs[:LOOKED_AT]
            parts = [[key for key, _ in seen], [value for _, value in seen]]
        case ListNode(items=items) | SetNode(items=items) | FrozenSetNode(items=items):
            parts = [items[:LOOKED_AT]]
        case TupleNode(items=items):
            parts = [[item] for item in items] if len(items) < 5 else [items[:LOOKED_AT]]
        case _:
            return name
    if depth == 0:
        return name
    if not any(parts):
        return f"{name}[]"  # empty
    inside = [" | ".join(sorted({shape_of(item, depth - 1) for item in part})) for part in parts]
    return f"{name}[{', '.join(inside)}]"


def _node(store: Store, value: object) -> Node:
    if not isinstance(value, Recorded):
        return None
    try:
        return read(store.blob(value))
    except BadValue:
        return None


def _distinct(seen: Sequence[Seen]) -> list[Seen]:
    """One call for each of the arguments, the first whose ending was seen; in recorded order."""
    found: dict[bytes, Seen] = {}
    for one in seen:
        if isinstance(one.call.arguments, Recorded):
            known = found.setdefault(one.call.arguments.digest, one)
            if known.call.outcome.ending is Ending.UNKNOWN:
                found[one.call.arguments.digest] = one
    return sorted(found.values(), key=lambda one: one.call.id)


def _size(one: Seen) -> int:
    return one.call.arguments.size if isinstance(one.call.arguments, Recorded) else 0


def _ending(one: Seen) -> tuple[Ending, str]:
    return one.call.outcome.ending, one.error


# What each distinct value of is worth a call, and how that is said.
ASPECTS: tuple[tuple[Callable[[Seen], object], Callable[[Seen], str]], ...] = (
    (_ending, lambda one: f"{one.call.outcome.ending} {one.error}".rstrip()),
    (lambda one: one.shape, lambda one: f"takes {one.shape}"),
)
EXTREMES: tuple[tuple[Callable[[Seen], int], str], ...] = (
    (lambda one: one.call.duration_ns or 0, "the slowest"),
    (_size, "the largest"),
)
