"""What the original of a function does: recorded calls that do the same whenever made again."""

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from perftrace.advice import advised
from perftrace.model import Call, Ending, Evidence, Recorded, Run
from perftrace.optimizer.case import Case, Dropped, case_of, steady
from perftrace.optimizer.sequence import in_sequence
from perftrace.optimizer.workers import SEEDS, Started, Version, Workers
from perftrace.replay import reach, recorded, sample
from perftrace.replay.process import TOO_LONG
from perftrace.replay.requests import How, NotReplayed, Replayed, Target
from perftrace.replay.tolerance import Tolerance
from perftrace.replay.unsafe import unsafe
from perftrace.store import Store

DIRECT, INDIRECT, HOTTEST = 24, 12, 6  # calls at most: of the function, of callers, to be timed
LOOKED_AT = 3  # times as many are looked at before these are chosen
DIRECT_NS, INDIRECT_NS = 1_000_000_000, 500_000_000  # recorded time of all the calls
SUSPENDING_NS = 20_000_000  # taken for generators and coroutines, whose durations say nothing
UNSEEN_END_NS = 10_000_000_000  # taken for calls whose end was not seen: `main`, as a rule
GENERATED, GENERATED_NS = 200, 500_000_000  # calls at most, and their CPU time
SLOWER, SPARE_S = 5, 1.0  # a generated call may take so many times the usual, and a bit
STUCK = 3  # generated calls that take too long; then there are no more
OUTSIDE, OUTSIDE_SPARE_S = 40, 0.3  # calls at most
GROWN, GROWN_NS = 4, 100_000_000  # calls at most; after so much CPU time there are no more
GROWN_S = 1.0  # what a call at four times the size may take, and not more than this:
GROWN_SLOWER, GROWN_SPARE_S = 64, 0.3  # work that grows with the third power of the size
WORDS = {How.LIKE: "like it", How.GROWN: "larger", How.OUTSIDE: "of other types"}
SEED = 20
CALLER = ", a caller: "  # marks the reasons of which the function itself is not the cause


@dataclass(frozen=True, slots=True)
class Oracle:
    """What the original of a function does."""

    original: Version
    cases: tuple[Case, ...]  # the function's own calls first, each with the shortest text first
    dropped: tuple[tuple[str, int], ...]  # calls left out: reason and count, most first
    generated: tuple[Case, ...] = ()  # with arguments like those of the function's own
    unused: int = 0  # generated calls left out
    outside: tuple[Case, ...] = ()  # with arguments of other types (`optimizer/outside.py`)
    tolerance: Tolerance | None = None

    @property
    def evidence(self) -> Evidence:
        """What a verdict of this oracle rests on."""
        direct = sum(case.reach is None for case in self.cases)
        count = len(self.cases)
        made = len(self.generated)
        allowed = self.tolerance.text if self.tolerance else ""
        calls = count, direct, count - direct
        return Evidence(*calls, self.dropped, made, self.unused, tolerance=allowed)

    @property
    def silence(self) -> str:
        """Why it can say nothing, where it has no case."""
        reasons = [reason for reason, _ in self.dropped]
        own = [reason for reason in reasons if CALLER not in reason]
        reason = next(iter([*own, *reasons]), "no call of it was recorded")
        return f"not replayable: {advised(reason)}"


def consult(
    run: Run, original: Version, workers: Workers, tolerance: Tolerance | None = None
) -> Oracle:
    """Make recorded calls of the function and of its callers again, twice, and keep the steady.

    The tolerance is for other versions: the original itself has to do the same to the last bit.

    Raises:
        TraceError: the trace file is damaged.
    """
    with workers.start(original, SEEDS[0]) as first, workers.start(original, SEEDS[1]) as second:
        making = _Making(run, original, workers.store, (first, second))
        making.add_direct()
        making.add_generated()
        making.add_grown()
        making.add_indirect()
        making.add_outside()  # at the end: such calls may leave the program in any state
        first.teach()
    cases = sorted(making.cases, key=lambda case: (case.reach is not None, len(case.text)))
    made = [
        replace(case, tolerance=None if case.reach else tolerance)
        for case in in_sequence([*cases, *making.generated], original, workers, making.dropped)
    ]
    return Oracle(
        original,
        tuple(case for case in made if not case.generated),
        tuple(making.dropped.most_common()),
        tuple(case for case in made if case.generated),
        making.unused,
        tuple(making.outside),
        tolerance,
    )


