"""Journals written by hand, into a trace file and out again."""

import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from perftrace.model import Effect, Ending, Unrecorded
from perftrace.store import Store
from perftrace.tracer import ingest, spool
from perftrace.tracer.inside import journal
from perftrace.tracer.inside.fields import Field
from perftrace.tracer.inside.journal import Journal
from perftrace.tracer.spool import Finish, Plan
from perftrace.tracer.stacks import Samples

LIST = pickle.dumps([1], 5)
END = Finish(1.0, 0.0, 0, Samples((), 0.01, "py-spy", ""))


class Case:
    """A run's folder in the making."""

    def __init__(
        self, folder: Path, *, uuid: str = "u-1", redact: tuple[str, ...] | None = ()
    ) -> None:
        self.source = folder / "app.py"
        self.source.write_text("def f(x): return x\n")
        self.database = folder / "trace.db"
        plan = Plan(
            uuid=uuid,
            database=str(self.database),
            command=("app.py", "--password=hunter2"),
            form="script",
            cwd=str(folder),
            root=str(folder),
            python="python",
            started="2026-01-01T00:00:00+00:00",
            parent=2**22 + 1,  # above any pid
            overhead=0.02,
            sources=(str(folder),),
            includes=(),
            excludes=(),
            redact=redact,
        )
        self.folder = spool.create(plan, timing=False)
        self.journal = Journal(str(self.folder))

    def process(self) -> None:
        described = (7, 1, ("app.py",), ("/lib",), str(self.source), None, "/bin/py", "3.12.1")
        self.journal.write(journal.PROCESS, *described)

    def function(self, kind: str = "function", parameter: str = "x") -> None:
        state = self.source.stat()
        self.journal.write(journal.FILE, str(self.source), state.st_size, state.st_mtime_ns)
        where = (str(self.source), "f", 1, "__main__", kind)
        self.journal.write(journal.FUNCTION, 1, *where, ((parameter, "either"),))

    def begin(self, call: int, *, started: int = 5, arguments: Field = LIST) -> None:
        missing = None if arguments else "too odd"
        self.journal.write(journal.BEGIN, call, 1, 0, 9, started, arguments, 0, missing)

    def ingest(self) -> ingest.Summary:
        spool.finish(self.folder, END)
        return ingest.ingest(self.folder)

    def calls(self) -> list[Any]:
        with Store.open(self.database) as store:
            return [call for each in store.functions().values() for call in store.calls(each)]


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return Case(tmp_path)


def test_a_call_is_stored_with_its_values_and_the_source(case: Case) -> None:
    case.process()
    case.function()
    case.begin(1)
    case.journal.write(journal.END, 1, "returned", LIST, 0, None, 33)
    summary = case.ingest()
    assert (summary.calls, summary.functions, summary.processes) == (1, 1, 1)
    assert summary.called == 1
    (call,) = case.calls()
    assert (call.outcome.ending, call.duration_ns, call.thread) == (Ending.RETURNED, 33, 9)
    with Store.open(case.database) as store:
        assert store.blob(call.arguments) == LIST
        assert store.source_text(call.function) == "def f(x): return x\n"
        assert store.last_run().python == Path("/bin/py")
    assert not case.folder.exists()


def test_a_function_that_is_only_described_has_no_recorded_calls(case: Case) -> None:
    case.process()
    case.function()
    summary = case.ingest()
    assert (summary.calls, summary.functions, summary.called) == (0, 1, 0)


def test_doing_it_twice_adds_the_run_once(case: Case, tmp_path: Path) -> None:
    case.process()
    spool.finish(case.folder, END)
    shutil.copytree(case.folder, tmp_path / "copy")
    assert ingest.ingest(case.folder).processes == 1
    assert ingest.ingest(tmp_path / "copy").processes == 0
    with Store.open(case.database) as store:
        assert len(store.runs()) == 1


def test_calls_stand_in_the_order_they_began(case: Case) -> None:
    case.process()
    case.function()
    case.begin(2, started=20)
    case.begin(1, started=10)
    case.ingest()
    assert [call.started_ns for call in case.calls()] == [10, 20]


def test_an_end_that_was_not_seen_leaves_a_reason(case: Case) -> None:
    case.process()
    case.function()
    case.begin(1)
    case.begin(2, arguments=None)
    summary = case.ingest()
    first, second = case.calls()
    assert first.outcome.ending is Ending.UNKNOWN
    assert second.arguments == Unrecorded("too odd")
    assert ("arguments", "too odd", 1) in summary.missing
    assert [count for subject, _, count in summary.missing if subject == "results"] == [2]


