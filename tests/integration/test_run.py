"""`perftrace run` on real processes: what is recorded, and what is said about it."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from perftrace import values
from perftrace.config import Settings
from perftrace.model import Call, Ending, Recorded, Unrecorded, Value
from perftrace.store import Store
from perftrace.tracer import ingest, launch, sampler
from perftrace.tracer.record import Choices, record

type Done = subprocess.CompletedProcess[str]
type Run = Callable[..., Done]

ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"


@pytest.fixture(autouse=True)
def _own_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs left behind by other tests are none of ours."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.chdir(tmp_path / "work")


def perftrace(*arguments: str) -> Done:
    return subprocess.run(
        [sys.executable, "-c", ENTRY, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def run(program: str, *options: str, words: tuple[str, ...] = ()) -> Done:
    Path("app.py").write_text(program, encoding="utf-8")
    return perftrace("run", "--no-sample", "--overhead", "50%", *options, "app.py", *words)


def calls(qualname: str) -> list[Call]:
    with Store.open(Path(".perftrace/trace.db")) as store:
        found = [f for f in store.functions().values() if f.qualname == qualname]
        return [call for function in found for call in store.calls(function)]


def shown(value: Value) -> str:
    if isinstance(value, Unrecorded):
        return f"<{value.reason}>"
    with Store.open(Path(".perftrace/trace.db")) as store:
        return values.show(values.read(store.blob(value)), width=10_000)


def first(qualname: str) -> tuple[str, str, str]:
    """Ending, arguments and outcome of a function's first recorded call, as text."""
    call = calls(qualname)[0]
    return call.outcome.ending, shown(call.arguments), shown(call.outcome.value)


# --- values -----------------------------------------------------------------------------


def test_arguments_are_recorded_before_the_body_and_again_after_it() -> None:
    run("def add(items, n):\n    items.append(n)\n    return len(items)\nadd([1], 2)\n")
    assert first("add") == ("returned", "[[1], 2]", "[2, [[1, 2], None]]")


def test_every_kind_of_parameter_is_recorded_in_its_order() -> None:
    run("def f(a, /, b, *c, d=4, **e):\n    return None\nf(1, 2, 3, 3, d=5, x=6)\n")
    assert first("f")[1] == "[1, 2, (3, 3), 5, {'x': 6}]"
    function = calls("f")[0].function
    assert [(p.name, str(p.binding)) for p in function.parameters] == [
        ("a", "positional"),
        ("b", "either"),
        ("c", "star"),
        ("d", "keyword"),
        ("e", "doublestar"),
    ]


def test_a_rebound_argument_has_no_value_after_the_call() -> None:
    run("def f(items):\n    items = items + [2]\n    return items\nkept = [1]\nf(kept)\n")
    assert first("f") == ("returned", "[[1]]", "[[1, 2], None]")


def test_an_exception_is_recorded_as_it_was_raised() -> None:
    run("def f(n):\n    raise KeyError(n)\ntry:\n    f(3)\nexcept KeyError:\n    pass\n")
    ending, arguments, outcome = first("f")
    assert (ending, arguments) == ("raised", "[3]")
    assert "KeyError(3)" in outcome


def test_a_generator_is_recorded_item_by_item() -> None:
    run("def g(n):\n    for i in range(n):\n        yield [i]\n    return 'end'\nlist(g(3))\n")
    call = calls("g")[0]
    assert (call.outcome.ending, call.duration_ns) == (Ending.YIELDED, None)
    assert shown(call.arguments) == "[3]"
    assert "'returned', 'end'" in shown(call.outcome.value)


def test_a_long_generator_is_cut_off_and_a_dropped_one_is_suspended() -> None:
    run(
        "def long():\n    yield from range(1000)\n"
        "def dropped():\n    yield 1\n    yield 2\n"
        "for _ in long():\n    pass\nfor _ in dropped():\n    break\n"
    )
    assert "'truncated'" in first("long")[2]
    assert "'suspended'" in first("dropped")[2]


