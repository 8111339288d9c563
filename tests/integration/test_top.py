"""`top`, `show` and `calls` on a trace file with known contents, and on a real program."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from perftrace.cli import main
from perftrace.snapshot import encode
from perftrace.store import Store
from perftrace.tracer import sampler

RUN = {
    "uuid": "u",
    "command": '["app.py", "a b"]',
    "form": "script",
    "cwd": "/work",
    "root": "/work",
    "python": "/usr/bin/python3",
    "python_version": "3.12.1",
    "started": "2025-01-01T00:00:00+00:00",
    "wall_s": 2.5,
    "cpu_s": 2.5,
    "exit_code": 0,
    "sampler": "py-spy",
    "interval_s": 0.005,
    "samples": 412,
    "sampler_note": "",
    "overhead": 0.02,
    "version": "0.1.0",
}
# Function: qualified name, line, parameters; then its recorded calls: arguments, ending,
# payload, milliseconds.
PRICE = [["price", "either"]]
QUOTE_CALLS: list[tuple[object, str, object, float]] = [
    ([12], "returned", 14.4, 0.1),
    ([12], "returned", 14.4, 0.2),
    (["\x1b[2J[red]"], "raised", ValueError("[bold]no[/bold]"), 1.5),
]
STACKS = [
    (["<module>", "quote"], 200),
    (["<module>", "quote", "json"], 40),
    (["<module>", "total", "total.<locals>.add"], 100),
    (["<module>", "total"], 50),
    (["json"], 22),
]


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """A trace file in the default place."""
    path = tmp_path / ".perftrace" / "trace.db"
    with Store.open_to_write(path) as store, store.transaction():
        run_id = store.add("run", RUN)
        process = {"run_id": run_id, "pid": 1, "parent_pid": 0, "arguments": "[]", "path": "[]"}
        process |= {"cpu_ns": 2_500_000_000, "recorder_ns": 840_000_000}
        process_id = store.add("process", process)
        quote = add_function(store, "quote", 12, PRICE)
        add_function(store, "total", 20, [])
        add = add_function(store, "total.<locals>.add", 22, [])
        for arguments, ending, payload, ms in QUOTE_CALLS:
            add_call(store, process_id, quote, (arguments, ending, payload, ms))
        add_call(store, process_id, add, ([], "returned", None, 0.5))
        missing = {"run_id": run_id, "function_id": quote, "subject": "arguments"}
        store.add("missing", missing | {"reason": "larger than 64 KB", "count": 7})
        lines = {"quote": 12, "total": 20, "total.<locals>.add": 22}
        for names, count in STACKS:
            frames = [str(frame(store, name, lines.get(name, 1))) for name in names]
            store.add("stack", {"run_id": run_id, "frames": " ".join(frames), "count": count})
    return path


def add_function(store: Store, qualname: str, line: int, parameters: object) -> int:
    row = {"file": "/work/shop.py", "qualname": qualname, "line": line, "module": "shop"}
    return store.add("function", row | {"kind": "function", "parameters": json.dumps(parameters)})


def add_call(
    store: Store, process_id: int, function: int, call: tuple[object, str, object, float]
) -> None:
    arguments, ending, payload, ms = call
    row = {
        "process_id": process_id,
        "function_id": function,
        "thread": 7,
        "arguments": store.add_value(*encode(arguments, 1000)),
        "ending": ending,
        "result": store.add_value(*encode([payload, None], 1000)),
        "started_ns": 0,
        "duration_ns": round(ms * 1e6),
    }
    store.add("call", row)


def frame(store: Store, qualname: str, line: int) -> int:
    ours = qualname != "json"
    row = {"file": "/work/shop.py", "qualname": qualname, "line": line, "user": int(ours)}
    return store.intern("frame", row, identity=("file", "qualname", "line"))


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    out = capsys.readouterr().out
    return "\n".join(line.rstrip() for line in out.splitlines())


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == f"perftrace/{arguments[0]}/1"
    assert isinstance(found, dict)
    return found


# --- top ----------------------------------------------------------------------------------

TOP = """\
rank  hot%  95% interval  self%  calls  per call  replayable  function                 called by
   1  61.5  [56.6, 66.2]   51.3    >=3    200 us         3/3  shop:quote               \
shop:<module> 100.0%
   2  25.6  [21.6, 30.2]   25.6    >=1    500 us   via total  shop:total.<locals>.add  \
shop:total 100.0%
   3  12.8   [9.9, 16.5]   12.8      -         -           -  shop:total               \
shop:<module> 100.0%
   4   0.0    [0.0, 1.0]    0.0      -         -           -  shop:<module>

