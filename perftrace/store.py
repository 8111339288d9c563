"""The trace file: SQLite, one writer, everything verified when read."""

import contextlib
import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import sqlite_utils

from perftrace import compress, database, faults, rows
from perftrace.errors import TraceError
from perftrace.key import user_key
from perftrace.model import Call, Function, Process, Recorded, Run, Unrecorded, Value
from perftrace.rows import Row, storable

VALUE = ("digest", "size", "opaque", "codec", "data")


class Store:
    """An open trace file."""

    def __init__(self, path: Path, connection: sqlite3.Connection, key: bytes) -> None:
        self.path = path
        self._base = hasher(key)
        self._connection = connection
        self._db = sqlite_utils.Database(connection)
        self._functions: dict[int, Function] = {}

    # --- opening --------------------------------------------------------------------------

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an existing trace file for reading.

        Raises:
            TraceError: there is none, it is not ours, it is damaged, or it is too new.
        """
        database.require_sqlite(path)
        # A writer that was killed leaves a journal, which only a writer can roll back.
        mode = "rw" if path.with_name(f"{path.name}-journal").exists() else "ro"
        return cls._open(path, f"{path.resolve().as_uri()}?mode={mode}")

    @classmethod
    def open_to_write(cls, path: Path) -> Self:
        """Open a trace file for writing; make it if there is none.

        Raises:
            TraceError: it cannot be made, or is not a usable trace file.
        """
        try:
            database.make_room(path)
            if not path.stat().st_size:
                database.make(path)
        except (OSError, sqlite3.Error) as error:
            raise faults.unwritable(path, error) from error
        database.require_sqlite(path)
        return cls._open(path, path.resolve().as_uri())

    @classmethod
    def _open(cls, path: Path, uri: str) -> Self:
        connection = database.open_checked(path, uri)
        try:
            return cls(path, connection, user_key())
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- writing --------------------------------------------------------------------------

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit on leaving, roll back on an exception.

        Raises:
            TraceError: the file cannot be written.
        """
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")  # else sqlite-utils commits by itself
                yield
        except sqlite3.Error as error:
            raise faults.broken(self.path, error) from error

    @contextlib.contextmanager
    def attached(self, path: Path, name: str) -> Iterator[None]:
        """Another trace file, which was checked, for reading; under this name in queries."""
        self._connection.execute(f"ATTACH ? AS {name}", (f"{path.resolve().as_uri()}?mode=ro",))
        try:
            yield
        finally:
            self._connection.execute(f"DETACH {name}")

    @contextlib.contextmanager
    def bulk(self, table: str, count: int) -> Iterator[None]:
        """So many rows follow: where they are most of the table, its indexes are made anew."""
        there = self._connection.execute(f"SELECT max(rowid) FROM {table}").fetchone()[0] or 0  # noqa: S608
        sql = "SELECT name, sql FROM main.sqlite_schema WHERE type = 'index' AND tbl_name = ?"
        found = self._connection.execute(f"{sql} AND sql IS NOT NULL", (table,)).fetchall()
        for name, _ in found if count > there else ():
            self._connection.execute(f"DROP INDEX main.{name}")
        yield
        for _, made in found if count > there else ():
            self._connection.execute(made)

    def add(self, table: str, row: Row) -> int:
        """Insert a row; its id."""
        marks = ", ".join(f":{name}" for name in row)
        sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - our own names
        return self._connection.execute(sql, storable(row)).lastrowid or 0

    def add_all(self, table: str, rows: Iterable[Row]) -> None:
        """Insert many rows of the same shape."""
        self._db.table(table).insert_all(dict(row) for row in rows)

    def put(self, table: str, row: Row) -> None:
        """Insert a row, or replace the one with the same primary key."""
        self._db.table(table).insert(storable(row), replace=True)

    def add_many(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> None:
        """Insert many rows, each in the order of the columns; one that is there stays."""
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        self._connection.executemany(sql, rows)

    def add_value(self, blob: bytes, opaque: int) -> bytes:
        """Store a value once; its digest."""
        digest = self.digest(blob)
        self.add_many("value", VALUE, [value_row(digest, blob, opaque)])
        return digest

    def change(self, sql: str, *parameters: object) -> int:
        """Change rows; how many.

        Raises:
            TraceError: the file cannot be written, or is damaged.
        """
        try:
            return self._connection.execute(sql, parameters).rowcount
        except sqlite3.Error as error:
            raise faults.broken(self.path, error) from error

    def intern(self, table: str, row: Row, *, identity: Sequence[str]) -> int:
        """The id of the row with this identity; inserted if it is new."""
        where = " AND ".join(f"{name} = :{name}" for name in identity)
        sql = f"SELECT id FROM {table} WHERE {where}"  # noqa: S608 - our own names
        found = self._connection.execute(sql, storable(row)).fetchone()
        return int(found[0]) if found else self.add(table, row)

    def digest(self, blob: bytes) -> bytes:
        """The content address of a value's bytes."""
        made = self._base.copy()
        made.update(blob)
        return made.digest()

    # --- reading --------------------------------------------------------------------------

    def rows(self, sql: str, *parameters: object) -> Iterator[dict[str, Any]]:
        """The rows of a query, as dictionaries.

        Raises:
            TraceError: the file is damaged.
        """
        try:
            yield from self._db.query(sql, parameters)
        except (sqlite3.Error, OverflowError) as error:
            if faults.kind(error) == "ERROR":  # the tables are right, so the query is wrong
                raise
            raise faults.broken(self.path, error) from error

    def tuples(self, sql: str, *parameters: object) -> Iterator[tuple[Any, ...]]:
        """The rows of a query as tuples: there are many.

        Raises:
            TraceError: the file is damaged.
        """
        try:
            yield from self._connection.execute(sql, parameters)
        except sqlite3.Error as error:
            raise faults.broken(self.path, error) from error

    def used_bytes(self) -> int:
        """The file's size, less what is free in it."""
        found = [
            next(self.tuples(f"PRAGMA main.{name}"))[0]
            for name in ("page_count", "freelist_count", "page_size")
        ]
        return int((found[0] - found[1]) * found[2])

    def compact(self) -> None:
        """Give the room that became free back to the file system.

        Raises:
            TraceError: the file cannot be written.
        """
        self.change("VACUUM")

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns."""
        return [row["name"] for row in self.rows(f"PRAGMA main.table_info({table})")]

    def runs(self) -> list[Run]:
        """The runs, oldest first."""
        found = self.rows("SELECT * FROM run ORDER BY started, id")  # merged ones may be older
        return [self.noun(rows.run, row) for row in found]

    def last_run(self) -> Run:
        """The newest run, leaving out failed ones that recorded no call, if there is another.

        Raises:
            TraceError: nothing was recorded yet.
        """
        if not (runs := self.runs()):
            why = "holds no run. Record one: perftrace run myapp.py"
            raise TraceError("trace-empty", f"{self.path} {why}")
        if runs[-1].exit_code == 0:
            return runs[-1]
        sql = "SELECT run_id FROM process JOIN call ON process_id = process.id"
        sql += " UNION SELECT id FROM run WHERE overhead = 0 AND samples > 0"  # only sampled
        known = {row["run_id"] for row in self.rows(sql)}
        return next((r for r in reversed(runs) if r.exit_code == 0 or r.id in known), runs[-1])

    def process(self, number: int) -> Process:
        """The traced process with this id."""
        row = next(self.rows("SELECT * FROM process WHERE id = ?", number), None)
        run = next((run for run in self.runs() if row and run.id == row["run_id"]), None)
        if row is None or run is None:
            raise faults.damaged(self.path, f"process {number} is missing")
        return self.noun(partial(rows.process, run=run), row)

    def functions(self) -> dict[int, Function]:
        """All recorded functions by id."""
        if not self._functions:
            found = (self.noun(rows.function, row) for row in self.rows("SELECT * FROM function"))
            self._functions = {function.id: function for function in found}
        return self._functions

    def source_text(self, function: Function) -> str:
        """The text of the function's file when it was recorded.

        Raises:
            TraceError: it was not recorded.
        """
        sql = "SELECT text FROM source JOIN function ON source_id = source.id WHERE function.id = ?"
        row = next(self.rows(sql, function.id), None)
        if row is None:
            raise TraceError(
                "no-source",
                f"The source of {function.file} was not recorded. Record again: perftrace run",
            )
        return self.noun(lambda row: bytes(row["text"]).decode("utf-8"), row)

    def calls(
        self, function: Function, *, run: Run | None = None, slowest: int | None = None
    ) -> Iterator[Call]:
        """The recorded calls of a function, oldest first; or only so many, the slowest first."""
        sql = rows.CALLS
        parameters: list[object] = [function.id]
        if run is not None:
            sql += " AND run_id = ?"
            parameters.append(run.id)
        order = " ORDER BY call.id"
        if slowest is not None:
            order = " ORDER BY duration_ns DESC, call.id LIMIT ?"
            parameters.append(slowest)
        known = self.functions()
        for row in self.rows(sql + order, *parameters):
            arguments = self._value(row["arguments"], row["missing"])
            result = self._value(row["result"], row["result_missing"])
            build = partial(rows.call, known=known, arguments=arguments, result=result)
            yield self.noun(build, row)

    def blob(self, value: Recorded) -> bytes:
        """A value's bytes.

        Raises:
            TraceError: they are missing, damaged, or written with another user's key.
        """
        sql = "SELECT codec, data, size FROM value WHERE digest = ?"
        row = next(self.rows(sql, value.digest), None)
        if row is None:
            raise faults.damaged(self.path, "a value is missing")
        blob = compress.unpack(row["codec"], row["data"], row["size"])
        if self.digest(blob) != value.digest:
            raise TraceError(
                "trace-key",
                f"{self.path}: a value's digest is wrong: the file is damaged or was recorded by"
                " another user. Record it again: perftrace run",
            )
        return blob

    def missing(self, run: Run) -> list[tuple[str, str, int]]:
        """What a run did not record: (subject, reason, count), most first."""
        sql = (
            "SELECT subject, reason, sum(count) AS n FROM missing WHERE run_id = ?"
            " GROUP BY subject, reason ORDER BY n DESC"
        )
        return [(row["subject"], row["reason"], row["n"]) for row in self.rows(sql, run.id)]

    def noun[T](self, build: Callable[[Row], T], row: Row) -> T:
        """What a row says; in a damaged or hostile file it may say anything."""
        try:
            return build(row)
        except (ValueError, TypeError, KeyError) as error:
            raise faults.damaged(self.path, f"a row makes no sense: {error!r}") from error

    def _value(self, digest: bytes | None, reason: str | None) -> Value:
        if digest is None:
            return Unrecorded(reason or "not recorded")
        row = next(self.rows("SELECT size, opaque FROM value WHERE digest = ?", digest), None)
        if row is None:
            raise faults.damaged(self.path, "a value is missing")
        return self.noun(partial(rows.recorded, digest), row)


def hasher(key: bytes) -> "hashlib.blake2b":
    """What makes digests with this key; to be copied for each."""
    return hashlib.blake2b(digest_size=16, key=key)


def value_row(digest: bytes, blob: bytes, opaque: int) -> tuple[bytes, int, int, str, bytes]:
    """The row of a value."""
    return digest, len(blob), opaque, *compress.pack(blob)
