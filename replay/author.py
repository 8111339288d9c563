"""Writes files of replay tests: what is there stays as it is, what tells more is added."""

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from perftrace.config import Settings
from perftrace.errors import CannotError
from perftrace.locate import setting_of
from perftrace.model import Function, Run
from perftrace.replay.calling import Subject
from perftrace.replay.cases import OTHERWISE, TWO_RESULTS, Drafter, Drafts
from perftrace.replay.committed import Checkout, names_a_place
from perftrace.replay.emit import Score, Style, Suite, Test, render
from perftrace.replay.files import Folder
from perftrace.replay.imports import Imports
from perftrace.replay.mistakes import Mutants
from perftrace.replay.observe import Bench
from perftrace.replay.review import BY_SEED, WIDER, Changed, Finding, Holds, Reviewer
from perftrace.replay.room import most_telling, room
from perftrace.replay.static import RECORDED_NAME, Sources
from perftrace.replay.subjects import CLASS_BODY, no_subject
from perftrace.replay.taken_apart import shapes
from perftrace.store import Store

UNSTEADY = frozenset({OTHERWISE, TWO_RESULTS, f"as a test {BY_SEED}"})
TOO_LARGE = re.compile(r"over [\d.]+ KiB")


@dataclass(frozen=True, slots=True)
class Covered:
    """A function that tests call."""

    function: Function
    tests: int


@dataclass(frozen=True, slots=True)
class Reached:
    """A function that a test of another function runs."""

    function: Function
    via: str


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A function that no test runs, and why."""

    function: Function
    reason: str


# The tests of pages that fail where they are run: module, name of the test.
type Trial = Callable[[Sequence[Page], Mapping[str, Path]], Collection[tuple[str, str]]]
type Coverage = Covered | Reached | Uncovered


@dataclass(frozen=True, slots=True)
class Page:
    """A test file as it was and as it should be."""

    module: str
    path: Path
    before: str
    text: str
    added: int
    failing: tuple[str, ...]  # tests in it that do not hold any more
    unsteady: bool = False  # some calls were left out that are not the same each time


@dataclass(slots=True)
class _Work:
    """A suite being put together."""

    suite: Suite
    imports: Imports
    before: str
    edited: bool
    drafts: list[Test] = field(default_factory=list)
    drafted: dict[str, Drafts] = field(default_factory=dict)  # by the function's qualified name
    findings: Mapping[str, Finding] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)  # names of new tests that failed when tried
    left: dict[str, Counter[str]] = field(default_factory=dict)  # qualname -> reason -> calls

    def start_again(self) -> None:
        """Forget what was chosen of the drafts."""
        names = {test.name for test in self.drafts}
        kept = tuple(test for test in self.suite.tests if test.name not in names)
        self.suite = replace(self.suite, tests=kept)
        self.left = {name: Counter(drafts.left) for name, drafts in self.drafted.items()}

    def leave(self, qualname: str, reason: str, count: int = 1) -> None:
        """Count calls that got no test."""
        self.left.setdefault(qualname, Counter())[reason] += count

    def gains(self) -> dict[str, int]:
        """How many mistakes each draft notices that those before it do not, by its name."""
        found = {}
        for drafts in self.drafted.values():
            known: set[int] = set()
            for test in drafts.tests:
                new = drafts.notices.get(test.name, frozenset()) - known
                found[test.name] = len(new)
                known |= new
        return found

    @property
    def unsteady(self) -> bool:
        """Whether a call is not the same each time."""
        return any(not UNSTEADY.isdisjoint(reasons) for reasons in self.left.values())

    def scores(self) -> dict[str, Score]:
        """What each function's tests notice: of tests that were there before, what is known."""
        found = dict(self.suite.scores)
        for qualname, drafts in self.drafted.items():
            score = drafts.score([test.name for test in self.suite.of(qualname)])
            known = found.get(qualname)
            if score and (not known or known.tried != score.tried or known < score):
                found[qualname] = score
        return found

    def omitted(self) -> Counter[str]:
        """The calls that got no test, by reason, as the file says it."""
        counts: Counter[str] = Counter()
        for reasons in self.left.values():
            counts += Counter({_stable(reason): n for reason, n in reasons.items()})
        return counts


@dataclass(frozen=True, slots=True)
class Plan:
    """How tests are to be made."""

    settings: Settings
    trial: Trial
    mutants: Mutants
    style: Style = Style.PYTEST  # of new files


