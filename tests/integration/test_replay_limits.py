import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from replaying import STARTS, Program, payload, reason, started

from perftrace.replay.requests import Replayed


@pytest.fixture(params=STARTS)
def program(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Program]:
    with started(Program(tmp_path), request.param) as made:
        yield made


# --- what goes wrong -----------------------------------------------------------------------

BAD = """
    import os, signal, subprocess, socket, sys, multiprocessing, shutil, tempfile
    from pathlib import Path

    def leave(n):
        os._exit(n)

    def abort():
        os.abort()

    def forever():
        while True:
            pass

    def fine():
        return "fine"

    def write(path):
        try:
            Path(path).write_text("x")
        except OSError:
            return "swallowed"

    def remove(path):
        os.remove(path)

    def rename(path):
        os.rename(path, path + ".old")

    def connect(port):
        socket.create_connection(("127.0.0.1", port))

    def shell():
        subprocess.run(["true"])

    def fork():
        if os.fork() == 0:
            os._exit(0)

    def child():
        process = multiprocessing.get_context("spawn").Process(target=print)
        process.start()
        process.join()

    def kill_parent():
        os.kill(os.getppid(), signal.SIGTERM)

    def scratch():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "sub", "x")
            path.parent.mkdir()
            path.write_text("x")
            shutil.copy(path, path.with_name("y"))
            return sorted(p.name for p in path.parent.iterdir())

    def ready(folder):
        Path(folder).mkdir(exist_ok=True)
        with open(os.devnull, "w") as sink:
            sink.write("x")
        return "ready"

    def read(path):
        return Path(path).read_text()

    def memory():
        return bytearray(8 << 30)

    def huge():
        return b"x" * (80 << 20)

    def garbage():
        for number in range(3, 20):
            try:
                os.write(number, b"\\xff" * 64)
            except OSError:
                pass
        return "wrote"
"""


def test_a_call_that_ends_its_process_costs_only_itself(program: Program) -> None:
    program.write("m.py", BAD)
    with program.session() as session:
        assert "exit code 3" in reason(session.call(program.request("m.py:leave", 3)))
        assert payload(session.call(program.request("m.py:fine"))) == "'fine'"
        assert "SIGABRT" in reason(session.call(program.request("m.py:abort")))
        assert payload(session.call(program.request("m.py:fine"))) == "'fine'"


def test_a_call_that_does_not_end_is_ended(program: Program) -> None:
    program.write("m.py", BAD)
    with program.session() as session:
        assert (
            reason(session.call(program.request("m.py:forever", wall_s=0.2)))
            == "took longer than 0.2 s"
        )
        assert payload(session.call(program.request("m.py:fine"))) == "'fine'"


def test_writes_outside_the_private_folder_are_refused_even_if_swallowed(program: Program) -> None:
    program.write("m.py", BAD)
    kept = program.write("kept.txt", "kept")
    with program.session() as session:
        write = session.call(program.request("m.py:write", str(program.folder / "new.txt")))
        remove = session.call(program.request("m.py:remove", str(kept)))
        rename = session.call(program.request("m.py:rename", str(kept)))
        scratch = session.call(program.request("m.py:scratch"))
        ready = session.call(program.request("m.py:ready", str(program.folder)))
        read = session.call(program.request("m.py:read", str(kept)))
    assert reason(write) == f"would write {program.folder}/new.txt"
    assert reason(remove) == f"would delete {kept}"
    assert reason(rename) == f"would rename {kept}"
    assert payload(scratch) == "['x', 'y']"
    assert payload(ready) == "'ready'"
    assert payload(read) == "'kept'"
    assert kept.read_text() == "kept"
    assert not (program.folder / "new.txt").exists()


def test_the_network_processes_and_signals_are_refused(program: Program) -> None:
    program.write("m.py", BAD)
    with socket.create_server(("127.0.0.1", 0)) as server, program.session() as session:
        port = server.getsockname()[1]
        connect = session.call(program.request("m.py:connect", port))
        others = {
            name: reason(session.call(program.request(f"m.py:{name}")))
            for name in ("shell", "fork", "child", "kill_parent")
        }
    assert "would use the network" in reason(connect)
    assert others == {
        "shell": "would start a process",
        "fork": "would start a process",
        "child": "would start a process",
        "kill_parent": "would send a signal",
    }


