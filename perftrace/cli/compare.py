"""`perftrace compare REV_A REV_B`: whether what changed does the same, and how fast it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from perftrace import config, locate
from perftrace.cli import output
from perftrace.cli.duration import Duration
from perftrace.errors import CannotError
from perftrace.model import Function, HotFunction, Inconclusive, Rejected, Run
from perftrace.optimizer import changes as differing
from perftrace.optimizer import compare, whole_program
from perftrace.optimizer.changes import Changes
from perftrace.optimizer.compare import Compared, NotReplayable, Result, speed_word
from perftrace.optimizer.git import Repository
from perftrace.optimizer.instructions import Count, NotCounted
from perftrace.optimizer.measure import Effort, NotMeasured
from perftrace.optimizer.rank import rank
from perftrace.optimizer.whole_program import Comparison, NotCompared, OutputChanged
from perftrace.optimizer.workers import Workers
from perftrace.replay import isolation
from perftrace.report import compare as report
from perftrace.report import decisions, tables
from perftrace.store import Store
from perftrace.tracer.ingest import recover

WHOLE_PROGRAM_S = 120.0
NOTHING = 3  # nothing could be said


@click.command("compare")
@click.argument("old", metavar="[REV_A]", default="HEAD")
@click.argument("new", metavar="[REV_B]", default=".")
@click.option("--no-timing", is_flag=True, help="Compare what they do alone.")
@click.option("--no-whole-program", is_flag=True, help="Don't run the program again.")
@click.option("--fail-if-slower", is_flag=True, help="Exit code 1 for a slow-down as well.")
@click.option("--budget", type=Duration(), default="10m", show_default=True, help="For functions.")
@output.deterministic_option
@output.unsafe_option
@output.json_option
@output.database_option
def command(old: str, new: str, *, database: Path, as_json: bool, **options: Any) -> int:
    """Compare two git revisions by the recorded calls of the functions that differ.

    REV_A is HEAD and REV_B the files as they are, unless you say otherwise; "." and WORKTREE mean
    the files as they are. Your files are not touched. Exit code 0: no difference was found; 1: one
    was; 2: wrong usage; 3: functions differ, and nothing can be said of any of them.
    """
    config.load(output.project_root())
    repository = Repository(Path.cwd())
    places = repository.place(old), repository.place(new)
    recover(database)
    with Store.open(database) as store:
        run = store.last_run()
        functions = [hot.function for hot in require_recorded(rank(store, run))]
        files = differing.read(repository, *places)
        found = differing.find(store, functions, files, (places[0].name, places[1].name))
        view = View(found, functions, quiet=as_json)
        results = replayed(store, run, view, options)
    whole: Comparison = NotCompared("not asked for")
    if files.old and not (options["no_timing"] or options["no_whole_program"]):
        with output.progress("running the whole program, old and new in turn"):
            whole = _whole_program(run, found)
    counted: Count | None = None
    if files.old and options["deterministic"]:
        with output.progress("counting the whole program's instructions, which takes fifty runs"):
            counted = _count(run, found)
    view.end(results, whole, counted)
    return exit_code(results, whole, slower_fails=options["fail_if_slower"])


def replayed(
    store: Store,
    run: Run,
    view: "View",
    options: Mapping[str, Any],
    effort: Effort = compare.EFFORT,
) -> list[Result]:
    """Compare the functions one by one, each shown when it is done.

    Raises:
        CannotError: the kernel can't shut the code in, and nobody said that it may run anyway.
    """
    found = view.changes.listed
    if found and (warning := isolation.require(run, unsafe=options["unsafe"])):
        tables.say(output.err(), warning)
    results = []
    timing, seconds = None if options["no_timing"] else effort, options["budget"]
    with output.progress() as tell, Workers(store) as workers:
        for result in compare.compare(
            workers, run, view.changes, timing=timing, seconds=seconds, tell=tell
        ):
            results.append(result)
            view.show(result)
    return results


def require_recorded(ranked: Sequence[HotFunction]) -> Sequence[HotFunction]:
    """The functions, if any call was recorded.

    Raises:
        CannotError: none was.
    """
    if not any(hot.recorded for hot in ranked):
        raise CannotError(
            "no-calls", "No calls were recorded, so nothing can be replayed. Record: perftrace run"
        )
    return ranked


def _whole_program(run: Run, found: Changes) -> Comparison:
    if run.form == "process":
        return NotCompared("what was recorded was running already")
    old, new = found.files.overlays
    return whole_program.compare(run, old, new, WHOLE_PROGRAM_S)


def _count(run: Run, found: Changes) -> Count:
    if run.form == "process":
        return NotCounted("what was recorded was running already")
    return whole_program.count(run, *found.files.overlays)


def exit_code(results: Sequence[Result], whole: Comparison, *, slower_fails: bool) -> int:
    """What the command ends with."""
    outcomes = [result.outcome for result in results]
    if isinstance(whole, OutputChanged) or any(result.callers for result in results):
        return 1
    if any(isinstance(one, Rejected) for one in outcomes):
        return 1
    if slower_fails and any(_is_slower(one) for one in outcomes):
        return 1
    if outcomes and all(isinstance(one, NotReplayable | Inconclusive) for one in outcomes):
        return NOTHING
    return 0


def _is_slower(outcome: compare.Outcome) -> bool:
    if not isinstance(outcome, Compared) or isinstance(outcome.speed, NotMeasured):
        return False
    return speed_word(outcome.speed) == "slower"


class View:
    """What people and programs get to see of it."""

    def __init__(
        self,
        changes: Changes,
        functions: Sequence[Function],
        *,
        quiet: bool,
    ) -> None:
        self.changes = changes
        self._labels = locate.labels(functions)
        self._quiet = quiet  # people's text goes to stderr, a document to stdout
        self._console = output.err() if quiet else output.out()
        self._width = max((len(self.label(one.function)) for one in changes.listed), default=0)

    def label(self, function: Function) -> str:
        """What people call it."""
        return self._labels[function.id]

    def show(self, result: Result) -> None:
        """A function that is done."""
        label, old = self.label(result.change.function), self.changes.old.name
        for line in report.lines(result, label, self._width, old):
            tables.say(self._console, line)

    def say(self, text: str) -> None:
        """A line for people."""
        tables.say(self._console, text)

    def end(self, results: list[Result], whole: Comparison, counted: Count | None) -> None:
        """All there is to say at the end."""
        for line in report.summary(self.changes, results):
            tables.say(self._console, line)
        if self.changes.files.old:
            tables.say(self._console, report.program_line(whole, self.changes.old.name))
        if counted is not None:
            tables.say(self._console, decisions.count_line(counted))
        if self._quiet:
            self._emit(results, whole, counted)

    def _emit(self, results: list[Result], whole: Comparison, counted: Count | None) -> None:
        named = [(one, self.label(one.change.function)) for one in results]
        program = decisions.whole_program_document(whole, float("inf"))
        del program["expected"]
        output.emit_json(
            "compare",
            {
                "old": self.changes.old.name,
                "new": self.changes.new.name,
                "functions": [report.document(*one) for one in named],
                "untraced": list(self.changes.untraced),
                "not_python": list(self.changes.files.others),
                "unreadable": list(self.changes.files.unreadable),
                "whole_program": program,
                "instructions": decisions.count_document(counted),
            },
        )
