"""Memory and import time of a worker, seen from outside."""

import sys
from pathlib import Path

import pytest
from replaying import Program

from perftrace.replay import memory
from perftrace.replay.requests import BlockTime, NotReplayed

MB = 1 << 20
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")

TEXT = """\
TABLE = None


def much(n):
    return len(b"1" * n)


def kept(n):
    global TABLE
    TABLE = b"1" * n
"""


def weighed(program: Program, name: str, size: int) -> BlockTime:
    with program.session() as session:
        imported = session.time_import(program.target(f"app.py:{name}"))
        assert isinstance(imported, BlockTime), imported
        session.prepare([program.request(f"app.py:{name}", size)])
        found = session.weigh_block()
    assert isinstance(found, BlockTime), found
    return found


@LINUX
@pytest.mark.parametrize("name", ["much", "kept"])
def test_the_peak_of_a_call_is_seen_from_outside(tmp_path: Path, name: str) -> None:
    program = Program(tmp_path)
    program.write("app.py", TEXT)
    found = weighed(program, name, 64 * MB).memory
    assert found is not None
    assert 60 * MB < found.peak - found.before < 80 * MB
    less = weighed(program, name, 1000).memory
    assert less is not None
    assert less.peak - less.before < 8 * MB


@LINUX
def test_the_mark_starts_again(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.write("app.py", TEXT)
    with program.session() as session:
        session.prepare([program.request("app.py:much", 64 * MB)])
        assert isinstance(session.weigh_block(), BlockTime)
        session.prepare([program.request("app.py:much", 1000)])
        found = session.weigh_block()
    assert isinstance(found, BlockTime)
    assert found.memory is not None
    assert found.memory.peak - found.memory.before < 8 * MB


def test_a_process_that_is_gone_has_no_figures() -> None:
    gone = 2**30  # beyond the largest number of a process
    assert memory.restart_peak(gone) is None
    assert memory.peak(gone) is None


def test_an_import_is_timed_with_all_that_the_module_does(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.write(
        "app.py", "import sys\nsys.app_loaded = sum(range(200_000))\ndef f(n):\n    return n"
    )
    with program.session() as session:
        found = session.time_import(program.target("app.py:f"))
        again = session.time_import(program.target("app.py:f"))
    assert isinstance(found, BlockTime)
    assert isinstance(again, BlockTime)
    assert found.cpu_ns > again.cpu_ns > 0


def test_an_import_that_fails_gives_its_reason(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.write("app.py", "def f(n):\n    return n\nraise ValueError('no')")
    with program.session() as session:
        found = session.time_import(program.target("app.py:f"))
    assert isinstance(found, NotReplayed)
    assert "importing app fails: ValueError: no" in found.reason
