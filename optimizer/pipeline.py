"""The whole job on one page.

record -> store -> rank -> replay -> generate -> verify -> measure -> choose -> write

`perftrace run` has recorded and stored. Here the hottest functions are ranked; each one's recorded
calls are replayed, an engine generates candidates, they are verified and measured, and one is
chosen or there is a reason why not. `perftrace apply` writes what was accepted.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from perftrace import locate
from perftrace.errors import StaleError, TraceError
from perftrace.model import (
    Accepted,
    Call,
    Candidate,
    Decision,
    Function,
    HotFunction,
    Inconclusive,
    Rejected,
    Run,
    Verdict,
)
from perftrace.optimizer import choose, decisions, existing, oracle, patch, whole_program, write
from perftrace.optimizer.adequacy import weighed
from perftrace.optimizer.engines import Engine
from perftrace.optimizer.facts import Facts, gather
from perftrace.optimizer.instructions import Count
from perftrace.optimizer.search import Found, Search, Tell
from perftrace.optimizer.verify import Passed, verify
from perftrace.optimizer.workers import Version, Workers
from perftrace.replay.tolerance import Tolerance
from perftrace.store import Store

MODULE = "<module>"
NO_CALL = "no call of it was recorded"


type Tolerances = Mapping[str, str]  # function as the settings name it -> "rtol 1e-9"


@dataclass(frozen=True, slots=True)
class Task:
    """What to optimize, and how."""

    run: Run
    names: tuple[str, ...]  # of functions; none: the hottest
    top: int
    engine: Engine
    min_speedup: float
    seconds: float  # for all of it
    tolerances: Tolerances = field(default_factory=dict)
    tests: bool = True  # ask the project's own tests too
    only: frozenset[int] | None = None  # ids of functions; no others


@dataclass(frozen=True, slots=True)
class Goal:
    """A function to optimize."""

    hot: HotFunction
    named: bool  # the user asked for it: any clear gain is welcome


@dataclass(frozen=True, slots=True)
class Subject:
    """What a search starts from."""

    original: Version
    calls: list[Call]
    facts: Facts
    first: list[Candidate]  # the engine's first proposals


def tolerance_of(function: Function, tolerances: Tolerances) -> Tolerance | None:
    """What the settings allow a function's floats."""
    text = locate.setting_of(function, tolerances)
    return Tolerance(text) if text else None


def goals(ranked: Sequence[HotFunction], task: Task) -> list[Goal]:
    """The functions to optimize, hottest first.

    Raises:
        UsageError: a name means no function, or several.
    """
    if not task.names:
        left = [hot for hot in ranked if task.only is None or hot.function.id in task.only]
        return [Goal(hot, named=False) for hot in left[: task.top]]
    functions = [hot.function for hot in ranked]
    wanted = {locate.find(name, functions) for name in task.names}
    return [Goal(hot, named=True) for hot in ranked if hot.function in wanted]


def optimize(workers: Workers, task: Task, todo: Sequence[Goal], tell: Tell) -> Iterator[Decision]:
    """Decide on each function in turn; what is yielded is already in the trace file.

    Raises:
        TraceError: the trace file is damaged, or can't be written.
    """
    created = decisions.now()
    end = time.monotonic() + task.seconds
    accepted: list[Decision] = []
    for goal in todo:
        left = min(task.engine.patience, end - time.monotonic())
        found = find(workers, task, goal, left, tell)
        if task.tests:
            found = tested(workers.store, found, tell)
        decision = decide(goal, replace(found, verdict=compatible(found, accepted)))
        if isinstance(decision.verdict, Accepted):
            accepted.append(decision)
        decisions.save(workers.store, task.run, [decision], created)
        yield decision


def find(workers: Workers, task: Task, goal: Goal, seconds: float, tell: Tell) -> Found:
    """The best version of a function, or why there is none."""
    if seconds <= 0:
        return Found(None, Inconclusive("not tried: the time for all functions was used up"), ())
    subject = prepare(workers.store, task, goal)
    if not isinstance(subject, Subject):
        return Found(None, subject, ())
    name = subject.original.function.qualname
    tell(f"{name}: replaying recorded calls")
    allowed = tolerance_of(subject.original.function, task.tolerances)
    truth = oracle.consult(task.run, subject.original, workers, allowed)
    if not truth.cases:
        return Found(None, Inconclusive(truth.silence), ())
    search = Search(truth, subject.calls, workers, task.min_speedup)
    found = search.run(task.engine, subject.facts, seconds, lambda step: tell(f"{name}: {step}"))
    if not found.tried and task.engine.asks:
        return replace(found, verdict=Rejected("nothing was proposed"))
    return found


def tested(store: Store, found: Found, tell: Tell) -> Found:
    """What was found, with what the tests say that were seen to reach the function.

    Raises:
        TraceError: the trace file is damaged.
    """
    candidate, verdict = found.candidate, found.verdict
    if candidate is None or not isinstance(verdict, Accepted):
        return found
    tests = existing.tests_of(store, candidate.function)
    if tests is None:
        return found
    tell(f"{candidate.function.qualname}: running {len(tests.names):,} tests that reach it")
    file = candidate.function.file
    answer = existing.ask(tests, {file: candidate.original}, {file: candidate.source})
    if isinstance(answer, existing.Broken):
        reason = f"the project's test {answer.name} fails with it: {answer.message}"
        return replace(found, verdict=Rejected(reason))
    told = (
        replace(verdict.evidence, tests=answer.passed)
        if isinstance(answer, existing.Hold)
        else replace(verdict.evidence, not_tested=answer.reason)
    )
    return replace(found, verdict=replace(verdict, evidence=told))


