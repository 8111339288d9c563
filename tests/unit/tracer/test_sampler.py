"""Reading what py-spy and the timer saw, and writing it into the trace file."""

import subprocess
import sys
from pathlib import Path

import pytest

from perftrace.store import Store
from perftrace.tracer import sampler
from perftrace.tracer.sampler import Sampler
from perftrace.tracer.stacks import (
    OWN_THREAD,
    FrameKey,
    Samples,
    from_timing,
    mean_depth,
    parse,
    store_samples,
    without_recorder,
)

MAIN = FrameKey("/shop/app.py", "<module>", 1)
QUOTE = FrameKey("/shop/app.py", "quote", 12)

RUN = {
    "uuid": "u",
    "command": '["app.py"]',
    "form": "script",
    "cwd": "/shop",
    "root": "/shop",
    "python": "/usr/bin/python3",
    "python_version": "3.12.1",
    "started": "2025-01-01T00:00:00+00:00",
    "wall_s": 1.0,
    "cpu_s": 1.0,
    "exit_code": 0,
    "sampler": "py-spy",
    "interval_s": 0.005,
    "samples": 0,
    "sampler_note": "",
    "overhead": 0.02,
    "version": "0.1.0",
}


def test_a_line_is_a_stack_and_its_count() -> None:
    text = "<module> (/shop/app.py:1);quote (/shop/app.py:12) 35\n<module> (/shop/app.py:1) 2\n"
    assert parse(text) == [((MAIN, QUOTE), 35), ((MAIN,), 2)]


def test_a_frame_without_a_line_stays_a_frame_of_its_own() -> None:
    text = "<module> (/shop/app.py:1);__init__ (<string>);quote (/shop/app.py:12) 3\n"
    assert parse(text) == [((MAIN, FrameKey("<string>", "__init__", 0), QUOTE), 3)]


def test_stacks_of_several_processes_are_added_up() -> None:
    text = (
        'process 7:"python app.py";<module> (/shop/app.py:1) 2\n'
        'process 7:"python app.py";process 8:"python -c x=\'a\';f(1)";<module> (/shop/app.py:1) 3\n'
    )
    assert parse(text) == [((MAIN,), 5)]


def test_a_command_line_with_line_breaks_and_quotes_does_not_hide_the_stack() -> None:
    text = (
        'process 7:"python -c import app\nx = 1\n  50";process 8:"python "; 1\n2";'
        "<module> (/shop/app.py:1) 4\n"
    )
    assert parse(text) == [((MAIN,), 4)]


@pytest.mark.parametrize(
    ("frame", "key"),
    [
        (
            "A.m.<locals>.<genexpr> (/a.py:4)",
            FrameKey("/a.py", "A.m.<locals>.<genexpr>", 4),
        ),
        ("f (/my (old) files/a.py:4)", FrameKey("/my (old) files/a.py", "f", 4)),
        ("run (<gen ; x>:1)", FrameKey("<gen ; x>", "run", 1)),
        ("f (C:\\shop\\a.py:4)", FrameKey("C:\\shop\\a.py", "f", 4)),
        ("größe (/straße.py:4)", FrameKey("/straße.py", "größe", 4)),
    ],
)
def test_odd_frames_are_read_whole(frame: str, key: FrameKey) -> None:
    assert parse(f"<module> (/shop/app.py:1);{frame} 1\n") == [((MAIN, key), 1)]


@pytest.mark.parametrize("line", [" 1", 'process 7:"python app.py" 3', "", "noise", "f (a.py) 1"])
def test_lines_without_frames_are_left_out(line: str) -> None:
    assert parse(line + "\n") == []


def test_frames_of_c_code_are_read_when_asked_for_and_are_nobodys() -> None:
    text = (
        'process 7:"";0x7f (/lib/libc.so.6);<module> (/shop/app.py:1);quote (/shop/app.py:12);'
        "deflate (/lib/libz.so.1);impl (/shop/ext.c:78);0x12 (?) 3\n"
        "start (/lib/libc.so.6);other (/lib/libc.so.6) 4\n"
    )
    [(stack, count)] = parse(text)
    assert count == 3
    assert stack[1:3] == (MAIN, QUOTE)
    assert stack[3:] == (
        FrameKey("/lib/libz.so.1", "deflate", 0),
        FrameKey("/shop/ext.c", "impl", 0),
        FrameKey("?", "0x12", 0),
    )


