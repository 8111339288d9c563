"""`perftrace run`: run a program as itself and record what it does."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from perftrace import config, target
from perftrace.advice import advised
from perftrace.cli import output
from perftrace.cli.program import ProgramCommand, form_of
from perftrace.cli.size import Size
from perftrace.config import Settings
from perftrace.tracer import launch, patterns
from perftrace.tracer.ingest import Summary
from perftrace.tracer.record import Choices, Result, record
from perftrace.tracer.shares import share_of

MOST_REASONS = 3  # shown for a subject


def _share(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """`5%` or `0.05`."""
    if value is None:
        return None
    try:
        return share_of(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(cls=ProgramCommand, context_settings={"allow_interspersed_args": False})
@click.option("-o", "--output", "database", metavar="FILE", help="Trace file to add to.")
@click.option("--python", metavar="PATH", help="Interpreter (default: the active environment's).")
@click.option("--include", multiple=True, metavar="GLOB", help="Files or a package to trace too.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Files or a package not to trace.")
@click.option("--overhead", callback=_share, metavar="SHARE", help="Of CPU time (default: 2%).")
@click.option("--value-size", type=Size(), help="Of a value, at first (default: 8KB).")
@click.option("-m", "module", metavar="MOD", help="Run a module, as python -m does.")
@click.option("--no-sample", is_flag=True, help="Don't sample the hot path.")
@click.option("--no-effects", is_flag=True, help="Don't note files, network and the like.")
@click.option("--subprocesses/--no-subprocesses", "children", help="Record Python children too.")
@click.option("--json", "as_json", is_flag=True, help="End with a JSON document, on stderr.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="(SCRIPT | -- CMD) ARGS...")
def command(module: str | None, words: tuple[str, ...], **options: Any) -> int:
    """Run a program as itself and record its calls and its hot path.

    \b
    perftrace run app.py ARGS...      as python app.py
    perftrace run -m app ARGS...      as python -m app
    perftrace run -- pytest -q        any command that starts Python

    Exit code, stdout and stderr are the program's own. What perftrace has to say follows on
    stderr once it has ended; so does --json's document, for stdout belongs to the program.

    With --subprocesses, Python programs that it starts are recorded as well. os.environ stays as
    it is; the environment of the children has PYTHONPATH and three variables PERFTRACE_…, which
    those that are Python take out again. Forks are always recorded.
    """
    cwd = Path.cwd()
    project = config.find_root(cwd)
    settings = config.load(project)
    form, words = form_of(module, words)
    program = launch.resolve(form, words, options["python"], cwd)
    choices = Choices(
        database=database_of(options["database"], cwd, project, settings),
        overhead=options["overhead"] or settings.overhead,
        includes=options["include"],
        excludes=options["exclude"],
        sample=not options["no_sample"],
        effects=not options["no_effects"],
        children=options["children"],
        value_bytes=options["value_size"] or 0,
    )
    target.require(choices.database)
    names = names_of(choices.database, project / settings.database, cwd)
    nowhere = patterns.leading_nowhere(options["include"], cwd, program.python)
    for one in () if options["as_json"] else nowhere:
        why = "there is no such file or package, or it is built into Python"
        click.echo(f"perftrace: --include {one} adds nothing: {why}", err=True)
    reading = output.patience("perftrace: writing what was recorded into the trace file")
    result = record(program, cwd, settings, choices, reading)
    said = lines(result, names)
    missing = config.missing_sources(settings, program.root)
    if options["as_json"]:
        said = document("run", result, choices.database, include_unused=nowhere)
        missing = []  # the document is all there is on stderr
    absent = [f"perftrace: source in pyproject.toml: there is no folder {path}" for path in missing]
    output.say_if_possible([*absent, *said])
    return result.exit_code


def lines(result: Result, names: tuple[str, str]) -> Iterator[str]:
    """For people: where the trace is, what is not in it and why, the next command."""
    database, option = names
    summary = result.summary
    if summary is None:
        yield f"perftrace: {result.problem}"
        return
    share = f"; the recorder took {_percent(summary)} of the CPU time" if summary.cpu_ns else ""
    yield (
        f"perftrace: {_count(summary.calls, 'call')} of {_count(summary.called, 'function')}"
        f" and {_count(summary.samples, 'sample')} recorded in {database}{share}"
    )
    yield f"perftrace: not recorded: {'; '.join(_reasons(summary)) or 'nothing left out'}"
    kept = summary.retained
    if kept is not None and kept.runs:
        yield (
            f"perftrace: {_count(kept.runs, 'older run')} dropped: the trace file may have"
            f" {_size(kept.limit)} (`retain` in [tool.perftrace])"
        )
    if summary.calls or summary.samples:
        yield f"perftrace: next: perftrace top{option}"


def _size(number: int) -> str:
    return f"{number / 2**20:,.4g} MB" if number >= 2**20 else f"{number / 2**10:,.4g} KB"


def _reasons(summary: Summary) -> Iterator[str]:
    """What was not recorded, by subject."""
    if summary.sampler != "py-spy" or summary.sampler_note:
        yield f"samples ({summary.sampler_note or summary.sampler})"
    grouped: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for subject, reason, count in summary.missing:
        grouped[subject].append((reason, count))
    for subject, reasons in grouped.items():
        shown = [f"{count:,} {advised(reason)}" for reason, count in reasons[:MOST_REASONS]]
        rest = sum(count for _, count in reasons[MOST_REASONS:])
        more = [f"{rest:,} for other reasons"] if rest else []
        yield f"{subject} ({', '.join(shown + more)})"


def document(command: str, result: Result, database: Path, **more: Sequence[str]) -> Iterator[str]:
    """The run for programs."""
    summary = result.summary
    found: dict[str, Any] = {
        "schema": f"perftrace/{command}/1",
        "exit_code": result.exit_code,
        "database": str(database),
        "problem": result.problem,
        **more,
    }
    if summary is not None:
        found |= {
            "calls": summary.calls,
            "functions": summary.functions,
            "functions_with_calls": summary.called,
            "processes": summary.processes,
            "samples": summary.samples,
            "sampler": summary.sampler,
            "sampler_note": summary.sampler_note,
            "cpu_s": summary.cpu_ns / 1e9,
            "recorder_s": summary.recorder_ns / 1e9,
            "dropped_runs": summary.retained.runs if summary.retained else 0,
            "missing": [
                {"subject": subject, "reason": reason, "count": count}
                for subject, reason, count in summary.missing
            ],
        }
    yield json.dumps(found, indent=2)


def _percent(summary: Summary) -> str:
    return f"{100 * summary.recorder_ns / summary.cpu_ns:.1f} %"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def database_of(given: str | None, cwd: Path, project: Path, settings: Settings) -> Path:
    """The trace file to add to."""
    database = given or os.environ.get("PERFTRACE_DATABASE")
    return cwd / database if database else project / settings.database


def names_of(database: Path, default: Path, cwd: Path) -> tuple[str, str]:
    """The trace file as people write it, and the option that names it to other commands.

    Found before the program runs: it may remove the folder that it runs in.
    """
    short = str(database.relative_to(cwd) if database.is_relative_to(cwd) else database)
    return short, "" if database == default else f" -d {short}"
