import os
from pathlib import Path

import pytest

from perftrace.errors import CannotError
from perftrace.tracer import spool
from perftrace.tracer.inside.settings import Settings
from perftrace.tracer.spool import Finish, Plan
from perftrace.tracer.stacks import FrameKey, Samples


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / f"perftrace-{os.getuid()}"


def plan(*, parent: int = 1, uuid: str = "u-1") -> Plan:
    return Plan(
        uuid=uuid,
        database="/home/me/trace.db",
        command=("app.py", "-x"),
        form="script",
        cwd="/home/me",
        root="/home/me",
        python="/usr/bin/python",
        started="2026-01-01T00:00:00+00:00",
        parent=parent,
        overhead=0.02,
        sources=("/home/me",),
        includes=("*/shop/*",),
        excludes=(),
    )


def test_a_run_is_read_back_as_it_was_planned_and_ended() -> None:
    folder = spool.create(plan(), timing=True)
    assert spool.read_plan(folder) == plan()
    assert spool.read_finish(folder) is None
    stack = (FrameKey("/home/me/app.py", "main", 3),)
    end = Finish(1.5, 1.25, -9, Samples([(stack, 7)], 0.01, "py-spy", ""))
    spool.finish(folder, end)
    assert spool.read_finish(folder) == end
    settings = Settings.read(str(folder))
    assert (settings.cwd, settings.sources, settings.includes, settings.excludes) == (
        "/home/me",
        ("/home/me",),
        ("*/shop/*",),
        (),
    )
    assert (settings.share, settings.timing) == (0.02, True)


def test_only_the_user_may_look_into_the_folder(base: Path) -> None:
    folder = spool.create(plan(), timing=False)
    assert folder.stat().st_mode & 0o777 == 0o700
    base.chmod(0o755)
    with pytest.raises(CannotError, match="open to others"):
        spool.create(plan(uuid="u-2"), timing=False)


def test_a_link_in_the_folders_place_is_refused(base: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    base.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotError):
        spool.create(plan(), timing=False)


def test_runs_of_living_parents_are_not_left_behind(base: Path) -> None:
    spool.create(plan(parent=os.getpid(), uuid="alive"), timing=False)
    dead = os.fork()
    if dead == 0:
        os._exit(0)
    os.waitpid(dead, 0)
    gone = spool.create(plan(parent=dead, uuid="gone"), timing=False)
    (base / "unfinished").mkdir()
    assert [folder for folder, _ in spool.left_behind()] == [gone]
    spool.remove(gone)
    assert list(spool.left_behind()) == []


JSON_DECODER = tuple(
    f"{place}/json/decoder{end}"
    for place in ("*-packages", "*/python3.??")
    for end in ("/*", ".py")
)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("sqlparse", ("*-packages/sqlparse/*", "*-packages/sqlparse.py")),
        ("google.cloud", ("*-packages/google/cloud/*", "*-packages/google/cloud.py")),
        ("gen_*.py", ("/home/me/gen_*.py",)),
        ("json.decoder", (*JSON_DECODER,)),
        (
            "shop.*",
            ("*-packages/shop/*", "*-packages/shop.py", "/home/me/shop.*"),
        ),
        ("*/vendored/*", ("*/vendored/*",)),
        ("/opt/x.py", ("/opt/x.py",)),
        ("../shared/a.py", ("/home/shared/a.py",)),
    ],
)
def test_patterns_are_files_packages_or_globs(pattern: str, expected: tuple[str, ...]) -> None:
    assert spool.globs([pattern], Path("/home/me")) == expected


def test_a_folder_stands_for_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "lib" / "deep").mkdir(parents=True)
    assert spool.globs(["lib/deep"], tmp_path) == (f"{tmp_path}/lib/deep/*",)
