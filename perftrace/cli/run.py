"""`perftrace run`: run a program as itself and record what it does."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from perftrace import config
from perftrace.errors import UsageError
from perftrace.tracer import launch
from perftrace.tracer.ingest import Summary
from perftrace.tracer.record import Choices, Result, record

MOST_REASONS = 3  # shown for a subject
VALUED = frozenset({"-o", "--output", "--python", "--include", "--exclude", "--overhead"})


class RunCommand(click.Command):
    """Tells `run -- CMD` from `run SCRIPT`: click drops the `--`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; what follows a leading `--` is a command, or is left to a module."""
        at = _module_at(args)
        if at is not None:  # all that follows is the module's, options too
            super().parse_args(ctx, args[: at + 2])
            ctx.params["words"] = tuple(args[at + 2 :])
            return []
        given = list(args)
        rest = super().parse_args(ctx, args)
        words: tuple[str, ...] = ctx.params.get("words", ())
        before = given[: len(given) - len(words)]
        if before[-1:] == ["--"]:
            ctx.params["words"] = ("--", *words)
        return rest


def _module_at(args: Sequence[str]) -> int | None:
    """Where `-m` stands among perftrace's own options."""
    at = 0
    while at < len(args) and args[at].startswith("-") and args[at] != "--":
        if args[at] == "-m":
            return at
        at += 2 if args[at] in VALUED else 1
    return None


def _share(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """`5%` or `0.05`."""
    if value is None:
        return None
    try:
        share = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        share = -1
    if not 0 < share <= 0.5:
        raise click.BadParameter("give a share of CPU time up to 50%, such as 5%")
    return share


@click.command(cls=RunCommand, context_settings={"allow_interspersed_args": False})
@click.option("-o", "--output", "database", metavar="FILE", help="Trace file to add to.")
@click.option("--python", metavar="PATH", help="Interpreter (default: the active environment's).")
@click.option("--include", multiple=True, metavar="GLOB", help="Files or a package to trace too.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Files or a package not to trace.")
@click.option("--overhead", callback=_share, metavar="SHARE", help="Of CPU time (default: 5%).")
@click.option("-m", "module", metavar="MOD", help="Run a module, as python -m does.")
@click.option("--no-sample", is_flag=True, help="Don't sample the hot path.")
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
    """
    cwd = Path.cwd()
    project = config.find_root(cwd)
    settings = config.load(project)
    form, words = _form(module, words)
    program = launch.resolve(form, words, options["python"], cwd)
    database = options["database"] or os.environ.get("PERFTRACE_DATABASE")
    choices = Choices(
        database=cwd / database if database else project / settings.database,
        overhead=options["overhead"] or settings.overhead,
        includes=options["include"],
        excludes=options["exclude"],
        sample=not options["no_sample"],
    )
    result = record(program, cwd, settings, choices)
    document = options["as_json"]
    for line in _document(result, choices.database) if document else lines(result, choices):
        click.echo(line, err=True)
    return result.exit_code


def _form(module: str | None, words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    if module is not None:
        return "module", (module, *words)
    if words[:1] == ("--",):
        words = words[1:]
        form = "command"
    else:
        form = "script"
    if not words:
        raise UsageError(
            "nothing-to-run", "Nothing to run: give a script, -m MODULE or -- COMMAND."
        )
    return form, words


def lines(result: Result, choices: Choices) -> Iterator[str]:
    """For people: where the trace is, what is not in it and why, the next command."""
    summary = result.summary
    if summary is None:
        yield f"perftrace: {result.problem}"
        return
    share = f"; the recorder took {_percent(summary)} of the CPU time" if summary.cpu_ns else ""
    yield (
        f"perftrace: {_count(summary.calls, 'call')} of {_count(summary.functions, 'function')}"
        f" and {_count(summary.samples, 'sample')} recorded in {_short(choices.database)}{share}"
    )
    yield f"perftrace: not recorded: {'; '.join(_reasons(summary)) or 'nothing left out'}"
    kept = summary.retained
    if kept is not None and kept.runs:
        yield (
            f"perftrace: {_count(kept.runs, 'older run')} dropped: the trace file may have"
            f" {kept.limit / 2**20:,.4g} MB (`retain` in [tool.perftrace])"
        )
    yield f"perftrace: next: perftrace top{_option(choices)}"


def _reasons(summary: Summary) -> Iterator[str]:
    """What was not recorded, by subject."""
    if summary.sampler != "py-spy" or summary.sampler_note:
        yield f"samples ({summary.sampler_note or summary.sampler})"
    grouped: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for subject, reason, count in summary.missing:
        grouped[subject].append((reason, count))
    for subject, reasons in grouped.items():
        shown = [f"{count:,} {reason}" for reason, count in reasons[:MOST_REASONS]]
        rest = sum(count for _, count in reasons[MOST_REASONS:])
        more = [f"{rest:,} for other reasons"] if rest else []
        yield f"{subject} ({', '.join(shown + more)})"


def _document(result: Result, database: Path) -> Iterator[str]:
    summary = result.summary
    document: dict[str, Any] = {
        "schema": "perftrace/run/1",
        "exit_code": result.exit_code,
        "database": str(database),
        "problem": result.problem,
    }
    if summary is not None:
        document |= {
            "calls": summary.calls,
            "functions": summary.functions,
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
    yield json.dumps(document, indent=2)


def _percent(summary: Summary) -> str:
    return f"{100 * summary.recorder_ns / summary.cpu_ns:.1f} %"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _option(choices: Choices) -> str:
    default = config.find_root(Path.cwd()) / config.load(config.find_root(Path.cwd())).database
    return "" if choices.database == default else f" -d {_short(choices.database)}"
