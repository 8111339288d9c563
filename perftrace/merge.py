"""Merge trace files of several machines or shards into one, each value under this user's key.

Every file is checked to the last value before anything is written, and each goes in as one
transaction. A run is known by its uuid: merging it again adds nothing. Decisions stay where they
were made: they hold code to be written into files, and measurements of one machine.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from perftrace import database, faults, target
from perftrace.errors import CannotError, TraceError, UsageError
from perftrace.examine import Trust, check_rows, check_values
from perftrace.key import KEY_BYTES
from perftrace.store import Store


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of one file."""

    file: Path
    runs: int  # added
    known: int  # runs that were there already
    calls: int  # added


@dataclass(frozen=True, slots=True)
class _Source:
    """A file that was checked."""

    file: Path  # as the user named it
    path: Path  # what to read: the file, or a copy in the present format
    state: tuple[int, int]
    fresh: tuple[int, ...]  # ids of the runs to be added, oldest first
    known: int
    calls: int  # of those runs
    rekeyed: str  # the table with the new digests; empty: they stay


def merge(files: Sequence[Path], out: Path, trust: Trust) -> list[Merged]:
    """Add the runs of these trace files to another one, which is made if there is none.

    Raises:
        TraceError: a file is damaged, foreign or too new, or `out` can't be written.
        CannotError: a file was recorded with a key that is not trusted.
        UsageError: `out` is one of the files, or is no trace file.
    """
    if any(out.exists() and file.exists() and out.samefile(file) for file in files):
        raise UsageError("merge-self", f"{out} is both a source and the target. Name another -o.")
    target.require(out)
    with tempfile.TemporaryDirectory() as temporary:
        if out.exists():
            return _merge_into(files, out, trust, Path(temporary))
        database.make_folder(out)
        try:
            with database.new_file(out) as made:
                return _merge_into(files, made, trust, Path(temporary))
        except OSError as error:
            raise faults.unwritable(out, error) from error


def read_key(path: Path) -> bytes:
    """Another user's key.

    Raises:
        CannotError: the file can't be read, or holds no key.
    """
    try:
        key = path.read_bytes()
    except OSError as error:
        raise CannotError("bad-key", f"Cannot read the key {path}: {error.strerror}.") from error
    if len(key) != KEY_BYTES:
        raise CannotError("bad-key", f"{path} is not a key perftrace made.")
    return key


def _merge_into(files: Sequence[Path], out: Path, trust: Trust, folder: Path) -> list[Merged]:
    with Store.open_to_write(out) as store:
        taken = {str(row["uuid"]) for row in store.rows("SELECT uuid FROM run")}
        sources = []
        for number, file in enumerate(files):
            path = _readable(file, folder / str(number))
            sources.append(_check(store, file, path, trust, taken, number))
        return [_add(store, source) for source in sources]


def _readable(file: Path, folder: Path) -> Path:
    """The file itself, or a copy of it in the present format."""
    if file.with_name(f"{file.name}-journal").exists():
        raise TraceError(
            "trace-busy",
            f"{file} is being written, or its writer was killed. Open it once where it was"
            " recorded: perftrace top -d FILE",
        )
    try:
        database.require_sqlite(file)
        return database.as_newest(file, folder)
    except TraceError as error:
        if error.slug != "trace-foreign":
            raise
        text = f"{file} is not a perftrace trace file. Nothing was merged: leave it out."
        raise TraceError("trace-foreign", text) from error


# --- checking -----------------------------------------------------------------------------


def _check(
    store: Store, file: Path, path: Path, trust: Trust, taken: set[str], number: int
) -> _Source:
    """See that all of a file is as perftrace wrote it; `taken` are the runs that are known."""
    state = path.stat()
    with Store.open(path) as source:
        runs = list(source.rows("SELECT id, uuid FROM run ORDER BY started, id"))
        fresh = [row["id"] for row in runs if str(row["uuid"]) not in taken]
        taken |= {str(row["uuid"]) for row in runs}
        calls, rekeyed = 0, ""
        if fresh:
            source.path = file  # what a message names
            check_rows(source)
            rekeyed = check_values(store, source, trust, f"rekeyed_{number}")
            sql = "SELECT count(*) AS n FROM call JOIN process ON process.id = process_id"
            counted = source.rows(f"{sql} WHERE run_id IN ({_marks(fresh)})", *fresh)
            calls = next(counted)["n"]
    changed = (state.st_size, state.st_mtime_ns)
    return _Source(file, path, changed, tuple(fresh), len(runs) - len(fresh), calls, rekeyed)


