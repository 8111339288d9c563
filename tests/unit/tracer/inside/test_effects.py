"""Effects of real calls in this process, with a journal that is a list."""

import datetime
import os
import random
import socket
import sqlite3
import sys
import threading
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perftrace import effects as kinds
from perftrace.tracer.inside import journal
from perftrace.tracer.inside.budget import Budget
from perftrace.tracer.inside.effects import TIMES
from perftrace.tracer.inside.function import Watched
from perftrace.tracer.inside.monitor import Monitor
from perftrace.tracer.inside.scope import Scope

type Noted = tuple[str, str, str]  # recorded function, the one that did it, kind


class FakeProcess:
    """What the monitor needs of a process."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes, tuple[Any, ...]]] = []
        self.functions: dict[int, Watched] = {}
        self.errors: list[BaseException] = []

    def write(self, kind: bytes, *fields: Any) -> None:
        self.records.append((kind, fields))

    def declare(self, function: Watched) -> None:
        self.functions[function.number] = function

    def note(self) -> None: ...
    def note_file(self, file: str) -> None: ...
    def not_watched(self, reason: str) -> None: ...

    def failed(self, error: BaseException) -> None:
        self.errors.append(error)

    def foreign(self, error: BaseException) -> bool:
        return isinstance(error, KeyboardInterrupt)


class Rig:
    """A running monitor, and what it noted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = FakeProcess()
        self.budget = Budget(0.5)
        self.budget.refresh()  # of the CPU time so far: no slow first call uses it up
        rule = Scope((str(folder),), (), (), cwd=str(folder))
        self.monitor = Monitor(self.process, rule, self.budget)  # type: ignore[arg-type]
        assert self.monitor.start()

    def define(self, text: str, **names: object) -> types.SimpleNamespace:
        scope: dict[str, Any] = {"__name__": "app", **names}
        exec(compile(text, str(self.folder / "app.py"), "exec"), scope)
        return types.SimpleNamespace(**scope)

    @property
    def details(self) -> list[tuple[str, str, str, str]]:
        """Recorded function, the function that did it, kind and detail."""
        name = {n: f.code.co_name for n, f in self.process.functions.items()}
        begun = {f[0]: f[1] for k, f in self.process.records if k == journal.BEGIN}
        return [
            (name[begun[call]], name[by], kind, detail)
            for k, fields in self.process.records
            if k == journal.EFFECT
            for call, by, kind, detail in [fields]
        ]

    @property
    def noted(self) -> list[Noted]:
        return [noted[:3] for noted in self.details]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.monitor.stop()
    assert made.process.errors == []


READS = "def f(p):\n    with open(p) as file:\n        return file.read()\n"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("open(p, 'w').close()", kinds.WRITTEN),
        ("open(p, 'w', encoding='utf-8').close()", kinds.WRITTEN),
        ("open(p, mode='ab').close()", kinds.WRITTEN),
        ("open(p).close()", kinds.READ),
        ("open(p, encoding='utf-8').close()", kinds.READ),
        ("m = 'r+'; open(p, **{'mode': m}).close()", kinds.OPENED),
        ("Path(p).write_text('x')", kinds.WRITTEN),
        ("Path(p).read_bytes()", kinds.READ),
        ("os.close(os.open(p, os.O_RDONLY))", kinds.OPENED),
        ("os.remove(p)", kinds.REMOVED),
        ("delete(p)", kinds.REMOVED),
        ("os.replace(p, p + '2')", kinds.RENAMED),
        ("os.makedirs(p + '3')", kinds.MADE),
        ("os.chmod(p, 0o600)", kinds.CHANGED),
        ("os.listdir(os.path.dirname(p))", kinds.LISTED),
        ("sqlite3.connect(p).close()", kinds.DATABASE),
    ],
)
def test_what_a_call_does_to_files_is_noted(rig: Rig, tmp_path: Path, body: str, kind: str) -> None:
    path = tmp_path / "x"
    path.touch()
    app = rig.define(
        f"def f(p):\n    {body}\n", os=os, Path=Path, sqlite3=sqlite3, delete=os.remove
    )
    app.f(str(path))
    assert ("f", "f", kind) in rig.noted
    assert {noted[2] for noted in rig.noted} - {kind, kinds.CHANGED, kinds.LISTED} <= set()
    assert any(detail.startswith(str(tmp_path)) for *_, detail in rig.details)


@pytest.mark.parametrize(
    "body",
    [
        "return len(p)",
        "open(0, closefd=False)",
        "open(os.devnull, 'w').close()",
        "sqlite3.connect(':memory:').close()",
        "return Opener().open(p)",
        "left, right = socket.socketpair(); left.send(b'x'); left.close(); right.close()",
    ],
)
def test_what_has_no_effect_outside_is_not_noted(rig: Rig, tmp_path: Path, body: str) -> None:
    class Opener:
        def open(self, path: str) -> str:
            return path

    app = rig.define(
        f"def f(p):\n    {body}\n", os=os, sqlite3=sqlite3, socket=socket, Opener=Opener
    )
    app.f(str(tmp_path / "x"))
    assert rig.noted == []


def test_a_relative_path_is_made_absolute(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "here").touch()
    rig.define(READS).f("here")  # every test runs in a folder of its own
    assert rig.details == [("f", "f", kinds.READ, str(tmp_path / "here"))]