@pytest.mark.parametrize(
    ("scope", "root", "theirs", "says"),
    [
        (0, False, False, ""),
        (1, False, False, "sudo perftrace sample --pid 7"),
        (1, True, False, ""),
        (0, False, True, "it belongs to another user: sudo perftrace"),
        (0, True, True, ""),
    ],
)
def test_a_process_that_may_not_be_looked_into_is_told_with_the_way_out(
    scope: int, root: bool, theirs: bool, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(_pid: int, _signal: int) -> None:
        if theirs:
            raise PermissionError

    monkeypatch.setattr("os.kill", kill)
    monkeypatch.setattr(sampler, "_yama", lambda: scope)
    monkeypatch.setattr(sampler, "_may_trace_all", lambda: root)
    reason = sampler.closed(7)
    assert (says in reason) if says else reason == ""


@pytest.mark.parametrize(
    ("cores", "load", "expected_s", "share", "rate"),
    [
        (2, 0.3, 0.0, 0.0, 250),  # nothing is known of the program
        (2, 0.3, 10.0, 0.0, 500),
        (2, 0.3, 0.1, 0.0, 1000),
        (2, 0.3, 600.0, 0.0, 50),
        (2, 2.5, 5.0, 0.0, 250),  # others have the cores
        (1, 0.0, 600.0, 0.0, 50),
        (2, 0.3, 0.0, 0.02, 125),
        (2, 0.3, 0.0, 0.10, 250),
        (2, 0.3, 5.0, 0.10, 625),
        (2, 0.3, 2.5, 0.02, 125),
        (2, 0.3, 80.0, 0.02, 62),
        (2, 0.3, 0.0, 0.001, 50),  # fewer would tell nothing
    ],
)
def test_the_rate_suits_the_programs_length_and_the_spare_cores(
    cores: int,
    load: float,
    expected_s: float,
    share: float,
    rate: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampler, "_cores", lambda: cores)
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0))
    assert sampler.sampling(expected_s=expected_s, share=share) == sampler.Sampling(rate)
    assert sampler.sampling(333, expected_s=expected_s).rate == 333
    assert sampler.sampling(native=True).native


@pytest.mark.parametrize(("depth", "rate"), [(0, 125), (10, 125), (20, 71), (60, 50)])
def test_deep_stacks_are_read_less_often(
    depth: float, rate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampler, "_cores", lambda: 2)
    monkeypatch.setattr("os.getloadavg", lambda: (0.3, 0.0, 0.0))
    assert sampler.sampling(share=0.02, depth=depth).rate == rate


def test_timed_shares_of_windows_add_up_to_samples() -> None:
    app, quote = "<module> (/shop/app.py:1)", "<module> (/shop/app.py:1);quote (/shop/app.py:12)"
    samples = from_timing([(app, 700_000), (quote, 1_300_000), (app, 1_000_000)], cpu_s=3.0)
    assert samples.stacks == [((MAIN,), 1), ((MAIN, QUOTE), 2)]
    assert (samples.name, samples.interval_s) == ("timing", 1.0)


def test_too_little_timing_is_no_sample_and_says_so() -> None:
    samples = from_timing([("<module> (/shop/app.py:1)", 900)], cpu_s=0.1)
    assert samples.stacks == ()
    assert samples.name == "none"
    assert "too short" in samples.note


