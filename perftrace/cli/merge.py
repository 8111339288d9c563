"""`perftrace merge`: trace files of several machines or shards become one."""

import gc
import shlex
from pathlib import Path
from typing import Any

import click

from perftrace.cli import output
from perftrace.errors import UsageError
from perftrace.examine import Trust
from perftrace.merge import Merged, merge, read_key


@click.command("merge")
@click.argument("files", nargs=-1, required=True, metavar="DB...")
@click.option("-o", "--output", "out", metavar="OUT", help="Trace file to add to.")
@click.option("--key", "keys", multiple=True, metavar="FILE", help="Key of a user you trust.")
@click.option("--trust", is_flag=True, help="Take over values that no known key can verify.")
@output.json_option
@output.database_option
def command(files: tuple[str, ...], *, as_json: bool, database: Path, **options: Any) -> None:
    """Add the runs of other trace files to OUT (default: the project's own).

    A run that is there already is not added again. DB are left as they are.

    Recorded values are rebuilt and passed to your functions when they are replayed, so perftrace
    takes over only those that are provably yours. For others name the key they were recorded with
    (~/.config/perftrace/key of that user or machine), or take them unverified with --trust.
    """
    if options["out"] and output.again():
        raise UsageError("merge-target", "-o and -d both name the file to add to. Give one.")
    out = Path(options["out"]).absolute() if options["out"] else database
    trust = Trust(tuple(read_key(Path(path)) for path in options["keys"]), options["trust"])
    gc.disable()  # millions of rows hold no cycles, and this process ends soon
    try:
        merged = merge([Path(file).absolute() for file in files], out, trust)
    finally:
        gc.enable()
    if as_json:
        output.emit_json("merge", {"database": str(out), "files": [_entry(one) for one in merged]})
        return
    for one in merged:
        known = f"; {one.known:,} known already" if one.known else ""
        runs, calls = _count(one.runs, "run"), _count(one.calls, "call")
        click.echo(f"{one.file}: {runs} with {calls} added{known}")
    again = f" -d {shlex.quote(options['out'])}" if options["out"] else output.again()
    click.echo(f"All runs of the file: perftrace top --runs{again}")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _entry(merged: Merged) -> dict[str, Any]:
    return {
        "file": str(merged.file),
        "runs": merged.runs,
        "known": merged.known,
        "calls": merged.calls,
    }
