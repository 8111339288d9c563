"""`perftrace sample`: where a program's time goes, seen from outside; nothing is recorded in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from perftrace import config, target
from perftrace.cli.duration import Duration
from perftrace.cli.program import ProgramCommand, form_of
from perftrace.cli.run import database_of, document, names_of
from perftrace.errors import UsageError
from perftrace.tracer import attach, launch
from perftrace.tracer.record import Choices, Result, record


@click.command(cls=ProgramCommand, context_settings={"allow_interspersed_args": False})
@click.option("--pid", type=click.IntRange(1), metavar="N", help="A process that is running.")
@click.option("--duration", type=Duration(), help="Of --pid; default: until it ends, or Ctrl-C.")
@click.option("--rate", type=click.IntRange(1, 1000), metavar="HZ", help="Samples per second.")
@click.option("--native", is_flag=True, help="Sample the frames of C code too.")
@click.option("-o", "--output", "database", metavar="FILE", help="Trace file to add to.")
@click.option("--python", metavar="PATH", help="Interpreter (default: the active environment's).")
@click.option("-m", "module", metavar="MOD", help="Run a module, as python -m does.")
@click.option("--json", "as_json", is_flag=True, help="End with a JSON document, on stderr.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="(SCRIPT | -- CMD) ARGS...")
def command(module: str | None, words: tuple[str, ...], **options: Any) -> int:
    """Sample a program's hot path and leave the program untouched: nothing runs inside it.

    \b
    perftrace sample app.py ARGS...          as python app.py; also -m MODULE, -- COMMAND
    perftrace sample --pid 4711 --duration 10s

    perftrace top ranks what was seen. Threads that wait are left out, child processes are
    sampled too. No calls are recorded, so nothing can be replayed: for that, perftrace run.
    """
    cwd = Path.cwd()
    project = config.find_root(cwd)
    settings = config.load(project)
    choices = Choices(
        database=database_of(options["database"], cwd, project, settings),
        overhead=0.0,
        rate=options["rate"],
        native=options["native"],
    )
    target.require(choices.database)
    names = names_of(choices.database, project / settings.database, cwd)
    pid: int | None = options["pid"]
    if pid is not None and (words or module):
        raise UsageError("sample-one", "Give a program to start or --pid, not both.")
    if pid is None and options["duration"]:
        raise UsageError("sample-one", "--duration is for --pid: a program is sampled to its end.")
    if pid is not None:
        result = attach.attach(pid, options["duration"], cwd, project, settings, choices)
    else:
        form, words = form_of(module, words)
        program = launch.resolve(form, words, options["python"], cwd, recorded=False)
        attach.require_sampler()
        result = record(program, cwd, settings, choices)
    lines = _lines(result, names)
    if options["as_json"]:
        lines = document("sample", result, choices.database)
    for line in lines:
        click.echo(line, err=True)
    return result.exit_code


def _lines(result: Result, names: tuple[str, str]) -> Iterator[str]:
    """For people: how much was seen, and the next command."""
    summary = result.summary
    if summary is None:
        yield f"perftrace: {result.problem}"
        return
    database, option = names
    note = f" ({summary.sampler_note})" if summary.sampler_note else ""
    seen = f"{summary.samples:,} sample{'' if summary.samples == 1 else 's'}"
    yield f"perftrace: {seen} in {database}{note}"
    if summary.samples:
        yield f"perftrace: next: perftrace top{option}"
