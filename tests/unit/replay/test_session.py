import dataclasses
import json
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

import pytest

from perftrace.model import Ending, Kind, Process, Run
from perftrace.replay.inside import wire
from perftrace.replay.requests import NotReplayed, Reply, Request, Target
from perftrace.replay.session import Limits, Session

RUN = Run(
    id=1,
    command=("app.py",),
    form="script",
    cwd=Path("/"),
    root=Path("/"),
    python=Path(sys.executable),
    python_version="",
    started="",
    wall_s=0,
    cpu_s=0,
    exit_code=0,
    sampler="none",
    interval_s=0,
    samples=0,
    sampler_note="",
)
REQUEST = Request(Target("/m.py", "f", 1, "m"), b"arguments", Kind.FUNCTION, ())
LIMITS = Limits(wall_s=2, start_s=5, reply=10_000)

# Stands in for the interpreter: it speaks the protocol, and then lies.
LIAR = """
    import json, os, struct, sys
    reading, writing = map(int, sys.argv[3:5])
    def receive():
        sizes = struct.unpack("<II", os.read(reading, 8))
        return [os.read(reading, size) for size in sizes]
    def send(header, payload=b"", blobs=None):
        sizes = blobs if blobs is not None else [len(payload)] if payload else []
        text = json.dumps({**header, "blobs": sizes}).encode()
        os.write(writing, struct.pack("<II", len(text), len(payload)) + text + payload)
    outcome = {"ending": "returned", "cpu_ns": 1, "wall_ns": 2, "lines": [1], "reached": 0}
    outcome |= {"implicit": False, "own": False, "alike": [[], []], "state": None, "suspended": 0}
    receive()
    send({"main": None})
    receive()
    send({"started": True})
"""


def process(python: Path | None = None, cwd: Path = Path("/")) -> Process:
    run = dataclasses.replace(RUN, python=python or RUN.python, cwd=cwd)
    return Process(1, run, 1, (), None, None)


def ask(folder: Path, lie: str) -> Reply:
    """The session's answer when the worker does this in the end."""
    body = folder / "liar.py"
    body.write_text(dedent(LIAR) + dedent(lie))
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nshift\nexec "{sys.executable}" -I "{body}" "$@"\n')
    python.chmod(stat.S_IRWXU)
    with Session(process(python), limits=LIMITS) as session:
        return session.call(REQUEST)


def test_a_truthful_worker_is_heard(tmp_path: Path) -> None:
    reply = ask(tmp_path, "print('hello', flush=True)\nsend(outcome, b'result')")
    assert not isinstance(reply, NotReplayed), reply
    assert (reply.ending, reply.result, reply.stdout) == (Ending.RETURNED, b"result", "hello\n")
    assert (reply.cpu_ns, reply.wall_ns, reply.lines) == (1, 2, frozenset({1}))


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ("send({'reason': 'needs a lock'})", "needs a lock"),
        ("send({**outcome, 'ending': 'triumphant'}, b'x')", "its reply could not be read"),
        ("send({**outcome, 'cpu_ns': [1]}, b'x')", "its reply could not be read"),
        ("send({**outcome, 'wall_ns': float('inf')}, b'x')", "its reply could not be read"),
        ("send({**outcome, 'lines': {'a': 1}}, b'x')", "its reply could not be read"),
        ("send({**outcome, 'alike': [['x'], []]}, b'x')", "its reply could not be read"),
        ("send({**outcome, 'alike': [[1]]}, b'x')", "its reply could not be read"),
        ("send({**outcome, 'state': ['a', 'b']}, b'xy', [1, 1])", "its reply could not be read"),
        ("send(outcome)", "its reply could not be read"),
        ("send({}, b'x')", "its reply could not be read"),
        ("send(outcome, b'xyz', [1])", "its reply could not be read"),
        ("send(outcome, b'xyz', [4, -1])", "its reply could not be read"),
        ("send(outcome, b'xyz', 'abc')", "its reply could not be read"),
        ("os.write(writing, struct.pack('<II', 3, 0) + b'{}}')", "its reply could not be read"),
        ("os.write(writing, struct.pack('<II', 2, 0) + b'[]')", "its reply could not be read"),
        (
            "text = b'[' * 9999\nos.write(writing, struct.pack('<II', len(text), 0) + text)",
            "its reply could not be read",
        ),
        ("os.write(writing, b'\\xff' * 8)", "its reply was too large"),
        ("os.write(writing, b'\\x00')\nimport time; time.sleep(60)", "took longer than 2 s"),
        ("os.close(writing)\nimport time; time.sleep(60)", "closed its pipe"),
        ("sys.exit(9)", "ended the process with exit code 9"),
        ("sys.exit('last words')", "ended the process with exit code 1: last words"),
        ("os.kill(os.getpid(), 11)", "was killed by SIGSEGV"),
    ],
)
def test_whatever_a_worker_says_the_parent_goes_on(tmp_path: Path, lie: str, reason: str) -> None:
    assert ask(tmp_path, lie) == NotReplayed(reason)


def test_an_interpreter_that_is_no_python_says_so(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho not me >&2\nexit 4\n")
    python.chmod(stat.S_IRWXU)
    with Session(process(python), limits=LIMITS) as session:
        assert session.call(REQUEST) == NotReplayed("ended the process with exit code 4: not me")
        assert session.main_alias == {}


@pytest.mark.parametrize("missing", ["python", "cwd"])
def test_a_missing_interpreter_or_folder_says_so(tmp_path: Path, missing: str) -> None:
    gone = tmp_path / "gone"
    there = process(python=gone) if missing == "python" else process(cwd=gone)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with Session(there) as session:
        reply = session.call(REQUEST)
    assert isinstance(reply, NotReplayed)
    assert reply.reason.startswith("cannot start ")
    assert "No such file or directory" in reply.reason
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_no_worker_is_started_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.Popen", None)
    with Session(process()):
        pass


@pytest.mark.parametrize("blobs", [[], [b""], [b"a", b"", b"bc" * 1000]])
def test_a_message_comes_out_as_it_went_in(blobs: Sequence[bytes]) -> None:
    data = wire.pack({"op": "call", "text": "é", "blobs": "replaced"}, blobs)
    header, payload = wire.SIZES.unpack(data[:8])
    assert len(data) == 8 + header + payload
    got = wire.unpack(data[8 : 8 + header], data[8 + header :])
    assert got == ({"op": "call", "text": "é"}, list(blobs))


@pytest.mark.parametrize("header", ["{}", "[]", "3", '{"blobs": [true]}', '{"blobs": [5]}', "{"])
def test_what_is_no_message_is_refused(header: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        wire.unpack(header.encode(), b"abc")


def test_headers_are_plain_json() -> None:
    data = wire.pack({"a": [1]})
    assert json.loads(data[8:]) == {"a": [1], "blobs": []}
