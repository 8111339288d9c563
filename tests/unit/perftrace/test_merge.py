import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from perftrace import key, retain
from perftrace.errors import CannotError, UsageError
from perftrace.examine import Trust
from perftrace.merge import merge, read_key
from perftrace.model import Recorded
from perftrace.store import Store

OWN = Trust()
VALUES = (b"x" * 3000, b"one", b"two")


def trace(path: Path, uuid: str, *, started: str = "2026-01-01", values: object = VALUES) -> Path:
    """A trace file with a run of three calls, all of whose tables have rows."""
    texts = ("cwd", "root", "python", "python_version", "sampler_note", "version")
    run = dict.fromkeys(texts, "/w")
    run |= {"uuid": uuid, "command": '["a.py"]', "form": "script", "started": started}
    numbers = dict.fromkeys(("wall_s", "cpu_s", "exit_code", "interval_s", "samples"), 1)
    with Store.open_to_write(path) as store, store.transaction():
        run_id = store.add("run", {**run, **numbers, "sampler": "py-spy", "overhead": 0.05})
        pid = {"run_id": run_id, "pid": 1, "parent_pid": 0, "arguments": "[]", "path": "[]"}
        process = store.add("process", pid)
        digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of "x"
        source = store.intern(
            "source", {"file": "/w/a.py", "sha256": digest, "text": b"x"}, identity=("file",)
        )
        named = {"file": "/w/a.py", "qualname": f"f_{uuid}", "line": 1, "module": "a"}
        shared = {"file": "/w/a.py", "qualname": "shared", "line": 9, "module": uuid}
        rest = {"kind": "function", "parameters": "[]", "source_id": source}
        own = store.add("function", {**named, **rest})
        function = store.add("function", {**shared, **rest})
        context = store.add("context", {"run_id": run_id, "name": "t", "unwatched": 0})
        store.add("reach", {"context_id": context, "function_id": function})
        assert isinstance(values, tuple)
        for value in values:
            digest_of = store.add_value(value, 0)
            call = {"process_id": process, "function_id": function, "caller_id": own, "thread": 1}
            given = {"arguments": digest_of, "ending": "returned", "result": digest_of}
            number = store.add("call", {**call, **given, "started_ns": 1, "context_id": context})
            effect = {"call_id": number, "function_id": own, "kind": "network"}
            store.add("effect", {**effect, "detail": f"call {len(value)}", "count": 2})
        store.put("reads", {"function_id": own, "kind": "clock", "name": "time.time"})
        total = {"run_id": run_id, "function_id": function, "calls": len(values), "whole": 0}
        store.add("total", {**total, "median_ns": None, "spent_ns": 0})
        frame = {"file": "/w/a.py", "line": 1, "user": 1}
        ids = [store.add("frame", {**frame, "qualname": name}) for name in (f"f_{uuid}", "shared")]
        frames = " ".join(map(str, ids))
        store.add("stack", {"run_id": run_id, "frames": frames, "count": 2})
        missing = {"run_id": run_id, "function_id": own, "subject": "calls", "reason": "r"}
        store.add("missing", {**missing, "count": 3})
    return path


def contents(path: Path) -> list[object]:
    """What a trace file says, without ids."""
    found: list[object] = []
    with Store.open(path) as store:
        for run in store.runs():
            found.append((run.started, run.command))
            for function in sorted(store.functions().values(), key=lambda f: f.qualname):
                for call in store.calls(function, run=run):
                    assert isinstance(call.arguments, Recorded)
                    assert call.caller is not None
                    blob = store.blob(call.arguments)
                    found.append((function.qualname, call.caller.qualname, blob))
            for row in store.rows("SELECT frames, count FROM stack WHERE run_id = ?", run.id):
                names = {r["id"]: r["qualname"] for r in store.rows("SELECT * FROM frame")}
                stack = [names[int(number)] for number in row["frames"].split()]
                found.append((stack, row["count"]))
            found.append(store.missing(run))
            sql = "SELECT qualname, calls FROM total JOIN function ON id = function_id"
            rows = store.rows(f"{sql} WHERE run_id = ?", run.id)
            found += [("total", *row.values()) for row in rows]
        sql = (
            "SELECT 'effect', size, qualname, effect.kind, detail, count, started FROM effect"
            " JOIN call ON call.id = call_id JOIN value ON digest = call.arguments"
            " JOIN function ON function.id = effect.function_id"
            " JOIN process ON process.id = process_id JOIN run ON run.id = run_id"
        )
        found += [tuple(row.values()) for row in store.rows(f"{sql} ORDER BY started, 2, call.id")]
        sql = "SELECT 'reads', qualname, reads.kind, name FROM reads JOIN function"
        sql += " ON id = function_id ORDER BY qualname"
        found += [tuple(row.values()) for row in store.rows(sql)]
        sql = (
            "SELECT name, qualname, started FROM reach JOIN context ON context.id = context_id"
            " JOIN function ON function.id = function_id JOIN run ON run.id = run_id"
        )
        found += [tuple(row.values()) for row in store.rows(f"{sql} ORDER BY started")]
        assert list(store.rows("PRAGMA foreign_key_check")) == []
    return found


