"""Is a wrong change ever accepted: mutants of the standard library, offered as candidates.

    python benchmarks/mutants.py [--functions N] [--limit 60] [--further 5000] [--seed 1] [--jobs 2]

The functions of `standard_functions.py` are copied from the running interpreter into a project each
and recorded with `perftrace run`. Up to `--limit` mutants of each (an operator, bound, constant,
condition or return value changed, a statement left out, arguments swapped, a slice one off) are
compared as candidates are: the gate, the recorded and the generated calls. Survivors are called
with `--further` generated calls of another seed beside the original; those that these tell apart
were missed. A missed one gets the full verdict with its timing, for only what is faster is
accepted. Fails if a missed one is accepted.

A process for each mutant would take hours: as `optimizer/adequacy.py` does it, the mutants of a
function take turns in one worker, which exchanges the function's code. What an earlier mutant left
behind there must not make a later one look different. So a difference counts when the original
does not show it in the same process afterwards, or a new process shows it again; a mutant without a
difference is verified once more as `perftrace verify` does it, in processes of its own.
"""

import argparse
import ast
import difflib
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

from recording import RecordingError, recorded
from standard_functions import SUBJECTS, Subject

from perftrace import locate
from perftrace.config import Settings
from perftrace.errors import PerftraceError
from perftrace.model import Accepted, Call, Candidate, Ending, Inconclusive
from perftrace.optimizer import decisions, gate, oracle, patch, pipeline
from perftrace.optimizer.case import Case
from perftrace.optimizer.difference import differ
from perftrace.optimizer.mutants import mutants
from perftrace.optimizer.oracle import Oracle
from perftrace.optimizer.verify import Passed, verify
from perftrace.optimizer.workers import SEEDS, Started, Version, Workers
from perftrace.replay import recorded as replay
from perftrace.replay.compare import Different, Same
from perftrace.replay.process import TOO_LONG
from perftrace.replay.requests import NotReplayed, Other, Replayed, Reply, Request
from perftrace.store import Store

SLOWER, SPARE_S = 5, 0.5  # a call may take so many times the original's time, and a bit
AT_ONCE = 1000  # generated calls asked for in one go
ROUNDS = 15  # of asking for more, where most were made before
FURTHER_FROM = 40  # generated calls that still further ones are made like
STUCK = 10  # generated calls that the original takes too long for; then there are no more


@dataclass
class Missed:
    """A mutant that the verdict's calls did not notice and further ones did."""

    function: str
    change: str  # the lines that differ
    witness: str
    verdict: str


@dataclass
class Result:
    """What became of the mutants of one function."""

    function: str
    offered: int = 0
    gate: int = 0
    different: int = 0
    inconclusive: int = 0
    same: int = 0  # no difference was found
    further: int = 0  # calls that the survivors were made with
    missed: list[Missed] = field(default_factory=list)
    accepted: int = 0  # of the missed ones
    seconds: float = 0.0
    problem: str = ""  # why none could be offered

    @property
    def alike(self) -> int:
        """Survivors that the further calls do not tell from the original."""
        return self.same - len(self.missed)

    @property
    def row(self) -> str:
        """A row of the table."""
        counts = (self.offered, self.gate, self.different, self.inconclusive, self.same)
        more = (self.alike, len(self.missed), self.accepted, self.further)
        cells = [self.function, *map(str, counts + more), f"{self.seconds:.0f}", self.problem]
        return f"| {' | '.join(cells)} |"


HEAD = (
    "function",
    "offered",
    "gate",
    "different",
    "inconclusive",
    "no difference",
    "of these alike",
    "missed",
    "missed and accepted",
    "further calls",
    "seconds",
    "problem",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--functions", type=int, default=len(SUBJECTS), help="so many, by chance")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--limit", type=int, default=60, help="mutants of a function at most")
    parser.add_argument("--further", type=int, default=5000, help="calls for each survivor")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    named = [one for one in SUBJECTS if not options.only or one.name in options.only]
    if not named:
        parser.error(f"no function is called {', '.join(options.only)}")
    count = min(options.functions, len(named))
    chosen = random.Random(options.seed).sample(named, count) if count < len(named) else named
    print(f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}")
    results: list[Result] = []
    with ProcessPoolExecutor(options.jobs) as pool:
        arguments = (options.limit, options.further, options.seed)
        for done in as_completed([pool.submit(examine, one, *arguments) for one in chosen]):
            results.append(done.result())
            print(results[-1].row, flush=True)
            if options.json:  # so far: all of it takes an hour
                options.json.write_text(json.dumps([asdict(one) for one in results], indent=1))
    print(f"{total(results).row}\n")
    for missed in [one for result in results for one in result.missed]:
        print(f"missed: {missed.function}: {missed.change}\n  {missed.witness}")
        print(f"  {missed.verdict}")
    return failed(results)


