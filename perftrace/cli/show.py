"""`perftrace show FUNC`: all that was recorded of one function."""

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import click

from perftrace import locate
from perftrace.advice import advised
from perftrace.cli import chosen, output
from perftrace.cli.chosen import Chosen
from perftrace.cli.naming import function_of
from perftrace.model import HotFunction, Run
from perftrace.optimizer.attribution import Tally
from perftrace.optimizer.rank import calls_with_gaps, rank, tally_of
from perftrace.report import basis, tables
from perftrace.report.calls import (
    NONE_RECORDED,
    Seen,
    arguments_text,
    distinct,
    gaps,
    outcome_text,
    seen_in,
)
from perftrace.report.effects import Read, by_kind, reads
from perftrace.report.reaching import Reaching, reaching
from perftrace.store import Store
from perftrace.tracer.ingest import recover

READ = 1000  # recorded calls read for their types
MOST_TESTS = 20  # listed

type Section = tuple[str, Iterable[str]]


@dataclass(frozen=True, slots=True)
class Summary:
    """What there is to say about a function."""

    row: HotFunction
    label: str
    callers: list[tuple[str, float]]
    run: Run
    tally: Tally  # the run's samples
    which: Chosen
    seen: Seen
    known: int  # calls with recorded arguments
    lists: int  # different argument lists among them
    gaps: list[tuple[str, str, int]]
    slowest: tuple[float, str, str] | None  # seconds, arguments, outcome
    effects: list[tuple[str, int, str]]  # kind, calls, a detail
    reads: list[Read]
    reaching: Reaching
    partly: int  # calls that have gaps in their arguments, which may not matter


@click.command("show")
@click.argument("func")
@chosen.run_option
@output.json_option
@output.database_option
def command(func: str, *, wanted: int | None, as_json: bool, database: Path) -> None:
    """Show all that was recorded of FUNC.

    FUNC is package.module:Qual.name, path/to/file.py:Qual.name, or the name alone.
    """
    recover(database)
    with Store.open(database) as store:
        summary = _summarise(store, func, chosen.choose(store, wanted))
    if as_json:
        output.emit_json("show", _document(summary))
        return
    console = output.out()
    for title, lines in _sections(summary):
        shown = list(lines)
        if shown:
            tables.say(console, title)
            for line in shown:
                tables.say(console, f"  {line}")


def _summarise(store: Store, func: str, which: Chosen) -> Summary:
    run = which.run
    tally = tally_of(store, run)
    rows = {row.function: row for row in rank(store, run, tally)}
    function = function_of(func, list(rows), store, which)
    labels = locate.labels(list(rows))
    known, lists = distinct(store, run, function)
    slowest = next(store.calls(function, run=run, slowest=1), None)
    calls = list(islice(store.calls(function, run=run), READ))
    return Summary(
        row=rows[function],
        label=labels[function.id],
        callers=[(labels[caller.id], part) for caller, part in rows[function].via],
        run=run,
        tally=tally,
        which=which,
        seen=seen_in(store, calls),
        known=known,
        lists=lists,
        gaps=gaps(store, run, function),
        slowest=None
        if slowest is None or slowest.duration_ns is None
        else (
            slowest.duration_ns / 1e9,
            arguments_text(store, slowest),
            outcome_text(store, slowest),
        ),
        effects=by_kind(calls),
        reads=reads(store, run, function),
        reaching=reaching(store, run, function, rows.values()),
        partly=calls_with_gaps(store, run, [function])[function.id],
    )


# --- text -------------------------------------------------------------------------------


def _sections(summary: Summary) -> Iterator[Section]:
    row, function = summary.row, summary.row.function
    yield f"{summary.label} ({function.kind})", [f"{function.file}:{function.line}"]
    yield "Time", _time(summary)
    yield "Called by", [f"{tables.percent(part)}% {name}" for name, part in summary.callers]
    yield "Calls", _calls(summary)
    yield f"Arguments{_sampled(summary)}", _arguments(summary)
    yield "Results", _types(summary.seen.results)
    yield "Exceptions", _types(summary.seen.exceptions)
    yield "Effects", _effects(summary)
    yield "May read", _reads(summary)
    yield (
        "Not recorded",
        [f"{n:,} {subject}: {advised(reason)}" for subject, reason, n in summary.gaps],
    )
    yield "Slowest call", _slowest(summary)
    yield "Tests that reach it", _tests(summary.reaching)
    if row.recorded:
        yield "Next", [f"perftrace calls {shlex.quote(summary.label)}{output.again()}"]


def _time(summary: Summary) -> Iterator[str]:
    row, run, tally = summary.row, summary.run, summary.tally
    share = f"{tables.percent(row.hot.value)}%"
    within = f" {tables.interval(row.hot.low, row.hot.high)}" if tally.total else ""
    yield f"hot {share}{within}: its own and that of what it calls outside your code"
    whole = tables.percent(row.inclusive)
    yield f"self {tables.percent(row.self_share)}%; with all it calls {whole}%"
    if tally.total:
        yield f"from {basis.by_samples(run, tally)}"
    else:
        yield f"from the durations of the recorded calls: {basis.no_samples(run, tally)}"
    if summary.which.count > 1:
        yield f"of {summary.which.text}"


