"""Does a candidate keep the recorded behaviour? What the original did is the oracle."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from perftrace.errors import StaleError
from perftrace.model import Candidate, Evidence, Inconclusive, Rejected, Witness
from perftrace.optimizer import gate
from perftrace.optimizer.oracle import Case, Oracle
from perftrace.optimizer.outside import Outside, look
from perftrace.optimizer.workers import SEEDS, Version, Workers
from perftrace.replay.compare import Comparison, Different, Same, Unknown
from perftrace.replay.requests import NotReplayed, Reply

SLOWER, SPARE_S = 5, 2.0  # a candidate may take so many times the original's time, and a bit
KEEPS_STATE = "keeps-state"  # the gate's finding that a result may be remembered
ANSWER = "the call"  # where the difference is when there is no answer


@dataclass(frozen=True, slots=True)
class Passed:
    """No difference was found."""

    evidence: Evidence
    keeps_state: bool = False  # between calls, so that it must not be timed warm


def verify(
    candidate: Candidate, oracle: Oracle, workers: Workers, *, explain: bool = False
) -> Passed | Rejected | Inconclusive:
    """Check the change, then make every call of the oracle again with it under two hash seeds.

    Args:
        candidate: the change.
        oracle: what the original does.
        workers: starts the processes that make the calls.
        explain: look for a witness also where the check of the change is enough to reject it.

    Raises:
        TraceError: the trace file is damaged.
    """
    findings = gate.check(candidate)
    hard = next((finding.message for finding in findings if finding.hard), None)
    if hard is not None and not explain:
        return Rejected(f"gate: {hard}")
    found = _replay(candidate, oracle, workers)
    if hard is not None:
        return Rejected(f"gate: {hard}", found.witness if isinstance(found, Rejected) else None)
    if not isinstance(found, Outside):
        return found
    keeps_state = any(finding.rule == KEEPS_STATE for finding in findings)
    evidence = replace(
        oracle.evidence,
        outside_calls=found.calls,
        outside=found.differences,
        keeps_state=keeps_state,
    )
    return Passed(evidence, keeps_state)


def _replay(
    candidate: Candidate, oracle: Oracle, workers: Workers
) -> Rejected | Inconclusive | Outside:
    """What speaks against the candidate, or else what it does outside the recorded types."""
    if not oracle.cases:
        return Inconclusive(oracle.silence)
    try:
        version = Version.of(candidate)
    except (StaleError, SyntaxError) as error:
        return Rejected(f"it can't be imported: {error}")
    added = gate.added_names(candidate)
    outside: Outside | Rejected = Outside()
    for seed in SEEDS:
        with workers.start(version, seed) as started:
            for case in (*oracle.cases, *oracle.generated):
                if case.grown and seed != SEEDS[-1]:  # they come last: nothing depends on them
                    continue
                process_id, request = case.call.process_id, case.patient(SLOWER, SPARE_S)
                reply = started.make(process_id, request, reach=case.reach, state=True)
                found = _judge(case, _without(reply, added), started.aliases(process_id))
                if not isinstance(found, Same):
                    return _verdict(case, found)
            if seed == SEEDS[-1]:
                outside = look(version, oracle, workers, started)
    return outside


def _without(reply: Reply, added: frozenset[str]) -> Reply:
    """The reply without what changed in names that the original does not have."""
    if isinstance(reply, NotReplayed) or not reply.state or not added:
        return reply
    old = {name: blob for name, blob in reply.state.items() if added.isdisjoint(name.split("."))}
    return replace(reply, state=old)


def _judge(case: Case, reply: Reply, aliases: Mapping[str, str]) -> Comparison:
    if isinstance(reply, NotReplayed):
        return Different(ANSWER, "an answer", reply.reason)
    return case.differ(reply, aliases)


def _verdict(case: Case, found: Different | Unknown) -> Rejected | Inconclusive:
    if isinstance(found, Unknown):
        return Inconclusive(f"{found.where} of {case.text} can't be compared: {found.reason}")
    via = "" if case.reach is None else case.call.function.qualname
    number = None if case.generated else case.call.id
    witness = Witness(number, case.text, found.where, found.expected, found.got, via)
    return Rejected(f"differs at {found.where}: {found.got}, expected {found.expected}", witness)
