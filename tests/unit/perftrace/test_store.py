import os
import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from perftrace import database, key, schema
from perftrace.errors import CannotError, TraceError
from perftrace.model import (
    Binding,
    Call,
    Ending,
    Function,
    Kind,
    Outcome,
    Parameter,
    Recorded,
    Unrecorded,
)
from perftrace.store import Store

ARGUMENTS = b"the arguments " * 500
RESULT = b"the result"

RUN = {
    "uuid": "u1",
    "command": '["app.py", "-v"]',
    "form": "script",
    "cwd": "/work",
    "root": "/work",
    "python": "/usr/bin/python3",
    "python_version": "3.12.1",
    "started": "2026-01-02T03:04:05Z",
    "wall_s": 1.5,
    "cpu_s": 1.25,
    "exit_code": 0,
    "sampler": "py-spy",
    "interval_s": 0.01,
    "samples": 125,
    "sampler_note": "",
    "overhead": 0.02,
    "version": "0.1.0",
}
PROCESS = {
    "run_id": 1,
    "pid": 42,
    "parent_pid": 41,
    "arguments": '["app.py"]',
    "path": '["/work", "/lib"]',
    "main_file": "/work/app.py",
    "main_module": None,
}
FUNCTION = {
    "file": "/work/app.py",
    "qualname": "Shop.total",
    "line": 7,
    "module": "app",
    "kind": "function",
    "parameters": '[["self", "either"], ["items", "star"]]',
    "source_id": 1,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A trace file with one run and two calls of one function."""
    path = tmp_path / "deep" / "trace.db"
    with Store.open_to_write(path) as trace, trace.transaction():
        fill(trace)
    return path


def fill(trace: Store) -> None:
    trace.add("run", RUN)
    process = trace.add("process", PROCESS)
    trace.add("source", {"file": "/work/app.py", "sha256": "0", "text": b"x = '\xc3\xa9'\n"})
    function = trace.add("function", FUNCTION)
    call = {
        "process_id": process,
        "function_id": function,
        "caller_id": None,
        "thread": 1,
        "arguments": trace.add_value(ARGUMENTS, 2),
        "missing": None,
        "ending": "returned",
        "result": trace.add_value(RESULT, 0),
        "result_missing": None,
        "started_ns": 5,
        "duration_ns": 30,
    }
    lost = {"arguments": None, "missing": "too large", "result": None, "duration_ns": None}
    trace.add_all("call", [call, {**call, **lost, "ending": "unknown", "caller_id": function}])
    for subject, reason, count in (("values", "too large", 3), ("calls", "budget", 9)):
        row = {"run_id": 1, "function_id": function, "subject": subject}
        trace.add("missing", {**row, "reason": reason, "count": count})


def damage(path: Path, sql: str, *parameters: object) -> None:
    """Change a trace file behind perftrace's back."""
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA writable_schema = ON; PRAGMA ignore_check_constraints = ON;")
    with connection:
        connection.execute(sql, parameters)
    connection.close()


def read_all(path: Path) -> list[Any]:
    with Store.open(path) as trace:
        run = trace.last_run()
        [function] = trace.functions().values()
        calls = list(trace.calls(function, run=run))
        values = [call.arguments for call in calls] + [call.outcome.value for call in calls]
        blobs = [trace.blob(value) for value in values if isinstance(value, Recorded)]
        return [run, trace.process(1), function, calls, blobs, trace.source_text(function)]


# --- round trip ---------------------------------------------------------------------------


def test_what_was_written_is_read(path: Path) -> None:
    run, process, function, calls, blobs, text = read_all(path)
    assert (run.command, run.cwd, run.cpu_s) == (("app.py", "-v"), Path("/work"), 1.25)
    assert (process.run, process.pid, process.path) == (run, 42, ("/work", "/lib"))
    parameters = (Parameter("self", Binding.EITHER), Parameter("items", Binding.STAR))
    expected = Function(1, "/work/app.py", "Shop.total", 7, "app", Kind.FUNCTION, parameters)
    assert function == expected
    assert (blobs, text) == ([ARGUMENTS, RESULT], "x = 'é'\n")
    first, second = calls
    digest = first.outcome.value.digest
    result = Outcome(Ending.RETURNED, Recorded(digest, len(RESULT), 0))
    assert first == Call(1, function, 1, 1, None, first.arguments, result, 5, 30)
    assert first.arguments.opaque == 2
    assert second.arguments == Unrecorded("too large")
    assert (second.outcome.ending, second.caller, second.duration_ns) == ("unknown", function, None)


def test_what_was_not_recorded_is_listed_most_first(path: Path) -> None:
    with Store.open(path) as trace:
        assert trace.missing(trace.last_run()) == [
            ("calls", "budget", 9),
            ("values", "too large", 3),
        ]


def test_a_trace_file_is_for_the_user_alone_and_not_for_git(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.with_name(".gitignore").read_text(encoding="utf-8") == "*\n"


def test_equal_values_are_stored_once(path: Path) -> None:
    with Store.open_to_write(path) as trace, trace.transaction():
        assert trace.add_value(RESULT, 0) == trace.add_value(RESULT, 0)
        assert [row["n"] for row in trace.rows("SELECT count(*) AS n FROM value")] == [2]


def test_a_row_with_the_same_identity_is_found_again(path: Path) -> None:
    with Store.open_to_write(path) as trace, trace.transaction():
        identity = ("file", "qualname", "line")
        assert trace.intern("function", FUNCTION, identity=identity) == 1
        assert trace.intern("function", {**FUNCTION, "line": 8}, identity=identity) == 2


def test_a_failed_transaction_leaves_nothing(path: Path) -> None:
    def add_three(trace: Store) -> None:
        with trace.transaction():
            trace.add_all("run", [{**RUN, "uuid": "u2"}, {**RUN, "uuid": "u3"}])
            trace.add("run", RUN)

    with Store.open_to_write(path) as trace:
        with pytest.raises(TraceError, match="UNIQUE"):
            add_three(trace)
        assert len(trace.runs()) == 1


def test_a_decision_is_replaced_by_a_newer_one(path: Path) -> None:
    row = dict.fromkeys(("engine", "steps", "explanation", "file", "original", "source"), "")
    row |= {"id": "d1", "verdict": "accepted", "document": "{}", "created": "", "reason": "old"}
    with Store.open_to_write(path) as trace, trace.transaction():
        for reason in ("old", "new"):
            trace.put("decision", {**row, "run_id": 1, "function_id": 1, "reason": reason})
        assert [found["reason"] for found in trace.rows("SELECT * FROM decision")] == ["new"]


def test_a_file_with_no_run_says_how_to_record_one(tmp_path: Path) -> None:
    Store.open_to_write(tmp_path / "t.db").close()
    with Store.open(tmp_path / "t.db") as trace, pytest.raises(TraceError, match="perftrace run"):
        trace.last_run()


def test_reading_cannot_write(path: Path) -> None:
    with (
        Store.open(path) as trace,
        pytest.raises(TraceError, match="Cannot write"),
        trace.transaction(),
    ):
        trace.add("run", {**RUN, "uuid": "u2"})


def outcome_of(path: Path) -> list[Any] | str:
    try:
        return read_all(path)
    except CannotError as error:
        return str(error)


def test_a_wrong_query_is_our_bug_and_not_called_damage(path: Path) -> None:
    with Store.open(path) as trace, pytest.raises(sqlite3.OperationalError, match="no such column"):
        list(trace.rows("SELECT nonsense FROM run"))


# --- files that are not what they should be -------------------------------------------------


def slug_of(read: Callable[[], object]) -> str:
    with pytest.raises(CannotError) as caught:
        read()
    assert "\n" not in str(caught.value)
    return caught.value.slug


def test_a_missing_file_says_how_to_record_one(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"t\.db does not exist\. Record one: perftrace run"):
        Store.open(tmp_path / "t.db")


def test_a_folder_is_not_a_trace_file(tmp_path: Path) -> None:
    assert slug_of(lambda: Store.open(tmp_path)) == "trace-read"
    assert slug_of(lambda: Store.open_to_write(tmp_path)) == "trace-read"


@pytest.mark.parametrize("content", [b"hello", b"\x80\x04N.", b"SQLite format 2\x00" + bytes(100)])
def test_a_file_of_another_kind_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.db"
    path.write_bytes(content)
    assert slug_of(lambda: Store.open(path)) == "trace-foreign"
    assert slug_of(lambda: Store.open_to_write(path)) == "trace-foreign"
    assert path.read_bytes() == content


def test_an_empty_file_is_refused_for_reading_and_filled_when_writing(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    path.touch()
    assert slug_of(lambda: Store.open(path)) == "trace-foreign"
    Store.open_to_write(path).close()
    Store.open(path).close()


def test_a_file_that_cannot_get_its_tables_does_not_appear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(database, "make", killed)
    with pytest.raises(KeyboardInterrupt):
        Store.open_to_write(tmp_path / "t.db")
    assert not list(tmp_path.iterdir())


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    damage(path, "CREATE TABLE call (id INTEGER)")
    assert slug_of(lambda: Store.open(path)) == "trace-foreign"


@pytest.mark.parametrize("size", [20, 99, 100, 4095, 4096, 10_000])
def test_a_truncated_file_is_damaged(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])
    assert slug_of(lambda: read_all(path)) == "trace-damaged"


def test_a_file_of_a_newer_version_asks_for_an_upgrade(path: Path) -> None:
    damage(path, f"PRAGMA user_version = {schema.VERSION + 1}")
    for opening in (Store.open, Store.open_to_write):
        with pytest.raises(TraceError, match="written by a newer perftrace") as caught:
            opening(path)
        assert caught.value.slug == "trace-newer"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM call; END",
        "CREATE VIEW run2 AS SELECT * FROM run",
        "CREATE TABLE extra (x)",
        "DROP TABLE stack",
        "ALTER TABLE run ADD COLUMN more",
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE run (id)' WHERE name = 'run'",
    ],
)
def test_a_hostile_schema_is_refused(path: Path, sql: str) -> None:
    damage(path, sql)
    assert slug_of(lambda: Store.open(path)) == "trace-damaged"
    assert slug_of(lambda: Store.open_to_write(path)) == "trace-damaged"


