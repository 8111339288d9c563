"""Holds replay tests against the code as it is now: which still hold, what others would say."""

import ast
import functools
import re
import textwrap
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from perftrace.locate import setting_of
from perftrace.model import Ending, Function, Kind
from perftrace.replay.calling import Argument, Subject
from perftrace.replay.emit import Suite, Test
from perftrace.replay.imports import Imports
from perftrace.replay.literals import NotWritten
from perftrace.replay.observe import Bench, NotObserved, Observed, Script
from perftrace.replay.outcome import Behaviour, write_outcome
from perftrace.replay.static import Sources
from perftrace.replay.taken_apart import NotTaken, Steps, as_doc, script, take_apart
from perftrace.values import ListNode

SEEDS = (3, 4)  # of hashes, others than when it was drafted: a test has to hold under each
WIDER = 4  # times as large values in the one test of a function that can't have another
BY_SEED = "not deterministic: it depends on the hash seed"
SAYING = frozenset({"logs", "warns"})  # the helpers for what a call says


@dataclass(frozen=True, slots=True)
class Holds:
    """The test says what the code does."""

    test: Test  # of a new one: with what the call logs and warns, where that is always the same
    lines: frozenset[int]  # of the function, from its first, that the test runs
    reached: frozenset[tuple[str, str]]  # file and qualified name of the project's functions


@dataclass(frozen=True, slots=True)
class Changed:
    """The code does something else now."""

    test: Test  # what it does now


@dataclass(frozen=True, slots=True)
class Orphaned:
    """The function is not there any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """The test can't be run or written again."""

    reason: str


type Finding = Holds | Changed | Orphaned | Unclear


@dataclass(frozen=True, slots=True)
class Reviewer:
    """What it takes to review tests."""

    bench: Bench
    sources: Sources
    cap: int  # characters of one value
    tolerances: Mapping[str, str] = field(default_factory=dict)  # as the settings name functions

    def review(
        self, suite: Suite, imports: Imports, tests: Iterable[Test], fresh: Collection[str] = ()
    ) -> dict[str, Finding]:
        """What is to be said of each test, by name; fresh: those that are not written yet.

        Raises:
            CannotError: the interpreter can't run them.
        """
        found: dict[str, Finding] = {}
        ready: list[tuple[Test, Subject, Steps, Script]] = []
        for test in tests:
            subject = self.subject(suite, imports, test.qualname)
            if isinstance(subject, Orphaned):
                found[test.name] = subject
                continue
            steps = take_apart(test, subject.function.kind)
            if isinstance(steps, NotTaken):
                found[test.name] = Unclear(steps.reason)
                continue
            ready.append(
                (test, subject, steps, script(test, steps, imports, subject.function.file))
            )
        scripts = [one for *_, one in ready]
        with ThreadPoolExecutor(len(SEEDS)) as pool:  # each waits for a process
            observe = functools.partial(self.bench.observe, scripts)
            runs = list(pool.map(lambda seed: observe(hash_seed=seed), SEEDS))
        doubtful: dict[str, Holds] = {}
        for test, subject, steps, _ in ready:
            findings = [_finding(test, subject, steps, run[test.name]) for run in runs]
            if test.name in fresh:
                findings = [
                    _renamed(test, finding, run[test.name])
                    for finding, run in zip(findings, runs, strict=True)
                ]
            found[test.name] = held = _agreed(findings)
            seen = runs[0][test.name]
            if test.name not in fresh and isinstance(seen, Observed) and _reordered(test, findings):
                doubtful[test.name] = Holds(test, seen.lines, seen.reached)
            if test.name in fresh and isinstance(held, Holds):
                said = [self._with_all_said(held.test, subject, steps, run) for run in runs]
                found[test.name] = _agreed(said) if said[0] == said[1] else held
        return found | self._passing(doubtful, scripts)

    def _passing(
        self, doubtful: Mapping[str, Holds], scripts: Sequence[Script]
    ) -> dict[str, Finding]:
        """Those that pass as they are: what goes through a set is written in any order."""
        asked = [one for one in scripts if one.id in doubtful]
        passing = [self.bench.passing(asked, hash_seed=seed) for seed in SEEDS] if asked else []
        return {
            name: held for name, held in doubtful.items() if all(name in one for one in passing)
        }

    def _with_all_said(
        self, test: Test, subject: Subject, steps: Steps, run: Mapping[str, Observed | NotObserved]
    ) -> Finding:
        """A test that holds, with what its call logs and warns, where that can be written."""
        observed = run[test.name]
        assert isinstance(observed, Observed)
        full = renewed(test, subject, steps, observed, SAYING)
        if isinstance(full, NotWritten) or str(self.bench.root) in full.text:
            full = test
        return Holds(full, observed.lines, observed.reached)

    def subject(self, suite: Suite, imports: Imports, qualname: str) -> Subject | Orphaned:
        """The function of a test as it stands now."""
        file = self.sources.file(suite.module)
        if file is None:
            return Orphaned(f"there is no module {suite.module} any more")
        located = self.sources.functions(file).get(qualname)
        if located is None:
            return Orphaned(self._missing(suite, file, qualname))
        function = Function(0, str(file), qualname, 0, suite.module, located.kind, ())
        allowed = setting_of(function, self.tolerances)
        return Subject(function, located, imports, self.sources, self.cap, allowed)

    def _missing(self, suite: Suite, file: Path, qualname: str) -> str:
        name = qualname.rpartition(".")[2]
        here = [other for other in self.sources.functions(file) if other.endswith(f".{name}")]
        siblings = (other for other in sorted(file.parent.glob("*.py")) if other != file)
        moved = [other.stem for other in siblings if qualname in self.sources.functions(other)]
        hint = f"; there is {here[0]} now" if here else f"; {moved[0]} has one now" if moved else ""
        return f"{suite.module} has no {qualname} any more (renamed, moved or deleted){hint}"


