"""Tests of the rewrite memory's file."""

import sqlite3
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from perftrace import rewrites
from perftrace.errors import CannotError
from perftrace.rewrites import Rewrite

ONE = Rewrite(
    function="shop:total",
    engine="rules",
    steps=("sum-loop",),
    slow="def total(xs):\n    return 1\n",
    fast="def total(xs):\n    return 2\n",
    ratio=2.5,
    low=2.4,
    high=2.6,
    python="3.13.0",
    created="2026-11-23T00:00:00+00:00",
    added=("from math import prod",),
    facts={"calls": 3, "parameters": {"xs": {"types": ["list"]}}},
)


def test_what_is_kept_comes_back_the_newest_first(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "rewrites.db"
    later = replace(ONE, fast="def total(xs):\n    return 3\n", created="2026-11-24T00:00:00+00:00")
    rewrites.add(path, [ONE])
    rewrites.add(path, [later])
    assert rewrites.every(path) == [later, ONE]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_same_change_is_kept_once_with_its_newest_figures(tmp_path: Path) -> None:
    path = tmp_path / "rewrites.db"
    rewrites.add(path, [ONE, replace(ONE, ratio=3.0, created="2026-11-25T00:00:00+00:00")])
    (found,) = rewrites.every(path)
    assert found.ratio == 3.0


def test_there_may_be_none(tmp_path: Path) -> None:
    assert rewrites.every(tmp_path / "rewrites.db") == []
    assert not (tmp_path / "rewrites.db").exists()


def test_it_lies_in_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert rewrites.file() == tmp_path / "perftrace" / "rewrites.db"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert rewrites.file() == Path.home() / ".local" / "share" / "perftrace" / "rewrites.db"


def test_a_file_of_somebody_else_is_neither_read_nor_written(tmp_path: Path) -> None:
    path = tmp_path / "rewrites.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE own (x)")
    connection.close()
    before = path.read_bytes()
    for act in (lambda: rewrites.add(path, [ONE]), lambda: rewrites.every(path)):
        with pytest.raises(CannotError, match=r"no file of perftrace's.*--no-memory"):
            act()
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 90])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rewrites.db"
    path.write_bytes(content)
    with pytest.raises(CannotError, match="Cannot read"):
        rewrites.every(path)


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotError, match="Cannot write"):
        rewrites.add(tmp_path, [ONE])