def test_a_coroutine_is_recorded_with_its_result_and_an_async_generator_with_its_items() -> None:
    run(
        "import asyncio\n"
        "async def double(n):\n    await asyncio.sleep(0)\n    return n * 2\n"
        "async def count(n):\n"
        "    for i in range(n):\n        await asyncio.sleep(0)\n        yield i\n"
        "async def main():\n    return await double(4), [i async for i in count(3)]\n"
        "print(asyncio.run(main()))\n"
    )
    assert first("double") == ("returned", "[4]", "[8, [None]]")
    assert first("count")[0] == "yielded"
    assert "'returned', None" in first("count")[2]


def test_methods_closures_and_threads_are_recorded_with_their_callers() -> None:
    run(
        "import threading\n"
        "class Till:\n"
        "    def __init__(self):\n        self.total = 0\n"
        "    def add(self, n):\n        self.total += n\n        return self.total\n"
        "def make(step):\n"
        "    def inner(n):\n        return n + step\n"
        "    return inner\n"
        "def work():\n    return Till().add(2) + make(5)(6)\n"
        "t = threading.Thread(target=work)\nt.start()\nt.join()\n"
    )
    call = calls("Till.add")[0]
    assert call.caller is not None
    assert call.caller.qualname == "work"
    assert call.thread != 0
    assert first("Till.add")[2].startswith("[2, [")
    assert first("make.<locals>.inner")[1:] == ("[6]", "[11, [None]]")


def test_the_inner_calls_of_a_recursion_are_not_mixed_up() -> None:
    run("def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\n" + "fib(16)\n" * 200)
    fib = [0, 1]
    for _ in range(20):
        fib.append(fib[-1] + fib[-2])
    for call in calls("fib"):
        number = int(shown(call.arguments).strip("[]"))
        if isinstance(call.outcome.value, Recorded):
            assert shown(call.outcome.value) == f"[{fib[number]}, [None]]"


def test_an_argument_too_large_is_left_out_with_the_reason() -> None:
    done = run("def f(data):\n    return len(data)\nf(b'x' * 100_000_000)\n")
    assert first("f") == (
        "returned",
        "<larger than 8 KB>",
        "<its arguments were not recorded>",
    )
    assert "1 larger than 8 KB" in done.stderr


# --- the trace file ---------------------------------------------------------------------


def test_the_source_and_the_process_are_recorded() -> None:
    run("import sys\nsys.path.append('/extra')\ndef f():\n    return 1\nf()\n", words=("-x", "y z"))
    call = calls("f")[0]
    with Store.open(Path(".perftrace/trace.db")) as store:
        assert store.source_text(call.function) == Path("app.py").read_text()
        process = store.process(call.process_id)
    assert process.path[0] == str(Path.cwd())
    assert process.path[-1] == "/extra"
    assert process.main_file == str(Path("app.py").resolve())
    assert process.run.command == ("app.py", "-x", "y z")
    assert process.run.python_version == sys.version.partition(" ")[0]
    assert call.function.module == "__main__"


def test_a_module_is_run_as_python_does(capfd: pytest.CaptureFixture[str]) -> None:
    Path("pkg").mkdir()
    Path("pkg/__main__.py").write_text("import sys\ndef f(): print(sys.argv[1:])\nf()\n")
    done = perftrace("run", "--no-sample", "-m", "pkg", "--", "-q")
    assert done.stdout == "['--', '-q']\n"
    with Store.open(Path(".perftrace/trace.db")) as store:
        assert store.process(calls("f")[0].process_id).main_module == "pkg.__main__"


def test_a_command_is_traced_when_it_starts_python() -> None:
    Path("app.py").write_text("def f():\n    return 7\nf()\n")
    done = perftrace("run", "--no-sample", "--", "sh", "-c", f"{sys.executable} app.py; exit 9")
    assert done.returncode == 9
    assert first("f")[2] == "[7, []]"


def test_a_package_is_traced_when_it_is_included() -> None:
    package = Path("lib/site-packages/shop")
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("def price():\n    return 3\n")
    program = "import sys\nsys.path.insert(0, 'lib/site-packages')\nimport shop\nshop.price()\n"
    run(program)
    assert calls("price") == []
    run(program, "--include", "shop")
    assert len(calls("price")) == 1
    done = run(program, "--include", "shop", "--exclude", "*/shop/*", "-o", "none.db")
    assert "excluded by a pattern" in done.stderr