def test_the_items_of_a_generator_stand_without_its_end(case: Case) -> None:
    case.process()
    case.function("generator")
    case.begin(1)
    case.journal.write(journal.ITEM, 1, b"one")
    case.journal.write(journal.ITEM, 1, b"two")
    case.ingest()
    (call,) = case.calls()
    assert call.outcome.ending is Ending.YIELDED
    with Store.open(case.database) as store:
        blob = store.blob(call.outcome.value)
    assert pickle.loads(blob) == [[[b"one", b"two"], "suspended", None], None]


def test_a_source_that_changed_is_not_stored(case: Case) -> None:
    case.process()
    case.function()
    case.source.write_text("def f(x): return x + 1\n")
    summary = case.ingest()
    assert ("sources", "the file changed while the program ran", 1) in summary.missing


def test_a_source_is_stored_as_utf_8_whatever_it_declares(case: Case) -> None:
    case.source.write_bytes("# coding: latin-1\ndef f(x): return 'é'\n".encode("latin-1"))
    case.process()
    case.function()
    case.begin(1)
    case.ingest()
    with Store.open(case.database) as store:
        assert "'é'" in store.source_text(case.calls()[0].function)


def test_a_function_is_brought_up_to_date_by_the_newest_run(case: Case, tmp_path: Path) -> None:
    case.process()
    case.function()
    case.ingest()
    again = Case(tmp_path, uuid="u-2")
    again.source.write_text("def f(x): return 2\n")
    again.process()
    again.function("generator")
    again.begin(1)
    again.ingest()
    (call,) = again.calls()
    assert call.function.kind == "generator"
    with Store.open(case.database) as store:
        assert store.source_text(call.function) == "def f(x): return 2\n"
        assert len(store.functions()) == 1


@pytest.mark.parametrize(
    "record",
    [
        (journal.BEGIN, 1),
        (journal.BEGIN, 1, 99, 0, 9, 5, b"", 0, None),
        (journal.END, 99, "returned", b"", 0, None, 1),
        (journal.END, 1, "exploded", b"", 0, None, 1),
        (b"?", 1),
        (journal.PROCESS, 1),
    ],
)
def test_a_record_that_makes_no_sense_ends_the_journal_with_a_reason(
    case: Case, record: tuple[bytes, *tuple[Field, ...]]
) -> None:
    case.process()
    case.function()
    case.begin(1)
    kind, *fields = record
    case.journal.write(kind, *fields)
    case.begin(2)
    summary = case.ingest()
    assert summary.calls == 1
    assert any("damaged" in reason for _, reason, _ in summary.missing)


def test_what_the_slots_count_is_missing(case: Case) -> None:
    case.process()
    case.journal.set(journal.STOPPED_FULL, 1)
    case.journal.set(journal.FIRST_COUNT, 12)
    case.journal.set(journal.CPU_NS, 100)
    case.journal.set(journal.RECORDER_NS, 2)
    summary = case.ingest()
    assert ("functions", "standard library", 12) in summary.missing
    assert ("calls", "the journals reached their limit of 256 MB", 1) in summary.missing
    assert (summary.cpu_ns, summary.recorder_ns) == (100, 2)


def test_a_run_without_any_journal_says_why(case: Case) -> None:
    for path in case.folder.glob("*-*.0*"):
        path.unlink()
    ((subject, reason, _),) = case.ingest().missing
    assert subject == "processes"
    assert "ignored its environment" in reason


def test_a_recorder_that_could_not_start_is_reported(case: Case) -> None:
    (case.folder / "failed.7").write_text("OSError: odd")
    assert ("processes", "the recorder could not start: OSError: odd", 1) in case.ingest().missing


def test_a_run_is_recovered_only_into_its_own_trace_file(case: Case, tmp_path: Path) -> None:
    case.process()
    assert ingest.recover(tmp_path / "other.db") == 0
    assert ingest.recover(case.database) == 1
    with Store.open(case.database) as store:
        assert store.last_run().exit_code == -9


def test_a_damaged_folder_is_left_alone(case: Case) -> None:
    (case.folder / spool.FINISH).write_text('{"samples": 3}')
    assert ingest.recover(case.database) == 0
    assert case.folder.exists()


# --- effects ----------------------------------------------------------------------------


def test_effects_are_stored_with_their_calls(case: Case) -> None:
    case.process()
    case.function()
    case.begin(1)
    for detail in ("/a", "/a", "/b\udcff"):
        case.journal.write(journal.EFFECT, 1, 1, "file read", detail)
    case.begin(2, started=6)
    case.ingest()
    first, second = case.calls()
    assert set(first.effects) == {
        Effect("file read", "/a", 2),
        Effect("file read", "/b\\udcff", 1),
    }
    assert second.effects == ()


def test_effects_belong_to_their_calls_in_whatever_order_those_began(case: Case) -> None:
    case.process()
    case.function()
    for call, started in ((2, 20), (1, 10)):
        case.begin(call, started=started)
        case.journal.write(journal.EFFECT, call, 1, "file read", f"/{call}")
    case.ingest()
    details = {call.started_ns: [effect.detail for effect in call.effects] for call in case.calls()}
    assert details == {10: ["/1"], 20: ["/2"]}


