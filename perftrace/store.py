"""The trace file: SQLite, one writer, everything verified when read; the only door to SQLite."""

import contextlib
import hashlib
import os
import secrets
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import sqlite_utils

from perftrace import compress, rows
from perftrace.config import key_file
from perftrace.errors import CannotError, TraceError
from perftrace.model import Call, Function, Process, Recorded, Run, Unrecorded, Value
from perftrace.rows import Row, storable
from perftrace.schema import APPLICATION_ID, SCHEMA, VERSION

MAGIC = b"SQLite format 3\x00"
KEY_BYTES = 32
PATIENCE_S = 60  # to wait for another writer


def user_key() -> bytes:
    """This user's key for digests; made on first use, readable by the user alone.

    Raises:
        CannotError: it cannot be kept, or the file is not a key.
    """
    path = key_file()
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise CannotError(
            "no-key",
            f"Cannot keep this user's key in {path}: {error.strerror}."
            " Set XDG_CONFIG_HOME to a folder that can be written.",
        ) from error
    if len(key) != KEY_BYTES:
        raise CannotError(
            "bad-key",
            f"{path} is not a key perftrace made. Delete it; traces recorded with it are lost.",
        )
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix="key.")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        os.link(fresh, path)  # the first of two processes wins; both then read the same key
    except FileExistsError:
        pass
    finally:
        Path(fresh).unlink()


class Store:
    """An open trace file."""

    def __init__(self, path: Path, connection: sqlite3.Connection, key: bytes) -> None:
        self.path = path
        self._key = key
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
        _require_sqlite(path)
        # A writer that was killed leaves a journal, which only a writer can roll back.
        mode = "rw" if path.with_name(f"{path.name}-journal").exists() else "ro"
        return cls._checked(path, f"{path.resolve().as_uri()}?mode={mode}")

    @classmethod
    def open_to_write(cls, path: Path) -> Self:
        """Open a trace file for writing; make it if there is none.

        Raises:
            TraceError: it cannot be made, or is not a usable trace file.
        """
        try:
            _make_room(path)
            if path.stat().st_size:
                _require_sqlite(path)
                return cls._checked(path, path.resolve().as_uri())
            connection = sqlite3.connect(path, timeout=PATIENCE_S)
            _make(connection)
        except (OSError, sqlite3.Error) as error:
            raise _unwritable(path, error) from error
        return cls(path, connection, user_key())

    @classmethod
    def _checked(cls, path: Path, uri: str) -> Self:
        connection = sqlite3.connect(uri, timeout=PATIENCE_S, uri=True)
        with contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            try:
                _check(path, connection)
            except (sqlite3.Error, UnicodeDecodeError) as error:
                raise _broken(path, error) from error
            store = cls(path, connection, user_key())
            stack.pop_all()
        return store

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
            raise _broken(self.path, error) from error

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

    def add_value(self, blob: bytes, opaque: int) -> bytes:
        """Store a value once; its digest."""
        digest = self.digest(blob)
        codec, data = compress.pack(blob)
        self._connection.execute(
            "INSERT OR IGNORE INTO value VALUES (?, ?, ?, ?, ?)",
            (digest, len(blob), opaque, codec, data),
        )
        return digest

    def intern(self, table: str, row: Row, *, identity: Sequence[str]) -> int:
        """The id of the row with this identity; inserted if it is new."""
        where = " AND ".join(f"{name} = :{name}" for name in identity)
        sql = f"SELECT id FROM {table} WHERE {where}"  # noqa: S608 - our own names
        found = self._connection.execute(sql, storable(row)).fetchone()
        return int(found[0]) if found else self.add(table, row)

    def digest(self, blob: bytes) -> bytes:
        """The content address of a value's bytes."""
        return hashlib.blake2b(blob, digest_size=16, key=self._key).digest()

    # --- reading --------------------------------------------------------------------------

    def rows(self, sql: str, *parameters: object) -> Iterator[dict[str, Any]]:
        """The rows of a query, as dictionaries.

        Raises:
            TraceError: the file is damaged.
        """
        try:
            yield from self._db.query(sql, parameters)
        except (sqlite3.Error, OverflowError) as error:
            if _kind(error) == "ERROR":  # the tables are as they should be, so the query is wrong
                raise
            raise _broken(self.path, error) from error

    def runs(self) -> list[Run]:
        """The runs, oldest first."""
        found = self.rows("SELECT * FROM run ORDER BY id")
        return [self._noun(rows.run, row) for row in found]

    def last_run(self) -> Run:
        """The newest run, leaving out failed ones that recorded no call, if there is another.

        Raises:
            TraceError: nothing was recorded yet.
        """
        if not (runs := self.runs()):
            why = "holds no run. Record one: perftrace run myapp.py"
            raise TraceError("trace-empty", f"{self.path} {why}")
        sql = "SELECT run_id FROM process JOIN call ON process_id = process.id"
        sql += " UNION SELECT id FROM run WHERE overhead = 0 AND samples > 0"  # only sampled
        known = {row["run_id"] for row in self.rows(sql)}
        return next((r for r in reversed(runs) if r.exit_code == 0 or r.id in known), runs[-1])

    def process(self, number: int) -> Process:
        """The traced process with this id."""
        row = next(self.rows("SELECT * FROM process WHERE id = ?", number), None)
        run = next((run for run in self.runs() if row and run.id == row["run_id"]), None)
        if row is None or run is None:
            raise _damaged(self.path, f"process {number} is missing")
        return self._noun(partial(rows.process, run=run), row)

    def functions(self) -> dict[int, Function]:
        """All recorded functions by id."""
        if not self._functions:
            found = (self._noun(rows.function, row) for row in self.rows("SELECT * FROM function"))
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
        return self._noun(lambda row: bytes(row["text"]).decode("utf-8"), row)

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
            yield self._noun(build, row)

    def blob(self, value: Recorded) -> bytes:
        """A value's bytes.

        Raises:
            TraceError: they are missing, damaged, or written with another user's key.
        """
        sql = "SELECT codec, data, size FROM value WHERE digest = ?"
        row = next(self.rows(sql, value.digest), None)
        if row is None:
            raise _damaged(self.path, "a value is missing")
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

    def _noun[T](self, build: Callable[[Row], T], row: Row) -> T:
        """What a row says; in a damaged or hostile file it may say anything."""
        try:
            return build(row)
        except (ValueError, TypeError, KeyError) as error:
            raise _damaged(self.path, f"a row makes no sense: {error!r}") from error

    def _value(self, digest: bytes | None, reason: str | None) -> Value:
        if digest is None:
            return Unrecorded(reason or "not recorded")
        row = next(self.rows("SELECT size, opaque FROM value WHERE digest = ?", digest), None)
        if row is None:
            raise _damaged(self.path, "a value is missing")
        return self._noun(partial(rows.recorded, digest), row)


