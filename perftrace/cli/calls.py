"""`perftrace calls FUNC`: the recorded calls of one function."""

from itertools import islice
from pathlib import Path
from typing import Any

import click

from perftrace import locate
from perftrace.advice import advised
from perftrace.cli import number, output
from perftrace.model import Call, Function, Run
from perftrace.optimizer.rank import rank
from perftrace.replay.unsafe import unsafe
from perftrace.report import effects, tables
from perftrace.report.calls import arguments_text, gaps, outcome_text
from perftrace.report.tables import Column
from perftrace.store import Store
from perftrace.tracer.ingest import recover

COLUMNS = (
    Column("took"),
    Column("arguments", number=False),
    Column("outcome", number=False),
    Column("caller", number=False, from_width=80),
    Column("thread", from_width=100),
    Column("effects", number=False, from_width=90),
)


@click.command("calls")
@click.argument("func")
@click.option(
    "-n",
    "limit",
    type=number.count(0),
    default=20,
    show_default=True,
    help="Calls shown; 0 shows all.",
)
@click.option("--slowest", type=number.count(1), metavar="N", help="The N slowest, slowest first.")
@output.json_option
@output.database_option
def command(func: str, limit: int, slowest: int | None, *, as_json: bool, database: Path) -> None:
    """Show the recorded calls of FUNC, one a line.

    FUNC is package.module:Qual.name, path/to/file.py:Qual.name, or the name alone.
    """
    recover(database)
    with Store.open(database) as store:
        run = store.last_run()
        ranked = {row.function: row.recorded for row in rank(store, run)}
        function = locate.find(func, list(ranked))
        found = store.calls(function, run=run, slowest=slowest)
        calls = list(found if slowest else islice(found, limit or None))
        label = locate.labels(list(ranked))[function.id]
        if as_json:
            document = {"function": label, "recorded": ranked[function]}
            output.emit_json("calls", {**document, "calls": [_entry(store, one) for one in calls]})
            return
        console = output.out()
        shown = len(COLUMNS) if any(one.effects for one in calls) else len(COLUMNS) - 1
        tables.show(console, COLUMNS[:shown], [_row(store, one)[:shown] for one in calls])
        tables.say(console, "")
        tables.say(console, f"{len(calls)} of the {ranked[function]} recorded calls of {label}.")
        _say_gaps(store, run, function)


def _row(store: Store, call: Call) -> tuple[str, ...]:
    return (
        _took(call),
        arguments_text(store, call),
        outcome_text(store, call),
        f"{call.caller.module}:{call.caller.qualname}" if call.caller else "-",
        str(call.thread),
        effects.text(call.effects),
    )


def _took(call: Call) -> str:
    return tables.seconds(None if call.duration_ns is None else call.duration_ns / 1e9)


def _say_gaps(store: Store, run: Run, function: Function) -> None:
    for subject, reason, count in gaps(store, run, function):
        tables.say(output.out(), f"Not recorded: {count:,} {subject}: {advised(reason)}")


def _entry(store: Store, call: Call) -> dict[str, Any]:
    return {
        "id": call.id,
        "arguments": arguments_text(store, call, width=1000),
        "ending": call.outcome.ending.value,
        "outcome": outcome_text(store, call, width=1000),
        "duration_us": None if call.duration_ns is None else call.duration_ns / 1000,
        "caller": f"{call.caller.module}:{call.caller.qualname}" if call.caller else None,
        "effects": [
            {"kind": one.kind, "detail": one.detail, "count": one.count} for one in call.effects
        ],
        "unsafe": unsafe(call),
        "thread": call.thread,
        "started_ns": call.started_ns,
    }
