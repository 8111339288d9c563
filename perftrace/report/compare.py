"""What `compare` found, as text and as a document."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from perftrace.model import Inconclusive, Measurement, Rejected, Witness
from perftrace.optimizer import evidence
from perftrace.optimizer.changes import Changes
from perftrace.optimizer.compare import Compared, NotReplayable, Result, speed_word
from perftrace.optimizer.measure import NotMeasured
from perftrace.optimizer.whole_program import Compared as Ran
from perftrace.optimizer.whole_program import Comparison, NotCompared, OutputChanged

SHOWN = 8  # names listed in a line

# Each outcome's word in a document.
WORDS: Mapping[type[object], str] = {
    Compared: "no difference",
    Rejected: "different",
    Inconclusive: "unclear",
    NotReplayable: "not replayable",
}


def lines(result: Result, label: str, width: int, old: str) -> Iterator[str]:
    """What became of one function, in a line or two; `old` is the old revision's name."""
    yield f"{label:<{width}}  {outcome_text(result, old)}"
    if result.change.what != "changed":
        yield f"  {result.change.what}"
    for note in result.notes:
        yield f"  note: {note}"


def outcome_text(result: Result, old: str) -> str:
    """What became of one function, in words; `old` is the old revision's name."""
    match result.outcome:
        case Compared(evidence=seen, speed=speed):
            return f"{evidence.text(seen)}; {speed_text(speed)}"
        case Rejected(reason=reason, witness=witness):
            return f"different: {witness_text(witness, old) if witness else reason}"
        case Inconclusive(reason=reason):
            return f"unclear: {reason}"
        case NotReplayable(reason=reason):
            return f"not replayable: {reason}"


def witness_text(witness: Witness, old: str) -> str:
    """The smallest call that shows a difference."""
    call = f"{witness.call} (a caller)" if witness.via else witness.call
    return f"{call} differs at {witness.where}: {witness.got}, {old} gives {witness.expected}"


def speed_text(found: Measurement | NotMeasured) -> str:
    """How fast one function is, in words."""
    if isinstance(found, NotMeasured):
        return f"not timed: {found.reason}"
    interval = f"[{found.low:.2f}, {found.high:.2f}]"
    match speed_word(found):
        case "same":
            return f"no change of speed that can be measured {interval}"
        case "slower":
            return f"{found.ratio:.2f}x: slower {interval}"
        case word:
            return f"{found.ratio:.2f}x {word} {interval}"


def summary(changes: Changes, results: list[Result]) -> Iterator[str]:
    """What else has to be said of the two revisions."""
    for caller, names in _callers(results, changes.old.name).items():
        yield f"different: {caller}; it reaches {_listed(tuple(names))}"
    if changes.untraced:
        yield f"Changed, but not in the trace: {_listed(changes.untraced)}"
    if changes.files.others:
        listed = _listed(changes.files.others)
        yield f"Not Python, so both revisions saw the files on the disk: {listed}"
    if changes.files.unreadable:
        yield f"Can't be read as Python: {_listed(changes.files.unreadable)}"
    if not results:
        yield (
            f"No function of the trace differs between {changes.old.name} and {changes.new.name}."
        )


def _callers(results: list[Result], old: str) -> dict[str, list[str]]:
    """The calls of callers that differ, and the changed functions that each reaches."""
    found: dict[str, list[str]] = {}
    for result in results:
        for witness in result.callers:
            reached = found.setdefault(witness_text(witness, old), [])
            if result.change.function.qualname not in reached:
                reached.append(result.change.function.qualname)
    return found


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def program_line(found: Comparison, old: str) -> str:
    """The whole program, in a line."""
    match found:
        case Ran():
            output = "the same output" if found.steady else "its output varies by itself"
            return (
                f"whole program: {found.cpu} of CPU time, {found.wall} of wall time,"
                f" from {found.pairs} pairs of runs; {output}"
            )
        case OutputChanged(line, was, now):
            return f"whole program: different: line {line} of its output is {now}, {old}: {was}"
        case NotCompared(reason):
            return f"whole program not compared: {reason}"


def document(result: Result, label: str) -> dict[str, Any]:
    """One function as data."""
    found = result.outcome
    evidence = found.evidence if isinstance(found, Compared) else None
    witness = found.witness if isinstance(found, Rejected) else None
    speed = found.speed if isinstance(found, Compared) else None
    measured = speed if isinstance(speed, Measurement) else None
    return {
        "function": label,
        "file": result.change.function.file,
        "change": result.change.what,
        "outcome": WORDS[type(found)],
        "reason": None if isinstance(found, Compared) else found.reason,
        "evidence": evidence and asdict(evidence),
        "witness": witness and asdict(witness),
        "speed": speed_word(measured) if measured else None,
        "speedup": measured and measured.ratio,
        "low": measured and measured.low,
        "high": measured and measured.high,
        "not_timed": speed.reason if isinstance(speed, NotMeasured) else None,
        "notes": list(result.notes),
        "callers": [asdict(one) for one in result.callers],
    }
