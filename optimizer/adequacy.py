"""How much the calls of an oracle would notice: what they run, and their mutation score.

Small mistakes are made in the original (an operator, a bound, a constant, a condition), one at a
time, and the calls are made again. The share of mistakes that some call shows is known to go with
the faults that a set of tests finds (Just et al. 2014, "Are mutants a valid substitute for real
faults in software testing?", FSE). A mistake that changes nothing can't be noticed: 100 % is rare.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

from perftrace.model import Evidence
from perftrace.optimizer.case import Case
from perftrace.optimizer.covering import covered
from perftrace.optimizer.mutants import mutants
from perftrace.optimizer.oracle import Oracle
from perftrace.optimizer.workers import SEEDS, Started, Workers
from perftrace.replay import recorded
from perftrace.replay.compare import Different
from perftrace.replay.requests import NotReplayed, Other

MOST = 45  # mistakes
SECONDS = 8.0  # after that no further mistake is tried
SLOWER, SPARE_S = 5, 0.5  # a call may take so many times what it took, and a bit


def weighed(evidence: Evidence, oracle: Oracle, workers: Workers) -> Evidence:
    """The evidence with what its calls run of the original, and what they would notice.

    Raises:
        TraceError: the trace file is damaged.
    """
    if not oracle.cases:
        return replace(evidence, mistakes=(0, 0))
    with workers.start(oracle.original, SEEDS[0]) as started:
        found = covered(oracle, started)
        mistakes = mutation_score(oracle, started)
    if isinstance(found, NotReplayed):
        return replace(evidence, mistakes=mistakes, not_covered=found.reason)
    return replace(evidence, mistakes=mistakes, coverage=found)


def mutation_score(oracle: Oracle, started: Started) -> tuple[int, int]:
    """Mistakes that some call notices, and mistakes that were tried; (0, 0) where none could be.

    Args:
        oracle: its calls.
        started: workers of its original.

    Raises:
        TraceError: the trace file is damaged.
    """
    if not oracle.cases:
        return 0, 0
    process_id = oracle.cases[0].call.process_id
    cases = [
        case for case in (*oracle.cases, *oracle.generated) if case.call.process_id == process_id
    ]
    original = oracle.original
    target = recorded.target_in(original.source, original.function)
    function = original.function
    place = (original.source, function.qualname, function.line)
    noticed = tried = 0
    end = time.monotonic() + SECONDS
    for source in mutants(*place, alone=True, most=MOST):
        if time.monotonic() > end:
            break
        if started.exchange(process_id, Other(target, source)) is None:
            tried += 1
            noticed += _is_noticed(cases, started)
    return noticed, tried


def _is_noticed(cases: Sequence[Case], started: Started) -> bool:
    for case in cases:
        request = case.patient(SLOWER, SPARE_S)
        reply = started.make(case.call.process_id, request, reach=case.reach)
        if isinstance(reply, NotReplayed):
            return True
        aliases = started.aliases(case.call.process_id)
        if isinstance(case.differ(reply, aliases), Different):
            return True
    return False
