"""`perftrace rewrites`: the changes that were accepted in any project of this user."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from perftrace import rewrites
from perftrace.cli import output
from perftrace.errors import UsageError
from perftrace.rewrites import Rewrite


@click.command("rewrites")
@click.option("--export", metavar="FILE", help="Write pairs of slow and fast code, as JSON lines.")
@output.json_option
def command(*, export: str | None, as_json: bool) -> None:
    """List the changes accepted so far, of all projects: the rewrite memory.

    `perftrace optimize` tries them on other functions with the same statements. --export writes
    them as pairs in the form of PIE's data set, for a model to learn from.
    """
    known = rewrites.every(rewrites.file())
    if export is not None:
        _write(Path(export), known)
    if as_json:
        listed = [_pair(one) for one in known]
        output.emit_json("rewrites", {"file": str(rewrites.file()), "rewrites": listed})
        return
    for one in known:
        steps = " + ".join(one.steps)
        figures = f"{one.ratio:.2f}x [{one.low:.2f}, {one.high:.2f}]"
        click.echo(f"{one.created[:10]}  {figures:<22}  {one.function}  {steps}")
    count = f"{len(known):,} rewrite{'s' * (len(known) != 1)}"
    click.echo(f"{count} written to {export}" if export else f"{count} in {rewrites.file()}")


def _write(path: Path, known: Sequence[Rewrite]) -> None:
    lines = [f"{json.dumps(_pair(one))}\n" for one in known]
    try:
        path.write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "export-write", f"{path} cannot be written: {error.strerror}. Name another file."
        ) from error


def _pair(one: Rewrite) -> dict[str, Any]:
    """A pair as PIE names its parts (Shypula et al. 2024), and what is known beyond that."""
    return {
        "problem_id": one.function,
        "language": "python",
        "submission_id_v0": f"{one.id}-slow",
        "submission_id_v1": f"{one.id}-fast",
        "input": one.slow,
        "target": _whole(one),
        "improvement_frac": round(100 * (1 - 1 / one.ratio), 2),  # of the time, in percent
        "speedup": one.ratio,
        "low": one.low,
        "high": one.high,
        "engine": one.engine,
        "steps": list(one.steps),
        "facts": dict(one.facts),
        "python": one.python,
        "created": one.created,
    }


def _whole(one: Rewrite) -> str:
    """The fast function below what it needs of its module."""
    above = "\n".join(one.added)
    return f"{above}\n\n\n{one.fast}" if above else one.fast