def slug_of(work: Callable[[], object]) -> str:
    with pytest.raises((CannotError, UsageError)) as caught:
        work()
    assert "\n" not in str(caught.value)
    return caught.value.slug


@pytest.fixture
def other_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    return lambda name: monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / name))


def test_a_merged_file_says_what_its_sources_say(tmp_path: Path) -> None:
    one = trace(tmp_path / "1.db", "one", started="2026-01-01")
    two = trace(tmp_path / "2.db", "two", started="2026-01-02", values=(b"one", b"three"))
    before = [path.read_bytes() for path in (one, two)]
    merged = merge([one, two], tmp_path / "out" / "o.db", OWN)
    assert [(m.runs, m.known, m.calls) for m in merged] == [(1, 0, 3), (1, 0, 2)]
    found = contents(tmp_path / "out" / "o.db")
    for item in (*contents(one), *contents(two)):
        assert item in found
    assert len(found) == len(contents(one)) + len(contents(two))
    assert [path.read_bytes() for path in (one, two)] == before
    with Store.open(tmp_path / "out" / "o.db") as store:
        assert len(list(store.rows("SELECT * FROM value"))) == 4
        assert len(store.functions()) == 3
        assert {f.module for f in store.functions().values() if f.qualname == "shared"} == {"two"}


def test_merging_again_adds_nothing(tmp_path: Path) -> None:
    one, out = trace(tmp_path / "1.db", "one"), tmp_path / "o.db"
    merge([one], out, OWN)
    found = contents(out)
    (again,) = merge([one], out, OWN)
    assert (again.runs, again.known, again.calls) == (0, 1, 0)
    assert contents(out) == found
    assert [m.runs for m in merge([one, one], tmp_path / "o2.db", OWN)] == [1, 0]


def test_a_file_is_merged_into_one_with_runs_of_its_own(tmp_path: Path) -> None:
    out = trace(tmp_path / "o.db", "mine", started="2026-01-03")
    merge([trace(tmp_path / "1.db", "one")], out, OWN)
    with Store.open(out) as store:
        assert [run.started for run in store.runs()] == ["2026-01-01", "2026-01-03"]
        assert {f.module for f in store.functions().values() if f.qualname == "shared"} == {"mine"}


def test_values_of_another_key_need_trust_and_get_ours(
    tmp_path: Path, other_key: Callable[[str], None]
) -> None:
    other_key("theirs")
    one = trace(tmp_path / "1.db", "one")
    expected = contents(one)
    theirs = tmp_path / "theirs" / "perftrace" / "key"
    other_key("ours")
    out = tmp_path / "o.db"
    assert slug_of(lambda: merge([one], out, OWN)) == "merge-key"
    assert not out.exists()
    merge([one], out, Trust(keys=(read_key(theirs),)))
    assert contents(out) == expected
    merge([one], tmp_path / "o2.db", Trust(unverified=True))
    assert contents(tmp_path / "o2.db") == expected
    assert (
        slug_of(lambda: merge([one], tmp_path / "o3.db", Trust(keys=(bytes(32),)))) == "merge-key"
    )
    assert key.user_key() != read_key(theirs)


DAMAGES = (
    "UPDATE value SET data = 'text'",
    "UPDATE value SET data = x'00' WHERE codec = 'zstd'",
    "UPDATE value SET data = x'6f6e67' WHERE size = 3",
    "UPDATE call SET ending = 'never'",
    "UPDATE call SET function_id = 99",
    "UPDATE call SET started_ns = 'soon'",
    "UPDATE call SET arguments = x'00'",
    "UPDATE run SET command = 'a.py'",
    "UPDATE process SET path = '3'",
    "UPDATE function SET kind = 'method'",
    "UPDATE source SET text = x'00'",
    "UPDATE context SET name = x'00'",
    "CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM call; END",
)