def test_two_runs_of_one_program_share_functions_and_values() -> None:
    for _ in range(2):
        run("def f(n):\n    return n\nf('same')\n")
    with Store.open(Path(".perftrace/trace.db")) as store:
        assert len(store.runs()) == 2
        assert len(store.functions()) == 1
        assert [v["n"] for v in store.rows("SELECT count(*) AS n FROM value")] == [2]
    assert len(calls("f")) == 2


def test_two_runs_at_once_both_get_into_the_file() -> None:
    Path("app.py").write_text("def f():\n    return 1\nf()\n")
    command = [sys.executable, "-c", ENTRY, "run", "--no-sample", "app.py"]
    both = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [each.wait() for each in both] == [0, 0]
    assert len(calls("f")) == 2


# --- deaths -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("sys.exit(3)", 3),
        ("os._exit(4)", 4),
        ("os.kill(os.getpid(), 9)", 137),
        ("os.abort()", 134),
        ("os.execv('/bin/sh', ['sh', '-c', 'exit 5'])", 5),
    ],
)
def test_however_the_program_ends_its_calls_are_kept(end: str, code: int) -> None:
    done = run(f"import os, sys\ndef f(n):\n    return n + 1\nf(1)\n{end}\n")
    assert done.returncode == code
    assert first("f") == ("returned", "[1]", "[2, [None]]")


def test_a_call_that_never_ended_keeps_its_arguments() -> None:
    run("import os\ndef f(n):\n    os._exit(0)\nf([5])\n")
    ending, arguments, outcome = first("f")
    assert (ending, arguments) == ("unknown", "[[5]]")
    assert "still running" in outcome


def test_the_journal_of_a_killed_perftrace_is_found_by_the_next_one() -> None:
    Path("app.py").write_text(
        "import os, time\ndef f():\n    return 1\nf()\nopen('ready', 'w').close()\n"
        "while os.path.exists('ready'):\n    time.sleep(0.01)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", ENTRY, "run", "--no-sample", "app.py"])
    while not Path("ready").exists():
        time.sleep(0.01)
    parent.kill()
    parent.wait()
    database = Path(".perftrace/trace.db").absolute()
    assert ingest.recover(database) == 1
    assert ingest.recover(database) == 0
    Path("ready").unlink()
    assert len(calls("f")) == 1
    with Store.open(database) as store:
        assert store.last_run().sampler_note == "perftrace itself was killed"


def test_sigterm_is_passed_on_to_the_program() -> None:
    Path("app.py").write_text(
        "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(6))\n"
        "open('ready', 'w').close()\nwhile True:\n    time.sleep(0.01)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", ENTRY, "run", "--no-sample", "app.py"])
    while not Path("ready").exists():
        time.sleep(0.01)
    parent.send_signal(signal.SIGTERM)
    assert parent.wait() == 6


STREAMS = """
import sys
assert [stream is None for stream in (sys.stdin, sys.stdout, sys.stderr)] == %r
open("seen", "w").close()
sys.exit(5)
"""


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_standard_streams_that_are_closed_are_closed_for_the_program(closed: str) -> None:
    streams = [f"{sign}&-" in closed.split() for sign in ("<", ">", "2>")]
    Path("app.py").write_text(STREAMS % streams)
    words = shlex.join([sys.executable, "-c", ENTRY, "run", "--no-sample", "app.py"])
    assert subprocess.run(f"{words} {closed}", shell=True, check=False).returncode == 5
    assert Path("seen").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("code", [0, 5])
def test_what_cannot_be_said_does_not_change_the_exit_code(code: int) -> None:
    Path("app.py").write_text(f"import sys\nsys.exit({code})\n")
    command = [sys.executable, "-c", ENTRY, "run", "--no-sample", "app.py"]
    with Path("/dev/full").open("w") as full:
        assert subprocess.run(command, stderr=full, check=False).returncode == code


# --- what is said -----------------------------------------------------------------------