def test_a_call_that_must_not_be_made_again_is_not_a_whole_one(case: Case) -> None:
    case.process()
    case.function()
    for call, kind in enumerate(("network", "file read", "file written"), start=1):
        case.begin(call)
        case.journal.write(journal.EFFECT, call, 1, kind, "/a")
    case.journal.write(journal.BEGIN, 4, 1, 0, 9, 5, LIST, 1, None)  # its arguments have a gap
    case.begin(5, arguments=None)
    case.ingest()
    with Store.open(case.database) as store:
        (row,) = store.rows("SELECT calls, whole FROM total")
    assert row == {"calls": 5, "whole": 2}


def test_what_a_function_reads_is_stored_once(case: Case) -> None:
    case.process()
    case.function()
    for _ in range(2):  # a forked child says it again
        case.journal.write(journal.READS, 1, "clock", "time.time")
    case.ingest()
    with Store.open(case.database) as store:
        rows = list(store.rows("SELECT kind, name FROM reads"))
    assert rows == [{"kind": "clock", "name": "time.time"}]


def test_an_effect_of_an_unknown_function_is_damage(case: Case) -> None:
    case.process()
    case.function()
    case.begin(1)
    case.journal.write(journal.EFFECT, 1, 9, "network", "")
    summary = case.ingest()
    assert any("makes no sense" in reason for _, reason, _ in summary.missing)


# --- secrets ----------------------------------------------------------------------------

PASSWORD = pickle.dumps(["hunter2"], 5)


def end(case: Case, payload: object, after: object = None, ending: str = "returned") -> None:
    blob = pickle.dumps([payload, after], 5)
    case.journal.write(journal.END, 1, ending, blob, 0, None, 33)


def stored(case: Case) -> bytes:
    return b"".join(path.read_bytes() for path in case.database.parent.glob("trace.db*"))


def test_arguments_with_a_secret_are_not_recorded(case: Case) -> None:
    case.process()
    case.function(parameter="password")
    case.begin(1, arguments=PASSWORD)
    end(case, payload=None, after=["hunter2"])
    summary = case.ingest()
    (call,) = case.calls()
    assert call.arguments == Unrecorded("holds a secret (password)")
    assert call.outcome.value == Unrecorded("holds a secret (password)")
    assert ("arguments", "holds a secret (password)", 1) in summary.missing
    assert b"hunter2" not in stored(case)


def test_without_redaction_they_are_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    case = Case(tmp_path, redact=None)
    case.process()
    case.function(parameter="password")
    case.begin(1, arguments=PASSWORD)
    case.ingest()
    (call,) = case.calls()
    with Store.open(case.database) as store:
        assert store.blob(call.arguments) == PASSWORD
        assert store.last_run().command == ("app.py", "--password=hunter2")


@pytest.mark.parametrize(
    "payload",
    [{"api_key": "hunter2"}, [{"url": "redis://me:hunter2@h/0"}], ("x", ["a://b:hunter2@c"])],
)
def test_a_result_with_a_secret_is_not_recorded(case: Case, payload: object) -> None:
    case.process()
    case.function()
    case.begin(1)
    end(case, payload)
    case.ingest()
    (call,) = case.calls()
    assert isinstance(call.outcome.value, Unrecorded)
    assert call.outcome.value.reason.startswith("holds a secret (")
    with Store.open(case.database) as store:
        assert store.blob(call.arguments) == LIST  # these hold none
    assert b"hunter2" not in stored(case)


@pytest.mark.parametrize("seen", [True, False])
def test_what_a_generator_yields_is_looked_into(case: Case, *, seen: bool) -> None:
    item = pickle.dumps({"password": "hunter2"}, 5)
    case.process()
    case.function(kind="generator")
    case.begin(1)
    case.journal.write(journal.ITEM, 1, item)
    if seen:
        end(case, [[item], "returned", None], ending="yielded")
    case.ingest()
    (call,) = case.calls()
    assert call.outcome.value == Unrecorded("holds a secret (password)")
    assert b"hunter2" not in stored(case)


def test_command_lines_are_kept_without_their_secrets(case: Case) -> None:
    described = (7, 1, ("app.py", "--token", "hunter2"), (), None, None, "/bin/py", "3.12.1")
    case.journal.write(journal.PROCESS, *described)
    case.ingest()
    with Store.open(case.database) as store:
        assert store.last_run().command == ("app.py", "--password=<secret>")
        (row,) = store.rows("SELECT arguments FROM process")
    assert row["arguments"] == '["app.py", "--token", "<secret>"]'
    assert b"hunter2" not in stored(case)
