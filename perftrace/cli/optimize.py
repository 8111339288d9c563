"""`perftrace optimize`: faster versions of the hottest functions, verified and measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from perftrace import config, locate
from perftrace.cli import aims, chosen, models, number, output, remembering, signals
from perftrace.cli.duration import Duration
from perftrace.errors import StaleError
from perftrace.model import Decision, Function, Inconclusive, Rejected, Run
from perftrace.optimizer import decisions, main_guard, pipeline, standing
from perftrace.optimizer.instructions import Count, NotCounted
from perftrace.optimizer.pipeline import Goal, Subject, Task
from perftrace.optimizer.rank import rank, require_calls
from perftrace.optimizer.whole_program import Comparison, NotCompared, OutputChanged
from perftrace.optimizer.workers import Workers
from perftrace.replay import isolation
from perftrace.report import decisions as report
from perftrace.report import tables
from perftrace.store import Store
from perftrace.tracer.ingest import recover

WHOLE_PROGRAM_S = 30.0

type Preview = Subject | Rejected | Inconclusive


@dataclass(slots=True)
class Outcome:
    """What was found so far."""

    made: list[Decision] = field(default_factory=list)
    whole: Comparison | None = None
    count: Count | None = None
    interrupted: int = 0  # the exit code that says by what
    waiting: list[str] = field(default_factory=list)  # changes accepted before that can be applied
    asked: models.Models | None = None

    @property
    def accepted(self) -> list[Decision]:
        """The decisions with a change to apply."""
        return [one for one in self.made if one.id]


@click.command("optimize")
@click.argument("names", nargs=-1, metavar="[FUNC]...")
@click.option("--top", type=number.count(1), default=10, show_default=True, help="The hottest.")
@aims.options
@models.options
@click.option("--min-speedup", type=number.Real(1), help="The interval's low end must pass.")
@click.option("--budget", type=Duration(), default="10m", show_default=True, help="For all of it.")
@click.option("--dry-run", is_flag=True, help="Show what would be tried; run nothing.")
@click.option("--no-whole-program", is_flag=True, help="Don't run the program again.")
@click.option("--no-tests", is_flag=True, help="Don't run the tests seen to reach a function.")
@remembering.option
@output.deterministic_option
@output.unsafe_option
@chosen.run_option
@output.json_option
@output.database_option
def command(names: tuple[str, ...], *, database: Path, as_json: bool, **options: Any) -> int:
    """Find faster versions of the hottest functions, or of each FUNC.

    Each is checked against the recorded calls and measured against the original. Your files stay
    as they are until perftrace apply. FUNC is package.module:Qual.name,
    path/to/file.py:Qual.name, or the name alone. Exit code 3: every file changed since it was
    recorded, so nothing could be tried.
    """
    settings = config.load(output.project_root())
    recover(database)
    Store.open(database).close()
    with Store.open_to_write(database) as store:
        run = chosen.choose(store, options["wanted"]).run
        ranked = rank(store, run)
        require_calls(ranked)
        asked = models.prepare(store, run, ranked, settings, options, database)
        task = Task(
            run=run,
            names=names,
            top=aims.top(options, ranked),
            only=aims.only(store, ranked, names, options),
            engine=asked.engine,
            min_speedup=options["min_speedup"] or settings.min_speedup,
            seconds=options["budget"],
            tolerances=settings.tolerance,
            tests=not options["no_tests"],
        )
        goals = pipeline.goals(ranked, task)
        if not goals and not as_json:
            click.echo(aims.nothing(options))
            return 0
        labels = locate.labels([hot.function for hot in ranked])
        if advice := main_guard.advice(task.run):
            tables.say(output.err(), advice)
        view = View(task.run, goals, labels, quiet=as_json)
        if options["show_prompt"]:
            view.questions(asked, store, task)
            return 0
        if options["dry_run"]:
            previews = [(goal, pipeline.prepare(store, task, goal)) for goal in goals]
            view.preview(previews)
            return 0
        if warning := isolation.require(task.run, unsafe=options["unsafe"]):
            tables.say(output.err(), warning)
        if notice := asked.notice():
            tables.say(output.err(), notice)
        asked.fetch()
        changed = pipeline.changed(store, goals)
        outcome = _optimize(store, task, view, options)
        outcome.waiting = _waiting(store)
        if remembering.wanted(settings, options) and (
            lost := remembering.keep(store, run, outcome.made)
        ):
            tables.say(output.err(), lost)
        outcome.asked = asked
        if not outcome.interrupted:
            asked.finish()
        view.end(outcome, changed)
        files = {goal.hot.function.file for goal in goals if goal.hot.recorded}
        if changed and files <= set(changed):
            return StaleError.exit_code
        return outcome.interrupted


def _optimize(store: Store, task: Task, view: "View", options: Mapping[str, Any]) -> Outcome:
    """Do it all; an interrupt keeps what is finished."""
    outcome = Outcome()
    try:
        with output.progress() as tell, Workers(store) as workers:
            for decision in pipeline.optimize(workers, task, view.goals, tell):
                outcome.made.append(decision)
                view.show(decision)
            if outcome.accepted and not options["no_whole_program"]:
                tell("running the whole program, old and new in turn")
                outcome.whole = _whole_program(store, task.run, outcome)
            if outcome.accepted and options["deterministic"]:
                tell("counting the whole program's instructions, which takes fifty runs")
                outcome.count = _count(task.run, outcome)
    except KeyboardInterrupt as error:
        outcome.interrupted = signals.exit_code(error)
    return outcome


def _waiting(store: Store) -> list[str]:
    """The ids of all changes that `perftrace apply` would write."""
    chosen, _ = standing.together(standing.changes(store))
    return [one.decision.id for one in chosen if isinstance(one.state, standing.Ready)]


def _lacks_calls(decision: Decision) -> bool:
    reason = decisions.reason(decision.verdict)
    return decision.candidate is None and reason.endswith(pipeline.NO_CALL)


def _whole_program(store: Store, run: Run, outcome: Outcome) -> Comparison:
    try:
        found = pipeline.judge(run, outcome.accepted, WHOLE_PROGRAM_S)
    except StaleError as error:
        return NotCompared(str(error))
    if isinstance(found, OutputChanged):
        outcome.made = pipeline.withdraw(store, run, outcome.made, found)
    return found


def _count(run: Run, outcome: Outcome) -> Count:
    try:
        return pipeline.count(run, outcome.accepted)
    except StaleError as error:
        return NotCounted(str(error))


class View:
    """What people and programs get to see of it."""

    def __init__(
        self, run: Run, goals: Sequence[Goal], labels: Mapping[int, str], *, quiet: bool
    ) -> None:
        self.goals = goals
        self._run = run
        self._labels = labels
        self._quiet = quiet  # people's text goes to stderr, a document to stdout
        self._console = output.err() if quiet else output.out()
        self._width = max((len(self._label(goal.hot.function)) for goal in goals), default=0)

    def _label(self, function: Function) -> str:
        return self._labels[function.id]

    def show(self, decision: Decision) -> None:
        """A finished decision."""
        for line in report.lines(decision, self._label(decision.function), self._width):
            tables.say(self._console, line)

    def end(self, outcome: Outcome, changed: Sequence[str]) -> None:
        """All there is to say at the end."""
        expected = pipeline.expected(self.goals, outcome.accepted)
        for decision in outcome.accepted:
            tables.say(self._console, "")
            report.show_change(self._console, decision, self._run.root)
        tables.say(self._console, "")
        for line in self._summary(outcome, expected, changed):
            tables.say(self._console, line)
        if self._quiet:
            self._emit(outcome, expected, changed)

    def _summary(self, outcome: Outcome, expected: float, changed: Sequence[str]) -> Iterator[str]:
        if outcome.whole is not None:
            yield from report.whole_program_lines(outcome.whole, expected)
        if outcome.count is not None:
            yield report.count_line(outcome.count)
        if outcome.asked is not None:
            yield from outcome.asked.summary()
        if outcome.interrupted:
            done = f"{len(outcome.made)} of {len(self.goals)} functions"
            more = f"perftrace optimize{output.again()} FUNC..."
            yield f"Interrupted; {done} are finished and stored. Go on: {more}"
        following = f"Next: perftrace apply{output.again(run=False)}"
        if outcome.accepted:
            yield following
        elif outcome.waiting:
            yield f"Nothing new. Accepted before: {', '.join(outcome.waiting)}"
            yield following
        else:
            yield "Nothing to apply."
            lacking = [one for one in outcome.made if _lacks_calls(one)]
            if lacking and not changed:
                count = f"{len(lacking)} function{'s' * (len(lacking) != 1)}"
                yield f"No call of {count} was recorded. For more: perftrace run --overhead 10%"
        if changed:
            names = ", ".join(report.relative(file, self._run.root) for file in changed)
            yield f"Changed since it was recorded: {names}. Record again: perftrace run"

    def _emit(self, outcome: Outcome, expected: float, changed: Sequence[str]) -> None:
        root = self._run.root
        functions = [report.document(d, self._label(d.function), root) for d in outcome.made]
        whole = report.whole_program_document(outcome.whole, expected)
        output.emit_json(
            "optimize",
            {
                "functions": functions,
                "whole_program": whole,
                "instructions": report.count_document(outcome.count),
                "models": outcome.asked.document() if outcome.asked else None,
                "interrupted": bool(outcome.interrupted),
                "changed": list(changed),
            },
        )

    def questions(self, asked: models.Models, store: Store, task: Task) -> None:
        """The first question about each function, as it would be sent."""
        for goal in self.goals:
            found = pipeline.prepare(store, task, goal)
            if asked.asking is None or not isinstance(found, Subject):
                continue
            original = found.original
            question = asked.asking.question(original.function, original.source, found.facts)
            label = self._label(goal.hot.function)
            text = models.prompt_text(question) if question else "it holds what looks like a secret"
            tables.say_lines(self._console, f"# {label}\n\n{text}\n")

    def preview(self, previews: Sequence[tuple[Goal, Preview]]) -> None:
        """What would be tried."""
        rows = [self._preview_row(*one) for one in previews]
        if self._quiet:
            output.emit_json("optimize", {"dry_run": True, "functions": rows})
            return
        for row in rows:
            steps = ", ".join(dict.fromkeys(row["candidates"])) or row["reason"] or "asks a model"
            share = f"{row['hot_percent']:5.1f}%"
            tables.say(self._console, f"{row['function']:<{self._width}}  {share}  {steps}")

    def _preview_row(self, goal: Goal, found: Preview) -> dict[str, Any]:
        candidates = found.first if isinstance(found, Subject) else []
        return {
            "function": self._label(goal.hot.function),
            "hot_percent": 100 * goal.hot.hot.value,
            "recorded": goal.hot.recorded,
            "candidates": [" + ".join(candidate.steps) for candidate in candidates],
            "reason": "" if isinstance(found, Subject) else found.reason,
        }