def test_memory_and_replies_are_bounded(program: Program) -> None:
    program.write("m.py", BAD)
    with program.session() as session:
        memory = session.call(program.request("m.py:memory"))
        huge = session.call(program.request("m.py:huge"))
    assert payload(memory).startswith("MemoryError(")
    assert "its result is too large" in reason(huge)


def test_output_is_captured_per_call_and_cut(program: Program) -> None:
    program.write(
        "m.py",
        """
        import sys
        print("imported")
        def f(text, n):
            print(text * n, end="")
            print("oops", file=sys.stderr, end="")
        """,
    )
    with program.session() as session:
        first = session.call(program.request("m.py:f", "a", 3))
        second = session.call(program.request("m.py:f", "b", 100_000))
        flood = session.call(program.request("m.py:f", "c" * 1000, 10**5))
        last = session.call(program.request("m.py:f", "d", 1))
    assert isinstance(first, Replayed)
    assert (first.stdout, first.stderr) == ("aaa", "oops")
    assert isinstance(second, Replayed)
    assert second.stdout == "b" * 65_536
    assert "64 MiB of output" in reason(flood)
    assert isinstance(last, Replayed)
    assert last.stdout == "d"


def test_garbage_on_the_pipe_costs_only_the_call(program: Program) -> None:
    program.write("m.py", BAD)
    with program.session() as session:
        assert "its reply" in reason(session.call(program.request("m.py:garbage")))
        assert payload(session.call(program.request("m.py:fine"))) == "'fine'"


def test_an_argument_that_was_not_recorded_must_not_be_used(program: Program) -> None:
    program.write("m.py", "def f(view, use):\n    return view.tolist() if use else 1\n")
    view = memoryview(b"a")
    with program.session() as session:
        unused = session.call(program.request("m.py:f", view, False))
        used = session.call(program.request("m.py:f", view, True))
    assert payload(unused) == "1"
    assert reason(used).startswith("needs a ")


def test_an_import_that_fails_says_why(program: Program) -> None:
    program.write("m.py", "import missing_dependency\ndef f():\n    pass\n")
    program.write("n.py", "open('log.txt', 'w')\ndef f():\n    pass\n")
    program.write("o.py", "import os\nos._exit(5)\ndef f():\n    pass\n")
    with program.session() as session:
        missing = reason(session.call(program.request("m.py:f")))
        writing = reason(session.call(program.request("n.py:f")))
        leaving = reason(session.call(program.request("o.py:f")))
    assert "importing m fails: ModuleNotFoundError: No module named 'missing_dependency'" in missing
    assert f"would write {program.folder}/log.txt" in writing
    assert "exit code 5" in leaving


def test_an_interpreter_or_folder_that_is_gone_says_so(program: Program, tmp_path: Path) -> None:
    program.write("m.py", BAD)
    request = program.request("m.py:fine")
    program.folder = tmp_path / "gone"
    with program.session() as session:
        assert "cannot start" in reason(session.call(request))
        assert session.main_alias == {}


# --- the worker's life ---------------------------------------------------------------------


def test_a_worker_ends_when_its_parent_is_killed(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # nobody is left to remove its folder
    program.write("m.py", BAD)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:  # the parent of the worker: killed while the worker loops
        session = program.session()
        _ = session.main_alias
        assert session._worker is not None
        os.write(write, f"{session._worker._child.pid}\n".encode())
        session.call(program.request("m.py:forever"))
        os._exit(0)
    worker = int(os.read(read, 20))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{worker}/status").exists() and time.monotonic() < deadline:
        status = Path(f"/proc/{worker}/status").read_text()
        if "State:\tZ" in status:  # nobody reaps it here
            break
    else:
        assert time.monotonic() < deadline


def test_nothing_is_left_behind(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    program.write("m.py", BAD)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with program.session() as session:
        session.call(program.request("m.py:scratch"))
        session.call(program.request("m.py:abort"))
        session.call(program.request("m.py:fine"))
    if program.servers is not None:
        program.servers.close()
    assert list(folder.iterdir()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == before