def prepare(store: Store, task: Task, goal: Goal) -> Subject | Rejected | Inconclusive:
    """What a search starts from, or why there is nothing to search; nothing is run yet.

    Raises:
        TraceError: the trace file is damaged.
    """
    function, share = goal.hot.function, goal.hot.hot.value
    if function.id < 0:
        return Inconclusive(f"not replayable: {why_unrecorded(function)}")
    if share < choose.WORTH and not goal.named:
        return Rejected(f"not worth a change: {share:.1%} of the program, below {choose.WORTH:.1%}")
    source = store.source_text(function)
    try:
        write.unchanged(Path(function.file), source)
        calls = list(store.calls(function, run=task.run))
        known = gather(store, function, calls)
        first = task.engine.preview(function, source, known)
    except StaleError as error:
        return Inconclusive(str(error))
    if not first and not task.engine.asks:
        return Rejected("no rule applies")
    return Subject(Version(function, source), calls, known, first)


def why_unrecorded(function: Function) -> str:
    """Why there is no recorded call of a function that is known from samples alone."""
    if function.qualname == MODULE:
        return "the code of a module: runs on import"
    return NO_CALL


def changed(store: Store, todo: Sequence[Goal]) -> list[str]:
    """The files of these functions that are not as they were recorded."""
    found: dict[str, None] = {}
    for function in (goal.hot.function for goal in todo if goal.hot.recorded):
        try:
            write.unchanged(Path(function.file), store.source_text(function))
        except (StaleError, TraceError):
            found[function.file] = None
    return list(found)


def check(
    workers: Workers,
    run: Run,
    candidate: Candidate,
    min_speedup: float | None,
    tolerances: Tolerances | None = None,
) -> Passed | Verdict:
    """The verdict on one given candidate; on its behaviour alone where no speed-up is asked for.

    Raises:
        TraceError: the trace file is damaged.
    """
    function = candidate.function
    if function.id < 0:
        return Inconclusive(f"not replayable: {why_unrecorded(function)}")
    allowed = tolerance_of(function, tolerances or {})
    truth = oracle.consult(run, Version(function, candidate.original), workers, allowed)
    found = verify(candidate, truth, workers, explain=True)
    if not isinstance(found, Passed):
        return found
    found = replace(found, evidence=weighed(found.evidence, truth, workers))
    if min_speedup is None:
        return found
    search = Search(truth, list(workers.store.calls(function, run=run)), workers, min_speedup)
    return search.confirm(candidate, found, choose.judged)


def compatible(found: Found, accepted: Sequence[Decision]) -> Verdict:
    """The verdict, unless the change can't be put together with what was accepted before."""
    candidate = found.candidate
    if candidate is None or not isinstance(found.verdict, Accepted):
        return found.verdict
    file = candidate.function.file
    others = [one.candidate for one in accepted if one.candidate and one.function.file == file]
    merged = patch.merge(candidate.original, [candidate.source, *(one.source for one in others)])
    if isinstance(merged, patch.Conflict):
        names = ", ".join(one.function.qualname for one in others)
        return Inconclusive(
            f"faster, but it can't be put together with the change of {names} ({merged.reason}):"
            " apply that, record and optimize again"
        )
    return found.verdict


def decide(goal: Goal, found: Found) -> Decision:
    """What becomes of a function."""
    share = None if goal.named else goal.hot.hot.value
    verdict = choose.worth_it(found.verdict, share)
    is_accepted = found.candidate is not None and isinstance(verdict, Accepted)
    name = decisions.identity(found.candidate) if found.candidate and is_accepted else ""
    return Decision(goal.hot.function, found.candidate, verdict, found.tried, name)


def judge(run: Run, accepted: Sequence[Decision], seconds: float) -> whole_program.Comparison:
    """What the accepted changes together mean for the whole program.

    Raises:
        StaleError: a file changed while its functions were being optimized.
    """
    return whole_program.compare(run, *_texts(accepted), seconds)


def count(run: Run, accepted: Sequence[Decision]) -> Count:
    """The instructions of the whole program, without and with the accepted changes.

    Raises:
        StaleError: a file changed while its functions were being optimized.
    """
    return whole_program.count(run, *_texts(accepted))


def _texts(accepted: Sequence[Decision]) -> tuple[dict[str, str], dict[str, str]]:
    """The files that change, old and new, by their paths."""
    edits = write.plan([one.candidate for one in accepted if one.candidate])
    old = {str(edit.file.path): edit.file.text for edit in edits}
    return old, {str(edit.file.path): edit.text for edit in edits}


def withdraw(
    store: Store, run: Run, made: Sequence[Decision], changed: whole_program.OutputChanged
) -> list[Decision]:
    """The decisions with nothing accepted any more: the program's output changed.

    Raises:
        TraceError: the trace file can't be written.
    """
    reason = f"program output changed: line {changed.line} is {changed.got}, was {changed.expected}"
    withdrawn = [
        replace(one, verdict=Inconclusive(reason), id="")
        if isinstance(one.verdict, Accepted)
        else one
        for one in made
    ]
    decisions.save(store, run, withdrawn, decisions.now())
    return withdrawn


def expected(todo: Sequence[Goal], accepted: Sequence[Decision]) -> float:
    """Amdahl's law: the whole program's ratio, from the shares and ratios of the functions."""
    shares = {goal.hot.function: goal.hot.hot.value for goal in todo}
    saved = sum(
        shares.get(one.function, 0.0) * (1 - 1 / one.verdict.measurement.ratio)
        for one in accepted
        if isinstance(one.verdict, Accepted)
    )
    return 1 / (1 - saved) if saved < 1 else float("inf")