class Author:
    """Plans the tests of one run's functions."""

    def __init__(self, store: Store, run: Run, folder: Folder, plan: Plan) -> None:
        self._trial = plan.trial
        self._mutants = plan.mutants
        self._style = plan.style
        self._store = store
        self._run = run
        self._folder = folder
        self._settings = plan.settings
        self._reasons: dict[int, str] = {}  # function id -> why it has no test of its own

    def plan(self, functions: Sequence[Function]) -> tuple[list[Page], list[Coverage]]:
        """The test files as they should be, and what they cover; nothing is written yet.

        Raises:
            CannotError: a file was edited by hand, or the program can't be run.
        """
        main = _main(self._store, self._run)
        roots = self._folder.roots() | import_roots(functions, main[1])
        bench = Bench(self._run.python, self._folder.root, roots)
        sources = Sources(bench.path(), *main)
        settings = self._settings
        reviewer = Reviewer(bench, sources, settings.max_value_bytes * WIDER, settings.tolerance)
        works: dict[str, _Work] = {}
        checkout = Checkout(self._folder.root, (*roots.values(), *_prefixes(self._run.python)))
        with Drafter(self._store, self._run, self._mutants, checkout) as drafter:
            for function in functions:
                self._reasons[function.id] = self._draft(function, works, sources, drafter)
        for work in works.values():
            tests = [*work.suite.tests, *work.drafts]
            fresh = {test.name for test in work.drafts}
            work.findings = reviewer.review(work.suite, work.imports, tests, fresh)
            self._choose(work)
        pages, coverage = self._pages(functions, works, sources)
        tried: set[str] = set()
        while new := [page for page in pages if page.text not in tried]:
            tried |= {page.text for page in new}
            for module, name in self._trial(new, self.roots(new, functions)):
                works[module].refused.add(name)
            for page in new:
                self._choose(works[page.module])
            pages, coverage = self._pages(functions, works, sources)
        return pages, coverage

    def _pages(
        self, functions: Sequence[Function], works: Mapping[str, _Work], sources: Sources
    ) -> tuple[list[Page], list[Coverage]]:
        coverage = [self._covered(function, works, sources) for function in functions]
        return [self._page(work, sources, coverage) for work in works.values()], coverage

    def roots(self, pages: Iterable[Page], functions: Iterable[Function]) -> dict[str, Path]:
        """The project's top-level modules that the pages import, and the folder of each."""
        used = _imported(pages)
        found = import_roots(functions, _main(self._store, self._run)[1])
        return {name: folder for name, folder in found.items() if name in used}

    def _draft(
        self, function: Function, works: dict[str, _Work], sources: Sources, drafter: Drafter
    ) -> str:
        """Draft tests of a function; why there are none, if there are none."""
        if hopeless := no_subject(function, self._folder.root):
            return hopeless
        located = sources.locate(Path(function.file), function.qualname, function.line)
        if located is None:
            is_class = sources.is_class(Path(function.file), function.qualname)
            return CLASS_BODY if is_class else "no longer in its file"
        module = sources.name(function.module)
        if not all(part.isidentifier() for part in module.split(".")):
            return f"{module} is no name that can be imported"
        if module not in works:
            works[module] = self._open(module, function)
        work = works[module]
        subject = Subject(
            *(function, located, work.imports, sources, self._settings.max_value_bytes),
            tolerance=setting_of(function, self._settings.tolerance),
        )
        known = {test.name for test in work.suite.of(function.qualname)}
        if len(known) >= self._settings.max_cases:
            return ""
        # As many as for a file that is not there yet: another number would choose other calls,
        # and a second time would add to the first.
        drafts = drafter.draft(subject, self._settings.max_cases)
        if not drafts.tests and any(TOO_LARGE.match(reason) for reason in drafts.left):
            drafts = drafter.draft(replace(subject, cap=subject.cap * WIDER), 1)
        work.drafts += [test for test in drafts.tests if test.name not in known]
        work.drafted[function.qualname] = drafts
        return ""

    def _open(self, module: str, function: Function) -> _Work:
        suite = Suite(module, self._source(function), self._run.program, style=self._style)
        path = self._folder.path / suite.filename
        if not path.exists():
            return _Work(suite, Imports(), "", edited=False)
        parsed = self._folder.read(path)
        text = path.read_text(encoding="utf-8")
        return _Work(parsed.suite, parsed.imports, text, parsed.edited)

    def _source(self, function: Function) -> str:
        """The function's file, from the project's root; an installed one as it is imported."""
        file = Path(function.file)
        if file.is_relative_to(self._folder.root):
            return self._folder.shown(file)
        roots = import_roots([function], _main(self._store, self._run)[1])
        return file.relative_to(*roots.values()).as_posix() if roots else file.name

    def _choose(self, work: _Work) -> None:
        """Add the drafts that hold, and tell more than the tests that are there.

        The first of each function before the second of any: the file may get full. Then those
        that notice most. One that fails when it is tried leaves room for others.
        """
        work.start_again()
        chosen = list(work.suite.tests)
        first = {test.qualname for test in work.drafts} - {test.qualname for test in chosen}
        size = sum(len(test.text) for test in chosen)
        most = room({test.qualname for test in (*chosen, *work.drafts)})
        for test in most_telling(work.drafts, work.gains()):
            finding = work.findings[test.name]
            mine = [other for other in chosen if other.qualname == test.qualname]
            if test.name in work.refused:
                work.leave(test.qualname, "as a test it does not pass each time")
            elif not isinstance(finding, Holds):
                work.leave(test.qualname, f"as a test {_reason(finding)}")
            elif names_a_place(finding.test.text, self._folder.root):
                work.leave(test.qualname, "names a folder of this machine")
            elif len(mine) >= self._settings.max_cases:
                continue
            elif size + len(finding.test.text) > most:
                work.leave(test.qualname, "the file would be too large")
            elif test.qualname in first or _tells_more(test, mine, work.findings):
                chosen.append(finding.test)
                size += len(finding.test.text)
        work.suite = replace(work.suite, tests=tuple(chosen))

    def _covered(
        self, function: Function, works: Mapping[str, _Work], sources: Sources
    ) -> Coverage:
        own = works.get(sources.name(function.module))
        tests = own.suite.of(function.qualname) if own else []
        if tests:
            return Covered(function, len(tests))
        for work in works.values():
            for test in work.suite.tests:
                finding = work.findings[test.name]
                name = (function.file, function.qualname)
                if isinstance(finding, Holds) and name in finding.reached:
                    return Reached(function, f"{work.suite.module}:{test.qualname}")
        left = own.left.get(function.qualname) if own else None
        most = left.most_common(1)[0][0] if left else "no call of it was recorded whole"
        return Uncovered(function, self._reasons[function.id] or most)

    def _page(self, work: _Work, sources: Sources, coverage: Sequence[Coverage]) -> Page:
        path = self._folder.path / work.suite.filename
        failing = tuple(
            test.name
            for test in work.suite.tests
            if not isinstance(work.findings[test.name], Holds)
        )
        fresh = {test.name for test in work.drafts} & {test.name for test in work.suite.tests}
        if not fresh:
            return Page(work.suite.module, path, work.before, work.before, 0, failing)
        if work.edited:
            raise CannotError(
                "replay-edited",
                f"{self._folder.shown(path)} was edited by hand. Look at what would change with"
                f" perftrace replay --update {work.suite.module}",
            )
        exercises = sorted(
            (f"{sources.name(one.function.module)}:{one.function.qualname}", qualname)
            for one in coverage
            if isinstance(one, Reached)
            for module, _, qualname in [one.via.partition(":")]
            if module == work.suite.module
        )
        omitted, scores = work.omitted(), work.scores()
        suite = replace(work.suite, omitted=omitted, exercises=tuple(exercises), scores=scores)
        text = render(suite, work.imports, order(sources, suite.module))
        return Page(suite.module, path, work.before, text, len(fresh), failing, work.unsteady)


