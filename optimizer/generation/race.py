"""How long right programs take, side by side: the calls of the tests, timed from outside.

All programs run in each round, in another order each time, each in a process of its own; the
interval is over rounds. A program that keeps anything between calls would be timed with its answers
at hand, so of such a program each call is timed once, in a process that has made no call before.
"""

import ast
import math
import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from perftrace.optimizer import interval
from perftrace.optimizer.generation.reading import parse
from perftrace.optimizer.generation.trial import Made, Right, Trials
from perftrace.optimizer.interval import Interval
from perftrace.replay.requests import BlockTime, NotReplayed, Replayed, Request
from perftrace.replay.session import Session

ROUNDS = 9
BLOCK_NS = 3_000_000  # CPU time of a block of calls
MAX_REPEATS = 10_000
MOST_COLD = 8  # calls that are timed in processes of their own
CACHES = frozenset({"cache", "lru_cache", "cached_property"})
CONTAINERS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.Call)


@dataclass(frozen=True, slots=True)
class Time:
    """Of one program."""

    seconds: float  # CPU time of all calls of the tests, once
    speedup: Interval  # over the first program


def race(trials: Trials, programs: Sequence[Right], dice: random.Random) -> list[Time | None]:
    """The times of right programs of one task; None: it could not be timed.

    The calls are those of the first program, with the same arguments for all.
    """
    cold = any(keeps_state(one.program) or _changes(trials, one) for one in programs)
    requests = _longest(programs[0]) if cold else programs[0].requests
    rounds = list(_rounds(trials, programs, requests, dice, cold=cold))
    if not rounds:
        return [None] * len(programs)
    return [_time(rounds, place) for place in range(len(programs))]


def _time(rounds: Sequence[Sequence[float]], place: int) -> Time | None:
    pairs = [(times[0], times[place]) for times in rounds if times[0] and times[place]]
    if not pairs:
        return None
    logs = [math.log(first / mine) for first, mine in pairs]
    found = interval.of_symmetric_logs(logs) if place else Interval(1.0, 1.0, 1.0)
    return Time(statistics.median(mine for _, mine in pairs) / 1e9, found)


def _longest(right: Right) -> list[Request]:
    """The calls that take longest."""
    made = [one for _, calls in right.calls for one in calls]
    return [one.request for one in sorted(made, key=_took, reverse=True)[:MOST_COLD]]


def _took(made: Made) -> int:
    return made.reply.cpu_ns if isinstance(made.reply, Replayed) else 0


def slowest(right: Right) -> tuple[str, Made] | None:
    """The case whose calls take longest in this program, and the longest of them."""
    best: tuple[float, str, Made] | None = None
    for case, calls in right.calls:
        took = sum(map(_took, calls))
        if calls and (best is None or took > best[0]):
            best = (took, case.text, max(calls, key=_took))
    return best[1:] if best else None


def keeps_state(program: str) -> bool:
    """Whether a program may keep something between calls, as far as its text tells."""
    tree = parse(program)
    kept = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, CONTAINERS)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return any(_keeps(node, kept) for node in ast.walk(tree))


def _changes(trials: Trials, right: Right) -> bool:
    """Whether a call leaves something in the program's globals, functions or classes."""
    with trials.session(right.program) as session:
        replies = [session.call(one, state=True) for one in _longest(right)[:2]]
    return any(isinstance(one, NotReplayed) or one.state for one in replies)


def _keeps(node: ast.AST, kept: set[str]) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in CACHES:
            return True
        case ast.arguments(defaults=given, kw_defaults=named):
            return any(isinstance(one, CONTAINERS) for one in (*given, *named))
        case ast.FunctionDef():
            return any(isinstance(one, ast.Name) and one.id in kept for one in ast.walk(node))
        case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store()):
            return name not in ("self", "cls")
        case ast.ClassDef():
            return any(isinstance(one, ast.Assign) for one in node.body)
        case _:
            return isinstance(node, ast.Global)


def _rounds(
    trials: Trials,
    programs: Sequence[Right],
    requests: Sequence[Request],
    dice: random.Random,
    *,
    cold: bool,
) -> Iterator[list[float]]:
    """Nanoseconds of each program for all calls, round by round; 0: it could not be timed."""
    repeats = 0
    for _ in range(ROUNDS):
        seed = dice.randrange(1, 4)
        order = dice.sample(range(len(programs)), len(programs))
        times = [0.0] * len(programs)
        for place in order:
            program = programs[place].program
            if cold:
                times[place] = sum(_cold(trials, program, one, seed) for one in requests)
                continue
            with trials.session(program, seed) as session:
                repeats = repeats or _repeats(session, requests)
                times[place] = _warm(session, requests, repeats)
        yield times


def _repeats(session: Session, requests: Sequence[Request]) -> int:
    """How often the calls are made in a block."""
    block = _block(session, requests, 1)
    return 1 if block is None else max(1, min(MAX_REPEATS, BLOCK_NS // max(1, block.cpu_ns)))


def _warm(session: Session, requests: Sequence[Request], repeats: int) -> float:
    _block(session, requests, min(3, repeats))  # the interpreter specialises the code
    block = _block(session, requests, repeats)
    return 0.0 if block is None else block.cpu_ns / repeats


def _cold(trials: Trials, program: str, request: Request, seed: int) -> float:
    with trials.session(program, seed) as session:
        block = _block(session, [request], 1)
    return 0.0 if block is None else float(block.cpu_ns)


def _block(session: Session, requests: Sequence[Request], repeats: int) -> BlockTime | None:
    if isinstance(session.prepare(requests), NotReplayed):
        return None
    found = session.run_block(repeats)
    return None if isinstance(found, NotReplayed) else found
