"""`perftrace apply`: write accepted changes into the user's files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from perftrace.cli import output
from perftrace.errors import CannotError, UsageError
from perftrace.model import Decision
from perftrace.optimizer import decisions, patch, write
from perftrace.optimizer.write import Edit
from perftrace.report import decisions as report
from perftrace.report import tables
from perftrace.store import Store
from perftrace.tracer.ingest import recover


@click.command("apply")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--check", is_flag=True, help="Show the changes; write nothing.")
@output.json_option
@output.database_option
def command(ids: tuple[str, ...], *, check: bool, as_json: bool, database: Path) -> None:
    """Write the changes that the last perftrace optimize accepted, or those of each ID.

    An ID may be shortened as long as it means one change. All files are written, or none; a file
    that changed since it was recorded is never touched. Exit code 0: done, or it was done before;
    3: there is nothing to apply, or a file changed.
    """
    recover(database)
    with Store.open(database) as store:
        try:
            chosen = choose(store, ids)
        except CannotError:
            if as_json:
                output.emit_json("apply", {"written": False, "ids": [], "files": []})
            raise
        root = store.last_run().root
    edits = write.plan([one.candidate for one in chosen if one.candidate])
    written = bool(edits) and not check
    if written:
        write.write(edits)
    if as_json:
        output.emit_json("apply", _document(chosen, edits, root, written=written))
        return
    console = output.out()
    for edit in edits:
        path = report.relative(str(edit.file.path), root)
        report.show_diff(console, patch.diff(edit.file.text, edit.text, path))
    notes = output.err()
    names = ", ".join(one.id for one in chosen)
    if not edits:
        tables.say(notes, f"Already applied: {names}. Next: perftrace replay")
        return
    done = "Would write" if check else "Wrote"
    tables.say(notes, f"{done} {names} to {', '.join(str(edit.file.path) for edit in edits)}.")
    tables.say(notes, "Next: perftrace apply" if check else "Next: perftrace replay")


def choose(store: Store, ids: Sequence[str]) -> list[Decision]:
    """The accepted decisions with these ids or beginnings of ids; all of the last if none is given.

    Raises:
        CannotError: nothing was accepted.
        UsageError: an id means no change, or several.
    """
    if not ids:
        found = [one for one in decisions.last(store) if one.id]
        if not found:
            raise CannotError(
                "nothing-accepted",
                f"{store.path} holds no accepted change. Look for one: perftrace optimize",
            )
        return found
    known = decisions.accepted(store)
    return list({one.id: one for one in (_one(text, known) for text in ids)}.values())


def _one(text: str, known: Sequence[Decision]) -> Decision:
    exact = [one for one in known if one.id == text]
    found = exact or [one for one in known if one.id.startswith(text)]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(one.id for one in found or known) or "none; run perftrace optimize"
    if found:
        raise UsageError("id-ambiguous", f"{text} means several changes: {listed}")
    raise UsageError("id-unknown", f"No accepted change {text}. There is: {listed}")


def _document(
    chosen: Sequence[Decision], edits: Sequence[Edit], root: Path, *, written: bool
) -> dict[str, Any]:
    return {
        "written": written,
        "ids": [one.id for one in chosen],
        "files": [
            {
                "file": str(edit.file.path),
                "diff": patch.diff(
                    edit.file.text, edit.text, report.relative(str(edit.file.path), root)
                ),
            }
            for edit in edits
        ],
    }