@pytest.mark.parametrize(
    "change",
    [
        "run SET command = 'app.py'",
        "run SET command = '{}'",
        "run SET command = '[[]]'",
        "run SET cwd = x'00ff'",
        "run SET wall_s = 'long'",
        "run SET samples = x'ff'",
        "process SET path = '3'",
        "process SET run_id = 99",
        "process SET main_file = x'00'",
        "function SET kind = 'method'",
        "function SET parameters = '[[\"a\"]]'",
        'function SET parameters = \'[["a", "sideways"]]\'',
        "function SET line = 'seven'",
        "source SET text = x'ff'",
        "call SET ending = 'never'",
        "call SET function_id = 99",
        "call SET started_ns = 'soon'",
        "value SET size = size + 1",
        "value SET size = 1 << 60",
        "value SET size = 'big'",
        "value SET codec = 'gzip'",
        "value SET data = 'text'",
        "value SET data = x'00'",
        "value SET data = 7",
    ],
)
def test_a_row_that_makes_no_sense_is_damage(path: Path, change: str) -> None:
    damage(path, f"UPDATE {change}")
    # A call of an unknown function is merely not found: nothing asks for it.
    expected = "none" if "function_id" in change else "trace-damaged"
    assert (slug_of(lambda: read_all(path)) if expected != "none" else "none") == expected


