"""`perftrace top`: where the program's time goes."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import click

from perftrace import locate
from perftrace.cli import chosen, number, output
from perftrace.model import HotFunction, Run
from perftrace.optimizer.attribution import Tally
from perftrace.optimizer.rank import calls_with_gaps, rank, tally_of
from perftrace.report import basis, tables
from perftrace.report.tables import Column
from perftrace.store import Store
from perftrace.tracer.ingest import recover

type Names = Mapping[int, str]

MOST = 0.9  # of the time: what a speed-up is looked for in
MODULE = "<module>"
MORE = 0.1  # of the CPU time: what a short program is worth recording with

SORT = {
    "hot": lambda row: row.hot.value,
    "self": lambda row: row.self_share,
    "calls": lambda row: row.calls or 0,
}

COLUMNS = (
    Column("rank"),
    Column("hot%"),
    Column("95% interval", from_width=90),
    Column("self%", from_width=50),
    Column("calls", from_width=60),
    Column("per call"),
    Column("replayable", from_width=80),
    Column("function", number=False),
    Column("called by", number=False, from_width=110),
)


@click.command("top")
@click.option(
    "-n",
    "limit",
    type=number.count(0),
    default=20,
    show_default=True,
    help="Functions shown; 0 shows all.",
)
@click.option("--sort", type=click.Choice(list(SORT)), default="hot", show_default=True)
@click.option("--runs", is_flag=True, help="List the runs of the trace file instead.")
@chosen.run_option
@output.json_option
@output.database_option
def command(
    limit: int, sort: str, *, runs: bool, wanted: int | None, as_json: bool, database: Path
) -> None:
    """Show where the time goes.

    hot% is the time a change to the function can save: its own and that of all it calls which is
    not your code. It adds up to 100. self% is its own time alone. Functions whose intervals
    overlap share a rank (2=): the samples don't tell which is hotter. ~ marks an estimate that is
    off by a quarter at most, as far as the recording tells, >= the calls that were seen: what is
    known for sure. Of recorded calls 2-5/7 are replayable where three have gaps: parts that were
    not recorded, and may not be needed. Of a file with several runs (run adds one each time) the
    newest is shown: --runs lists them, --run N shows another.
    """
    recover(database)
    with Store.open(database) as store:
        if runs:
            chosen.show_runs(store, as_json=as_json)
            return
        which = chosen.choose(store, wanted)
        run = which.run
        tally = tally_of(store, run)
        ranked = rank(store, run, tally)
        ranked.sort(key=SORT[sort], reverse=True)  # stable: rank's order decides between equals
        rows = list(islice(ranked, limit or None))
        gaps = calls_with_gaps(store, run, (row.function for row in rows))
        took = basis.taken(store, run)
    names = locate.labels([row.function for row in ranked])
    if as_json:
        document = _document(rows, names, (run, tally, took), gaps)
        output.emit_json("top", which.document | document)
        return
    console = output.out()
    tables.show(console, COLUMNS, [_row(row, names, gaps) for row in rows])
    for line in _notes(rows, run, tally, ranked=sort == "hot"):
        tables.say(console, line)
    for line in _reach(ranked, run, took):
        tables.say(console, line)
    if which.count > 1:
        listed = f"perftrace top --runs{output.again(run=False)}"
        tables.say(console, f"This is {which.text}; all of them: {listed}")
    tables.say(console, _next(rows, names))


def _row(row: HotFunction, names: Names, gaps: Mapping[int, int]) -> tuple[str, ...]:
    return (
        "-" if row.place is None else f"{row.place}{'=' * row.tied}",
        tables.percent(row.hot.value),
        "-" if row.place is None else tables.interval(row.hot.low, row.hot.high),
        tables.percent(row.self_share),
        _calls(row),
        tables.seconds(row.per_call_s),
        _replayable(row, gaps),
        names[row.function.id],
        ", ".join(f"{names[caller.id]} {tables.percent(part)}%" for caller, part in row.via[:2]),
    )


def _calls(row: HotFunction) -> str:
    if row.calls is None:
        return "-"
    return f"{'>=' if row.calls_at_least else '~'}{tables.count(row.calls)}"


def _replayable(row: HotFunction, gaps: Mapping[int, int]) -> str:
    """`9/12` recorded calls, `9-11/12` where two have gaps that may not matter.

    For a function that no name leads to: through which caller.
    """
    if not row.recorded:
        return "-"
    if row.function.nested and row.via:
        return f"via {row.via[0][0].name}"
    most = row.replayable + gaps[row.function.id]
    upto = f"-{most}" if most > row.replayable else ""
    return f"{row.replayable}{upto}/{row.recorded}"


# --- notes ------------------------------------------------------------------------------


def _notes(rows: Sequence[HotFunction], run: Run, tally: Tally, *, ranked: bool) -> Iterator[str]:
    yield ""
    yield f"{shlex.join(run.command)}: {basis.duration(run)}. {basis.ranking(run, tally)}"
    if ranked and any(row.tied for row in rows):
        yield f"Functions of one rank (=) can't be told apart at {tally.total:,} samples."


def _reach(ranked: Sequence[HotFunction], run: Run, took: float | None) -> Iterator[str]:
    """How many of the functions that hold most of the time have calls that can be replayed."""
    hot: list[HotFunction] = []
    held = 0.0
    for row in sorted(ranked, key=lambda row: row.hot.value, reverse=True):
        if held >= MOST or row.hot.value <= 0:
            break
        held += row.hot.value
        if row.function.name != MODULE:  # which is run once, and is nothing to call
            hot.append(row)
    others = [
        row for row in hot if not row.replayable and not (row.function.nested and row.recorded)
    ]
    reached = len(hot) - len(others)
    if not run.overhead:
        return
    cost = basis.cost(took, run.overhead)
    if not hot:
        yield cost
        return
    partly = sum(row.recorded > 0 for row in others)
    also = f"; of {partly} more the calls have gaps, and may still do" if partly else ""
    yield (
        f"{reached} of the {len(hot)} functions that hold {MOST:.0%} of the time have calls"
        f" that can be replayed{also}."
    )
    more = f" For more calls: perftrace run --overhead {MORE:.0%} …"
    yield f"{cost}{more if reached < len(hot) and run.overhead < MORE else ''}"


def _next(rows: Sequence[HotFunction], names: Names) -> str:
    first = next((row for row in rows if row.function.id > 0), None)
    if first is None:
        return "No calls were recorded. Next: perftrace run, which records them"
    again = output.again()
    shown = f"perftrace show {shlex.quote(names[first.function.id])}{again}"
    return f"Next: {shown}, or perftrace optimize{again}"


# --- document ---------------------------------------------------------------------------


def _document(
    rows: Sequence[HotFunction],
    names: Names,
    recorded: tuple[Run, Tally, float | None],
    gaps: Mapping[int, int],
) -> dict[str, Any]:
    run, tally, took = recorded
    return {
        "command": list(run.command),
        "seconds": run.wall_s or None,
        "ranked_by": "samples" if tally.total else "durations",
        "recorder_percent": None if took is None else _percent(took),
        "recorder_allowed_percent": _percent(run.overhead),
        "sampler": run.sampler,
        "sampler_note": run.sampler_note,
        "samples": basis.seen(tally),
        "outside": tally.outside,
        "interval_us": _us(run.interval_s),
        "functions": [_entry(row, names) | {"with_gaps": gaps[row.function.id]} for row in rows],
    }


def _entry(row: HotFunction, names: Names) -> dict[str, Any]:
    return {
        "function": names[row.function.id],
        "file": row.function.file,
        "line": row.function.line,
        "place": row.place,
        "tied": row.tied,
        "hot_percent": _percent(row.hot.value),
        "hot_low_percent": _percent(row.hot.low),
        "hot_high_percent": _percent(row.hot.high),
        "self_percent": _percent(row.self_share),
        "calls": row.calls,
        "calls_at_least": row.calls_at_least,
        "per_call_us": None if row.per_call_s is None else _us(row.per_call_s),
        "recorded": row.recorded,
        "replayable": row.replayable,
        "via": [
            {"function": names[caller.id], "percent": _percent(part)} for caller, part in row.via
        ],
    }


def _percent(share: float) -> float:
    return round(100 * share, 2)


def _us(spent_s: float) -> float:
    return round(1e6 * spent_s, 3)
