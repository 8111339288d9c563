"""How many changes that are known to be right and faster are accepted.

    python benchmarks/honest.py [--only NAME...] [--json FILE]

Each subject of `tests/corpus/honest` is recorded with `perftrace run`, and each of its changes is
offered as `perftrace verify FILE:FUNC --candidate FILE --measure` does it: the gate, recorded and
generated calls, and the timing. A NAME is a subject ("shop") or the beginning of a change as the
table shows it ("shop: search"). A subject that needs numpy is left out where there is none, and
that is said.

Fails if fewer than 95 in a hundred are accepted, if one is rejected as different, or (of the whole
corpus) if there are fewer than 60.
"""

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from recording import recorded

from perftrace import locate
from perftrace.config import Settings
from perftrace.model import Accepted, Candidate, Inconclusive, Rejected
from perftrace.optimizer import decisions, pipeline
from perftrace.optimizer.verify import Passed
from perftrace.optimizer.workers import Workers
from perftrace.store import Store

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from corpus import honest
from corpus.honest import Change

MIN_ACCEPTED = 0.95  # of those that were offered
MIN_CHANGES = 60
WIDTH = 110  # of a reason in the table

DIFFERENT, GATE, SLOW = "different", "stopped by the gate", "not faster"
ACCEPTED, INCONCLUSIVE = "accepted", "inconclusive"


@dataclass(frozen=True)
class Outcome:
    """What became of a change."""

    label: str
    verdict: str
    reason: str
    speedup: float | None
    low: float | None
    high: float | None
    seconds: float

    @property
    def figures(self) -> str:
        """Such as "1.84x [1.79, 1.90]"."""
        if self.speedup is None:
            return "-"
        return f"{self.speedup:.2f}x [{self.low:.2f}, {self.high:.2f}]"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    chosen, left_out = wanted(options.only)
    if not chosen:
        parser.error(f"no change has a name like {', '.join(options.only)}")
    for subject in left_out:
        print(f"left out: {subject} needs {honest.NEEDS[subject]}, which is not installed")
    print("| change | verdict | speed-up | seconds | reason |\n| --- | --- | --- | --- | --- |")
    outcomes = []
    for outcome in offered(chosen):
        outcomes.append(outcome)
        reason = outcome.reason.replace("|", "\\|")[:WIDTH]
        row = [outcome.label, outcome.verdict, outcome.figures, f"{outcome.seconds:.0f}", reason]
        print(f"| {' | '.join(row)} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in outcomes], indent=1))
    print(f"\n{summary(outcomes)}")
    faults = missed_goals(outcomes, whole=not options.only)
    for fault in faults:
        print(f"FAILED: {fault}")
    return int(bool(faults))


def wanted(names: Sequence[str]) -> tuple[list[Change], list[str]]:
    """The changes with such names (none: all), and the subjects that can't be run here."""
    absent = {name for name, need in honest.NEEDS.items() if not importlib.util.find_spec(need)}
    found = [
        change
        for subject in honest.SUBJECTS
        for change in honest.changes(subject)
        if not names or any(change.label.startswith(name) for name in names)
    ]
    left_out = dict.fromkeys(change.subject for change in found if change.subject in absent)
    return [change for change in found if change.subject not in absent], list(left_out)


def offered(changes: Sequence[Change]) -> Iterator[Outcome]:
    """The outcome of each change; its program is recorded once."""
    for subject in dict.fromkeys(change.subject for change in changes):
        with tempfile.TemporaryDirectory(prefix="perftrace-honest-") as name:
            file = f"{subject}.py"
            source = honest.subject(subject).SUBJECT
            with recorded(Path(name), {file: source}, file) as store:
                for change in changes:
                    if change.subject == subject:
                        yield offer(store, change)


def offer(store: Store, change: Change) -> Outcome:
    """The verdict on a change, by all that `perftrace verify --measure` does."""
    began = time.perf_counter()
    function = locate.find(change.function, list(store.functions().values()))
    original = store.source_text(function)
    new = honest.applied(original, change)
    candidate = Candidate(function, "given", (change.name,), "", original, new)
    run = store.last_run()
    with Workers(store) as workers:
        found = pipeline.check(workers, run, candidate, Settings().min_speedup)
    assert not isinstance(found, Passed), "its speed was asked for"
    measurement = getattr(found, "measurement", None)
    witness = f" by {found.witness.call}" if isinstance(found, Rejected) and found.witness else ""
    return Outcome(
        label=change.label,
        verdict=word(found),
        reason=f"{decisions.reason(found)}{witness}",
        speedup=measurement and measurement.ratio,
        low=measurement and measurement.low,
        high=measurement and measurement.high,
        seconds=time.perf_counter() - began,
    )


def word(verdict: Accepted | Rejected | Inconclusive) -> str:
    """The verdict; a rejected one says for which of three reasons."""
    match verdict:
        case Accepted():
            return ACCEPTED
        case Inconclusive():
            return INCONCLUSIVE
        case Rejected(reason) if reason.startswith("gate: "):
            return GATE
        case Rejected(measurement=None):
            return DIFFERENT
        case _:
            return SLOW


def summary(outcomes: Sequence[Outcome]) -> str:
    """The totals in one line."""
    counts = Counter(outcome.verdict for outcome in outcomes)
    words = (ACCEPTED, INCONCLUSIVE, DIFFERENT, GATE, SLOW)
    totals = ", ".join(f"{counts[one]} {one}" for one in words)
    seconds = sum(outcome.seconds for outcome in outcomes) / max(1, len(outcomes))
    return f"{len(outcomes)} honest changes: {totals}; {seconds:.1f} s each"


def missed_goals(outcomes: Sequence[Outcome], *, whole: bool) -> list[str]:
    """The goals that these outcomes miss."""
    counts = Counter(outcome.verdict for outcome in outcomes)
    faults = []
    if counts[ACCEPTED] < MIN_ACCEPTED * len(outcomes):
        faults.append(f"{counts[ACCEPTED]} of {len(outcomes)} accepted: fewer than 95 %")
    if counts[DIFFERENT]:
        faults.append(f"{counts[DIFFERENT]} rejected as different")
    if whole and len(outcomes) < MIN_CHANGES:
        faults.append(f"{len(outcomes)} changes: fewer than {MIN_CHANGES}")
    return faults


if __name__ == "__main__":
    sys.exit(main())
