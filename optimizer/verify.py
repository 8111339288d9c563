"""Does a candidate keep the recorded behaviour? What the original did is the oracle."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from perftrace.errors import StaleError
from perftrace.model import Candidate, Evidence, Inconclusive, Rejected, Witness
from perftrace.optimizer import evidence, gate
from perftrace.optimizer.case import Case
from perftrace.optimizer.oracle import Oracle
from perftrace.optimizer.outside import Outside, look
from perftrace.optimizer.workers import SEEDS, Started, Version, Workers
from perftrace.replay.compare import Comparison, Different, Same, Unknown
from perftrace.replay.requests import NotReplayed, Reply

SLOWER, SPARE_S = 5, 2.0  # a candidate may take so many times the original's time, and a bit
KEEPS_STATE = "keeps-state"  # the gate's finding that a result may be remembered
AGAIN = "once the result of the same call before was changed"
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
    hard = [finding.message for finding in findings if finding.hard]
    if hard and (not explain or findings[0].rule == gate.SYNTAX):
        return Rejected(f"gate: {hard[0]}")
    found = _replay(candidate, oracle, workers)
    if hard:
        witness = found.witness if isinstance(found, Rejected) else None
        return Rejected(f"gate: {' '.join(hard)} {_besides(found, oracle.evidence)}", witness)
    if not isinstance(found, Outside):
        return found
    keeps_state = any(finding.rule == KEEPS_STATE for finding in findings)
    seen = replace(
        oracle.evidence,
        outside_calls=found.calls,
        outside=found.differences,
        keeps_state=keeps_state,
    )
    return Passed(seen, keeps_state)


def _besides(found: Rejected | Inconclusive | Outside, known: Evidence) -> str:
    """What the calls say of a change that breaks a rule of the gate."""
    match found:
        case Outside():
            return f"Its calls do not differ: {evidence.text(known)}."
        case Rejected(witness=Witness()):
            return "Its calls differ as well."
        case Rejected(reason) | Inconclusive(reason):
            return f"Its calls could not be compared: {reason}."


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
    for case, _, found in replayed(version, oracle, workers, added):
        if not isinstance(found, Same):
            return verdict(case, found)
    with workers.start(version, SEEDS[-1]) as started:
        return look(version, oracle, workers, started)


def replayed(
    version: Version, oracle: Oracle, workers: Workers, unshared: frozenset[str]
) -> Iterator[tuple[Case, Reply, Comparison]]:
    """Make every call of the oracle again with a version under two hash seeds, and compare.

    Args:
        version: what is compared with the original.
        oracle: what the original does.
        workers: starts the processes that make the calls.
        unshared: names that one side alone has; what changes in them is not compared.
    """
    one, other = (workers.start(version, seed) for seed in SEEDS)
    with one, other:
        for case in (*oracle.cases, *oracle.generated):
            # Larger calls come last, so nothing depends on them: they are made once.
            started = (other,) if case.grown else (one, other)
            process_id, request = case.call.process_id, case.patient(SLOWER, SPARE_S)
            aliases = other.aliases(process_id)
            for reply in Started.make_all(
                started, process_id, request, reach=case.reach, state=True
            ):
                shared = _without(reply, unshared)
                yield case, reply, _judge(case, shared, aliases, unshared)
        for case in (*oracle.cases, *oracle.generated):
            if case.again is not None:
                yield from _again(case, (one, other))


def _again(case: Case, started: Sequence[Started]) -> Iterator[tuple[Case, Reply, Comparison]]:
    """Whether the result is the same once a caller has changed the one before."""
    process_id, request = case.call.process_id, case.patient(SLOWER, SPARE_S)
    aliases = started[0].aliases(process_id)
    for reply in Started.make_all(started, process_id, request, repeat=True):
        found: Comparison
        if isinstance(reply, NotReplayed):
            found = Different(AGAIN, "an answer", reply.reason)
        else:
            found = case.differ_again(reply, aliases)
            if isinstance(found, Different):
                found = replace(found, where=f"{found.where} {AGAIN}")
        yield case, reply, found


def _without(reply: Reply, unshared: frozenset[str]) -> Reply:
    """The reply without what changed in names that are not compared."""
    if isinstance(reply, NotReplayed) or not reply.state or not unshared:
        return reply
    old = {name: blob for name, blob in reply.state.items() if unshared.isdisjoint(name.split("."))}
    return replace(reply, state=old)


def _judge(
    case: Case, reply: Reply, aliases: Mapping[str, str], unshared: frozenset[str]
) -> Comparison:
    if isinstance(reply, NotReplayed):
        return Different(ANSWER, "an answer", reply.reason)
    expected = _without(case.expected, unshared)
    assert not isinstance(expected, NotReplayed)
    return replace(case, expected=expected).differ(reply, aliases)


def verdict(case: Case, found: Different | Unknown) -> Rejected | Inconclusive:
    """What a difference, or one that can't be ruled out, says of the version."""
    if isinstance(found, Unknown):
        return Inconclusive(f"{found.where} of {case.text} can't be compared: {found.reason}")
    via = "" if case.reach is None else case.call.function.qualname
    number = None if case.generated else case.call.id
    witness = Witness(number, case.text, found.where, found.expected, found.got, via)
    return Rejected(f"differs at {found.where}: {found.got}, expected {found.expected}", witness)
