"""Decisions as rows of the trace file, and back."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import msgspec

from perftrace.errors import TraceError
from perftrace.model import (
    Accepted,
    Candidate,
    Decision,
    Evidence,
    Function,
    Inconclusive,
    Measurement,
    Rejected,
    Run,
    Verdict,
    Witness,
)
from perftrace.optimizer import costs, evidence
from perftrace.store import Store

type Row = Mapping[str, Any]

WORDS: Mapping[type[Verdict], str] = {
    Accepted: "accepted",
    Rejected: "rejected",
    Inconclusive: "inconclusive",
}


def now() -> str:
    """The time stamp that the decisions of one `optimize` share."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def identity(candidate: Candidate) -> str:
    """What `apply` takes: the function's name and a digest of the change."""
    function = candidate.function
    changed = f"{function.file}\0{function.qualname}\0{candidate.source}".encode()
    return f"{function.name}-{hashlib.blake2b(changed, digest_size=3).hexdigest()}"


def word(verdict: Verdict) -> str:
    """The verdict in one word."""
    return WORDS[type(verdict)]


def reason(verdict: Verdict) -> str:
    """The verdict's reason in plain words."""
    match verdict:
        case Accepted(measurement=measurement):
            return f"{rests_on(verdict)}; {measurement.ratio:.2f}x as fast"
        case Rejected(text) | Inconclusive(text):
            return text


def rests_on(verdict: Accepted) -> str:
    """What an accepted verdict rests on, and what the change costs elsewhere."""
    found, measurement = verdict.evidence, verdict.measurement
    elsewhere = costs.text(measurement, keeps_state=found.keeps_state)
    return "; ".join(filter(None, (evidence.text(found), elsewhere)))


def save(store: Store, run: Run, decisions: Iterable[Decision], created: str) -> None:
    """Write decisions; an older one of the same function and change is replaced.

    Raises:
        TraceError: the file cannot be written.
    """
    recorded = (decision for decision in decisions if decision.function.id > 0)
    with store.transaction():
        for decision in recorded:
            store.put("decision", _row(run, decision, created))


def every(store: Store) -> list[Decision]:
    """All decisions: those of the newest `optimize` first, each one's in its order.

    Raises:
        TraceError: the file is damaged.
    """
    known = store.functions()
    rows = store.rows("SELECT * FROM decision ORDER BY created DESC, rowid")
    return [_decision(store, known, row) for row in rows]


def accepted(store: Store) -> list[Decision]:
    """Every accepted decision, of the newest `optimize` first."""
    return [one for one in every(store) if one.id]


def accepted_before(store: Store, run: Run) -> list[Decision]:
    """The accepted decisions on runs recorded before this one."""
    known = store.functions()
    sql = "SELECT * FROM decision WHERE run_id < ? AND verdict = ? ORDER BY created DESC, rowid"
    return [_decision(store, known, row) for row in store.rows(sql, run.id, "accepted")]


def _row(run: Run, decision: Decision, created: str) -> dict[str, object]:
    candidate = decision.candidate
    return {
        "id": identity(candidate) if candidate else f"{run.id}:{decision.function.id}",
        "run_id": run.id,
        "function_id": decision.function.id,
        "verdict": word(decision.verdict),
        "reason": reason(decision.verdict),
        "engine": candidate.engine if candidate else "",
        "steps": json.dumps(candidate.steps if candidate else ()),
        "explanation": candidate.explanation if candidate else "",
        "file": decision.function.file,
        "original": candidate.original if candidate else "",
        "source": candidate.source if candidate else "",
        "document": json.dumps(document(decision)),
        "created": created,
    }


def document(decision: Decision) -> dict[str, Any]:
    """The parts of a decision that have no column of their own."""
    tried = [
        {
            "engine": candidate.engine,
            "steps": candidate.steps,
            "explanation": candidate.explanation,
            "source": candidate.source,
            **verdict_document(verdict),
        }
        for candidate, verdict in decision.tried
    ]
    return {**verdict_document(decision.verdict), "tried": tried}


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain data."""
    parts = {"verdict": word(verdict), "reason": reason(verdict)}
    rest = {
        name: asdict(part)
        for name in ("evidence", "measurement", "witness")
        if (part := getattr(verdict, name, None)) is not None
    }
    return parts | rest


class _VerdictRow(msgspec.Struct):
    """A verdict as it is stored."""

    verdict: str
    reason: str
    evidence: Evidence | None = None
    measurement: Measurement | None = None
    witness: Witness | None = None

    def model(self) -> Verdict:
        if self.verdict == "rejected":
            return Rejected(self.reason, self.witness, self.measurement)
        if self.verdict == "inconclusive":
            return Inconclusive(self.reason)
        if self.verdict == "accepted" and self.evidence and self.measurement:
            return Accepted(self.evidence, self.measurement)
        raise ValueError(f"{self.verdict!r} is not a whole verdict")


class _TriedRow(_VerdictRow, kw_only=True):
    """A candidate that was tried, as it is stored."""

    engine: str
    steps: tuple[str, ...]
    explanation: str
    source: str


class _Document(_VerdictRow, kw_only=True):
    """The document column."""

    tried: tuple[_TriedRow, ...]


def _decision(store: Store, known: Mapping[int, Function], row: Row) -> Decision:
    try:
        found = msgspec.json.decode(row["document"], type=_Document)
        function = known[row["function_id"]]
        tried = [(_candidate(function, row["original"], one), one.model()) for one in found.tried]
        candidate = None
        if row["source"]:
            steps = msgspec.json.decode(row["steps"], type=tuple[str, ...])
            candidate = Candidate(
                function, row["engine"], steps, row["explanation"], row["original"], row["source"]
            )
        verdict = found.model()
    except (msgspec.DecodeError, ValueError, TypeError, KeyError) as error:
        raise TraceError(
            "trace-damaged",
            f"{store.path} is damaged (a decision makes no sense: {error}). Optimize again:"
            " perftrace optimize",
        ) from error
    accepted = row["verdict"] == "accepted"
    return Decision(function, candidate, verdict, tuple(tried), row["id"] if accepted else "")


def _candidate(function: Function, original: str, row: _TriedRow) -> Candidate:
    return Candidate(function, row.engine, row.steps, row.explanation, original, row.source)
