"""How much of the original the calls of an oracle run: its lines and branches."""

import time
from dataclasses import replace

from perftrace.model import Coverage
from perftrace.optimizer.oracle import Oracle
from perftrace.optimizer.workers import Started
from perftrace.replay import recorded
from perftrace.replay.requests import NotReplayed

SECONDS = 3.0  # after that no further call is watched; the quick ones come first
SLOWER, SPARE_S = 20, 1.0  # a watched call may take so many times what it took, and a bit


def covered(oracle: Oracle, started: Started) -> Coverage | NotReplayed:
    """Make the calls once more, watched: of one recorded process, that of the first call.

    Args:
        oracle: it has at least one case.
        started: workers of the original that have made none of the calls.

    Raises:
        TraceError: the trace file is damaged.
    """
    process_id = oracle.cases[0].call.process_id
    original = oracle.original
    everyone = (*oracle.cases, *oracle.generated)
    cases = [case for case in everyone if case.call.process_id == process_id]
    cases.sort(key=lambda case: case.expected.cpu_ns)
    target = recorded.target_in(original.source, original.function)
    refused = started.begin_coverage(process_id, target)
    if refused is not None:
        return refused
    end = time.monotonic() + SECONDS
    made = 0
    for case in cases:
        if made and time.monotonic() > end:
            break
        request = case.patient(SLOWER, SPARE_S)
        reply = started.make(process_id, request, reach=case.reach)
        if isinstance(reply, NotReplayed):
            return reply  # with its worker all is lost that was seen so far
        made += 1
    found = started.coverage(process_id)
    if isinstance(found, NotReplayed):
        return found
    return replace(found, left_out=len(everyone) - made)