app.py 'a b': recorded for 2.5 s. 412 samples by py-spy, one every 5.0 ms, 22 of them outside your \
code and left out.
2 of the 3 functions that hold 90% of the time have calls that can be replayed.
Recording took 33.6% of the CPU time; it was allowed 2.0%, or what its start takes where that is \
more. For more calls: perftrace run --overhead 10% …
Next: perftrace show shop:quote, or perftrace optimize"""


@pytest.mark.usefixtures("trace")
def test_top_is_a_table_and_what_it_rests_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "top") == TOP


@pytest.mark.usefixtures("trace")
def test_top_is_a_document_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "top", "-n", "1")
    assert (found["samples"], found["outside"], found["sampler"]) == (412, 22, "py-spy")
    assert (found["ranked_by"], found["seconds"]) == ("samples", 2.5)
    assert (found["recorder_percent"], found["recorder_allowed_percent"]) == (33.6, 2.0)
    assert found["functions"] == [
        {
            "function": "shop:quote",
            "file": "/work/shop.py",
            "line": 12,
            "place": 1,
            "tied": False,
            "hot_percent": 61.54,
            "hot_low_percent": 56.62,
            "hot_high_percent": 66.23,
            "self_percent": 51.28,
            "calls": 3,
            "calls_at_least": True,
            "per_call_us": 200.0,
            "recorded": 3,
            "replayable": 3,
            "via": [{"function": "shop:<module>", "percent": 100.0}],
            "with_gaps": 0,
        }
    ]


@pytest.mark.usefixtures("trace")
@pytest.mark.parametrize(
    ("options", "order"),
    [
        (["-n", "2"], ["quote", "total.<locals>.add"]),
        (["-n", "0", "--sort", "calls"], ["quote", "total.<locals>.add", "total", "<module>"]),
        (["--sort", "self", "-n", "1"], ["quote"]),
    ],
)
def test_top_sorts_and_cuts(
    options: list[str], order: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = document(capsys, "top", *options)["functions"]
    assert [row["function"] for row in rows] == [f"shop:{name}" for name in order]


def test_top_says_how_many_hot_functions_can_be_replayed_and_how_to_get_more(
    trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reached = "functions that hold 90% of the time have calls that can be replayed."
    assert f"2 of the 3 {reached}" in said(capsys, "top")
    assert "perftrace run --overhead 10%" in said(capsys, "top")
    with Store.open_to_write(trace) as store, store.transaction():
        store.change("UPDATE run SET overhead = 0.5")
    assert f"2 of the 3 {reached}" in said(capsys, "top")
    assert "--overhead" not in said(capsys, "top")


def test_calls_with_gaps_may_still_be_replayable(
    trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store.open_to_write(trace) as store, store.transaction():
        store.change("UPDATE value SET opaque = 1 WHERE digest = (SELECT arguments FROM call)")
        store.change("DELETE FROM total")
    quote = next(line for line in said(capsys, "top").splitlines() if "shop:quote" in line)
    assert "  1-3/3  " in quote or "  2-3/3  " in quote
    assert document(capsys, "top")["functions"][0]["with_gaps"] > 0
    assert "more if their gaps don't matter\n" in said(capsys, "show", "quote")


def test_functions_whose_intervals_overlap_share_a_rank(
    trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store.open_to_write(trace) as store, store.transaction():
        number = frame(store, "other", 40)
        store.add("stack", {"run_id": 1, "frames": str(number), "count": 55})
    text = said(capsys, "top")
    assert "Functions of one rank (=) can't be told apart at 445 samples." in text
    assert [line.split()[0] for line in text.splitlines()[1:6]] == ["1", "2", "3=", "3=", "5"]
    places = [(row["place"], row["tied"]) for row in document(capsys, "top")["functions"]]
    assert places == [(1, False), (2, False), (3, True), (3, True), (5, False)]
    assert "can't be told apart" not in said(capsys, "top", "--sort", "self")


def test_without_samples_of_your_code_it_says_what_it_ranks_by(
    trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by, none = "the durations of the recorded calls", "none of 412 samples by py-spy fell into"
    with Store.open_to_write(trace) as store, store.transaction():
        store.change("UPDATE frame SET user = 0")
    assert f"Ranked by {by}: {none} your code." in said(capsys, "top")
    assert f"  from {by}: {none} your code\n" in said(capsys, "show", "quote")
    assert {row["place"] for row in document(capsys, "top")["functions"]} == {None}
    with Store.open_to_write(trace) as store, store.transaction():
        later = {"uuid": "v", "sampler": "none", "samples": 0, "sampler_note": "too short"}
        store.add("run", RUN | later)
    assert f"Ranked by {by}: there are no samples (too short)." in said(capsys, "top")


# --- show and calls -----------------------------------------------------------------------

SHOW = """\
shop:quote (function)
  /work/shop.py:12
Time
  hot 61.5% [56.6, 66.2]: its own and that of what it calls outside your code
  self 51.3%; with all it calls 61.5%
  from 412 samples by py-spy, one every 5.0 ms, 22 of them outside your code and left out
Called by
  100.0% shop:<module>
