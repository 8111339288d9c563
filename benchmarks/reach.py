"""How many recorded calls can really be made again, of the functions that hold a program's time?

    python benchmarks/reach.py [--overhead 2%] [--only PROGRAM] [--write]

Runs the long programs of `overhead.py` (five to ten seconds) once each. Of the functions that hold
95 % of the time (and those that hold 90 %) it counts those with 8 (and 20) recorded calls that
differ in their arguments, and those where as many of such calls, made again in a worker, do what
was recorded. Functions that start fewer than 20 times in all are left out. `--write` puts the
table into docs/overhead.md.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from overhead import PROGRAMS, Program, page

from perftrace.model import Call, Ending, HotFunction, Recorded
from perftrace.optimizer.rank import rank, tally_of
from perftrace.replay import compare, recorded
from perftrace.replay.requests import NotReplayed
from perftrace.replay.session import Session
from perftrace.store import Store
from perftrace.values import read

LEVELS = ((0.95, 8), (0.90, 20))  # share of the time, calls
MOST = max(calls for _, calls in LEVELS)
TRIED = 2 * MOST
QUIET = subprocess.DEVNULL
COUNT = """
import atexit, json, runpy, sys
answer, most = sys.argv[1], int(sys.argv[2])
starts, events = {}, sys.monitoring
def start(code, _):
    number = starts[code] = starts.get(code, 0) + 1
    return events.DISABLE if number >= most else None
def write():
    events.set_events(4, 0)
    with open(answer, "w") as file:
        json.dump([[c.co_filename, c.co_qualname, n] for c, n in starts.items()], file)
events.use_tool_id(4, "count")
events.register_callback(4, events.events.PY_START, start)
atexit.register(write)
events.set_events(4, events.events.PY_START)
words = sys.argv[3:]
if words[0] == "-m":
    sys.argv[:] = words[1:]
    runpy.run_module(words[1], run_name="__main__", alter_sys=True)
else:
    sys.argv[:] = words
    runpy.run_path(words[0], run_name="__main__")
