"""A recorded call as text: what it got and what came of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from perftrace import nodes, show, values
from perftrace.model import Binding, Call, Ending, Function, Recorded, Run, Value
from perftrace.store import Store

NONE_RECORDED = (
    "they came while the recorder's share was used up (run with --overhead 10% gives it more), or"
    " it is not a function, its process was not traced, or the run was only sampled"
)
UNREADABLE = "<unreadable>"
# Whether a generator was closed, dropped or is kept somewhere, a recording does not tell.
ENDS = {"suspended": "not exhausted", "truncated": "then more than is kept"}
PREFIX = {Binding.STAR: "*", Binding.DOUBLE_STAR: "**"}


def arguments_text(store: Store, call: Call, width: int = 80) -> str:
    """`price=12, *rest=(3, 4)`, or why it is not known."""
    items = _items(store, call.arguments)
    if isinstance(items, str):
        return items
    named = zip(call.function.parameters, items, strict=False)
    return ", ".join(
        f"{PREFIX.get(one.binding, '')}{one.name}={show.show(node, width)}" for one, node in named
    )


def outcome_text(store: Store, call: Call, width: int = 80) -> str:
    """`12.5`, `raised ValueError('no')`, `yielded 3 items, then returned`; or why unknown."""
    ending = call.outcome.ending
    if ending is Ending.UNKNOWN:
        return "end not seen"
    items = _items(store, call.outcome.value)
    if isinstance(items, str):
        text = items
    elif not items:
        text = UNREADABLE
    elif ending is Ending.YIELDED:
        return _yielded_text(items[0], width)
    else:
        text = show.show(items[0], width)
    return text if ending is Ending.RETURNED else f"{ending} {text}"


def _yielded_text(payload: nodes.Node, width: int) -> str:
    """`[items, how, final]` of a generator as text."""
    match payload:
        case nodes.ListNode(items=[nodes.ListNode(items=items), str(how), final]):
            last = "" if final is None else f" {show.show(final, width)}"
            end = ENDS.get(how, f"then {how}")
            return f"yielded {len(items)} item{'s' * (len(items) != 1)}, {end}{last}"
        case _:
            return UNREADABLE


def _items(store: Store, value: Value) -> list[nodes.Node] | str:
    """The list that every recorded value is, or why there is none."""
    if not isinstance(value, Recorded):
        return f"<not recorded: {value.reason}>"
    try:
        node = values.read(store.blob(value))
    except values.BadValue as error:
        return f"<unreadable: {error}>"
    return node.items if isinstance(node, nodes.ListNode) else UNREADABLE


# --- many calls -------------------------------------------------------------------------


@dataclass(slots=True)
class Seen:
    """The types that were seen in recorded calls, with how often."""

    calls: int = 0
    arguments: list[Counter[str]] = field(default_factory=list)  # in the order of the parameters
    results: Counter[str] = field(default_factory=Counter)
    exceptions: Counter[str] = field(default_factory=Counter)


def seen_in(store: Store, calls: Iterable[Call]) -> Seen:
    """The types of the arguments, results and exceptions of one function's calls."""
    seen = Seen()
    for call in calls:
        seen.calls += 1
        seen.arguments = seen.arguments or [Counter() for _ in call.function.parameters]
        for types, node in zip(seen.arguments, _nodes(store, call.arguments), strict=False):
            types[show.type_name(node)] += 1
        if call.outcome.ending in {Ending.RETURNED, Ending.RAISED}:
            returned = call.outcome.ending is Ending.RETURNED
            types = seen.results if returned else seen.exceptions
            types.update(map(show.type_name, _nodes(store, call.outcome.value)[:1]))
    return seen


def _nodes(store: Store, value: Value) -> list[nodes.Node]:
    """The list that a recorded value is; empty where it is not known."""
    items = _items(store, value)
    return [] if isinstance(items, str) else items


def distinct(store: Store, run: Run, function: Function) -> tuple[int, int]:
    """How many calls have recorded arguments, and how many different argument lists those are."""
    row = next(store.rows(DISTINCT, run.id, function.id))
    return row["calls"], row["lists"]


def gaps(store: Store, run: Run, function: Function) -> list[tuple[str, str, int]]:
    """What was not recorded of a function: (subject, reason, count), most first."""
    rows = store.rows(GAPS, run.id, function.id)
    return [(row["subject"], row["reason"], row["n"]) for row in rows]


DISTINCT = """
SELECT count(call.arguments) AS calls, count(DISTINCT call.arguments) AS lists
FROM call JOIN process ON process.id = process_id WHERE run_id = ? AND function_id = ?
"""

GAPS = """
SELECT CAST(subject AS TEXT) AS subject, CAST(reason AS TEXT) AS reason,
       CAST(sum(count) AS INTEGER) AS n
FROM missing WHERE run_id = ? AND function_id = ?
GROUP BY 1, 2 ORDER BY n DESC, subject, reason
"""