def _require_sqlite(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError as error:
        raise TraceError(
            "no-trace",
            f"No trace found: {path} does not exist. Record one: perftrace run myapp.py",
        ) from error
    except OSError as error:
        raise TraceError("trace-read", f"Cannot read {path}: {error.strerror}.") from error
    if not head.startswith(MAGIC):
        raise _foreign(path)
    if len(head) < 100:
        raise _damaged(path, "it ends too soon")


def _make_room(path: Path) -> None:
    """See that there is a file, for this user alone; a folder made for it is not for git."""
    if not path.parent.exists():
        path.parent.mkdir(parents=True)
        path.with_name(".gitignore").write_text("*\n", encoding="utf-8")
    path.touch(mode=0o600)


def _make(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.executescript(f"BEGIN;{SCHEMA};PRAGMA user_version = {VERSION};COMMIT;")


def _check(path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE)
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise _foreign(path)
    if version > VERSION:
        raise TraceError(
            "trace-newer",
            f"{path} was written by a newer perftrace (format {version}; this one reads up to"
            f" {VERSION}). Upgrade perftrace, or record again into another file with -o.",
        )
    pattern = sqlite3.connect(":memory:")
    try:
        pattern.executescript(SCHEMA)
        expected = pattern.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall()
    finally:
        pattern.close()
    if connection.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall() != expected:
        raise _damaged(path, "its tables are not the ones perftrace writes")


def _broken(path: Path, error: Exception) -> TraceError:
    """What SQLite's refusal means to the user."""
    kind = _kind(error)
    if kind in {"BUSY", "LOCKED"}:
        return TraceError(
            "trace-busy", f"{path} is in use by another perftrace. Wait until it has finished."
        )
    if kind in {"FULL", "IOERR", "READONLY", "CANTOPEN", "PERM"}:
        return _unwritable(path, error)
    return _damaged(path, str(error).partition("\n")[0])


def _kind(error: Exception) -> str:
    """The first word of SQLite's error code, such as BUSY or CORRUPT."""
    return str(getattr(error, "sqlite_errorname", "SQLITE_CORRUPT")).split("_")[1]


def _unwritable(path: Path, error: Exception) -> TraceError:
    return TraceError(
        "trace-write", f"Cannot write the trace file {path}: {error}. Choose another with -d or -o."
    )


def _foreign(path: Path) -> TraceError:
    return TraceError(
        "trace-foreign",
        f"{path} is not a perftrace trace file. Name another with -d, or record one: perftrace run",
    )


def _damaged(path: Path, why: str) -> TraceError:
    return TraceError(
        "trace-damaged",
        f"{path} is damaged ({why}). Move it away and record again: perftrace run",
    )
