"""The rewrite memory: accepted changes of all of a user's projects, in one SQLite file.

It lies in the user's own data folder (`$XDG_DATA_HOME/perftrace`), is readable by the user alone,
and never leaves the machine by itself.
"""

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perftrace.errors import CannotError

APPLICATION_ID = 0x70667277  # "pfrw"
PATIENCE_S = 10  # to wait for another writer
SCHEMA = """
CREATE TABLE IF NOT EXISTS rewrite (
  id TEXT PRIMARY KEY,     -- digest of the slow and the fast text
  created TEXT NOT NULL,   -- ISO 8601, UTC
  function TEXT NOT NULL,  -- package.module:Qual.name
  engine TEXT NOT NULL,
  steps TEXT NOT NULL,     -- JSON list
  slow TEXT NOT NULL,      -- the function's source, not indented
  fast TEXT NOT NULL,
  added TEXT NOT NULL,     -- JSON list: statements of the module that the fast one needs
  facts TEXT NOT NULL,     -- JSON: what the recorded calls showed
  ratio REAL NOT NULL,     -- old time over new, with its confidence interval
  low REAL NOT NULL,
  high REAL NOT NULL,
  python TEXT NOT NULL     -- version it was measured with
) WITHOUT ROWID
"""
WAY_OUT = "Delete it, or do without: --no-memory, or memory = false in [tool.perftrace]."
INSERT = "INSERT OR REPLACE INTO rewrite VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

type _Fault = Callable[[Path, object], CannotError]


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A change that was verified, measured and accepted."""

    function: str  # package.module:Qual.name
    engine: str
    steps: tuple[str, ...]
    slow: str  # the function's source, not indented
    fast: str
    ratio: float  # old time over new
    low: float
    high: float
    python: str
    created: str
    added: tuple[str, ...] = ()  # statements of the module that the fast one needs
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The same for the same change, wherever it was made."""
        text = "\0".join([self.slow, self.fast, *self.added])
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def file() -> Path:
    """Where this user's rewrites are kept."""
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "perftrace" / "rewrites.db"


def add(path: Path, rewrites: Iterable[Rewrite]) -> None:
    """Keep rewrites; one that is known gets its newest figures.

    Raises:
        CannotError: the file cannot be written, or is none of ours.
    """
    with _opened(path, _unwritable) as connection, connection:
        connection.execute(SCHEMA)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.executemany(INSERT, [_row(one) for one in rewrites])


def every(path: Path) -> list[Rewrite]:
    """All that are kept, the newest first; none where there is no file yet.

    Raises:
        CannotError: the file cannot be read, or is none of ours.
    """
    if not path.exists():
        return []
    with _opened(path, _unreadable) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute("SELECT * FROM rewrite ORDER BY created DESC, id").fetchall()
    try:
        return [_rewrite(dict(row)) for row in rows]
    except (ValueError, TypeError) as error:
        raise _unreadable(path, error) from error


@contextlib.contextmanager
def _opened(path: Path, fault: _Fault) -> Iterator[sqlite3.Connection]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE_S)) as connection:
            (owner,) = connection.execute("PRAGMA application_id").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if tables and owner != APPLICATION_ID:
                raise fault(path, "it is no file of perftrace's")
            yield connection
    except (OSError, sqlite3.Error) as error:
        raise fault(path, error) from error


def _unreadable(path: Path, reason: object) -> CannotError:
    return CannotError("memory-read", f"Cannot read the rewrite memory {path}: {reason}. {WAY_OUT}")


def _unwritable(path: Path, reason: object) -> CannotError:
    return CannotError(
        "memory-write", f"Cannot write the rewrite memory {path}: {reason}. {WAY_OUT}"
    )


def _row(one: Rewrite) -> tuple[object, ...]:
    lists = (json.dumps(one.steps), one.slow, one.fast, json.dumps(one.added))
    figures = (json.dumps(one.facts), one.ratio, one.low, one.high, one.python)
    return (one.id, one.created, one.function, one.engine, *lists, *figures)


def _rewrite(row: dict[str, Any]) -> Rewrite:
    del row["id"]
    for name in ("steps", "added", "facts"):
        row[name] = json.loads(row[name])
    row |= {"steps": tuple(row["steps"]), "added": tuple(row["added"])}
    return Rewrite(**row)