def test_stacks_are_stored_with_what_is_user_code(tmp_path: Path) -> None:
    library = FrameKey("/lib/json.py", "dumps", 3)
    relative = FrameKey("tools/../app.py", "quote", 12)
    made = FrameKey("<string>", "f", 1)
    samples = Samples([((MAIN, relative), 4), ((MAIN, library, made), 1)], 0.005, "py-spy", "")
    with Store.open_to_write(tmp_path / "trace.db") as store:
        with store.transaction():
            run_id = store.add("run", RUN)
            store_samples(store, run_id, samples, lambda file: file.startswith("/shop"))
        frames = {row["id"]: row for row in store.rows("SELECT * FROM frame")}
        stacks = list(store.rows("SELECT frames, count FROM stack WHERE run_id = ?", run_id))
        assert mean_depth(store, run_id) == (4 * 2 + 1 * 3) / 5
        assert mean_depth(store, run_id + 1) == 0
    named = [
        ([frames[int(number)]["qualname"] for number in stack["frames"].split()], stack["count"])
        for stack in stacks
    ]
    assert named == [(["<module>", "quote"], 4), (["<module>", "dumps", "f"], 1)]
    assert {(row["file"], row["user"]) for row in frames.values()} == {
        ("/shop/app.py", 1),
        ("/lib/json.py", 0),
        ("<string>", 0),
    }


def test_the_recorders_own_thread_is_no_part_of_the_program() -> None:
    """What is left out of the table is not counted as a sample of the program either."""
    ours = (FrameKey(str(OWN_THREAD / "control.py"), "_loop", 5), MAIN)
    left = without_recorder(Samples([((MAIN,), 24), (ours, 10)], 0.005, "py-spy", ""))
    assert (left.stacks, left.note) == ([((MAIN,), 24)], "")
    none = without_recorder(Samples([(ours, 10)], 0.005, "py-spy", ""))
    assert (none.stacks, none.note) == ([], "py-spy saw the recorder's thread alone")
    assert without_recorder(Samples((), 0.005, "none", "why")).note == "why"


def test_without_py_spy_the_samples_say_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_args, **_options: None)
    assert "not installed" in sampler.unavailable()
    samples = Sampler.start(1, tmp_path).stop()
    assert (samples.name, samples.stacks) == ("none", ())
    assert "pip install py-spy" in samples.note


@pytest.mark.parametrize(("scope", "allowed"), [("0\n", True), ("1\n", True), ("2\n", False)])
def test_a_system_that_forbids_looking_is_named(
    scope: str, allowed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yama = tmp_path / "ptrace_scope"
    yama.write_text(scope)
    monkeypatch.setattr(sampler, "YAMA", yama)
    monkeypatch.setattr(sampler, "_may_trace_all", lambda: False)
    monkeypatch.setattr(sampler, "_binary", lambda: "py-spy")
    monkeypatch.setattr("sys.platform", "linux")
    assert (sampler.unavailable() == "") is allowed
    assert (sampler.permission() is not None) is (scope == "1\n")


@pytest.mark.skipif(bool(sampler.unavailable()), reason=sampler.unavailable() or "py-spy works")
def test_a_program_is_sampled_until_it_ends(tmp_path: Path) -> None:
    script = tmp_path / "spin.py"
    script.write_text(
        "def spin(n):\n    for _ in range(n):\n        pass\n\n\n"
        "for _ in range(200):\n    spin(200_000)\n"
    )
    allow = sampler.permission()
    program = subprocess.Popen([sys.executable, str(script)], preexec_fn=allow)  # noqa: PLW1509
    running = Sampler.start(program.pid, tmp_path)
    assert program.wait() == 0
    samples = running.stop()
    assert (samples.name, samples.note) == ("py-spy", "")
    leaves = {stack[-1] for stack, _ in samples.stacks}
    assert FrameKey(str(script), "spin", 1) in leaves


@pytest.mark.skipif(bool(sampler.unavailable()), reason=sampler.unavailable() or "py-spy works")
def test_a_program_that_is_gone_leaves_a_reason(tmp_path: Path) -> None:
    program = subprocess.Popen(["true"])
    program.wait()
    samples = Sampler.start(program.pid, tmp_path).stop()
    assert (samples.name, samples.stacks) == ("none", ())
    assert "py-spy" in samples.note