def failed(results: Sequence[Result]) -> int:
    """The exit code: a wrong change was accepted, or a function could not be examined."""
    wrong = sum(result.accepted for result in results)
    if wrong:
        print(f"FAILED: {wrong} wrong changes were accepted")
    silent = [result.function for result in results if not result.offered]
    if silent:
        print(f"FAILED: nothing was offered of {', '.join(silent)}")
    return int(bool(wrong or silent))


def total(results: Sequence[Result]) -> Result:
    """All of them together."""
    whole = Result(f"{len(results)} functions")
    for name in ("offered", "gate", "different", "inconclusive", "same", "accepted", "seconds"):
        setattr(whole, name, sum(getattr(result, name) for result in results))
    whole.missed = [one for result in results for one in result.missed]
    whole.further = min((result.further for result in results if result.further), default=0)
    return whole


def examine(subject: Subject, limit: int, further: int, seed: int) -> Result:
    """Offer mutants of one function; every process that this takes ends here."""
    began = time.perf_counter()
    result = Result(subject.name)
    with tempfile.TemporaryDirectory(prefix="perftrace-mutants-") as name:
        try:
            with recorded(Path(name), subject.files(), "app.py") as store:
                _offer_all(store, subject, (limit, further, seed), result)
        except (RecordingError, PerftraceError) as error:
            result.problem = " ".join(str(error).split())
    result.seconds = time.perf_counter() - began
    return result


def _offer_all(
    store: Store, subject: Subject, settings: tuple[int, int, int], result: Result
) -> None:
    with Workers(store) as workers:
        _offer_with(workers, subject, settings, result)


def _offer_with(
    workers: Workers, subject: Subject, settings: tuple[int, int, int], result: Result
) -> None:
    limit, further, seed = settings
    store = workers.store
    functions = [one for one in store.functions().values() if subject.alias in one.file]
    function = locate.find(subject.function, functions)
    original = Version(function, store.source_text(function))
    truth = oracle.consult(store.last_run(), original, workers)
    if not any(case.reach is None for case in truth.cases):
        result.problem = truth.silence
        return
    found = list(
        dict.fromkeys(mutants(original.source, function.qualname, function.line, all_kinds=True))
    )
    random.Random(seed).shuffle(found)
    more = Further(truth, workers, further, seed)
    with Trial(truth, workers) as trial:
        for source in found[:limit]:
            _offer(store, trial, more, source, result)


def _offer(store: Store, trial: "Trial", more: "Further", source: str, result: Result) -> None:
    """Offer one mutant and count what becomes of it."""
    truth = trial.truth
    function = truth.original.function
    candidate = Candidate(function, "mutant", (), "", truth.original.source, source)
    result.offered += 1
    if any(finding.hard for finding in gate.check(candidate)):
        result.gate += 1
        return
    cases = (*truth.cases, *truth.generated)
    if trial.difference(source, cases) is not None:
        result.different += 1
        return
    verdict = verify(candidate, truth, trial.workers)
    if not isinstance(verdict, Passed):
        result.inconclusive += isinstance(verdict, Inconclusive)
        result.different += not isinstance(verdict, Inconclusive)
        return
    result.same += 1
    further = more.cases
    result.further = len(further)
    told = trial.difference(source, further)
    if told is None:
        return
    full = pipeline.check(trial.workers, store.last_run(), candidate, Settings().min_speedup)
    result.accepted += isinstance(full, Accepted)
    reason = "not timed" if isinstance(full, Passed) else decisions.reason(full)
    words = f"{'ACCEPTED' if isinstance(full, Accepted) else 'not accepted'}: {reason}"
    result.missed.append(Missed(result.function, changed(candidate), told, words))


def changed(candidate: Candidate) -> str:
    """The lines that a mutant has and the original has not, and the other way round."""
    old, new = (_written(text, candidate) for text in (candidate.original, candidate.source))
    return " ".join(line for line in difflib.ndiff(old, new) if line[:1] in "+-")


def _written(source: str, candidate: Candidate) -> list[str]:
    """The function's lines, as `ast.unparse` writes them, without indentation and documentation."""
    function = candidate.function
    first = patch.place_of(candidate.original, function.qualname, function.line).first
    node = patch.place_of(source, function.qualname, first).node
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return [line.strip() for part in body for line in ast.unparse(part).splitlines()]


