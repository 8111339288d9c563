import os
from pathlib import Path

import pytest

from perftrace.replay.inside.guard import RULES, Guard


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "private").mkdir()
    return tmp_path


@pytest.fixture
def guard(folder: Path) -> Guard:
    guard = Guard(str(folder / "private"))  # never armed: an audit hook cannot be taken off again
    guard.loading = False
    return guard


def judge(guard: Guard, event: str, *arguments: object) -> str | None:
    return RULES[event](guard, arguments)


@pytest.mark.parametrize(
    ("mode", "flags", "refused"),
    [
        ("r", os.O_RDONLY, False),
        ("rb", 0, False),
        ("w", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, True),
        ("r+", os.O_RDWR, True),
        (None, os.O_RDONLY, False),
        (None, os.O_RDWR, True),
        (None, os.O_RDONLY | os.O_CREAT, True),
        ("w", 0, True),  # some C code tells the mode alone
    ],
)
def test_opening_to_write_is_refused_outside_the_private_folder(
    guard: Guard, folder: Path, mode: str | None, flags: int, refused: bool
) -> None:
    outside, inside = str(folder / "x"), str(folder / "private" / "x")
    assert judge(guard, "open", outside, mode, flags) == (
        f"would write {outside}" if refused else None
    )
    assert judge(guard, "open", inside, mode, flags) is None


def test_descriptors_and_the_null_device_may_be_written(guard: Guard) -> None:
    assert judge(guard, "open", 1, "w", os.O_WRONLY) is None
    assert judge(guard, "open", os.devnull, "w", os.O_WRONLY) is None


def test_links_that_lead_outside_are_seen_through(guard: Guard, folder: Path) -> None:
    link = folder / "private" / "link"
    link.symlink_to(folder)
    assert judge(guard, "open", str(link / "x"), "w", 0) == f"would write {folder / 'x'}"


def test_a_sibling_whose_name_begins_alike_is_outside(guard: Guard, folder: Path) -> None:
    assert judge(guard, "open", f"{folder}/private2", "w", 0) is not None


def test_a_path_relative_to_an_open_folder_is_resolved_there(guard: Guard, folder: Path) -> None:
    (folder / "private" / "x").touch()
    (folder / "x").touch()
    for name, expected in (("private", None), ("", f"would delete {folder}/x")):
        descriptor = os.open(folder / name, os.O_RDONLY)
        try:
            assert judge(guard, "os.remove", "x", descriptor) == expected
        finally:
            os.close(descriptor)


def test_acts_that_cannot_succeed_are_left_to_fail_by_themselves(
    guard: Guard, folder: Path
) -> None:
    assert judge(guard, "os.mkdir", str(folder), 0o777, -1) is None  # it exists
    assert judge(guard, "os.remove", str(folder / "missing"), -1) is None
    assert judge(guard, "os.mkdir", str(folder / "new"), 0o777, -1) is not None


@pytest.mark.parametrize(
    ("database", "refused"),
    [
        (":memory:", False),
        ("file::memory:?cache=shared", False),
        ("file:/x.db?mode=ro", False),
        ("file:/x.db", True),
        ("/x.db", True),
        (b"/x.db", True),
    ],
)
def test_databases_are_files(guard: Guard, database: object, refused: bool) -> None:
    expected = "would open, and maybe change, the database /x.db" if refused else None
    assert judge(guard, "sqlite3.connect", database) == expected


def test_libraries_are_loaded_only_while_the_program_is(guard: Guard) -> None:
    assert judge(guard, "ctypes.dlopen", "libc.so.6") == "would load the library libc.so.6"
    assert judge(guard, "ctypes.dlopen", None) is None
    guard.loading = True
    assert judge(guard, "ctypes.dlopen", "libc.so.6") is None


@pytest.mark.parametrize(
    "event", ["subprocess.Popen", "os.system", "os.fork", "os.exec", "os.posix_spawn", "os.spawn"]
)
def test_processes_are_refused(guard: Guard, event: str) -> None:
    assert judge(guard, event) == "would start a process"


def test_the_network_is_refused_by_address(guard: Guard) -> None:
    assert judge(guard, "socket.connect", None, ("::1", 80, 0, 0)) == (
        "would use the network: ::1:80"
    )
    assert judge(guard, "socket.connect", None, "/run/x.sock") == (
        "would use the network: '/run/x.sock'"
    )


def test_the_first_refusal_is_kept_until_it_is_asked_for(guard: Guard) -> None:
    for number in (1, 2):
        with pytest.raises(PermissionError, match="not during replay: would write /none"):
            guard._hook("open", (f"/none/{number}", "w", 0))
    assert guard.take() == "would write /none/1"
    assert guard.take() is None
    guard._hook("import", ("x",))  # an event without a rule