def test_a_value_that_is_gone_is_damage(path: Path) -> None:
    damage(path, "DELETE FROM value")
    assert slug_of(lambda: read_all(path)) == "trace-damaged"


def test_a_flipped_bit_in_a_value_is_noticed(path: Path) -> None:
    damage(path, "UPDATE value SET data = ? WHERE codec = 'raw'", b"the resulT")
    with pytest.raises(TraceError, match="digest is wrong") as caught:
        read_all(path)
    assert caught.value.slug == "trace-key"


def test_a_value_of_another_user_is_not_read(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "somebody else"))
    with pytest.raises(TraceError, match="recorded by another user"):
        read_all(path)


@pytest.mark.parametrize("seed", range(60))
def test_random_damage_is_a_clear_error_or_harmless(path: Path, seed: int) -> None:
    whole = path.read_bytes()
    expected = read_all(path)
    data = bytearray(whole)
    for step in range(8):
        data[(seed * 7919 + step * 104_729) % len(data)] ^= 1 << (seed % 8)
    path.write_bytes(data)
    found = outcome_of(path)
    # Whatever can still be read, the values are the recorded ones.
    assert isinstance(found, str) or found[4] == expected[4]
    assert "\n" not in found


def test_a_table_whose_text_is_no_text_is_damage(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data.replace(b"tablecallcall", b"tablec\xacllcall"))
    assert slug_of(lambda: Store.open(path)) == "trace-damaged"


def test_a_file_in_use_is_not_called_damaged(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE_S", 0.01)
    other = sqlite3.connect(path)
    other.execute("BEGIN EXCLUSIVE")
    assert slug_of(lambda: Store.open(path)) == "trace-busy"
    other.close()


def test_what_a_killed_writer_left_half_done_is_rolled_back(path: Path, tmp_path: Path) -> None:
    # The copy of a file and its journal in the middle of a transaction is what a crash leaves.
    copy = tmp_path / "copy.db"
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA cache_size = 1")
    with writer:
        writer.execute("DELETE FROM call")
        rows = [(b"%16d" % n, 0, 0, "raw", bytes(4000)) for n in range(50)]
        writer.executemany("INSERT INTO value VALUES (?, ?, ?, ?, ?)", rows)
        copy.write_bytes(path.read_bytes())
        copy.with_name("copy.db-journal").write_bytes(
            path.with_name("trace.db-journal").read_bytes()
        )
    writer.close()
    assert len(read_all(copy)[3]) == 2


# --- the user's key ---------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "perftrace"


def test_the_key_is_made_once_and_readable_by_the_user_alone(home: Path) -> None:
    made = key.user_key()
    assert len(made) == 32
    assert key.user_key() == made
    assert stat.S_IMODE((home / "key").stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == ["key"]


def test_processes_that_start_together_agree_on_the_key(home: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: key.user_key(), range(32)))
    assert keys == {(home / "key").read_bytes()}
    assert [path.name for path in home.iterdir()] == ["key"]


def test_a_key_of_the_wrong_length_is_refused(home: Path) -> None:
    home.mkdir(parents=True)
    (home / "key").write_bytes(b"short")
    assert slug_of(key.user_key) == "bad-key"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, home: Path) -> None:
    home.parent.write_text("a file where the folder should be", encoding="utf-8")
    assert slug_of(key.user_key) == "no-key"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_key_that_cannot_be_read_is_named(home: Path) -> None:
    key.user_key()
    (home / "key").chmod(0)
    assert slug_of(key.user_key) == "no-key"
