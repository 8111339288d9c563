"""`perftrace calls FUNC`: the recorded calls of one function."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import click

from perftrace import locate
from perftrace.advice import advised
from perftrace.cli import chosen, number, output
from perftrace.cli.naming import function_of
from perftrace.model import Call, Function, Run
from perftrace.optimizer.rank import rank
from perftrace.replay.unsafe import unsafe
from perftrace.report import effects, tables
from perftrace.report.calls import NONE_RECORDED, arguments_text, gaps, outcome_text
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
@chosen.run_option
@output.json_option
@output.database_option
def command(func: str, *, as_json: bool, database: Path, **options: Any) -> None:
    """Show the recorded calls of FUNC, one a line.

    FUNC is package.module:Qual.name, path/to/file.py:Qual.name, or the name alone.
    """
    recover(database)
    with Store.open(database) as store:
        which = chosen.choose(store, options["wanted"])
        ranked = {row.function: row.recorded for row in rank(store, which.run)}
        function = function_of(func, list(ranked), store, which)
        slowest: int | None = options["slowest"]
        found = store.calls(function, run=which.run, slowest=slowest)
        calls = list(found if slowest else islice(found, options["limit"] or None))
        label = locate.labels(list(ranked))[function.id]
        if as_json:
            document = {**which.document, "function": label, "recorded": ranked[function]}
            output.emit_json("calls", {**document, "calls": [_entry(store, one) for one in calls]})
            return
        _show(store, calls)
        of_run = f", in {which.text}" if which.count > 1 else ""
        held = f"{len(calls)} of the {ranked[function]} recorded calls of {label}{of_run}."
        none = f"No call of {label} was recorded{of_run}: {NONE_RECORDED}."
        tables.say(output.out(), held if ranked[function] else none)
        _say_gaps(store, which.run, function)


def _show(store: Store, calls: Sequence[Call]) -> None:
    if not calls:
        return
    shown = len(COLUMNS) if any(one.effects for one in calls) else len(COLUMNS) - 1
    tables.show(output.out(), COLUMNS[:shown], [_row(store, one)[:shown] for one in calls])
    tables.say(output.out(), "")


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