def test_all_calls_on_the_stack_are_charged_and_the_innermost_function_named(
    rig: Rig, tmp_path: Path
) -> None:
    (tmp_path / "x").touch()
    app = rig.define(READS + "def g(p):\n    return f(p)\ndef h():\n    return 1\n")
    app.h()
    app.g(str(tmp_path / "x"))
    assert rig.noted == [("f", "f", kinds.READ), ("g", "f", kinds.READ)]


def test_a_call_in_another_thread_is_not_charged(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    app = rig.define(READS + "def wait(other):\n    other.start()\n    other.join()\n")
    app.wait(threading.Thread(target=app.f, args=(str(tmp_path / "x"),)))
    assert ("f", "f", kinds.READ) in rig.noted
    assert ("wait", "f", kinds.READ) not in rig.noted
    assert ("wait", "wait", kinds.THREAD) in rig.noted


def test_a_suspended_generator_is_not_charged(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    app = rig.define(READS + "def numbers():\n    yield 1\n    yield 2\n")
    numbers = app.numbers()
    next(numbers)
    app.f(str(tmp_path / "x"))
    assert rig.noted == [("f", "f", kinds.READ)]


def test_only_some_of_many_are_noted_and_the_next_call_is_charged_again(
    rig: Rig, tmp_path: Path
) -> None:
    (tmp_path / "x").touch()
    app = rig.define(
        "def f(p):\n    for _ in range(100):\n        open(p).close()\n"
        "def g(p):\n    f(p)\n    h(p)\ndef h(p):\n    f(p)\n"
    )
    app.g(str(tmp_path / "x"))
    by_call = [noted[0] for noted in rig.noted]
    assert by_call.count("g") == TIMES
    assert by_call.count("h") == TIMES  # though the site had been switched off for g


def test_a_module_imported_by_a_call_is_noted(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "late_module_of_a_test.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    app = rig.define("def f():\n    import late_module_of_a_test as late\n    return late.value\n")
    app.f()
    monkeypatch.delitem(sys.modules, "late_module_of_a_test")
    assert ("f", "f", kinds.MODULE, "late_module_of_a_test") in rig.details


def test_the_network_is_noted(rig: Rig) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        app = rig.define("def f(s, address):\n    s.connect(address)\n")
        with socket.socket() as one:
            app.f(one, listening.getsockname())
    assert rig.noted == [("f", "f", kinds.NETWORK)]


def test_code_that_names_nothing_of_the_kind_is_not_watched(rig: Rig) -> None:
    app = rig.define("import os\ndef f(x):\n    return id(x)\ndef g():\n    os.getcwd()\n")
    app.f(1)
    app.g()
    for function in (app.f, app.g):
        events = sys.monitoring.get_local_events(rig.monitor._tools._a, function.__code__)
        assert not events & sys.monitoring.events.CALL


def test_stopping_takes_all_events_off(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    app = rig.define(READS)
    (tmp_path / "x").touch()
    app.f(str(tmp_path / "x"))
    tool = rig.monitor._tools._a
    assert sys.monitoring.get_local_events(tool, app.f.__code__) & sys.monitoring.events.CALL
    rig.monitor.stop()
    assert sys.monitoring.get_tool(tool) is None
    noted = list(rig.noted)
    app.f(str(tmp_path / "x"))
    assert rig.noted == noted


def test_without_effects_nothing_is_watched(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.monitor.stop()
    assert rig.monitor.start(effects=False)
    app = rig.define(READS)
    (tmp_path / "x").touch()
    app.f(str(tmp_path / "x"))
    events = sys.monitoring.get_local_events(rig.monitor._tools._a, app.f.__code__)
    rig.monitor.stop()
    assert not events & sys.monitoring.events.CALL
    assert rig.noted == []


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        ("return time.time()", {("clock", "time.time")}),
        ("return now()", {("clock", "time.time")}),
        ("return datetime.datetime.now()", {("clock", "datetime.now")}),
        ("return DateTime.now()", {("clock", "datetime.now")}),
        ("return random.choice(p)", {("randomness", "random.choice")}),
        ("return number(1, 2)", {("randomness", "random.randint")}),
        ("return fraction()", {("randomness", "random.random")}),
        ("return os.environ['HOME']", {("environment", "os.environ")}),
        ("return environment.get('HOME')", {("environment", "os.environ")}),
        ("return os.getpid()", {("process identity", "os.getpid")}),
        ("return p.now()", set()),
        ("return time.sleep(0)", set()),
        ("return time.sleep(0), time.time()", {("clock", "time.time")}),
    ],
)
def test_what_a_function_may_read_is_known(
    rig: Rig, body: str, reads: set[tuple[str, str]]
) -> None:
    names: dict[str, object] = {
        "time": time,
        "now": time.time,
        "datetime": datetime,
        "random": random,
        "os": os,
        "DateTime": datetime.datetime,
        "number": random.randint,
        "fraction": random.random,
        "environment": os.environ,
    }
    app = rig.define(f"def f(p):\n    {body}\n", **names)

    class P(str):
        __slots__ = ()
        now = str.upper

    app.f(P("ab"))
    (function,) = rig.process.functions.values()
    assert set(function.reads or ()) == reads


def test_a_program_that_hides_its_class_is_not_asked(rig: Rig) -> None:
    asked: list[str] = []

    class Odd:
        def __getattribute__(self, name: str) -> object:
            asked.append(name)
            raise RuntimeError(name)

        def __call__(self, _: str) -> int:
            return 1

    app = rig.define("def f(p):\n    return open(p)\n", open=Odd())
    assert app.f("x") == 1
    assert asked == []
    assert rig.noted == []
