"""Calls of other functions that reach a function no recorded call of its own can replay.

Closures, nested functions, methods of objects that can't be recorded: their callers are called
again instead, and the worker counts how often the function's code starts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest

from perftrace.model import Call, Function, Recorded, Run
from perftrace.replay import recorded, sample
from perftrace.replay.requests import NotReplayed
from perftrace.replay.session import Session
from perftrace.store import Store

DEPTH = 6  # callers of callers
LIMIT = 12
TRIED = 4  # calls tried for each that is wanted: a call of a caller need not reach the function


@dataclass(frozen=True, slots=True)
class Caller:
    """A function that was seen to call another, directly or through others."""

    function: Function
    depth: int  # 1: it calls the function itself


@dataclass(frozen=True, slots=True)
class Reaching:
    """A recorded call that reaches the function when it is made again."""

    call: Call
    times: int


def callers(store: Store, run: Run, function: Function) -> list[Caller]:
    """The functions whose recorded calls may reach this one, the nearest first."""
    sql = (
        "SELECT DISTINCT caller_id, function_id FROM call JOIN process ON process.id = process_id"
        " WHERE run_id = ? AND caller_id IS NOT NULL ORDER BY caller_id"
    )
    above: dict[int, list[int]] = {}
    for row in store.rows(sql, run.id):
        above.setdefault(row["function_id"], []).append(row["caller_id"])
    functions = store.functions()
    found: list[Caller] = []
    known = {function.id}
    level = [function.id]
    for depth in range(1, DEPTH + 1):
        wider = dict.fromkeys(chain.from_iterable(above.get(number, ()) for number in level))
        level = [number for number in wider if number not in known]
        known.update(level)
        found += [Caller(functions[number], depth) for number in level]
    return found


def calls(store: Store, run: Run, function: Function, limit: int = LIMIT) -> list[Call]:
    """Recorded calls of its callers, the nearest first, in turns those of each caller."""
    levels: dict[int, list[list[Call]]] = {}
    for caller in callers(store, run, function):
        if not caller.function.nested:
            usable = [
                call
                for call in store.calls(caller.function, run=run)
                if isinstance(call.arguments, Recorded)
            ]
            levels.setdefault(caller.depth, []).append(sample.choose(store, usable, limit))
    return list(chain.from_iterable(map(_in_turns, levels.values())))[:limit]


def indirect(
    session: Session, store: Store, run: Run, function: Function, limit: int = LIMIT
) -> list[Reaching]:
    """Those calls that do reach it, tried in a session of the original."""
    aim = recorded.target(store, function)
    found: list[Reaching] = []
    for call in calls(store, run, function, limit * TRIED):
        request = recorded.request(store, call)
        if isinstance(request, NotReplayed):
            continue
        reply = session.call(request, reach=aim)
        if not isinstance(reply, NotReplayed) and reply.reached:
            found.append(Reaching(call, reply.reached))
            if len(found) == limit:
                break
    return found


def _in_turns(groups: list[list[Call]]) -> Iterator[Call]:
    for turn in zip_longest(*groups):
        yield from (call for call in turn if call is not None)
