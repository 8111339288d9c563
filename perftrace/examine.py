"""Another trace file, examined to the last value before anything of it is taken over."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from perftrace import compress, faults, rows
from perftrace.errors import CannotError
from perftrace.key import user_key
from perftrace.model import Ending
from perftrace.schema import TABLES
from perftrace.store import Store, hasher

KEY_SAMPLE = 64  # values that are looked at to find the key of a file

TYPES = {
    "INTEGER": ("integer",),
    "TEXT": ("text",),
    "BLOB": ("blob",),
    "REAL": ("real", "integer"),
}


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose values may be taken over, beside this user's own."""

    keys: tuple[bytes, ...] = ()  # of users whose recordings are as good as one's own
    unverified: bool = False  # values of a key that nobody named


def check_rows(source: Store) -> None:
    """See that every row holds what its columns may hold.

    Raises:
        TraceError: one does not.
    """
    found = next(iter(next(source.rows("PRAGMA quick_check(1)")).values()))
    if found != "ok":
        raise faults.damaged(source.path, str(found).partition("\n")[0])
    for table in TABLES:
        wrong = " OR ".join(_wrong(row) for row in source.rows(f"PRAGMA table_info({table})"))
        if list(source.rows(f"SELECT 1 FROM {table} WHERE {wrong} LIMIT 1")):  # noqa: S608
            raise faults.damaged(source.path, f"a row of {table} makes no sense")
    endings = ", ".join(f"'{ending}'" for ending in Ending)
    if list(source.rows(f"SELECT 1 FROM call WHERE ending NOT IN ({endings}) LIMIT 1")):  # noqa: S608
        raise faults.damaged(source.path, "a call's ending makes no sense")
    lost = next(source.rows("PRAGMA foreign_key_check"), None)
    if lost is not None:
        raise faults.damaged(source.path, f"a row of {lost['table']} refers to nothing")
    source.functions()
    runs = {run.id: run for run in source.runs()}
    for row in source.rows("SELECT * FROM process"):
        source.noun(partial(rows.process, run=runs[row["run_id"]]), row)
    for row in source.rows("SELECT sha256, text FROM source"):
        if hashlib.sha256(row["text"]).hexdigest() != row["sha256"]:
            raise faults.damaged(source.path, "a source's digest is wrong")


def _wrong(column: dict[str, Any]) -> str:
    """SQL that is true for a value that this column cannot hold."""
    allowed = [*TYPES[column["type"]], *([] if column["notnull"] or column["pk"] else ["null"])]
    names = ", ".join(f"'{name}'" for name in allowed)
    return f"typeof({column['name']}) NOT IN ({names})"


def check_values(store: Store, source: Store, trust: Trust, table: str) -> str:
    """See that each value has its digest; the table with the digests by our key, if they differ.

    Raises:
        TraceError: a value is damaged.
        CannotError: they were recorded with a key that is not trusted.
    """
    ours = user_key()
    first = list(islice(_values(source), KEY_SAMPLE))
    key: bytes | None = ours
    if first:
        key = _key_of(first, (ours, *trust.keys))
        if key is None and not trust.unverified:
            raise CannotError(
                "merge-key",
                f"{source.path} was recorded with another key: by another user or machine."
                " If you trust it as your own, name that key with --key FILE, or give --trust.",
            )
    if key == ours:
        for digest, blob in _values(source):
            if store.digest(blob) != digest:
                raise faults.damaged(source.path, "a value's digest is wrong")
        return ""
    store.change(f"CREATE TEMP TABLE {table} (old BLOB PRIMARY KEY, new BLOB) WITHOUT ROWID")
    base = None if key is None else hasher(key)
    with store.transaction():
        store.add_many(f"temp.{table}", ("old", "new"), _rekeyed(store, source, base))
    return table


def _rekeyed(store: Store, source: Store, base: Any) -> Iterator[tuple[bytes, bytes]]:
    for digest, blob in _values(source):
        if base is not None:
            theirs = base.copy()
            theirs.update(blob)
            if theirs.digest() != digest:
                raise faults.damaged(source.path, "a value's digest is wrong")
        yield digest, store.digest(blob)


def _values(source: Store) -> Iterator[tuple[bytes, bytes]]:
    """Digests and bytes."""
    for digest, size, codec, data in source.tuples("SELECT digest, size, codec, data FROM value"):
        if codec == "raw" and len(data) == size:
            yield digest, data
        else:
            yield digest, compress.unpack(codec, data, size)


def _key_of(sample: Sequence[tuple[bytes, bytes]], keys: Sequence[bytes]) -> bytes | None:
    """The key that any of these values was recorded with: one that was changed has none."""
    for key in keys:
        for digest, blob in sample:
            made = hasher(key)
            made.update(blob)
            if made.digest() == digest:
                return key
    return None
