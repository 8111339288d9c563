"""From the trace file to the worker: the request that makes a recorded call again."""

from functools import lru_cache

from perftrace.model import Call, Ending, Function, Recorded, Unrecorded
from perftrace.replay.inside.locate import definitions
from perftrace.replay.requests import MAX_ITEMS, NotReplayed, Request, Target
from perftrace.replay.unsafe import unsafe
from perftrace.store import Store
from perftrace.values import BadValue, ListNode, read

SLOWER = 5  # times the recorded duration a call may take, and a bit
SPARE_S = 2.0
LEFT_OFF = frozenset({"suspended", "truncated"})


def target(store: Store, function: Function) -> Target:
    """How a worker finds a recorded function."""
    return target_in(store.source_text(function), function)


def target_in(source: str, function: Function) -> Target:
    """How a worker finds a function that was recorded from this source text."""
    lines = _definitions(source, function.file).get(function.qualname, [])
    ordinal = lines.index(function.line) if function.line in lines else 0
    return Target(function.file, function.qualname, function.line, function.module, ordinal)


@lru_cache(maxsize=32)
def _definitions(source: str, file: str) -> dict[str, list[int]]:
    try:
        return definitions(source, file)
    except (SyntaxError, ValueError):  # of another Python version than ours
        return {}


def request(store: Store, call: Call) -> Request | NotReplayed:
    """The request that makes a recorded call again, or why there is none."""
    if isinstance(call.arguments, Unrecorded):
        return NotReplayed(f"its arguments were not recorded: {call.arguments.reason}")
    function = call.function
    if function.nested:
        return NotReplayed("defined inside a function; only its callers can replay it")
    reason = unsafe(call)
    if reason:
        return NotReplayed(reason)
    pull, rest = _left_off(store, call)
    return Request(
        target=target(store, function),
        arguments=store.blob(call.arguments),
        kind=function.kind,
        parameters=function.parameters,
        pull=pull,
        rest=rest,
        wall_s=None if call.duration_ns is None else call.duration_ns / 1e9 * SLOWER + SPARE_S,
    )


def _left_off(store: Store, call: Call) -> tuple[int, str]:
    """How many items to take from a generator, and what it is called if it has more."""
    value = call.outcome.value
    if call.outcome.ending is Ending.YIELDED and isinstance(value, Recorded):
        try:
            match read(store.blob(value)):
                case ListNode(items=[ListNode(items=[ListNode(items=items), str(how), _]), _]):
                    if how in LEFT_OFF:
                        return len(items), how
                case _:
                    pass  # it ended by itself
        except BadValue:
            pass
    return MAX_ITEMS, "truncated"