Calls
  at least 3, 200 us each (median)
  3 recorded, 3 of them replayable
  2 different argument lists in 3 (33.3% are repeats)
Arguments
  price: int 2, str 1
Results
  float 2
Exceptions
  ValueError 1
Not recorded
  7 arguments: larger than 64 KB, perftrace run --value-size 512KB allows more
Slowest call
  1.5 ms: (price='\\x1b[2J[red]') -> raised ValueError('[bold]no[/bold]')
Next
  perftrace calls shop:quote"""


@pytest.mark.usefixtures("trace")
def test_show_tells_all_about_a_function(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "show", "quote") == SHOW
    found = document(capsys, "show", "shop.py:quote")
    assert found["arguments"] == {"price": {"int": 2, "str": 1}}
    assert (found["results"], found["exceptions"]) == ({"float": 2}, {"ValueError": 1})
    assert found["missing"] == [{"subject": "arguments", "reason": "larger than 64 KB", "count": 7}]


@pytest.mark.usefixtures("trace")
def test_show_tells_why_a_function_cannot_be_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "0 of them replayable: it is defined inside a function" in said(capsys, "show", "add")
    assert "none recorded" in said(capsys, "show", "<module>")


def test_a_median_that_is_not_known_is_left_out(
    trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store.open_to_write(trace) as store, store.transaction():
        store.change("UPDATE call SET duration_ns = NULL")
    text = said(capsys, "show", "add")
    assert "\n  about 1\n" in text or "\n  at least 1\n" in text


CALLS = """\
  took  arguments              outcome                             caller  thread
100 us  price=12               14.4                                -            7
200 us  price=12               14.4                                -            7
1.5 ms  price='\\x1b[2J[red]'  raised ValueError('[bold]no[/bold]')  -            7

3 of the 3 recorded calls of shop:quote.
Not recorded: 7 arguments: larger than 64 KB, perftrace run --value-size 512KB allows more"""


@pytest.mark.usefixtures("trace")
def test_calls_are_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    def squeezed(text: str) -> list[list[str]]:
        return [line.split() for line in text.splitlines()]

    assert squeezed(said(capsys, "calls", "quote")) == squeezed(CALLS)


@pytest.mark.usefixtures("trace")
def test_the_slowest_calls_come_slowest_first(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "calls", "quote", "--slowest", "2")
    assert [call["duration_us"] for call in found["calls"]] == [1500.0, 200.0]
    assert [call["ending"] for call in found["calls"]] == ["raised", "returned"]
    assert len(document(capsys, "calls", "quote", "-n", "1")["calls"]) == 1


@pytest.mark.usefixtures("trace")
@pytest.mark.parametrize("command", ["show", "calls"])
def test_an_unknown_function_is_one_line(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "qoute"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "perftrace: No function qoute in this trace. Did you mean shop:quote?"
    ]


@pytest.mark.usefixtures("trace")
@pytest.mark.parametrize("command", [["top"], ["show", "quote"], ["calls", "quote"]])
def test_any_terminal_and_encoding_will_do(command: list[str], tmp_path: Path) -> None:
    plain = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "COLUMNS": "30", "NO_COLOR": "1"}
    colour = plain | {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    for extra in (plain, colour):
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "import perftrace.cli as c; raise SystemExit(c.main())",
                *command,
            ],
            env=os.environ | extra,
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        assert done.stderr == b""
        assert b"quote" in done.stdout
        assert done.stdout.isascii()
        assert b"\x1b[3" not in done.stdout  # no colour
        assert b"\x1b[2J" not in done.stdout  # and nothing the program passed around


# --- a real program -----------------------------------------------------------------------

PROGRAM = """
def spin(count):
    total = 0
    for number in range(count):
        total += number
    return total


def half():
    return spin_half(50_000)


def spin_half(count):
    return sum([number for number in range(count)])


class Work:
    def much(self):
        return spin(100_000)

    def little(self):
        for _ in range(10_000):
            pass


def main():
    work = Work()
    for _ in range(150):
        work.much()
        half()
        work.little()


main()
"""


@pytest.mark.skipif(bool(sampler.unavailable()), reason=sampler.unavailable() or "py-spy works")
def test_functions_are_ranked_by_the_work_they_were_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "app.py").write_text(PROGRAM)
    assert main(["run", "--python", sys.executable, "app.py"]) == 0
    capsys.readouterr()
    found = document(capsys, "top", "-n", "0")
    rows = {row["function"].removeprefix("__main__:"): row for row in found["functions"]}
    order = [name for name in rows if name in {"spin", "spin_half", "Work.little"}]
    assert order == ["spin", "spin_half", "Work.little"]
    assert sum(row["hot_percent"] for row in rows.values()) == pytest.approx(100, abs=0.5)
    assert rows["spin"]["via"][0] == {"function": "__main__:Work.much", "percent": 100.0}
    assert found["sampler"] == "py-spy"