class _Making:
    """An oracle being put together."""

    def __init__(
        self, run: Run, original: Version, store: Store, started: Sequence[Started]
    ) -> None:
        self.cases: list[Case] = []
        self.generated: list[Case] = []
        self.outside: list[Case] = []
        self.unused = 0
        self.dropped: Counter[str] = Counter()
        self._run = run
        self._function = original.function
        self._store = store
        self._started = started
        self._target = recorded.target(store, original.function)
        self._as_recorded = original.as_recorded

    def add_direct(self) -> None:
        """The function's own calls that tell the most, and the hottest."""
        usable: list[Call] = []
        for call in self._store.calls(self._function, run=self._run):
            reason = unsafe(call)
            if not isinstance(call.arguments, Recorded):
                reason = f"its arguments were not recorded: {call.arguments.reason}"
            if reason:
                self.dropped[reason] += 1
            else:
                usable.append(call)
        likely = sample.choose(self._store, usable, DIRECT * LOOKED_AT)
        told = sample.tell_most(
            [self._look(call) for call in self._affordable(likely, DIRECT_NS, 1)], DIRECT
        )
        chosen = [*(one.call for one in told), *hottest(usable)]
        for call in self._affordable({call.id: call for call in chosen}.values(), DIRECT_NS, 1):
            self._add(call, None)

    def add_generated(self) -> None:
        """Calls with arguments like those of the function's own that were just added."""
        usual_s = self._usual_s()
        count = min(GENERATED, int(GENERATED_NS / max(1.0, usual_s * 1e9)))
        for found in self._made(How.LIKE, count, usual_s * SLOWER + SPARE_S):
            if isinstance(found, Case):
                self.generated.append(found)
            else:
                self.unused += 1

    def add_grown(self) -> None:
        """Calls with the largest arguments at four times their size."""
        left = GROWN_NS
        most_s = min(GROWN_S, self._usual_s() * GROWN_SLOWER + GROWN_SPARE_S)
        for found in self._made(How.GROWN, GROWN, most_s):
            if isinstance(found, Case) and (left == GROWN_NS or found.expected.cpu_ns <= left):
                self.generated.append(replace(found, grown=True))
                left -= found.expected.cpu_ns
            if left <= 0:
                return

    def add_outside(self) -> None:
        """Calls with arguments outside the recorded types."""
        found = self._made(How.OUTSIDE, OUTSIDE, self._usual_s() * SLOWER + OUTSIDE_SPARE_S)
        self.outside += [one for one in found if isinstance(one, Case)]

    def _usual_s(self) -> float:
        """What a call of the function's own takes, of those that were just added."""
        direct = [case.expected.cpu_ns for case in self.cases if case.reach is None]
        return statistics.fmean(direct) / 1e9 if direct else 0.0

    def _made(self, how: How, count: int, most_s: float) -> Iterator[Case | Dropped]:
        """Calls with arguments made of the function's own, each made again."""
        direct = [case for case in self.cases if case.reach is None]
        if not direct or not count:
            return
        first = direct[0]
        process_id = first.call.process_id
        requests = [case.request for case in direct if case.call.process_id == process_id]
        made = self._started[0].amplify(process_id, requests, count, SEED, how)
        if isinstance(made, NotReplayed):
            self.dropped[f"none {WORDS[how]} could be generated: {made.reason}"] += 1
            return
        stuck = 0
        for blob in made:
            request = replace(first.request, arguments=blob, wall_s=most_s)
            found = steady(first.call, request, None, self._started)
            if isinstance(found, Case) and _fails_late(found.expected):
                found = Dropped("one of its operations fails after it began to yield")
            stuck += isinstance(found, Dropped) and found.reason.startswith(TOO_LONG)
            yield found if isinstance(found, Dropped) else replace(found, generated=True)
            if stuck == STUCK:
                return

    def add_indirect(self) -> None:
        """Calls of callers that reach the function."""
        tried = reach.calls(self._store, self._run, self._function, INDIRECT * LOOKED_AT)
        wanted = len(self.cases) + INDIRECT
        for call in self._affordable(tried, INDIRECT_NS, 0 if self.cases else 1, self._target):
            if len(self.cases) < wanted:
                self._add(call, self._target)

    def _add(self, call: Call, aim: Target | None) -> None:
        found = case_of(self._store, call, aim, self._started, as_recorded=self._as_recorded)
        if isinstance(found, Case):
            self.cases.append(found)
        else:
            self._drop(call, found.reason, aim)

    def _drop(self, call: Call, reason: str, aim: Target | None) -> None:
        """Note why a call is no case, and whose it is where it is that of a caller."""
        whose = "" if aim is None else f"a call of {call.function.qualname}{CALLER}"
        self.dropped[f"{whose}{reason}"] += 1

    def _look(self, call: Call) -> sample.Seen:
        """The call with the lines it runs."""
        request = recorded.request(self._store, call)
        lines: frozenset[int] = frozenset()
        if not isinstance(request, NotReplayed):
            reply = self._started[0].make(call.process_id, request, lines=True)
            lines = reply.lines if isinstance(reply, Replayed) else lines
        return sample.look(self._store, call, lines)

    def _affordable(
        self, calls: Iterable[Call], left: int, least: int, aim: Target | None = None
    ) -> list[Call]:
        """The calls, shortest first, that can be made again and again; at least so many."""
        kept: list[Call] = []
        for call in sorted(calls, key=_cost_ns):
            left -= _cost_ns(call)
            if len(kept) >= least and left < 0:
                self._drop(call, "it takes too long to be made again and again", aim)
            else:
                kept.append(call)
        return kept


def _fails_late(reply: Replayed) -> bool:
    return reply.implicit and reply.ending is not Ending.RAISED


def _cost_ns(call: Call) -> int:
    """How long it takes to make the call again; guessed where no duration was recorded."""
    if call.duration_ns is not None:
        return call.duration_ns
    return UNSEEN_END_NS if call.outcome.ending is Ending.UNKNOWN else SUSPENDING_NS


def hottest(calls: Iterable[Call], count: int = HOTTEST) -> list[Call]:
    """One call for each of the arguments that the most time was spent on, the most first."""
    spent: Counter[bytes] = Counter()
    one: dict[bytes, Call] = {}
    for call in calls:
        if isinstance(call.arguments, Recorded) and call.duration_ns:
            spent[call.arguments.digest] += call.duration_ns
            one.setdefault(call.arguments.digest, call)
    return [one[digest] for digest, _ in spent.most_common(count)]