@pytest.mark.parametrize("sql", DAMAGES)
def test_a_damaged_file_is_refused_and_nothing_is_written(tmp_path: Path, sql: str) -> None:
    good, bad = trace(tmp_path / "1.db", "one"), trace(tmp_path / "2.db", "two")
    connection = sqlite3.connect(bad)
    with connection:
        connection.execute(sql)
    connection.close()
    out = trace(tmp_path / "o.db", "mine")
    found = contents(out)
    assert slug_of(lambda: merge([good, bad], out, OWN)) == "trace-damaged"
    assert contents(out) == found
    assert slug_of(lambda: merge([good, bad], tmp_path / "new.db", OWN)) == "trace-damaged"
    assert not list(tmp_path.glob("new.db*"))


@pytest.mark.parametrize("size", [0, 50, 4096, 20_000])
def test_a_truncated_file_is_refused(tmp_path: Path, size: int) -> None:
    one = trace(tmp_path / "1.db", "one")
    one.write_bytes(one.read_bytes()[:size])
    slug = slug_of(lambda: merge([one], tmp_path / "o.db", OWN))
    assert slug == ("trace-damaged" if size else "trace-foreign")


def test_a_file_cannot_be_merged_into_itself(tmp_path: Path) -> None:
    one = trace(tmp_path / "1.db", "one")
    assert slug_of(lambda: merge([one], one, OWN)) == "merge-self"


def test_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    assert slug_of(lambda: read_key(tmp_path / "key")) == "bad-key"
    assert slug_of(lambda: read_key(tmp_path / "nowhere")) == "bad-key"


# --- older formats ------------------------------------------------------------------------

AS_VERSION_1 = (
    "DROP TABLE effect",
    "DROP TABLE reads",
    "DROP TABLE total",
    "DROP TABLE reach",
    "ALTER TABLE call DROP COLUMN context_id",
    "DROP TABLE context",
    "PRAGMA user_version = 1",
)


def older(path: Path) -> Path:
    connection = sqlite3.connect(path)
    for sql in AS_VERSION_1:
        connection.execute(sql)
    connection.commit()
    connection.close()
    return path


def test_a_file_of_version_1_is_brought_up_to_date_when_it_is_opened(tmp_path: Path) -> None:
    expected = contents(trace(tmp_path / "1.db", "one"))
    path = older(tmp_path / "1.db")
    path.chmod(0o600)
    assert contents(path) == [
        item
        for item in expected
        if item[0] not in ("t", "total", "effect", "reads")  # type: ignore[index]
    ]
    with Store.open(path) as store:
        assert list(store.rows("PRAGMA user_version")) == [{"user_version": 2}]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.glob("1.db*")] == ["1.db"]


def test_a_damaged_file_of_version_1_stays_as_it_is(tmp_path: Path) -> None:
    trace(tmp_path / "1.db", "one")
    path = older(tmp_path / "1.db")
    connection = sqlite3.connect(path)
    connection.execute("CREATE VIEW v AS SELECT 1")
    connection.close()
    before = path.read_bytes()
    assert slug_of(lambda: Store.open(path)) == "trace-damaged"
    assert path.read_bytes() == before


def test_an_older_file_is_merged_and_not_touched(tmp_path: Path) -> None:
    trace(tmp_path / "1.db", "one")
    path = older(tmp_path / "1.db")
    before = path.read_bytes()
    (merged,) = merge([path], tmp_path / "o.db", OWN)
    assert (merged.runs, merged.calls) == (1, 3)
    assert path.read_bytes() == before


# --- retention ----------------------------------------------------------------------------


def test_the_oldest_runs_go_first_with_all_that_only_they_refer_to(tmp_path: Path) -> None:
    out = tmp_path / "o.db"
    for number in range(5):
        values = tuple(os.urandom(2000) for _ in range(100))
        path = trace(tmp_path / f"{number}.db", f"u{number}", started=f"202{number}", values=values)
        merge([path], out, OWN)
    alone = contents(tmp_path / "4.db")
    with Store.open_to_write(out) as store:
        size = store.used_bytes()
        assert retain.retain(store, size).runs == 0
        dropped = retain.retain(store, size * 4 // 5)  # deletions leave pages half empty
        assert 0 < dropped.runs < 4
        assert [run.started for run in store.runs()] == [f"202{n}" for n in range(dropped.runs, 5)]
        assert retain.retain(store, 1).runs == 4 - dropped.runs
        for table in ("value", "call", "effect", "reads", "process", "context", "stack", "missing"):
            rows = next(store.rows(f"SELECT count(*) AS n FROM {table}"))["n"]
            assert rows == (100 if table in {"value", "call", "effect"} else 1)
        assert {f.qualname for f in store.functions().values()} == {"f_u4", "shared"}
    assert contents(out) == alone
    assert out.stat().st_size <= (tmp_path / "4.db").stat().st_size + 4096
