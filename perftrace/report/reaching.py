"""Which tests of a recorded test suite reach a function, and what that rests on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from perftrace.model import Function, HotFunction, Run
from perftrace.store import Store

TESTS = "SELECT id, name, unwatched FROM context WHERE run_id = ? ORDER BY name"
REACHED = """
SELECT context_id, function_id FROM reach JOIN context ON context.id = context_id WHERE run_id = ?
"""
EDGES = """
SELECT DISTINCT +caller_id AS caller_id, +function_id AS function_id FROM call
WHERE process_id IN (SELECT id FROM process WHERE run_id = ?) AND caller_id IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Reaching:
    """The tests that reach a function."""

    seen: tuple[str, ...]  # it started while they ran
    likely: tuple[str, ...]  # not watched throughout; they reach one of its callers
    tests: int  # of the run
    partly: int  # of those, not watched throughout


def reaching(store: Store, run: Run, function: Function, ranked: Iterable[HotFunction]) -> Reaching:
    """The tests of a run that reach the function, straight or through others."""
    tests = {row["id"]: row for row in store.rows(TESTS, run.id)}
    reached: defaultdict[int, set[int]] = defaultdict(set)  # by test
    if tests:
        for row in store.rows(REACHED, run.id):
            reached[row["context_id"]].add(row["function_id"])
    above = _callers(function.id, _edges(store, run, ranked)) if tests else set()
    partly = {number for number, row in tests.items() if row["unwatched"]}
    seen = [number for number in tests if function.id in reached[number]]
    likely = [number for number in tests if number in partly - {*seen} and above & reached[number]]
    return Reaching(
        seen=tuple(str(tests[number]["name"]) for number in seen),
        likely=tuple(str(tests[number]["name"]) for number in likely),
        tests=len(tests),
        partly=len(partly),
    )


def _edges(store: Store, run: Run, ranked: Iterable[HotFunction]) -> dict[int, set[int]]:
    """The callers of each function: of recorded calls, and on sampled stacks."""
    edges: defaultdict[int, set[int]] = defaultdict(set)
    for row in store.rows(EDGES, run.id):
        edges[row["function_id"]].add(row["caller_id"])
    for hot in ranked:
        edges[hot.function.id] |= {caller.id for caller, _ in hot.via}
    return edges


def _callers(number: int, edges: Mapping[int, set[int]]) -> set[int]:
    """All that call it, straight or through others."""
    found: set[int] = set()
    todo = [number]
    while todo:
        fresh = edges.get(todo.pop(), set()) - found
        found |= fresh
        todo.extend(fresh)
    return found
