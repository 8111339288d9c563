"""What recorded calls did outside their values, and what functions may read, as text."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from perftrace.model import Call, Effect, Function, Run
from perftrace.store import Store

SHOWN = 3  # effects of a call, in a table


def text(effects: Sequence[Effect]) -> str:
    """`file read /etc/hosts, network`; a dash where there is none."""
    shown = [f"{one.kind} {one.detail}".rstrip() for one in effects[:SHOWN]]
    more = [f"{len(effects) - SHOWN} more"] if len(effects) > SHOWN else []
    return ", ".join(shown + more) or "-"


def by_kind(calls: Iterable[Call]) -> list[tuple[str, int, str]]:
    """Kind, how many calls had such an effect, and a detail of one; the most frequent first."""
    counts: Counter[str] = Counter()
    details: dict[str, str] = {}
    for call in calls:
        counts.update({effect.kind for effect in call.effects})
        for effect in call.effects:
            details[effect.kind] = details.get(effect.kind) or effect.detail
    return [(kind, count, details[kind]) for kind, count in counts.most_common()]


@dataclass(frozen=True, slots=True)
class Read:
    """Something that a function may read beside its arguments."""

    kind: str  # clock, randomness, …
    name: str  # time.time
    by: Function  # the function itself, or one that it was seen to call, maybe through others


def reads(store: Store, run: Run, function: Function) -> list[Read]:
    """What a function may read, itself or through those that it was seen to call."""
    called: dict[int, list[int]] = {}
    for row in store.rows(EDGES, run.id):
        called.setdefault(row["caller_id"], []).append(row["function_id"])
    known = store.functions()
    own: dict[int, list[tuple[str, str]]] = {}
    for row in store.rows(READS):
        own.setdefault(row["function_id"], []).append((row["kind"], row["name"]))
    return [
        Read(kind, name, known[number])
        for number in _reached(function.id, called)
        for kind, name in own.get(number, ())
        if number in known
    ]


def _reached(start: int, called: Mapping[int, Sequence[int]]) -> list[int]:
    """The functions that calls lead to from one, the nearest first, itself before all."""
    found = [start]
    for number in found:
        found += [other for other in dict.fromkeys(called.get(number, ())) if other not in found]
    return found


EDGES = """
SELECT DISTINCT caller_id, function_id FROM call JOIN process ON process.id = process_id
WHERE run_id = ? AND caller_id IS NOT NULL ORDER BY caller_id, function_id
"""

READS = """
SELECT function_id, CAST(kind AS TEXT) AS kind, CAST(name AS TEXT) AS name FROM reads
ORDER BY function_id, kind, name
"""
