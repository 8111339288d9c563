import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from perftrace import target
from perftrace.errors import UsageError
from perftrace.store import Store


def a_folder(path: Path) -> None:
    path.mkdir()


def a_text(path: Path) -> None:
    path.write_text("[project]\nname = 'till'\n")


def an_empty_file(path: Path) -> None:
    path.touch()


def another_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE stock (id INTEGER)")


def a_damaged_trace(path: Path) -> None:
    Store.open_to_write(path).close()
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (a_folder, "is a folder"),
        (a_text, "is not a perftrace trace file"),
        (an_empty_file, "is empty"),
        (another_database, "is not a perftrace trace file"),
        (a_damaged_trace, "is a trace file that is damaged"),
    ],
)
def test_what_is_no_trace_file_is_refused_and_kept(
    tmp_path: Path, make: Callable[[Path], None], says: str
) -> None:
    path = tmp_path / "o.db"
    make(path)
    before = path.is_file() and path.read_bytes()
    with pytest.raises(UsageError, match=re.escape(says)) as caught:
        target.require(path, "--perftrace=FILE")
    assert caught.value.slug == "bad-output"
    assert str(caught.value).endswith("Name another file with --perftrace=FILE.")
    assert before == (path.is_file() and path.read_bytes())


def test_a_place_where_no_file_can_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="file is not a folder"):
        target.require(tmp_path / "file" / "o.db")


def test_a_trace_file_and_one_to_be_made_will_do(tmp_path: Path) -> None:
    path = tmp_path / "new" / "o.db"
    target.require(path)
    assert not path.parent.exists()
    Store.open_to_write(path).close()
    target.require(path)


def test_an_older_trace_that_is_in_use_is_no_reason_to_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "o.db"
    Store.open_to_write(path).close()
    monkeypatch.setattr("perftrace.database.PATIENCE_S", 0)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        target.require(path)