# --- adding -------------------------------------------------------------------------------

# Their ids become ours: `theirs` is the attached file, and each of these a table of old and new.
SAME = {
    "source": ("file", "sha256"),
    "function": ("file", "qualname", "line"),
    "frame": ("file", "qualname", "line"),
}
NEW_VALUES = """
INSERT OR IGNORE INTO main.value SELECT {digest}, size, opaque, codec, data
FROM theirs.value AS v {join} {where} ORDER BY 1
"""
OF_NEW_CALLS = """
WHERE v.digest IN (
  SELECT arguments FROM theirs.call WHERE process_id IN (SELECT old FROM temp.of_process)
  UNION ALL
  SELECT result FROM theirs.call WHERE process_id IN (SELECT old FROM temp.of_process))
"""
NEW_CALLS = """
INSERT INTO main.call (id, process_id, function_id, caller_id, thread, arguments, missing, ending,
                       result, result_missing, started_ns, duration_ns, context_id)
SELECT c.id + {above}, p.new, f.new, g.new, thread, {arguments}, missing, ending,
       {result}, result_missing, started_ns, duration_ns, x.new
FROM theirs.call AS c
CROSS JOIN temp.of_process AS p ON p.old = c.process_id
CROSS JOIN temp.of_function AS f ON f.old = c.function_id
LEFT JOIN temp.of_function AS g ON g.old = c.caller_id
LEFT JOIN temp.of_context AS x ON x.old = c.context_id
{join} ORDER BY c.id
"""
NEW_EFFECTS = """
INSERT INTO main.effect SELECT e.call_id + ?, f.new, kind, detail, count
FROM theirs.effect AS e
JOIN theirs.call AS c ON c.id = e.call_id
JOIN temp.of_process AS p ON p.old = c.process_id
JOIN temp.of_function AS f ON f.old = e.function_id
"""
REKEYED_CALLS = """
LEFT JOIN temp.{table} AS a ON a.old = c.arguments
LEFT JOIN temp.{table} AS r ON r.old = c.result
"""


def _add(store: Store, source: _Source) -> Merged:
    if source.fresh:
        with store.attached(source.path, "theirs"):
            state = source.path.stat()
            if (state.st_size, state.st_mtime_ns) != source.state:
                raise faults.damaged(source.file, "it changed while it was read")
            with store.transaction(), store.bulk("call", source.calls):
                _add_runs(store, source)
                _add_same(store)
                _add_numbered(store, "process", "run_id")
                _add_numbered(store, "context", "run_id")
                _add_calls(store, source)
                _add_rest(store)
            for table in ("run", "process", "context", *SAME):
                store.change(f"DROP TABLE temp.of_{table}")
    if source.rekeyed:
        store.change(f"DROP TABLE temp.{source.rekeyed}")
    return Merged(source.file, len(source.fresh), source.known, source.calls)


def _map(store: Store, table: str) -> None:
    store.change(f"CREATE TEMP TABLE of_{table} (old INTEGER PRIMARY KEY, new INTEGER NOT NULL)")


def _add_runs(store: Store, source: _Source) -> None:
    _map(store, "run")
    for number in source.fresh:
        row = next(store.rows("SELECT * FROM theirs.run WHERE id = ?", number))
        new = store.add("run", {name: value for name, value in row.items() if name != "id"})
        store.change("INSERT INTO temp.of_run VALUES (?, ?)", number, new)


