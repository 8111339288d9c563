"""What `optimize` found, as text and as a document."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.syntax import Syntax

from perftrace.model import (
    Accepted,
    Candidate,
    Decision,
    Inconclusive,
    Measurement,
    Rejected,
    Verdict,
    Witness,
)
from perftrace.optimizer import choose, decisions, patch
from perftrace.optimizer.instructions import Count, Counted, NotCounted
from perftrace.optimizer.search import named
from perftrace.optimizer.whole_program import Compared, Comparison, NotCompared, OutputChanged
from perftrace.report import tables

WORDS: Mapping[type[Verdict], str] = {
    Accepted: "kept",
    Rejected: "dropped",
    Inconclusive: "unclear",
}
UNMEASURED = "--"
SHOWN = 3  # differences told of one function


# --- one function -----------------------------------------------------------------------


def lines(decision: Decision, label: str, width: int) -> Iterator[str]:
    """The decision in a line, and the differences that were found in candidates."""
    measurement = measured(decision.verdict)
    speed = choose.figures(measurement) if measurement else UNMEASURED
    word = WORDS[type(decision.verdict)]
    yield f"{label:<{width}}  {speed:<20}  {word:<7}  {_why(decision)}"
    witnessed = [
        (candidate, verdict.witness)
        for candidate, verdict in decision.tried
        if isinstance(verdict, Rejected) and verdict.witness
    ]
    for candidate, witness in witnessed[:SHOWN]:
        yield f"  {named(candidate)}: {witness_text(witness)}"


def _why(decision: Decision) -> str:
    match decision.verdict:
        case Accepted() as verdict:
            steps = named(decision.candidate) if decision.candidate else ""
            return f"{decisions.rests_on(verdict)}   {steps}"
        case Rejected(measurement=Measurement()):
            return decisions.reason(decision.verdict).partition(":")[0]
        case verdict:
            return decisions.reason(verdict)


def measured(verdict: Verdict) -> Measurement | None:
    """The verdict's figures, if it has any."""
    return None if isinstance(verdict, Inconclusive) else verdict.measurement


def witness_text(witness: Witness) -> str:
    """The smallest call that shows a difference, in a line."""
    call = f"{witness.call} (a caller)" if witness.via else witness.call
    was = "recorded" if witness.call_id is not None else "the original gives"
    return f"{call} differs at {witness.where}: {witness.got}, {was} {witness.expected}"


def show_change(console: Console, decision: Decision, root: Path) -> None:
    """Why an accepted change is faster, and its diff."""
    if decision.candidate is None:
        return
    tables.say(console, f"{decision.id}: {named(decision.candidate)}")
    for line in dict.fromkeys(decision.candidate.explanation.splitlines()):
        tables.say(console, f"  {line}")
    show_diff(console, diff_of(decision.candidate, root))


def show_diff(console: Console, text: str) -> None:
    """A diff: in colour on a terminal, else as it is, so that `patch` can read it."""
    if console.is_terminal:
        safe = "\n".join(map(tables.plain, text.splitlines()))
        console.print(Syntax(safe, "diff", background_color="default", word_wrap=True))
    else:
        console.out(text, end="", highlight=False)


def diff_of(candidate: Candidate, root: Path) -> str:
    """The change as a unified diff with paths from the project's root."""
    return patch.diff(candidate.original, candidate.source, relative(candidate.function.file, root))


def relative(file: str, root: Path) -> str:
    """A path as seen from the project's root."""
    path = Path(file)
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


# --- the whole program ------------------------------------------------------------------


def whole_program_lines(found: Comparison, expected: float) -> Iterator[str]:
    """What the changes mean for the whole program."""
    match found:
        case Compared():
            output = "" if found.steady else "; its output varies, so it was not compared"
            yield (
                f"whole program {found.cpu} of CPU time, {found.wall} of wall time, from"
                f" {found.pairs} pairs of runs{output}"
            )
            yield (
                f"  expected by Amdahl's law: {expected:.2f}x at most; old against itself:"
                f" {found.noise:.2f}x"
            )
        case OutputChanged(line, was, now):
            yield "PROGRAM OUTPUT CHANGED: nothing is kept."
            yield f"  line {line} of its output is {now}, was {was}"
        case NotCompared(reason):
            yield f"whole program not compared: {reason}"


def whole_program_document(found: Comparison | None, expected: float) -> dict[str, Any]:
    """The same as data; figures are null where there are none."""
    figures: dict[str, Any] = {"ratio": None, "low": None, "high": None}
    match found:
        case Compared(cpu, wall, pairs, steady, noise):
            figures |= {"ratio": cpu.ratio, "low": cpu.low, "high": cpu.high, "clock": "cpu"}
            figures |= {"wall_ratio": wall.ratio, "wall_low": wall.low, "wall_high": wall.high}
            figures |= {"pairs": pairs, "same_output": True if steady else None, "noise": noise}
        case OutputChanged(line, was, now):
            figures |= {"reason": "program output changed", "same_output": False}
            figures |= {"line": line, "expected_output": was, "got_output": now}
        case NotCompared(reason):
            figures["reason"] = reason
        case None:
            figures["reason"] = "not asked for, or no change was accepted"
    return {**figures, "expected": expected if math.isfinite(expected) else None}


def count_line(found: Count) -> str:
    """What the changes mean for the number of instructions."""
    match found:
        case Counted(old, new):
            return (
                f"whole program {found.ratio:.3f}x by instructions ({old:,} -> {new:,}), counted"
                " once by callgrind"
            )
        case NotCounted(reason):
            return f"instructions not counted: {reason}"


def count_document(found: Count | None) -> dict[str, Any]:
    """The same as data; figures are null where there are none."""
    figures: dict[str, Any] = {"ratio": None, "old": None, "new": None}
    match found:
        case Counted(old, new):
            return figures | {"ratio": found.ratio, "old": old, "new": new}
        case NotCounted(reason):
            return figures | {"reason": reason}
        case None:
            return figures | {"reason": "not asked for, or no change was accepted"}


# --- documents --------------------------------------------------------------------------


def document(decision: Decision, label: str, root: Path) -> dict[str, Any]:
    """A decision as data."""
    measurement = measured(decision.verdict)
    candidate = decision.candidate
    return {
        "function": label,
        "file": decision.function.file,
        "line": decision.function.line,
        "verdict": decisions.word(decision.verdict),
        "reason": decisions.reason(decision.verdict),
        "speedup": measurement and measurement.ratio,
        "low": measurement and measurement.low,
        "high": measurement and measurement.high,
        "id": decision.id or None,
        "engine": candidate and candidate.engine,
        "steps": list(candidate.steps) if candidate else [],
        "explanation": candidate and candidate.explanation,
        "diff": candidate and diff_of(candidate, root),
        **_rest(decision.verdict),
        "tried": [_tried(*one, root) for one in decision.tried],
    }


def _rest(verdict: Verdict) -> dict[str, Any]:
    found = decisions.verdict_document(verdict)
    return {name: found.get(name) for name in ("evidence", "measurement", "witness")}


def _tried(candidate: Candidate, verdict: Verdict, root: Path) -> dict[str, Any]:
    steps = {"steps": list(candidate.steps), "diff": diff_of(candidate, root)}
    return {**steps, **decisions.verdict_document(verdict)}
