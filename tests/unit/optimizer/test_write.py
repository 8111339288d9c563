"""Accepted changes are written into the user's files, all or none."""

from pathlib import Path

import pytest

from perftrace.errors import CannotError, StaleError
from perftrace.model import Candidate, Function, Kind
from perftrace.optimizer import write

BEFORE = "def first():\n    return 1\n\n\ndef second():\n    return 2\n"
FIRST = BEFORE.replace("return 1", "return 10")
SECOND = BEFORE.replace("return 2", "return 20")


def change(path: Path, original: str, source: str) -> Candidate:
    function = Function(1, str(path), "first", 1, "mod", Kind.FUNCTION, ())
    return Candidate(function, "rules", ("rule",), "why", original, source)


def put(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_change_is_written_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    path = put(tmp_path / "mod.py", BEFORE)
    write.write(write.plan([change(path, BEFORE, FIRST)]))
    assert path.read_text() == FIRST
    assert names(tmp_path) == ["mod.py"]


def test_two_changes_of_one_file_are_both_in_it(tmp_path: Path) -> None:
    path = put(tmp_path / "mod.py", BEFORE)
    write.write(write.plan([change(path, BEFORE, FIRST), change(path, BEFORE, SECOND)]))
    assert path.read_text() == FIRST.replace("return 2", "return 20")


def test_changes_of_the_same_lines_are_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "mod.py", BEFORE)
    other = BEFORE.replace("return 1", "return 11")
    with pytest.raises(CannotError, match="Apply one"):
        write.plan([change(path, BEFORE, FIRST), change(path, BEFORE, other)])


def test_a_function_that_changed_since_is_refused_by_the_files_name(tmp_path: Path) -> None:
    path = put(tmp_path / "mod.py", BEFORE.replace("return 1", "return 1 + 0"))
    with pytest.raises(StaleError, match=r"mod\.py: first itself was changed since"):
        write.plan([change(path, BEFORE, FIRST)])


def test_edits_elsewhere_in_the_file_stay(tmp_path: Path) -> None:
    path = put(tmp_path / "mod.py", "# above\n" + BEFORE + "# mine\n")
    write.write(write.plan([change(path, BEFORE, FIRST)]))
    assert path.read_text() == "# above\n" + FIRST + "# mine\n"


def test_changes_that_were_measured_on_different_texts_go_together(tmp_path: Path) -> None:
    later = BEFORE + "# mine\n"
    path = put(tmp_path / "mod.py", later)
    function = Function(2, str(path), "second", 5, "mod", Kind.FUNCTION, ())
    second = later.replace("return 2", "return 20")
    newer = Candidate(function, "rules", ("rule",), "why", later, second)
    write.write(write.plan([newer, change(path, BEFORE, FIRST)]))
    assert path.read_text() == second.replace("return 1", "return 10")


def test_a_file_that_is_gone_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(StaleError, match=r"mod\.py"):
        write.plan([change(tmp_path / "mod.py", BEFORE, FIRST)])


def test_an_edit_made_after_the_plan_is_not_overwritten(tmp_path: Path) -> None:
    path = put(tmp_path / "mod.py", BEFORE)
    edits = write.plan([change(path, BEFORE, FIRST)])
    put(path, "# mine\n")
    with pytest.raises(StaleError):
        write.write(edits)
    assert path.read_text() == "# mine\n"
    assert names(tmp_path) == ["mod.py"]


def test_when_one_file_cannot_be_written_none_is(tmp_path: Path) -> None:
    one, two = put(tmp_path / "one.py", BEFORE), put(tmp_path / "two.py", BEFORE)
    edits = write.plan([change(one, BEFORE, FIRST), change(two, BEFORE, FIRST)])
    put(two, "# mine\n")
    with pytest.raises(StaleError, match=r"two\.py"):
        write.write(edits)
    assert one.read_text() == BEFORE
    assert names(tmp_path) == ["one.py", "two.py"]


def test_a_folder_that_is_gone_is_one_clear_error(tmp_path: Path) -> None:
    folder = tmp_path / "src"
    folder.mkdir()
    path = put(folder / "mod.py", BEFORE)
    edits = write.plan([change(path, BEFORE, FIRST)])
    path.unlink()
    folder.rmdir()
    with pytest.raises(CannotError, match="Nothing was changed"):
        write.write(edits)


@pytest.mark.parametrize(
    ("before", "encoding"),
    [
        (BEFORE.replace("\n", "\r\n"), "utf-8"),
        (BEFORE, "utf-8-sig"),
        (f"# -*- coding: latin-1 -*-\n# é\n{BEFORE}", "latin-1"),
        (BEFORE.removesuffix("\n"), "utf-8"),
        (BEFORE.replace("second", "zwölf"), "utf-8"),
    ],
    ids=["windows line ends", "byte order mark", "latin-1", "no last line end", "utf-8"],
)
def test_all_other_bytes_stay_as_they_are(tmp_path: Path, before: str, encoding: str) -> None:
    path = put(tmp_path / "mod.py", before, encoding)
    original = write.read(path).text
    write.write(write.plan([change(path, original, original.replace("urn 1", "urn 10"))]))
    assert path.read_bytes() == before.replace("urn 1", "urn 10").encode(encoding)


def test_the_files_mode_is_kept(tmp_path: Path) -> None:
    path = put(tmp_path / "mod.py", BEFORE)
    path.chmod(0o751)
    write.write(write.plan([change(path, BEFORE, FIRST)]))
    assert path.stat().st_mode & 0o7777 == 0o751


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path = put(tmp_path / "mod.py", BEFORE)
    link = tmp_path / "link.py"
    link.symlink_to(path)
    write.write(write.plan([change(link, BEFORE, FIRST)]))
    assert link.is_symlink()
    assert path.read_text() == FIRST