def _add_same(store: Store) -> None:
    """Rows that both files may have: what is there stays, but for functions of a newer run."""
    newer = next(
        store.rows(
            "SELECT max(started) FILTER (WHERE id IN (SELECT new FROM temp.of_run)) >="
            " coalesce(max(started), '') AS newer FROM main.run"
        )
    )["newer"]
    for table, identity in SAME.items():
        names = store.columns(table)
        columns = [name for name in names if name != "id"]
        shown = ["s.new" if name == "source_id" else name for name in columns]
        join = "LEFT JOIN temp.of_source AS s ON s.old = source_id" if table == "function" else ""
        store.change(
            f"INSERT OR IGNORE INTO main.{table}"  # noqa: S608 - our own names
            f" ({', '.join(columns)}) SELECT {', '.join(shown)} FROM theirs.{table} {join}"
        )
        _map(store, table)
        same = " AND ".join(f"ours.{name} = t.{name}" for name in identity)
        store.change(
            f"INSERT INTO temp.of_{table} SELECT t.id, ours.id"  # noqa: S608
            f" FROM theirs.{table} AS t CROSS JOIN main.{table} AS ours ON {same}"
        )
    if newer:
        store.change(
            "UPDATE main.function SET (module, kind, parameters, source_id) ="
            " (SELECT module, kind, parameters, s.new FROM theirs.function AS t"
            "  JOIN temp.of_function AS f ON f.old = t.id"
            "  LEFT JOIN temp.of_source AS s ON s.old = t.source_id WHERE f.new = main.function.id)"
            " WHERE id IN (SELECT new FROM temp.of_function)"
        )


def _add_numbered(store: Store, table: str, parent: str) -> None:
    """Rows of the new runs alone; their new ids follow ours."""
    _map(store, table)
    store.change(
        f"INSERT INTO temp.of_{table} SELECT t.id, row_number() OVER (ORDER BY t.id)"  # noqa: S608
        f" + (SELECT coalesce(max(id), 0) FROM main.{table})"
        f" FROM theirs.{table} AS t JOIN temp.of_run AS r ON r.old = t.{parent}"
    )
    columns = [name for name in store.columns(table) if name not in {"id", parent}]
    names = ", ".join(columns)
    store.change(
        f"INSERT INTO main.{table} (id, {parent}, {names})"  # noqa: S608
        f" SELECT o.new, r.new, {names} FROM theirs.{table} AS t"
        f" JOIN temp.of_{table} AS o ON o.old = t.id JOIN temp.of_run AS r ON r.old = t.{parent}"
    )


def _add_calls(store: Store, source: _Source) -> None:
    table = source.rekeyed
    digest, join = "v.digest", ""
    if table:
        digest, join = "k.new", f"JOIN temp.{table} AS k ON k.old = v.digest"
    where = OF_NEW_CALLS if source.known else ""
    store.change(NEW_VALUES.format(digest=digest, join=join, where=where))
    arguments, result, join = "arguments", "result", ""
    if table:
        arguments, result, join = "a.new", "r.new", REKEYED_CALLS.format(table=table)
    above = next(store.tuples("SELECT coalesce(max(id), 0) FROM main.call"))[0]
    store.change(NEW_CALLS.format(above=above, arguments=arguments, result=result, join=join))
    store.change(NEW_EFFECTS, above)


def _add_rest(store: Store) -> None:
    store.change(
        "INSERT OR IGNORE INTO main.reads SELECT f.new, kind, name FROM theirs.reads AS t"
        " JOIN temp.of_function AS f ON f.old = t.function_id"
    )
    store.change(
        "INSERT INTO main.reach SELECT x.new, f.new FROM theirs.reach AS t"
        " JOIN temp.of_context AS x ON x.old = t.context_id"
        " JOIN temp.of_function AS f ON f.old = t.function_id"
    )
    store.change(
        "INSERT INTO main.total SELECT r.new, f.new, calls, whole, median_ns, spent_ns"
        " FROM theirs.total AS t JOIN temp.of_run AS r ON r.old = t.run_id"
        " JOIN temp.of_function AS f ON f.old = t.function_id"
    )
    store.change(
        "INSERT INTO main.missing SELECT r.new, f.new, subject, reason, count"
        " FROM theirs.missing AS t JOIN temp.of_run AS r ON r.old = t.run_id"
        " LEFT JOIN temp.of_function AS f ON f.old = t.function_id"
    )
    frames = dict(store.tuples("SELECT CAST(old AS TEXT), CAST(new AS TEXT) FROM temp.of_frame"))
    stacks = store.tuples(
        "SELECT r.new, frames, count FROM theirs.stack JOIN temp.of_run AS r ON r.old = run_id"
    )
    store.add_many(
        "stack",
        ("run_id", "frames", "count"),
        [
            (run, " ".join(frames[number] for number in text.split() if number in frames), count)
            for run, text, count in stacks
        ],
    )


def _marks(items: Sequence[object]) -> str:
    return ", ".join("?" * len(items))
