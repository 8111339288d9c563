"""`perftrace apply`: write accepted changes into the user's files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from perftrace.cli import output
from perftrace.errors import CannotError, StaleError, UsageError
from perftrace.optimizer import patch, standing, write
from perftrace.optimizer.standing import Change, Ready, Replaced, Stale, Written
from perftrace.optimizer.write import Edit
from perftrace.report import decisions as report
from perftrace.report import tables
from perftrace.store import Store
from perftrace.tracer.ingest import recover

STATES: dict[type[standing.State], str] = {
    Ready: "ready",
    Written: "applied",
    Stale: "stale",
    Replaced: "replaced",
}


@click.command("apply")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--check", is_flag=True, help="Show the changes; write nothing.")
@click.option("--list", "listing", is_flag=True, help="List all that was accepted; write nothing.")
@output.json_option
@output.database_option
def command(
    ids: tuple[str, ...], *, check: bool, listing: bool, as_json: bool, database: Path
) -> None:
    """Write the changes that perftrace optimize accepted, or those of each ID.

    A change stays accepted until there is a newer verdict on its function, or the function or
    what it depends on is edited; what is left out is named. Other edits of the file are kept. An
    ID may be shortened as long as it means one change. All files are written, or none. Exit code
    0: done, or it was done before; 3: there is nothing to apply, or what was measured changed.
    """
    recover(database)
    with Store.open(database) as store:
        found = standing.changes(store)
        root = store.last_run().root
    if listing:
        _list(found, database, as_json=as_json)
        return
    try:
        chosen, left = choose(found, ids, database)
    except CannotError:
        if as_json:
            left = [] if ids else standing.together(found)[1]
            output.emit_json("apply", _document([], left, [], root, written=False))
        raise
    edits = write.plan([one.candidate for one in chosen], [one.candidate for one in found])
    written = bool(edits) and not check
    if written:
        write.write(edits)
    if as_json:
        output.emit_json("apply", _document(chosen, left, edits, root, written=written))
        return
    console = output.out()
    for edit in edits:
        path = report.relative(str(edit.file.path), root)
        report.show_diff(console, patch.diff(edit.file.text, edit.text, path))
    _tell(chosen, left, edits, check=check)


def _tell(
    chosen: Sequence[Change], left: Sequence[Change], edits: Sequence[Edit], *, check: bool
) -> None:
    """What was done, and what was not."""
    notes = output.err()
    fresh = [one for one in chosen if not isinstance(one.state, Written)]
    made = ", ".join(one.decision.id for one in chosen if isinstance(one.state, Written))
    for one in left:
        tables.say(notes, f"Left out {one.decision.id}: {standing.reason(one.state)}")
    if not edits:
        tables.say(notes, f"Already applied: {made}. Next: perftrace replay")
        return
    if made:
        tables.say(notes, f"Already applied: {made}.")
    for edit in edits:
        mine = [one for one in fresh if one.candidate.function.file == str(edit.file.path)]
        if any(isinstance(one.state, Ready) and one.state.elsewhere for one in mine):
            names = ", ".join(one.candidate.function.qualname for one in mine)
            what = f"{names} or what {'they depend' if mine[1:] else 'it depends'} on"
            tables.say(notes, f"{edit.file.path} was edited since, but not {what}: edits stay.")
    done = "Would write" if check else "Wrote"
    names = ", ".join(one.decision.id for one in fresh)
    tables.say(notes, f"{done} {names} to {', '.join(str(edit.file.path) for edit in edits)}.")
    following = f"apply{output.again(run=False)}" if check else "replay"
    tables.say(notes, f"Next: perftrace {following}")


def choose(
    found: Sequence[Change], ids: Sequence[str], database: Path
) -> tuple[list[Change], list[Change]]:
    """The changes with these ids or beginnings of ids, or all that hold; and those left out.

    Raises:
        CannotError: nothing was accepted, or nothing of it holds.
        UsageError: an id means no change, or several.
    """
    if ids:
        return list(
            {one.decision.id: one for one in (_one(text, found) for text in ids)}.values()
        ), []
    chosen, left = standing.together(found)
    if chosen:
        return chosen, left
    if not left:
        raise CannotError("nothing-accepted", _none(database))
    reasons = "; ".join(f"{one.decision.id}: {standing.reason(one.state)}" for one in left)
    raise StaleError("stale-file", f"Nothing that was accepted can be applied. {reasons}")


def _none(database: Path) -> str:
    look = f"perftrace optimize{output.again(run=False)}"
    return f"{database} holds no accepted change. Look for one: {look}"


def _one(text: str, known: Sequence[Change]) -> Change:
    exact = [one for one in known if one.decision.id == text]
    found = exact or [one for one in known if one.decision.id.startswith(text)]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(one.decision.id for one in found or known) or "none; run perftrace optimize"
    if found:
        raise UsageError("id-ambiguous", f"{text} means several changes: {listed}")
    raise UsageError("id-unknown", f"No accepted change {text}. There is: {listed}")


def _list(found: Sequence[Change], database: Path, *, as_json: bool) -> None:
    """Everything that was ever accepted, the newest first."""
    rows = [_row(one) for one in found]
    if as_json:
        output.emit_json("apply", {"changes": rows})
        return
    if not rows:
        tables.say(output.err(), _none(database))
    wide = max((len(row["id"]) for row in rows), default=0)
    for row in rows:
        line = f"{row['id']:<{wide}}  {row['speedup']:6.2f}x  {row['state']:<8}"
        more = "" if row["state"] in {"ready", "applied"} else f"  {row['reason']}"
        tables.say(output.out(), f"{line}  {row['function']}{more}")


def _row(one: Change) -> dict[str, Any]:
    measurement = report.measured(one.decision.verdict)
    function = one.candidate.function
    return {
        "id": one.decision.id,
        "function": f"{function.module}:{function.qualname}",
        "file": function.file,
        "speedup": measurement and measurement.ratio,
        "low": measurement and measurement.low,
        "high": measurement and measurement.high,
        "state": STATES[type(one.state)],
        "reason": standing.reason(one.state),
    }


def _document(
    chosen: Sequence[Change],
    left: Sequence[Change],
    edits: Sequence[Edit],
    root: Path,
    *,
    written: bool,
) -> dict[str, Any]:
    return {
        "written": written,
        "ids": [one.decision.id for one in chosen],
        "left_out": [{"id": one.decision.id, "reason": standing.reason(one.state)} for one in left],
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
