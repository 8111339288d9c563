"""Calls outside the recorded types: what differs there is said, and a dropped check is rejected.

No call of the program was seen to look like these, so a difference alone is no reason against a
change: a list may become a set that refuses what has no hash. But where the original refuses such a
call by a `raise` or `assert` of its own file, that is a check, and it has to stay; only a set or a
dict may refuse what has no hash before that.
"""

from dataclasses import dataclass

from perftrace import values
from perftrace.model import Ending, Rejected, Witness
from perftrace.optimizer.case import Case
from perftrace.optimizer.difference import differ, text_of
from perftrace.optimizer.oracle import SLOWER, Oracle
from perftrace.optimizer.workers import SEEDS, Started, Version, Workers
from perftrace.replay.compare import Different
from perftrace.replay.requests import NotReplayed, Replayed, Reply
from perftrace.values import ListNode, Node

SPARE_S = 1.0  # what a call may take beside a few times what the original took
NO_HASH, LONG = "unhashable type", 1000  # in the error's text, of which so many characters count
ARGUMENT, WIDTH = 24, 40  # of an argument, and of what comes of the call, as text


@dataclass(frozen=True, slots=True)
class Outside:
    """What was seen outside the recorded types."""

    calls: int = 0
    differences: tuple[str, ...] = ()  # "f(None): TypeError becomes AttributeError"


def look(
    version: Version, oracle: Oracle, workers: Workers, started: Started
) -> Outside | Rejected:
    """Make the calls with a candidate that has shown no difference in others.

    Args:
        version: the candidate.
        oracle: what the original does.
        workers: start new processes.
        started: those of the candidate that have made the other calls; used up afterwards.

    Raises:
        TraceError: the trace file is damaged.
    """
    suspects = [
        case
        for case in oracle.outside
        if _differ(case, case.expected, _make(case, started), started)
    ]
    found: list[str] = []
    if suspects:  # calls before it may be the reason: once more in new processes, both alike
        old, new = (workers.start(one, SEEDS[0]) for one in (oracle.original, version))
        with old, new:
            for case in suspects:
                expected, got = _make(case, old), _make(case, new)
                if isinstance(expected, NotReplayed) or not _differ(case, expected, got, new):
                    continue
                if expected.own and _kind(expected) != _kind(got) and not _has_no_hash(got):
                    return _dropped_check(case, expected, got)
                found.append(
                    f"{text_of(case.request, ARGUMENT)}: {_words(expected)} becomes {_words(got)}"
                )
    return Outside(len(oracle.outside), tuple(found))


def _make(case: Case, started: Started) -> Reply:
    return started.make(case.call.process_id, case.patient(SLOWER, SPARE_S))


def _differ(case: Case, expected: Replayed, got: Reply, started: Started) -> bool:
    if isinstance(got, NotReplayed) or _kind(expected) != _kind(got):
        return True
    if expected.ending is Ending.RAISED and expected.implicit:
        return False  # the same type of error
    aliases = started.aliases(case.call.process_id)
    return isinstance(differ(case.call, expected, got, aliases), Different)


def _dropped_check(case: Case, expected: Replayed, got: Reply) -> Rejected:
    was, now = _words(expected), _words(got)
    call = text_of(case.request, ARGUMENT)
    reason = f"drops a check: {call} raises {was}, now {now} (outside the recorded types)"
    return Rejected(reason, Witness(None, case.text, "the check", was, now))


def _kind(reply: Reply) -> str:
    """How it ended; of an error only the type."""
    if isinstance(reply, NotReplayed):
        return reply.reason
    raised = _raised(reply)
    return str(reply.ending) if raised is None else values.type_name(raised)


def _has_no_hash(reply: Reply) -> bool:
    """Whether it fails as a set or dict refuses a value: where it is searched for, say.

    `x not in {"EU", "US"}` for `x not in ("EU", "US")` is such a change: still refused, otherwise.
    """
    if isinstance(reply, NotReplayed) or not reply.implicit or _kind(reply) != "TypeError":
        return False
    return NO_HASH in values.show(_raised(reply), LONG)


def _words(reply: Reply) -> str:
    """Such as "TypeError" or "[1, 2]"."""
    if isinstance(reply, NotReplayed):
        return f"no answer ({_short(reply.reason)})"
    payload, raised = _payload(reply), _raised(reply)
    if raised is not None:
        return values.type_name(raised)
    return "a generator" if reply.ending is Ending.YIELDED else _short(values.show(payload))


def _payload(reply: Replayed) -> Node:
    try:
        match values.read(reply.result):
            case ListNode(items=[payload, _]):
                return payload
            case _:
                return None
    except values.BadValue:
        return None


def _raised(reply: Replayed) -> Node:
    """The exception that ended it, if one did; a generator may have ended so too."""
    payload = _payload(reply)
    if reply.ending is Ending.RAISED:
        return payload
    match payload if reply.ending is Ending.YIELDED else None:
        case ListNode(items=[_, "raised", error]):
            return error
        case _:
            return None


def _short(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"