def _calls(summary: Summary) -> Iterator[str]:
    row = summary.row
    if row.function.id < 0:
        yield f"none recorded: {NONE_RECORDED}"
        return
    how = "at least" if row.calls_at_least else "about"
    each = "" if row.per_call_s is None else f", {tables.seconds(row.per_call_s)} each (median)"
    yield f"{how} {tables.count(row.calls)}{each}"
    reason = ": it is defined inside a function, so no name leads to it"
    nested = reason if row.function.nested else ""
    more = f", {summary.partly:,} more if their gaps don't matter" if summary.partly else ""
    yield f"{row.recorded:,} recorded, {row.replayable:,} of them replayable{nested}{more}"
    if summary.known:
        repeated = tables.percent(1 - summary.lists / summary.known)
        lists = f"{summary.lists:,} different argument lists in {summary.known:,}"
        yield f"{lists} ({repeated}% are repeats)"


def _sampled(summary: Summary) -> str:
    read = summary.seen.calls
    return f" (first {read:,} recorded calls)" if read < summary.row.recorded else ""


def _arguments(summary: Summary) -> Iterator[str]:
    for parameter, types in zip(
        summary.row.function.parameters, summary.seen.arguments, strict=False
    ):
        yield f"{parameter.name}: {', '.join(_types(types)) or 'not recorded'}"


def _types(types: Counter[str]) -> list[str]:
    return [f"{name} {count:,}" for name, count in types.most_common()]


def _effects(summary: Summary) -> Iterator[str]:
    for kind, count, detail in summary.effects:
        yield f"{kind}: {count:,} call{'s' * (count != 1)}{f', such as {detail}' * bool(detail)}"


def _reads(summary: Summary) -> Iterator[str]:
    for one in summary.reads:
        own = one.by == summary.row.function
        yield f"{one.kind}: {one.name}{'' if own else f' in {one.by.module}:{one.by.qualname}'}"


def _slowest(summary: Summary) -> Iterator[str]:
    if summary.slowest is not None:
        took, arguments, outcome = summary.slowest
        yield f"{tables.seconds(took)}: ({arguments}) -> {outcome}"


def _tests(found: Reaching) -> Iterator[str]:
    if not found.tests:
        return
    yield f"{len(found.seen):,} of {found.tests:,} tests were seen to, straight or through others"
    yield from _listed(found.seen)
    if found.likely:
        yield f"{len(found.likely):,} more likely do: they reach one of its callers"
        yield from _listed(found.likely)
    if found.partly:
        part = f"in {found.partly:,} of {found.tests:,} tests not every function was watched"
        yield f"the list may lack some: {part}, to save time"


def _listed(names: Sequence[str]) -> Iterator[str]:
    yield from (f"  {name}" for name in names[:MOST_TESTS])
    if len(names) > MOST_TESTS:
        yield f"  and {len(names) - MOST_TESTS:,} more: --json lists all"


# --- document ---------------------------------------------------------------------------


def _document(summary: Summary) -> dict[str, Any]:
    row, seen = summary.row, summary.seen
    parameters = zip(row.function.parameters, seen.arguments, strict=False)
    return {
        **summary.which.document,
        "function": summary.label,
        "file": row.function.file,
        "line": row.function.line,
        "kind": row.function.kind.value,
        "ranked_by": "samples" if summary.tally.total else "durations",
        "hot_percent": 100 * row.hot.value,
        "hot_low_percent": 100 * row.hot.low,
        "hot_high_percent": 100 * row.hot.high,
        "self_percent": 100 * row.self_share,
        "inclusive_percent": 100 * row.inclusive,
        "calls": row.calls,
        "calls_at_least": row.calls_at_least,
        "per_call_us": None if row.per_call_s is None else 1e6 * row.per_call_s,
        "recorded": row.recorded,
        "replayable": row.replayable,
        "with_gaps": summary.partly,
        "via": [{"function": name, "percent": 100 * part} for name, part in summary.callers],
        "distinct_arguments": summary.lists,
        "arguments": {parameter.name: dict(types) for parameter, types in parameters},
        "results": dict(seen.results),
        "exceptions": dict(seen.exceptions),
        "effects": [
            {"kind": kind, "calls": count, "detail": detail}
            for kind, count, detail in summary.effects
        ],
        "reads": [
            {"kind": one.kind, "name": one.name, "by": f"{one.by.module}:{one.by.qualname}"}
            for one in summary.reads
        ],
        "missing": [
            {"subject": subject, "reason": reason, "count": count}
            for subject, reason, count in summary.gaps
        ],
        "tests": [
            {"name": name, "how": how}
            for how, names in (("seen", summary.reaching.seen), ("likely", summary.reaching.likely))
            for name in names
        ],
        "tests_recorded": summary.reaching.tests,
        "tests_partly_watched": summary.reaching.partly,
        "slowest": None
        if summary.slowest is None
        else dict(zip(("seconds", "arguments", "outcome"), summary.slowest, strict=True)),
    }
