"""Trace files as SQLite sees them: connections, the check of every file, and older formats."""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from perftrace import faults
from perftrace.errors import TraceError
from perftrace.schema import APPLICATION_ID, SCHEMA, VERSION

MAGIC = b"SQLite format 3\x00"
PATIENCE_S = 60  # to wait for another writer
CACHE_KB = 64 << 10  # of pages: a bulk of inserts goes to random places


def open_checked(path: Path, uri: str) -> sqlite3.Connection:
    """A connection to a file that is what it should be; one of an older format is brought up.

    Raises:
        TraceError: it is not ours, it is damaged, or it is too new.
    """
    try:
        connection, version = _open(path, uri)
        if version < VERSION:
            connection.close()
            migrate(path)
            connection, _ = _open(path, uri)
    except OSError as error:
        raise faults.unwritable(path, error) from error
    except (sqlite3.Error, UnicodeDecodeError) as error:  # a message may quote damaged bytes
        raise faults.broken(path, error) from error
    return connection


def _open(path: Path, uri: str) -> tuple[sqlite3.Connection, int]:
    """A connection, and the file's format; none is left open if the file is refused."""
    with contextlib.ExitStack() as stack:
        connection = _connect(uri)
        stack.callback(connection.close)
        version = _checked_version(path, connection)
        stack.pop_all()
    return connection, version


def as_newest(path: Path, folder: Path) -> Path:
    """A checked file of the present format: this one, or a copy in a folder made for it.

    Raises:
        TraceError: it is not ours, it is damaged, or it is too new.
    """
    try:
        with contextlib.closing(_connect(f"{path.resolve().as_uri()}?mode=ro")) as connection:
            if _checked_version(path, connection) == VERSION:
                return path
        folder.mkdir()
        copy_of_older(path, folder / path.name)
    except OSError as error:
        raise faults.unwritable(folder, error) from error
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise faults.broken(path, error) from error
    return folder / path.name


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, timeout=PATIENCE_S, uri=True)
    with contextlib.ExitStack() as stack:
        stack.callback(connection.close)
        connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE)
        stack.pop_all()
    return connection


def require_sqlite(path: Path) -> None:
    """See that the path leads to an SQLite file.

    Raises:
        TraceError: it does not.
    """
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
        raise faults.foreign(path)
    if len(head) < 100:
        raise faults.damaged(path, "it ends too soon")


def make_room(path: Path) -> None:
    """See that there is a file, for this user alone; a folder made for it is not for git.

    It appears with its tables: an empty file would be none of ours, were we killed before.
    """
    make_folder(path)
    if not path.exists():
        _make_whole(path)
    path.touch(mode=0o600)


def _make_whole(path: Path) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".new")
    os.close(handle)
    try:
        make(Path(name))
        with contextlib.suppress(OSError):  # there are no links here, or another was faster
            os.link(name, path)
    finally:
        for leftover in (name, f"{name}-journal"):
            Path(leftover).unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """See that there is a folder for a file; one made for it is not for git."""
    if not path.parent.exists():
        path.parent.mkdir(parents=True)
        path.with_name(".gitignore").write_text("*\n", encoding="utf-8")


def make(path: Path) -> None:
    """Make the tables in an empty file.

    Raises:
        sqlite3.Error: it cannot be written.
    """
    with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE_S)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.executescript(f"BEGIN;{SCHEMA};PRAGMA user_version = {VERSION};COMMIT;")


def _checked_version(path: Path, connection: sqlite3.Connection) -> int:
    """The file's format, once it is known to be ours and to hold nothing but our tables."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if application != APPLICATION_ID:
        raise faults.foreign(path)
    if version > VERSION:
        raise TraceError(
            "trace-newer",
            f"{path} was written by a newer perftrace (format {version}; this one reads up to"
            f" {VERSION}). Upgrade perftrace, or record again into another file with -o.",
        )
    if version == VERSION and _tables(connection) != _expected():
        raise faults.damaged(path, "its tables are not the ones perftrace writes")
    return version


def _tables(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    sql = "SELECT type, name, sql FROM sqlite_schema ORDER BY name"
    return connection.execute(sql).fetchall()


def _expected() -> list[tuple[str, str, str]]:
    with contextlib.closing(sqlite3.connect(":memory:")) as pattern:
        pattern.executescript(SCHEMA)
        return _tables(pattern)


# --- older formats ----------------------------------------------------------------------


def migrate(path: Path) -> None:
    """Bring a file of an older format up to date: a copy of the new format takes its place.

    Raises:
        TraceError: the file is damaged.
        OSError, sqlite3.Error: the copy cannot be written; the file is as it was.
    """
    before = path.stat()
    with contextlib.closing(_connect(path.resolve().as_uri())) as old:
        old.execute("BEGIN IMMEDIATE")  # what nobody else may add to meanwhile
        if path.stat().st_ino != before.st_ino:
            return  # somebody else was faster, and we are looking at what they replaced
        with new_file(path) as copy:
            copy_of_older(path, copy)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A file to be filled, for the user alone; it takes the path's place in the end, or goes."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    try:
        yield fresh
        fresh.replace(path)
    finally:
        for leftover in (fresh, fresh.with_name(f"{fresh.name}-journal")):
            leftover.unlink(missing_ok=True)


def copy_of_older(path: Path, copy: Path) -> None:
    """Fill an empty file with what one of an older format holds.

    Each version only added tables and columns, so that a column has a name for ever.

    Raises:
        TraceError: the file is damaged.
        sqlite3.Error: the copy cannot be written.
    """
    make(copy)
    with contextlib.closing(_connect(copy.resolve().as_uri())) as fresh:
        fresh.execute("ATTACH ? AS old", (f"{path.resolve().as_uri()}?mode=ro",))
        known = {name for kind, name, _ in _expected() if kind == "table"}
        sql = "SELECT name, type, coalesce(sql, '') FROM old.sqlite_schema"
        for name, kind, text in fresh.execute(sql).fetchall():
            ours = kind == "table" and name in known and text.startswith("CREATE TABLE ")
            if kind != "index" and not ours:
                raise faults.damaged(path, "its tables are not the ones perftrace writes")
        with fresh:
            for name in sorted(known):
                _copy_table(fresh, name)


def _copy_table(connection: sqlite3.Connection, name: str) -> None:
    old = [row[1] for row in connection.execute(f"PRAGMA old.table_info({name})")]
    new = {row[1] for row in connection.execute(f"PRAGMA main.table_info({name})")}
    columns = ", ".join(column for column in old if column in new)
    if columns:
        sql = f"INSERT INTO main.{name} ({columns}) SELECT {columns} FROM old.{name}"  # noqa: S608
        connection.execute(sql)
