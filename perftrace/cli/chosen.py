"""Which run of the trace file is looked at: the newest, or that of `--run N`."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from perftrace.cli import number, output
from perftrace.errors import UsageError
from perftrace.model import Run
from perftrace.report import tables
from perftrace.report.tables import Column
from perftrace.store import Store

COLUMNS = (
    Column("run"),
    Column("when", number=False),
    Column("cpu"),
    Column("calls"),
    Column("samples", from_width=60),
    Column("exit", from_width=70),
    Column("command", number=False),
)
CALLS = """
SELECT run_id, count(*) AS n FROM call JOIN process ON process.id = process_id GROUP BY run_id
"""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A run, and its place in the file: 1 is the oldest."""

    run: Run
    number: int
    count: int  # of runs in the file

    @property
    def text(self) -> str:
        """`run 3 of 3`."""
        return f"run {self.number} of {self.count}"

    @property
    def document(self) -> dict[str, Any]:
        """What a document says of it."""
        return {"run": self.number, "runs": self.count}


def run_option[F: Callable[..., Any]](function: F) -> F:
    """`--run N`: which run."""
    option = click.option(
        "--run",
        "wanted",
        type=number.count(1),
        metavar="N",
        callback=_noted,
        help="Run N of the trace file, as top --runs counts them (default: the newest).",
    )
    return option(function)


def _noted(context: click.Context, _: click.Parameter, value: int | None) -> int | None:
    if value is not None:
        context.meta[output.RUN] = value
    return value


def choose(store: Store, wanted: int | None) -> Chosen:
    """The run with this number; without one the newest that recorded anything.

    Raises:
        UsageError: there is no such run.
        TraceError: there is none at all.
    """
    last = store.last_run()
    runs = store.runs()
    if wanted is None:
        wanted = next(at for at, run in enumerate(runs, start=1) if run.id == last.id)
    if wanted > len(runs):
        held = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
        text = f"There is no run {wanted}: the trace file holds {held}."
        listed = f"List them: perftrace top --runs{output.again(run=False)}"
        raise UsageError("run-unknown", f"{text} {listed}")
    return Chosen(runs[wanted - 1], wanted, len(runs))


def show_runs(store: Store, *, as_json: bool) -> None:
    """Print the runs of the file, oldest first."""
    shown = choose(store, None)
    calls = {row["run_id"]: row["n"] for row in store.rows(CALLS)}
    rows = [(at, run, calls.get(run.id, 0)) for at, run in enumerate(store.runs(), start=1)]
    if as_json:
        output.emit_json("runs", {"newest": shown.number, "runs": [_entry(*row) for row in rows]})
        return
    console = output.out()
    tables.show(console, COLUMNS, [_row(*row) for row in rows])
    tables.say(console, "")
    more = " Others: --run N" if len(rows) > 1 else ""
    tables.say(console, f"Run {shown.number} is looked at unless you say otherwise.{more}")


def _row(at: int, run: Run, calls: int) -> tuple[str, ...]:
    when = run.started[:19].replace("T", " ")
    took = tables.seconds(run.cpu_s)
    counts = (tables.count(calls), tables.count(run.samples), str(run.exit_code))
    return str(at), when, took, *counts, shlex.join(run.command)


def _entry(at: int, run: Run, calls: int) -> dict[str, Any]:
    return {
        "run": at,
        "started": run.started,
        "command": list(run.command),
        "cpu_s": run.cpu_s,
        "calls": calls,
        "samples": run.samples,
        "exit_code": run.exit_code,
    }
