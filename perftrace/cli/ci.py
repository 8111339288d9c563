"""`perftrace ci --base REV`: what a change does to recorded behaviour and speed, for a CI job."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from perftrace import config
from perftrace.cli import output
from perftrace.cli.compare import View, replayed, require_recorded
from perftrace.cli.duration import Duration
from perftrace.cli.replay import review
from perftrace.cli.replay_project import Project
from perftrace.cli.slowdown import Slowdown, limits_of
from perftrace.errors import CannotError
from perftrace.model import Inconclusive, Measurement, Rejected
from perftrace.optimizer import changes as differing
from perftrace.optimizer.changes import Change, Changes
from perftrace.optimizer.compare import Compared, NotReplayable, Result
from perftrace.optimizer.git import Commit, Repository, Worktree
from perftrace.optimizer.limits import Limits, percent
from perftrace.optimizer.rank import rank
from perftrace.replay import files
from perftrace.report import compare as report
from perftrace.report import findings as finding
from perftrace.report import replay as replay_report
from perftrace.report import tables
from perftrace.report.findings import Finding
from perftrace.store import Store
from perftrace.tracer.ingest import recover

UNRECORDED = ("no-trace", "trace-empty", "no-calls")  # nothing is wrong with the trace


@dataclass(frozen=True, slots=True)
class Tests:
    """What became of the replay tests."""

    count: int
    findings: tuple[Finding, ...]

    @property
    def text(self) -> str:
        """In a line."""
        if not self.count:
            return "No replay tests."
        failing = len(self.findings)
        return f"Replay tests: {self.count - failing} hold, {failing} do not."


@dataclass(frozen=True, slots=True)
class Functions:
    """What became of the functions that differ."""

    documents: tuple[dict[str, Any], ...]
    rows: tuple[tuple[str, str], ...]  # name and outcome
    findings: tuple[Finding, ...]


@click.command("ci")
@click.option("--base", metavar="REV", required=True, help="The branch it goes to: origin/main.")
@click.option(
    "--fail-if",
    type=Slowdown(),
    metavar="'>N%'",
    help="How much slower is too slow (default: max-slowdown in the settings, or >5%).",
)
@click.option("--sarif", type=click.Path(dir_okay=False, path_type=Path), help="Write a SARIF log.")
@click.option("--no-timing", is_flag=True, help="Compare what they do alone.")
@click.option("--budget", type=Duration(), default="10m", show_default=True, help="For functions.")
@output.unsafe_option
@output.json_option
@output.database_option
def command(base: str, *, database: Path, as_json: bool, **options: Any) -> int:
    """Check a change: its replay tests, and the recorded calls of the functions that differ.

    Each differing function is timed against the commit at which the change left REV, in turn, in
    this one job. In GitHub's CI the findings become annotations and a summary. Exit code 1: a
    replay test does not hold, or a function is slower than allowed; 3: there is nothing to check.
    """
    root = output.project_root()
    settings = config.load(root)
    repository = Repository(Path.cwd())
    start = repository.fork_point(base)
    folder = files.Folder(root, root / settings.replay_dir)
    project = Project(folder, settings, database, as_json=as_json, yes=False, wanted=())
    tests = _tests(project, repository)
    project.say(tests.text)
    checked = _Checked(repository, start, limits_of(settings, options["fail_if"]), quiet=as_json)
    functions = checked.functions(database, options)
    if not tests.count and any(one.rule == "no-trace" for one in functions.findings):
        raise CannotError(
            "ci-nothing",
            "There are neither replay tests nor recorded calls, so nothing was checked. Commit"
            " tests (perftrace replay --write), or record in this job (perftrace run -m pytest)",
        )
    found = [*tests.findings, *functions.findings]
    _tell(project, found, finding.markdown(found, tests.text, functions.rows, start.name))
    if options["sarif"] is not None:
        _write(options["sarif"], finding.sarif(found))
    if as_json:
        document = {
            "base": {"name": start.name, "commit": start.id},
            "tests": tests.count,
            "functions": list(functions.documents),
            "findings": finding.documents(found),
        }
        output.emit_json("ci", document)
    return int(any(one.level == "error" for one in found))


# --- replay tests -----------------------------------------------------------------------


def _tests(project: Project, repository: Repository) -> Tests:
    if not any(project.folder.suites()):
        return Tests(0, (Finding("no-replay-tests", "To have some: perftrace replay --write"),))
    with output.progress("reviewing the replay tests"):
        reviewed = review(project)
    found = []
    for one in reviewed:
        text = one.path.read_text(encoding="utf-8").splitlines()
        for test, problem in one.problems():
            state = replay_report.STATES.get(type(problem), "unclear")
            head = f"def {test.name}("
            line = next((n for n, row in enumerate(text, start=1) if row.startswith(head)), 1)
            message = f"{test.name}: {replay_report.reason(problem)}"
            place = _relative(one.path, repository.root)
            found.append(Finding(f"replay-{state}", message, place, line))
    return Tests(sum(len(one.findings) for one in reviewed), tuple(found))


# --- functions that differ --------------------------------------------------------------


class _Checked:
    """Compares functions and judges what came of it."""

    def __init__(
        self, repository: Repository, start: Commit, allowed: Limits, *, quiet: bool
    ) -> None:
        self._repository = repository
        self._start = start
        self._allowed = allowed
        self._quiet = quiet  # stdout holds a document

    def functions(self, database: Path, options: Mapping[str, Any]) -> Functions:
        """Those that differ from the start; without recorded calls, a finding that says so."""
        try:
            return self._compare(database, options)
        except CannotError as error:
            if error.slug not in UNRECORDED:
                raise
            why = "To compare changed functions, record in this job: perftrace run -m pytest"
            return Functions((), (), (Finding("no-trace", why),))

    def _compare(self, database: Path, options: Mapping[str, Any]) -> Functions:
        recover(database)
        with Store.open(database) as store:
            run = store.last_run()
            functions = [hot.function for hot in require_recorded(rank(store, run))]
            now = Worktree()
            texts = differing.read(self._repository, self._start, now)
            found = differing.find(store, functions, texts, (self._start.name, now.name))
            view = View(found, functions, quiet=self._quiet)
            results = replayed(store, run, view, options)
        console = output.err() if self._quiet else output.out()
        for line in report.summary(found, results):
            tables.say(console, line)
        named = [(result, view.label(result.change.function)) for result in results]
        judged = [one for result, label in named for one in self._judge(found, result, label)]
        return Functions(
            tuple(report.document(*one) for one in named),
            tuple((label, report.outcome_text(result, found.old.name)) for result, label in named),
            tuple(judged),
        )

    def _judge(self, changes: Changes, result: Result, label: str) -> Iterator[Finding]:
        """What there is to find in a function's outcome."""
        function, place = result.change.function, self._place(changes, result.change)
        for witness in result.callers:
            told = report.witness_text(witness, changes.old.name)
            yield Finding("different", f"{label}: {told}", *place)
        match result.outcome:
            case Compared(speed=Measurement() as speed):
                if self._allowed.exceeded(function, speed):
                    yield Finding("slower", f"{label}: {self._slower(result, speed)}", *place)
            case Compared():
                pass  # not timed: its line says why
            case Rejected(reason=reason, witness=found):
                told = report.witness_text(found, changes.old.name) if found else reason
                yield Finding("different", f"{label}: {told}", *place)
            case Inconclusive(reason=reason) | NotReplayable(reason=reason):
                yield Finding("not-compared", f"{label}: {reason}", *place)

    def _slower(self, result: Result, speed: Measurement) -> str:
        more, least, most = (100 * (1 / one - 1) for one in (speed.ratio, speed.high, speed.low))
        allowed = percent(self._allowed.of(result.change.function))
        return (
            f"takes {more:.0f} % more CPU time than in {self._start.name} [{least:.0f} %,"
            f" {most:.0f} %]; {allowed} is allowed"
        )

    def _place(self, changes: Changes, change: Change) -> tuple[str, int]:
        """File and line of the function as it is now."""
        if change.new is not None:
            line = changes.sides[1].places[change.new].first
            return _relative(Path(change.new[0]), self._repository.root), line
        return _relative(Path(change.function.file), self._repository.root), change.function.line


# --- telling ----------------------------------------------------------------------------


def _tell(project: Project, found: Sequence[Finding], summary: str) -> None:
    for line in finding.lines(found):
        project.say(line)
    project.say(finding.counts(found).capitalize())
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in finding.annotations(found):
            click.echo(line, err=project.as_json)
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        _append(Path(path), summary)


def _relative(path: Path, root: Path) -> str:
    """A path from the repository's root, as URLs have it."""
    real, top = path.resolve(), root.resolve()
    return real.relative_to(top).as_posix() if real.is_relative_to(top) else real.as_posix()


def _write(path: Path, document: Mapping[str, Any]) -> None:
    with _writing(path):
        path.write_text(f"{json.dumps(document, indent=2)}\n", encoding="utf-8")


def _append(path: Path, text: str) -> None:
    with _writing(path), path.open("a", encoding="utf-8") as file:
        file.write(text)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotError("ci-write", f"{path} can't be written: {error.strerror}") from error
