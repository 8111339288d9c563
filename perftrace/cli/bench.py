"""`perftrace bench`: how long recorded calls take, now or against another revision."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from perftrace import config, locate
from perftrace.cli import number, output
from perftrace.cli.compare import View, replayed, require_recorded
from perftrace.cli.duration import Duration
from perftrace.cli.slowdown import Slowdown, limits_of
from perftrace.errors import CheckFailed, UsageError
from perftrace.model import Function, Measurement
from perftrace.optimizer import changes as differing
from perftrace.optimizer import compare
from perftrace.optimizer.changes import Changes
from perftrace.optimizer.compare import Compared, Result
from perftrace.optimizer.git import Repository, Worktree
from perftrace.optimizer.limits import Limits, percent
from perftrace.optimizer.rank import rank
from perftrace.report import compare as report
from perftrace.report import tables
from perftrace.store import Store
from perftrace.tracer.ingest import recover

NOTHING = 3  # nothing could be timed


@click.command("bench")
@click.argument("names", nargs=-1, metavar="[FUNC]...")
@click.option("--against", metavar="REV", help="Time this revision too, in turn with your files.")
@click.option("--top", type=number.count(1), default=10, show_default=True, help="The hottest.")
@click.option(
    "--fail-if",
    type=Slowdown(),
    metavar="'>N%'",
    help="How much slower than REV is too slow (default: max-slowdown in the settings, or >5%).",
)
@click.option("--budget", type=Duration(), default="10m", show_default=True, help="For all of it.")
@output.unsafe_option
@output.json_option
@output.database_option
def command(names: tuple[str, ...], *, database: Path, as_json: bool, **options: Any) -> int:
    """Time the recorded calls of the hottest functions, or of each FUNC.

    With --against both revisions take turns in one job, whether or not a function itself differs:
    what it calls may. Times are CPU time per call. Exit code 1: a function is slower than allowed;
    3: none could be timed.
    """
    root = output.project_root()
    settings = config.load(root)
    if options["fail_if"] is not None and options["against"] is None:
        raise UsageError("bench-against", "--fail-if compares with a revision: add --against REV")
    recover(database)
    with Store.open(database) as store:
        run = store.last_run()
        hot = require_recorded(rank(store, run))
        functions = [one.function for one in hot]
        chosen = [locate.find(name, functions, output.again()) for name in names]
        chosen = chosen or [one.function for one in hot if one.recorded][: options["top"]]
        wanted = {function.id for function in chosen}
        found = _changes(store, functions, wanted, root, options["against"])
        view = (View if options["against"] else Times)(found, functions, quiet=as_json)
        effort = compare.EFFORT if options["against"] else compare.GLANCE
        results = replayed(store, run, view, {**options, "no_timing": False}, effort)
    if options["against"]:
        _tell(view, results)
    if as_json:
        _emit(view, results, options["against"])
    if options["against"]:
        _require_fast(view, results, limits_of(settings, options["fail_if"]))
    return 0 if any(_speed(one) for one in results) else NOTHING


def _changes(
    store: Store, functions: Sequence[Function], wanted: set[int], root: Path, against: str | None
) -> Changes:
    """Both revisions; without another one, the files as they are against themselves."""
    now = Worktree().name
    if against is None:
        return differing.find(store, functions, differing.nothing(root), (now, now), wanted)
    repository = Repository(Path.cwd())
    old = repository.place(against)
    files = differing.read(repository, old, Worktree())
    return differing.find(store, functions, files, (old.name, now), wanted)


def _speed(result: Result) -> Measurement | None:
    outcome = result.outcome
    speed = outcome.speed if isinstance(outcome, Compared) else None
    return speed if isinstance(speed, Measurement) else None


class Times(View):
    """The time of each function when it is done."""

    def show(self, result: Result) -> None:
        """A line."""
        label, speed = self.label(result.change.function), _speed(result)
        if speed is None:
            self.say(f"{label}: {_why(result)}")
        else:
            noise = f"[{speed.low:.2f}, {speed.high:.2f}]"
            self.say(f"{label}: {tables.seconds(speed.new_s)} a call, against itself {noise}")


def _tell(view: View, results: Sequence[Result]) -> None:
    """The times of both revisions; what differs has been said."""
    for result in results:
        if speed := _speed(result):
            times = f"{tables.seconds(speed.old_s)} -> {tables.seconds(speed.new_s)}"
            view.say(f"{view.label(result.change.function)}: {times} a call")


def _why(result: Result) -> str:
    """Why there is no time."""
    outcome = result.outcome
    if not isinstance(outcome, Compared):
        return f"not timed: {outcome.reason}"
    return report.speed_text(outcome.speed)


def _emit(view: View, results: Sequence[Result], against: str | None) -> None:
    rows = [_row(result, view.label(result.change.function)) for result in results]
    output.emit_json("bench", {"against": against, "functions": rows})


def _row(result: Result, label: str) -> Mapping[str, Any]:
    speed = _speed(result)
    return {
        **report.document(result, label),
        "old_s": speed and speed.old_s,
        "new_s": speed and speed.new_s,
    }


def _require_fast(view: View, results: Sequence[Result], allowed: Limits) -> None:
    """Fail where a function is slower than allowed.

    Raises:
        CheckFailed: one is.
    """
    slow = []
    for result in results:
        function, speed = result.change.function, _speed(result)
        if speed is not None and allowed.exceeded(function, speed):
            slow.append(f"{view.label(function)} (more than {percent(allowed.of(function))})")
    if slow:
        raise CheckFailed("bench-slower", f"Slower than allowed: {', '.join(slow)}")