def _prefixes(python: Path) -> tuple[Path, ...]:
    """Where an interpreter and the packages installed for it lie."""
    return tuple(one.parent.parent for one in (python, Path(os.path.realpath(python))))


def order(sources: Sources, module: str) -> dict[str, int]:
    """The places of a module's functions in its file."""
    file = sources.file(module)
    found = sources.functions(file) if file else {}
    return {qualname: located.order for qualname, located in found.items()}


def import_roots(functions: Iterable[Function], main: str | None) -> dict[str, Path]:
    """The folder that each of the project's top-level modules lies in."""
    found: dict[str, Path] = {}
    for function in functions:
        file = Path(function.file)
        module = function.module
        if module == RECORDED_NAME:
            module = main or file.stem
        parts = module.split(".")
        inside = parts if file.stem == parts[-1] else [*parts, "__init__"]
        if file.with_suffix("").parts[-len(inside) :] == tuple(inside):
            found[parts[0]] = file.parents[len(inside) - 1]
    return found


def _imported(pages: Iterable[Page]) -> set[str]:
    """The top-level modules that the pages import."""
    texts = "".join(page.text for page in pages)
    return set(re.findall(r"^(?:from|import) (\w+)", texts, re.MULTILINE))


def _main(store: Store, run: Run) -> tuple[Path | None, str | None]:
    """The file of the main module, and its name where it was run by that."""
    sql = "SELECT id FROM process WHERE run_id = ? ORDER BY id LIMIT 1"
    row = next(store.rows(sql, run.id), None)
    process = store.process(row["id"]) if row else None
    if process is None or process.main_file is None:
        return None, None
    return Path(process.main_file), process.main_module


def _tells_more(test: Test, others: Iterable[Test], findings: Mapping[str, Finding]) -> bool:
    """Whether a test runs a line, gives a kind of value or ends in a way that no other does."""
    known: set[object] = set()
    for other in others:
        known |= _told(other, findings[other.name])
    return bool(_told(test, findings[test.name]) - known)


def _told(test: Test, finding: Finding) -> set[object]:
    lines = finding.lines if isinstance(finding, Holds) else frozenset()
    return {*shapes(test), *lines}


def _reason(finding: Finding) -> str:
    return "it does something else" if isinstance(finding, Holds | Changed) else finding.reason


def _stable(reason: str) -> str:
    """A reason without what differs between machines, for a file that is committed."""
    return (
        re.sub(r"\s*(/\S+|0x[0-9a-f]+)", "", reason)
        .replace(", ", "; ")
        .replace("(", "[")
        .replace(")", "]")
    )
