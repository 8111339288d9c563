"""Workers that a fork server starts: as those of an own interpreter, but with libraries loaded."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from replaying import Program, payload

from perftrace.replay.requests import NotReplayed, Overlay
from perftrace.replay.servers import FORKS, Server, Servers

pytestmark = pytest.mark.skipif(not FORKS, reason="there are no fork servers on this system")

APP = """
    import os, sys
    import colorsys

    def loaded(name):
        return name in sys.modules

    def parent():
        return os.getppid()

    def end(code):
        os._exit(code)

    def answer():
        return 42

    def seed():
        return os.environ["PYTHONHASHSEED"], hash("a") == hash("a")

    def place():
        import tempfile
        return os.path.basename(os.path.dirname(tempfile.gettempdir()))[:17]

    def write(path):
        import ctypes
        libc = ctypes.CDLL(None)
        return libc.open(path.encode(), os.O_CREAT | os.O_WRONLY, 0o600) >= 0
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    made = Program(tmp_path / "project")
    made.write("app.py", APP)
    return made


@pytest.fixture
def servers(program: Program) -> Iterator[Servers]:
    with Servers() as found:
        program.servers = found
        yield found


def ask(program: Program, name: str, *arguments: object) -> str:
    with program.session() as session:
        return payload(session.call(program.request(f"app.py:{name}", *arguments)))


def test_workers_come_from_one_server(program: Program, servers: Servers) -> None:
    parents = {ask(program, "parent") for _ in range(3)}
    assert len(parents) == 1
    assert parents != {str(os.getpid())}


def test_each_hash_seed_has_a_server_of_its_own(program: Program, servers: Servers) -> None:
    found = []
    for seed in (3, 4):
        with program.session(hash_seed=seed) as session:
            found.append(payload(session.call(program.request("app.py:seed"))))
            found.append(payload(session.call(program.request("app.py:parent"))))
    assert found[0] == "('3', True)"
    assert found[2] == "('4', True)"
    assert found[1] != found[3]


def test_libraries_that_the_program_uses_are_loaded_for_the_next_workers(
    program: Program, servers: Servers
) -> None:
    with program.session() as session:
        session.call(program.request("app.py:answer"))
        modules = session.modules()
    names = [name for name, _ in modules]
    assert "colorsys" in names
    assert "app" not in names
    servers.learn(program.process, modules)
    program.write("app.py", APP.replace("import colorsys", ""))
    assert ask(program, "loaded", "colorsys") == "True"
    assert ask(program, "loaded", "this") == "False"


def test_a_module_that_lies_elsewhere_than_the_library_is_not_loaded(
    program: Program, servers: Servers
) -> None:
    file = program.write("mine.py", "print('loaded')\n")
    servers.learn(program.process, [("colorsys", str(file)), ("nowhere", "/nowhere.py")])
    program.write("app.py", APP.replace("import colorsys", ""))
    assert ask(program, "loaded", "colorsys") == "False"


def test_a_library_that_starts_a_thread_is_left_to_the_workers(
    program: Program, servers: Servers, tmp_path: Path
) -> None:
    library = Program(tmp_path / "library")
    file = library.write(
        "busy_library.py",
        """
        import threading
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        """,
    )
    process = program.process
    path = (*process.path, str(library.folder))
    object.__setattr__(process, "path", path)
    server = Server(process, 1, program.session()._limits)
    try:
        assert "starts threads" in server.preload((("busy_library", str(file)),))
    finally:
        server.close()


def test_a_library_that_imports_the_programs_code_is_left_to_the_workers(
    program: Program, servers: Servers
) -> None:
    file = program.write("mine.py", "import app\n")
    server = Server(program.process, 1, program.session()._limits)
    try:
        assert "no library's" in server.preload((("mine", str(file)),))
    finally:
        server.close()


def test_where_libraries_can_t_be_kept_workers_start_without_them(
    program: Program, servers: Servers
) -> None:
    file = program.write("mine.py", "import app\n")
    servers.learn(program.process, [("mine", str(file))])
    program.write("app.py", APP.replace("import colorsys", ""))
    assert ask(program, "loaded", "mine") == "False"
    assert ask(program, "answer") == "42"


def test_a_change_of_a_file_that_the_server_has_loaded_is_imported_anew(
    program: Program, servers: Servers
) -> None:
    import colorsys

    text = (
        Path(colorsys.__file__).read_text() + "\ndef rgb_to_hsv(r, g, b):\n    return 'changed'\n"
    )
    servers.learn(program.process, [("colorsys", colorsys.__file__)])
    assert ask(program, "parent") != str(os.getpid())
    program.write(
        "app.py", "import colorsys\n\ndef convert():\n    return colorsys.rgb_to_hsv(1, 1, 1)\n"
    )
    assert ask(program, "convert") == "(0.0, 0.0, 1)"
    with program.session(overlay=Overlay({colorsys.__file__: text})) as session:
        assert payload(session.call(program.request("app.py:convert"))) == "'changed'"


def test_how_a_worker_ended_is_known(program: Program, servers: Servers) -> None:
    with program.session() as session:
        found = session.call(program.request("app.py:end", 7))
        assert isinstance(found, NotReplayed)
        assert "ended the process with exit code 7" in found.reason
        assert payload(session.call(program.request("app.py:answer"))) == "42"


def test_workers_start_anew_where_the_server_is_gone(program: Program, servers: Servers) -> None:
    pid = int(ask(program, "parent"))
    os.kill(pid, signal.SIGKILL)
    assert ask(program, "answer") == "42"
    assert ask(program, "parent") == str(os.getpid())


def test_a_worker_can_t_write_where_another_one_does(
    program: Program, servers: Servers, tmp_path: Path
) -> None:
    request = program.request
    with program.session() as one, program.session() as other:
        assert payload(one.call(request("app.py:answer"))) == "42"
        assert one._worker is not None
        assert other.layers == ("", "")
        assert other._worker is not None
        for worker, allowed in ((one._worker, False), (other._worker, True)):
            path = Path(worker.folder) / "new"
            assert payload(other.call(request("app.py:write", str(path)))) == str(allowed)
            assert path.exists() is allowed


def test_the_private_folder_is_the_workers_temporary_one(
    program: Program, servers: Servers
) -> None:
    assert ask(program, "place") == "'perftrace-replay-'"


def test_the_servers_end_with_their_context(program: Program) -> None:
    with Servers() as found:
        program.servers = found
        pid = int(ask(program, "parent"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_server_ends_when_its_parent_is_killed(program: Program) -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        program.servers = Servers()
        os.write(write, ask(program, "parent").encode())
        os.kill(os.getpid(), signal.SIGKILL)
    server = int(os.read(read, 20))
    os.waitpid(child, 0)
    os.close(read)
    os.close(write)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            status = Path(f"/proc/{server}/status").read_text()
        except OSError:
            return
        if "State:\tZ" in status:  # nobody reaps it here
            return
    pytest.fail(f"server {server} of {sys.executable} is still there")