def _finding(
    test: Test, subject: Subject, steps: Steps, observed: Observed | NotObserved
) -> Finding:
    if isinstance(observed, NotObserved):
        return Unclear(observed.reason)
    fresh = renewed(test, subject, steps, observed, spoken(test))
    if isinstance(fresh, NotWritten):
        return Unclear(f"what it does now can't be written: {fresh.reason}")
    if fresh.text != test.text:
        return Changed(fresh)
    return Holds(test, observed.lines, observed.reached)


def _renamed(test: Test, finding: Finding, observed: Observed | NotObserved) -> Finding:
    """A new test that only has other names for its variables now: others were imported since."""
    if not (isinstance(finding, Changed) and isinstance(observed, Observed)):
        return finding
    if _by_order(test) != _by_order(finding.test):
        return finding
    return Holds(finding.test, observed.lines, observed.reached)


def _by_order(test: Test) -> str:
    """Its text with the variables named by the order in which they are made."""
    nodes = ast.walk(ast.parse(test.text))
    stores = [one for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]
    stores.sort(key=lambda one: (one.lineno, one.col_offset))
    names = {one.id: f"_{place}" for place, one in enumerate(stores)}
    return re.sub(r"\b[^\W\d]\w*", lambda found: names.get(found[0], found[0]), test.text)


def _reordered(test: Test, findings: Sequence[Finding]) -> bool:
    """Whether what the code does now is written with the same words in another order."""
    fresh = [finding.test for finding in findings if isinstance(finding, Changed)]
    if not fresh or not all(isinstance(finding, Changed | Holds) for finding in findings):
        return False
    return all(_words(other) == _words(test) for other in fresh)


def _words(test: Test) -> Counter[str]:
    """The words and signs of a test, its variables without their numbers."""
    return Counter(
        re.sub(r"(?<=\D)_\d+$", "", one) for one in re.findall(r"\w+|[^\w\s]", test.text)
    )


def spoken(test: Test) -> frozenset[str]:
    """Which of what a call says the test looks at."""
    used = {node.id for node in ast.walk(ast.parse(test.text)) if isinstance(node, ast.Name)}
    return SAYING & used


def _agreed(findings: list[Finding]) -> Finding:
    first = findings[0]
    if all(type(other) is type(first) for other in findings) and not (
        isinstance(first, Changed) and first != findings[1]
    ):
        return first
    return Unclear(BY_SEED)


def renewed(
    test: Test, subject: Subject, steps: Steps, observed: Observed, saying: frozenset[str]
) -> Test | NotWritten:
    """The test with what its call does now, and of what it says these ("logs", "warns")."""
    writer = subject.writer()
    writer.reserve(steps.names)
    bound = [
        Argument(name, before, after)
        for name, before, after in zip(
            steps.bound, observed.before.items, observed.after.items, strict=True
        )
    ]
    body = write_outcome(
        subject, as_doc(steps.call), bound, _behaviour(subject, observed, saying), writer
    )
    if isinstance(body, NotWritten):
        return body
    setup = textwrap.indent(steps.setup, "    ")
    return Test(test.qualname, test.name, f"def {test.name}():\n{setup}{body}")


def _behaviour(subject: Subject, observed: Observed, saying: frozenset[str]) -> Behaviour:
    kind, payload = subject.function.kind, observed.payload
    logged = observed.said.logged if "logs" in saying else ()
    warned = observed.said.warned if "warns" in saying else ()
    if kind is Kind.ASYNC_GENERATOR and observed.ending is Ending.RETURNED:
        payload = ListNode([payload, "returned", None])
        return Behaviour(kind, Ending.YIELDED, payload, observed.stdout, logged, warned)
    return Behaviour(kind, observed.ending, payload, observed.stdout, logged, warned)
