import sys
from pathlib import Path
from types import CodeType

import pytest

from perftrace.tracer import journals
from perftrace.tracer.inside import journal, scope
from perftrace.tracer.inside.fields import Field
from perftrace.tracer.inside.function import Watched
from perftrace.tracer.inside.process import Process


@pytest.fixture
def process(tmp_path: Path) -> Process:
    (tmp_path / "run").mkdir()
    return Process(str(tmp_path / "run"), frozenset({"ours.py"}))


def written(tmp_path: Path, index: int = 0) -> list[journals.Record]:
    return list(journals.of_run(tmp_path / "run")[index].records())


def raised(filename: str, error: str) -> BaseException:
    """An exception that was raised by code of this file."""
    try:
        exec(compile(f"raise {error}", filename, "exec"))
    except BaseException as caught:
        return caught
    raise AssertionError


def watched(file: str) -> Watched:
    code = raised.__code__
    assert isinstance(code, CodeType)
    return Watched(code, 1, (file, "raised", 20), "app")


def test_the_process_is_described_again_only_when_it_changed(
    process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.note()
    process.note()
    monkeypatch.setattr(sys, "path", ["/one", 2, "/three"])
    process.note()
    records = written(tmp_path)
    assert [record.kind for record in records] == [journal.PROCESS] * 2
    assert records[1].fields[3] == ("/one", "/three")


def test_the_script_stays_noted_when_python_has_taken_it_out_of_main(
    process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "__file__", "/app/orders.py", raising=False)
    monkeypatch.setattr(main, "__spec__", None)
    process.note()
    monkeypatch.delattr(main, "__file__")
    monkeypatch.setattr(sys, "path", ["/changed"])
    process.note()
    process.begin_again()
    process.note()
    records = [*written(tmp_path), *written(tmp_path, 1)]
    assert [record.fields[4] for record in records] == ["/app/orders.py"] * 3


def test_a_function_and_its_file_are_declared_once_in_each_journal(
    process: Process, tmp_path: Path
) -> None:
    for _ in range(2):
        process.declare(watched(__file__))
    kinds = [record.kind for record in written(tmp_path)]
    assert kinds == [journal.FILE, journal.FUNCTION]
    process.begin_again()
    process.declare(watched(__file__))
    assert [record.kind for record in written(tmp_path, 1)] == kinds


def test_what_a_signal_kept_from_being_written_is_written_the_next_time(
    process: Process, tmp_path: Path
) -> None:
    write = process.write

    def interrupted(kind: bytes, *fields: Field) -> None:
        process.write = write
        raise TimeoutError

    for describe in (process.note, lambda: process.declare(watched(__file__))):
        process.write = interrupted
        with pytest.raises(TimeoutError):
            describe()
        describe()
    kinds = [record.kind for record in written(tmp_path)]
    assert kinds == [journal.PROCESS, journal.FILE, journal.FUNCTION]


def test_a_file_that_is_gone_is_no_fault(process: Process, tmp_path: Path) -> None:
    process.declare(watched("/gone.py"))
    assert written(tmp_path)[0].fields == ("/gone.py", -1, -1)


def test_what_is_not_watched_is_counted_by_reason(process: Process, tmp_path: Path) -> None:
    for reason in (scope.INSTALLED, scope.STANDARD, scope.INSTALLED):
        process.not_watched(reason)
    slots = journals.of_run(tmp_path / "run")[0].slots()
    counts = slots[journal.FIRST_COUNT : journal.FIRST_COUNT + len(scope.REASONS)]
    assert dict(zip(scope.REASONS, counts, strict=True)) == {
        **dict.fromkeys(scope.REASONS, 0),
        scope.STANDARD: 1,
        scope.INSTALLED: 2,
    }


@pytest.mark.parametrize(
    ("error", "slot"),
    [(journal.FullError(), journal.STOPPED_FULL), (OSError(28, "no"), journal.STOPPED_NO_ROOM)],
)
def test_a_journal_that_takes_no_more_is_noted_in_place(
    process: Process, tmp_path: Path, error: Exception, slot: int
) -> None:
    process.failed(error)
    assert journals.of_run(tmp_path / "run")[0].slots()[slot] == 1


def test_a_bug_of_ours_is_noted_with_its_place(process: Process, tmp_path: Path) -> None:
    process.failed(raised("ours.py", "ValueError('odd')"))
    (record,) = written(tmp_path)
    assert record.fields == (
        0,
        "calls",
        "the recorder stopped itself: ValueError: odd at <module>:1",
    )


@pytest.mark.parametrize(
    ("filename", "error", "foreign"),
    [
        ("ours.py", "ValueError", False),
        ("ours.py", "OSError", False),
        ("ours.py", "KeyboardInterrupt", True),
        ("theirs.py", "TimeoutError", True),
        ("theirs.py", "SystemExit", True),
    ],
)
def test_an_exception_is_the_programs_if_its_code_raised_it(
    process: Process, filename: str, error: str, foreign: bool
) -> None:
    assert process.foreign(raised(filename, error)) is foreign