def test_it_ends_with_three_lines_on_stderr() -> None:
    done = run("def f():\n    return 1\nf()\nprint('out')\n")
    assert done.stdout == "out\n"
    trace, missing, following = done.stderr.splitlines()
    assert re.match(r"perftrace: 1 call of 1 function and 0 samples recorded in \.perf", trace)
    assert missing.startswith("perftrace: not recorded: samples (--no-sample was given); functions")
    assert following == "perftrace: next: perftrace top"


def test_json_goes_to_stderr() -> None:
    done = run("def f():\n    return 1\nf()\nprint('out')\n", "--json")
    document = json.loads(done.stderr)
    assert (document["schema"], document["calls"], document["exit_code"]) == (
        "perftrace/run/1",
        1,
        0,
    )
    assert done.stdout == "out\n"


def test_the_recorder_says_what_it_took() -> None:
    done = run("total = 0\nfor i in range(10**6):\n    total += i\n", "--json")
    document = json.loads(done.stderr)
    assert 0 < document["recorder_s"] < document["cpu_s"]


def test_a_trace_file_that_cannot_be_written_loses_nothing() -> None:
    spoil = "open('file', 'w').close()"  # while it runs: before, it would be refused
    Path("app.py").write_text(f"def f():\n    return 1\nf()\nprint('out')\n{spoil}\n")
    done = perftrace("run", "--no-sample", "-o", "file/trace.db", "app.py")
    assert (done.returncode, done.stdout) == (0, "out\n")
    kept = re.search(r"The recording is kept in (\S+) and", done.stderr)
    assert kept is not None
    assert len(done.stderr.splitlines()) == 1
    Path("file").unlink()
    assert ingest.recover(Path("file/trace.db").absolute()) == 1
    assert not Path(kept[1]).exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["missing.py"], 2, "missing.py does not exist"),
        (["--", "no-such-command"], 2, "no-such-command is not a command"),
        ([], 2, "Nothing to run"),
        (["--python", "/bin/false", "app.py"], 3, "does not run as Python"),
        (["--overhead", "90%", "app.py"], 2, "share of CPU time"),
    ],
)
def test_what_cannot_be_run_is_one_clear_line(
    arguments: list[str], code: int, message: str
) -> None:
    Path("app.py").write_text("print('ran')\n")
    done = perftrace("run", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_temporary_folder_the_program_still_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("app.py").write_text("print('ran')\nraise SystemExit(7)\n")
    base = Path(os.environ["TMPDIR"]) / f"perftrace-{os.getuid()}"
    base.write_text("in the way")
    done = perftrace("run", "--no-sample", "app.py")
    assert (done.returncode, done.stdout) == (7, "ran\n")
    assert "Nothing was recorded" in done.stderr


# --- in this process --------------------------------------------------------------------


def test_where_no_sampler_can_look_on_calls_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "unavailable", lambda: "it is forbidden here")
    Path("app.py").write_text(
        "def hot():\n    return sum(i * i for i in range(1000))\n"
        "def main():\n    for _ in range(5000):\n        hot()\n"
        "main()\n"
    )
    program = launch.resolve("script", ["app.py"], sys.executable, Path.cwd())
    choices = Choices(Path("trace.db").absolute(), overhead=0.02)
    result = record(program, Path.cwd(), Settings(), choices)
    assert result.summary is not None
    assert (result.summary.sampler, result.summary.sampler_note) == (
        "timing",
        "it is forbidden here",
    )
    assert result.summary.samples > 0


def test_the_recorder_adds_few_modules_and_none_that_is_heavy() -> None:
    Path("app.py").write_text("import sys\nprint(*sorted(sys.modules))\n")
    plain = subprocess.run(
        [sys.executable, "app.py"], capture_output=True, text=True, check=True
    ).stdout.split()
    added = set(perftrace("run", "--no-sample", "app.py").stdout.split()) - set(plain)
    assert len(added) <= 40
    heavy = {"re", "json", "pickle", "typing", "inspect", "dataclasses", "enum", "threading"}
    assert not heavy & added
    assert not {name for name in added if name.startswith(("perftrace", "sqlite", "_sqlite"))}
