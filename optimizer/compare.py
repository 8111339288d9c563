"""Two revisions of a program: whether each changed function does the same, and how fast it is.

The same machinery as for a candidate: the old revision's recorded calls that do the same whenever
made again are the oracle. The author is a person, so what the static check finds is told, not a
reason to refuse.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath
from time import monotonic

from perftrace.model import (
    Candidate,
    Evidence,
    Inconclusive,
    Measurement,
    Rejected,
    Run,
    Witness,
)
from perftrace.optimizer import gate, measure, oracle, patch
from perftrace.optimizer.case import Case
from perftrace.optimizer.changes import Change, Changes
from perftrace.optimizer.measure import Effort, NotMeasured, Timer
from perftrace.optimizer.oracle import Oracle
from perftrace.optimizer.verify import KEEPS_STATE, replayed, verdict
from perftrace.optimizer.workers import Version, Workers
from perftrace.replay.compare import Same
from perftrace.replay.requests import NotReplayed

# Fixed, as the user wants a figure whatever it is; nine give an interval by ranks of eight of them.
EFFORT = Effort(pairs=9, most=9, groups=7, block_s=0.03, gives_up=False)
GLANCE = Effort(pairs=5, most=5, groups=3, block_s=0.03, gives_up=False)  # how long, not how much
CLEAR = 1.01  # what lies between this and its inverse is taken for the place of code in memory
OUTSIDE = "outside"  # the gate's finding that more changed than the function

# Words of a worker that can't build a call: the program changed around what was recorded.
UNBUILT = re.compile(
    r"needs |.* (has no |no longer exists in |is not there|is not defined when )", re.DOTALL
)

type Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class NotReplayable:
    """Nothing can be said of a function, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A function without a known difference."""

    evidence: Evidence
    speed: Measurement | NotMeasured


type Outcome = Compared | Rejected | Inconclusive | NotReplayable


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one changed function."""

    change: Change
    outcome: Outcome
    notes: tuple[str, ...] = ()  # what the static check has to say
    # Calls of callers that differ though its own don't: another change may be why.
    callers: tuple[Witness, ...] = ()


def compare(
    workers: Workers,
    run: Run,
    changes: Changes,
    *,
    timing: Effort | None,
    seconds: float,
    tell: Tell,
) -> Iterator[Result]:
    """Compare the functions one by one for about so long; without `timing` none is timed.

    Raises:
        TraceError: the trace file is damaged.
    """
    end = monotonic() + seconds
    for change in changes.listed:
        name = change.function.qualname
        if change.function.id < 0:
            yield Result(change, NotReplayable("no call of it was recorded"))
        elif monotonic() > end:
            yield Result(change, NotReplayable("not tried: the time for all was used up"))
        else:
            tell(f"{name}: replaying recorded calls")
            yield _One(workers, run, changes, change).result(tell, timing)