class Trial:
    """The worker in which mutants take turns with the original (context manager)."""

    def __init__(self, truth: Oracle, workers: Workers) -> None:
        self.truth = truth
        self.workers = workers
        self._target = replay.target_in(truth.original.source, truth.original.function)
        self._process_id = next(c.call.process_id for c in truth.cases if c.reach is None)
        self._started = self._start(truth.original)

    def _start(self, version: Version) -> Started:
        return self.workers.start(version, SEEDS[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._started.__exit__()

    def difference(self, source: str, cases: Sequence[Case]) -> str | None:
        """How a mutant differs in the first call that shows it; None: none does."""
        mine = [case for case in cases if case.call.process_id == self._process_id]
        if self._exchange(Other(self._target, source)) is not None:
            version = Version(self.truth.original.function, source)
            with self._start(version) as own:  # it can't take turns
                found = self._first(own, mine)
                return found and found[1]
        found = self._first(self._started, mine)
        if found is None or self._is_the_mutants(found[0]):
            return found and found[1]
        self._started.__exit__()
        self._started = self._start(self.truth.original)
        refused = self._exchange(Other(self._target, source))
        assert refused is None, refused
        found = self._first(self._started, mine)
        return found and found[1]

    def _exchange(self, other: Other | None) -> NotReplayed | None:
        return self._started.exchange(self._process_id, other)

    def _first(self, started: Started, cases: Sequence[Case]) -> tuple[Case, str] | None:
        """The first call that shows a difference, and how."""
        for case in cases:
            reply = self._make(started, case)
            if isinstance(reply, NotReplayed):
                return case, f"{case.text}: {reply.reason}"
            found = case.differ(reply, started.aliases(self._process_id))
            if isinstance(found, Different):
                text = f"{found.where} is {found.got}, expected {found.expected}"
                return case, f"{case.text}: {text}"
        return None

    def _is_the_mutants(self, case: Case) -> bool:
        """Whether the original does not show the difference in the same process."""
        self._exchange(None)
        reply = self._make(self._started, case)
        if isinstance(reply, NotReplayed):
            return False
        return isinstance(case.differ(reply, self._started.aliases(self._process_id)), Same)

    def _make(self, started: Started, case: Case) -> Reply:
        wall_s = case.expected.wall_ns / 1e9 * SLOWER + SPARE_S
        request = replace(case.request, wall_s=wall_s)
        state = case.expected.state is not None
        return started.make(self._process_id, request, reach=case.reach, state=state)


class Further:
    """Further generated calls of the original, made when they are asked for first."""

    def __init__(self, truth: Oracle, workers: Workers, count: int, seed: int) -> None:
        self._truth = truth
        self._workers = workers
        self._count = count
        self._seed = seed
        self._made: list[Case] | None = None

    @property
    def cases(self) -> list[Case]:
        """So many calls that the original makes alike under two hash seeds, or as many as exist."""
        if self._made is None:
            self._made = list(self._make())
        return self._made

    def _make(self) -> Iterator[Case]:
        original, workers = self._truth.original, self._workers
        first = next(case for case in self._truth.cases if case.reach is None)
        with workers.start(original, SEEDS[0]) as one, workers.start(original, SEEDS[1]) as two:
            stuck = made = 0
            for blob in self._blobs(one):
                request = replace(first.request, arguments=blob, wall_s=2 * SPARE_S)
                found = steady(first.call, request, (one, two))
                if isinstance(found, Case):
                    made += 1
                    yield found
                else:
                    stuck += found.startswith(TOO_LONG)
                if made == self._count or stuck == STUCK:
                    return

    def _blobs(self, started: Started) -> Iterator[bytes]:
        """Arguments like the recorded ones; where they run out, like those, and so on."""
        base = [case for case in self._truth.cases if case.reach is None]
        requests = [case.request for case in base]
        known = {case.request.arguments for case in (*base, *self._truth.generated)}
        dice = random.Random(self._seed)
        for number in range(ROUNDS):
            seed = 1000 * self._seed + number
            found = started.amplify(base[0].call.process_id, requests, AT_ONCE, seed)
            if isinstance(found, NotReplayed):
                return
            new = [blob for blob in found if blob not in known]
            yield from new
            known.update(new)
            if new and len(new) < AT_ONCE // 2:
                further = dice.sample(new, min(len(new), FURTHER_FROM))
                requests = [replace(requests[0], arguments=blob) for blob in further]


def steady(call: Call, request: Request, started: Sequence[Started]) -> Case | str:
    """The generated call as the original ends it under each hash seed, or why it is no use."""
    process_id = call.process_id
    replies = [one.make(process_id, request) for one in started]
    for reply in replies:
        if isinstance(reply, NotReplayed):
            return reply.reason
    first, second = (reply for reply in replies if isinstance(reply, Replayed))
    if not isinstance(differ(call, first, second, started[0].aliases(process_id)), Same):
        return "it does not do the same each time"
    if first.implicit and first.ending is not Ending.RAISED:
        return "it fails on its way"
    return Case(call, request, first, generated=True)


if __name__ == "__main__":
    sys.exit(main())
