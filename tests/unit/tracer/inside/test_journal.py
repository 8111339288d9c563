import os
import subprocess
import sys
from pathlib import Path

import pytest

from perftrace.tracer import journals
from perftrace.tracer.inside import journal
from perftrace.tracer.inside.journal import FullError, Journal


def records(folder: Path) -> list[tuple[bytes, tuple[object, ...]]]:
    (only,) = journals.of_run(folder)
    return [(record.kind, record.fields) for record in only.records()]


def test_records_are_read_back_in_order_across_segments(tmp_path: Path) -> None:
    written = Journal(str(tmp_path))
    big = os.urandom(3 << 20)
    for number in range(4):
        written.write(journal.ITEM, number, big)
    assert [fields[0] for _, fields in records(tmp_path)] == [0, 1, 2, 3]
    assert records(tmp_path)[3] == (journal.ITEM, (3, big))
    assert len(list(tmp_path.iterdir())) > 1


def test_slots_are_overwritten_in_place(tmp_path: Path) -> None:
    written = Journal(str(tmp_path))
    for number in (1, 2**40):
        written.set(journal.CPU_NS, number)
    (found,) = journals.of_run(tmp_path)
    assert found.slots()[journal.CPU_NS] == 2**40
    assert found.slots()[journal.RECORDER_NS] == 0


def test_a_torn_record_reads_as_the_end(tmp_path: Path) -> None:
    written = Journal(str(tmp_path))
    written.write(journal.ITEM, 1)
    written.write(journal.ITEM, 2)
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    second = journal.HEADER + 8 + 1 + 9
    data[second : second + 4] = bytes(4)  # the length is written last
    path.write_bytes(data)
    assert records(tmp_path) == [(journal.ITEM, (1,))]


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    Journal(str(tmp_path)).write(journal.ITEM, 1)
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    data[journal.HEADER + 12] ^= 1
    path.write_bytes(data)
    with pytest.raises(journals.DamagedError, match="checksum"):
        records(tmp_path)


def test_what_is_no_journal_has_no_slots(tmp_path: Path) -> None:
    (tmp_path / "7-7.00000").write_bytes(b"something else")
    (found,) = journals.of_run(tmp_path)
    with pytest.raises(journals.DamagedError):
        found.slots()


def test_the_limit_of_a_run_holds_for_all_its_processes(tmp_path: Path) -> None:
    Journal(str(tmp_path))
    second = Journal(str(tmp_path), limit=3 << 20)
    with pytest.raises(FullError):
        second.write(journal.ITEM, os.urandom(2 << 20))


def test_no_file_descriptor_is_kept_and_none_of_the_programs_is_closed(tmp_path: Path) -> None:
    program = f"""
import os, sys
from perftrace.tracer.inside.journal import Journal
before = os.listdir('/proc/self/fd')
journal = Journal({str(tmp_path)!r})
assert os.listdir('/proc/self/fd') == before
file = open({str(tmp_path / "mine")!r}, 'w')
os.register_at_fork(before=journal.write)  # kept to the end, as the recorder keeps it
del journal
file.write('all of it')
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert (tmp_path / "mine").read_text() == "all of it"


def test_a_record_that_was_broken_off_leaves_nothing_behind_a_shorter_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Journal(str(tmp_path))

    class Broken:
        """Takes the body, then no more."""

        def __setitem__(self, where: slice, data: bytes) -> None:
            if len(data) == 4 and any(data) and kept[where.start + 8] != 0:
                raise MemoryError
            kept[where] = data

    kept = written._segment
    monkeypatch.setattr(written, "_segment", Broken())
    with pytest.raises(MemoryError):
        written.write(journal.ITEM, 1, b"x" * 1000)
    monkeypatch.setattr(written, "_segment", kept)
    written.write(journal.ITEM, 2)
    assert records(tmp_path) == [(journal.ITEM, (2,))]


def test_it_goes_on_where_the_iterator_of_folders_is_forbidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(_: str) -> None:
        raise AssertionError("blocking call")

    monkeypatch.setattr("perftrace.tracer.inside.private.os.scandir", forbidden)
    written = Journal(str(tmp_path))
    for number in range(3):
        written.write(journal.ITEM, number, bytes(journal.FIRST_SEGMENT))
    assert len(list(tmp_path.iterdir())) > 1


def test_each_kind_of_record_has_a_letter_of_its_own() -> None:
    kinds = [value for name, value in vars(journal).items() if name.isupper() and len(name) > 1]
    letters = [value for value in kinds if isinstance(value, bytes) and len(value) == 1]
    assert len(letters) >= 10
    assert len(letters) == len(set(letters))


def test_a_handler_that_raises_while_a_segment_is_made_does_not_end_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ring(*_: object) -> None:
        raise KeyboardInterrupt

    written = Journal(str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(journal, "_mapped", ring)
        with pytest.raises(KeyboardInterrupt):
            written.write(journal.ITEM, 1, bytes(journal.FIRST_SEGMENT))
    written.write(journal.ITEM, 2, bytes(journal.FIRST_SEGMENT))
    assert [fields[0] for _, fields in records(tmp_path)] == [2]