"""


@dataclass(frozen=True)
class Hot:
    """A function that holds some of the time."""

    name: str
    share: float
    distinct: int  # recorded calls that differ in their arguments
    replayed: int  # of at most TRIED of them
    why: str  # the usual reason for a call that is not


def look(program: Program, share: str) -> list[Hot]:
    """Record the program and make calls of its functions again, the hottest function first."""
    perftrace = str(Path(sys.executable).with_name("perftrace"))
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        trace = Path(name) / "trace.db"
        command = [perftrace, "run", "-o", str(trace), "--overhead", share, *program.options]
        subprocess.run(
            [*command, *program.long], cwd=name, check=True, stdout=QUIET, stderr=QUIET, stdin=QUIET
        )
        store = stack.enter_context(Store.open(trace))
        run = store.last_run()
        ranked = [row for row in rank(store, run, tally_of(store, run)) if row.hot.value > 0]
        starts = _starts(program, Path(name))
        ranked = [row for row in ranked if row.function.name != "<module>"]
        ranked = [row for row in ranked if starts[row.function.qualname] >= MOST]
        whole = sum(row.hot.value for row in ranked)
        return [_look(store, row, whole) for row in _holding(ranked, LEVELS[0][0] * whole)]


def _starts(program: Program, scratch: Path) -> Counter[str]:
    """How often each function starts, counted no further than needed, by qualified name."""
    answer = scratch / "starts.json"
    command = [sys.executable, "-c", COUNT, str(answer), str(MOST), *program.long]
    subprocess.run(command, cwd=scratch, check=True, stdout=QUIET, stderr=QUIET, stdin=QUIET)
    starts: Counter[str] = Counter()
    for _, qualname, number in json.loads(answer.read_text(encoding="utf-8")):
        starts[qualname] += number
    return starts


def _holding(ranked: Sequence[HotFunction], share: float) -> list[HotFunction]:
    chosen: list[HotFunction] = []
    held = 0.0
    for row in sorted(ranked, key=lambda one: one.hot.value, reverse=True):
        if held < share:
            chosen.append(row)
        held += row.hot.value
    return chosen


def _look(store: Store, row: HotFunction, whole: float) -> Hot:
    calls = list(store.calls(row.function, run=store.last_run()))
    distinct: dict[bytes, Call] = {}
    for call in calls:
        if isinstance(call.arguments, Recorded) and call.outcome.ending is not Ending.UNKNOWN:
            distinct.setdefault(call.arguments.digest, call)
    reasons: Counter[str] = Counter()
    replayed = 0
    with ExitStack() as stack:
        sessions: dict[int, Session] = {}
        for call in list(distinct.values())[:TRIED]:
            if call.process_id not in sessions:
                session = Session(store.process(call.process_id))
                sessions[call.process_id] = stack.enter_context(session)
            problem = _made_again(store, call, sessions[call.process_id])
            reasons[problem] += 1
            replayed += not problem
    reasons.pop("", None)
    why = reasons.most_common(1)[0][0] if reasons else f"{len(calls)} calls recorded"
    return Hot(row.function.qualname, row.hot.value / whole, len(distinct), replayed, why)


def _made_again(store: Store, call: Call, session: Session) -> str:
    """Make the call again; what went wrong, or empty."""
    request = recorded.request(store, call)
    if isinstance(request, NotReplayed):
        return request.reason
    reply = session.call(request)
    if isinstance(reply, NotReplayed):
        return reply.reason
    if not isinstance(call.outcome.value, Recorded):
        return ""
    found = compare.compare(
        read(store.blob(call.outcome.value)),
        read(reply.result),
        names=[parameter.name for parameter in call.function.parameters],
        aliases=session.main_alias,
        ending=call.outcome.ending,
    )
    same = reply.ending is call.outcome.ending and not isinstance(found, compare.Different)
    return "" if same else "it does something else"


def rows(results: dict[str, list[Hot]]) -> Iterator[list[str]]:
    """The table's: a program each, then all of them."""
    heads = [
        head
        for share, calls in LEVELS
        for head in (f"functions in {share:.0%}", f"{calls} calls", f"{calls} made again")
    ]
    yield ["", *heads, "the others"]
    yield ["---", *["--:"] * len(heads), "---"]
    total: Counter[int] = Counter()
    for name, functions in results.items():
        cells: list[int] = []
        for share, calls in LEVELS:
            hot = _first(functions, share)
            cells += [len(hot), sum(each.distinct >= calls for each in hot)]
            cells += [sum(each.replayed >= calls for each in hot)]
        for column, number in enumerate(cells):
            total[column] += number
        short = [each for each in functions if each.replayed < LEVELS[0][1]]
        why = "; ".join(f"{each.name}: {each.why}" for each in short[:3])
        yield [name, *map(str, cells), why.replace("|", "/")]
    yield ["all", *(str(total[column]) for column in range(len(heads))), ""]


def _first(functions: Sequence[Hot], share: float) -> list[Hot]:
    held = 0.0
    chosen = []
    for each in functions:
        if held < share:
            chosen.append(each)
        held += each.share
    return chosen


def main() -> None:
    """Record the programs and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--overhead", default="2%", metavar="SHARE")
    parser.add_argument("--only", choices=PROGRAMS, action="append", help="this program")
    parser.add_argument("--write", action="store_true", help="put it into docs/overhead.md")
    options = parser.parse_args()
    results = {}
    for name, program in PROGRAMS.items():
        if program.here and (not options.only or name in options.only):
            print(f"{name} …", file=sys.stderr)
            results[name] = look(program, options.overhead)
    text = "\n".join(f"| {' | '.join(row)} |" for row in rows(results))
    print(text)
    if options.write:
        page(text, f"python benchmarks/reach.py --overhead {options.overhead}", 1)


if __name__ == "__main__":
    main()