class _One:
    """One function in both revisions."""

    def __init__(self, workers: Workers, run: Run, changes: Changes, change: Change) -> None:
        self._workers = workers
        self._run = run
        self._changes = changes
        self._change = change
        texts = changes.files.old, changes.files.new
        self._texts = [
            (text.get(key[0]) or "") if key else ""
            for text, key in zip(texts, (change.old, change.new), strict=True)
        ]
        self._findings = self._checked()
        self._callers: list[Witness] = []

    def result(self, tell: Tell, timing: Effort | None) -> Result:
        """What became of it."""
        outcome = self._outcome(tell, timing)
        notes = tuple(one.message for one in self._findings if one.rule != OUTSIDE)
        return Result(self._change, outcome, notes, tuple(self._callers))

    def _outcome(self, tell: Tell, timing: Effort | None) -> Outcome:
        name = PurePath(self._change.function.file).name
        revisions = self._changes.old.name, self._changes.new.name
        for side, revision in zip(self._changes.sides, revisions, strict=True):
            if broken := side.broken.get(self._change.file):
                why = f"{name} can't be compiled in {revision}: {broken}"
                return Rejected(why) if side is self._changes.sides[1] else NotReplayable(why)
        old, new = self._versions()
        truth = oracle.consult(self._run, old, self._workers)
        if not truth.cases:
            return NotReplayable(_bare(truth.silence))
        left, found = self._differences(truth, new)
        if found is not None:
            return found
        if not left.cases:
            return NotReplayable(_bare(left.silence))
        if timing is None:
            return Compared(left.evidence, NotMeasured("not asked for"))
        tell(f"{self._change.function.qualname}: measuring")
        return Compared(left.evidence, self._timed(left, old, new, timing))

    def _versions(self) -> tuple[Version, Version]:
        function = self._change.function
        alone = not self._is_in_place() or self._is_wide()
        old, new = self._changes.old, self._changes.new
        return (
            Version(function, self._texts[0], revision=old, alone=alone),
            Version(function, self._texts[1], revision=new, alone=alone),
        )

    def _is_in_place(self) -> bool:
        return self._change.old is not None and self._change.old == self._change.new

    def _is_wide(self) -> bool:
        """Whether more changed than this function, so that all of both revisions is timed."""
        if len(self._changes.files.old) > 1:
            return True
        return any(one.rule == OUTSIDE for one in gate.check(self._candidate(self._texts[1])))

    def _candidate(self, text: str) -> Candidate:
        key = self._change.old
        assert key is not None
        line = self._changes.sides[0].places[key].first
        function = replace(self._change.function, line=line)
        return Candidate(function, "given", (), "", self._texts[0], text)

    def _checked(self) -> list[gate.Finding]:
        """What the static check finds in this function's change, where it is still in its place."""
        old, new = (
            side.places.get(key) if key else None
            for side, key in zip(
                self._changes.sides, (self._change.old, self._change.new), strict=True
            )
        )
        if old is None or new is None or not self._is_in_place():
            return []
        before, after = (patch.lines_of(text) for text in self._texts)
        changed = after[new.first - 1 : new.last]
        text = "".join([*before[: old.first - 1], *changed, *before[old.last :]])
        return gate.check(self._candidate(text)) if text != self._texts[0] else []

    def _differences(
        self, truth: Oracle, new: Version
    ) -> tuple[Oracle, Rejected | Inconclusive | None]:
        """The oracle less the calls that say nothing of this function, and what differs.

        Where its own calls don't differ and more changed, a difference in a call of a caller may
        come from elsewhere: it is noted.
        """
        lost: dict[int, str] = {}
        unclear: Rejected | Inconclusive | None = None
        cases = {id(case): index for index, case in enumerate(_cases(truth))}
        own = any(case.reach is None for case in truth.cases)
        several = own and self._changes.several
        for case, reply, found in replayed(new, truth, self._workers, self._changes.unshared):
            if isinstance(found, Same):
                continue
            judged = verdict(case, found)
            if isinstance(reply, NotReplayed) and UNBUILT.match(reply.reason):
                lost[cases[id(case)]] = reply.reason
            elif case.reach is not None and several and isinstance(judged, Rejected):
                index = cases[id(case)]
                self._callers += [judged.witness] if judged.witness and index not in lost else []
                lost[index] = "a call of a caller that differs"
            elif isinstance(judged, Rejected):
                return truth, judged
            else:
                unclear = unclear or judged
        return _less(truth, lost), unclear

    def _timed(
        self, truth: Oracle, old: Version, new: Version, effort: Effort
    ) -> Measurement | NotMeasured:
        calls = self._workers.store.calls(self._change.function, run=self._run)
        if any(one.rule == KEEPS_STATE for one in self._findings):
            workload = measure.cold(self._workers, calls)
        else:
            workload = measure.warm(truth, calls)
        if isinstance(workload, NotMeasured):
            return workload
        return Timer(self._workers).measure(workload, old, new, effort)


def _cases(truth: Oracle) -> tuple[Case, ...]:
    return (*truth.cases, *truth.generated)


def _less(truth: Oracle, lost: dict[int, str]) -> Oracle:
    """The oracle without some of its cases, which are counted among those left out."""
    if not lost:
        return truth
    count = len(truth.cases)
    reasons = [reason for index, reason in lost.items() if index < count]
    dropped = [*truth.dropped, *((reason, reasons.count(reason)) for reason in set(reasons))]
    return replace(
        truth,
        cases=tuple(case for index, case in enumerate(truth.cases) if index not in lost),
        generated=tuple(
            case for index, case in enumerate(truth.generated, count) if index not in lost
        ),
        dropped=tuple(sorted(dropped, key=lambda one: -one[1])),
        unused=truth.unused + sum(index >= count for index in lost),
    )


def _bare(silence: str) -> str:
    """The oracle's reason, without the words that the outcome says itself."""
    return silence.removeprefix("not replayable: ")


def speed_word(found: Measurement) -> str:
    """What the interval says: "faster", "slower", or neither."""
    if found.low > CLEAR:
        return "faster"
    return "slower" if found.high < 1 / CLEAR else "same"
