"""How fast a million recorded calls get into a trace file, by `merge` and from journals.

    python benchmarks/merge.py [--calls 1000000] [--folder DIR]

Makes journals with that many recorded calls of 400 functions, a quarter of whose values are new,
and reads them into a trace file; merges that file into a new one, once recorded with this user's
own key and once with another's; merges it again, which must add nothing; runs `perftrace top` on
the result. Fails if less than 100,000 calls a second are read or merged, or if `top` takes longer
than a second. All of it runs on one core, and CPU time is what counts.
"""

import argparse
import os
import pickle
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from perftrace.tracer import ingest, spool
from perftrace.tracer.inside import journal
from perftrace.tracer.inside.journal import Journal
from perftrace.tracer.spool import Finish, Plan
from perftrace.tracer.stacks import FrameKey, Samples

GOAL_PER_S = 100_000
GOAL_TOP_S = 1.0
FUNCTIONS = 400
STACKS = 5_000
ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=None, help="keep the trace files here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        tempfile.tempdir = temporary
        folder: Path = options.folder or Path(temporary)
        os.environ["XDG_CONFIG_HOME"] = f"{temporary}/ours"
        calls: int = options.calls
        source, ours, theirs = (folder / name for name in ("source.db", "ours.db", "theirs.db"))
        for path in (source, ours, theirs):
            path.unlink(missing_ok=True)
        run = written(folder, source, calls)
        size = sum(path.stat().st_size for path in run.iterdir())
        start = time.process_time()
        summary = ingest.ingest(run)
        rates = [rate("journals", calls, time.process_time() - start)]
        assert summary.calls == calls, summary
        print(f"  {size >> 20} MB of journals, {source.stat().st_size >> 20} MB trace file")
        rates.append(rate("merge, own key", calls, timed("merge", str(source), "-o", str(ours))))
        again = timed("merge", str(source), "-o", str(ours))
        print(f"  again: {again:.2f} s, nothing added")
        key = Path(temporary) / "ours" / "perftrace" / "key"
        os.environ["XDG_CONFIG_HOME"] = f"{temporary}/theirs"
        words = ("merge", str(source), "-o", str(theirs), "--key", str(key))
        rates.append(rate("merge, another's key", calls, timed(*words)))
        top = sorted(timed("top", "-d", str(theirs)) for _ in range(3))[1]
        print(f"perftrace top: {top:.2f} s (goal: {GOAL_TOP_S:.0f} s)")
    return int(min(rates) < GOAL_PER_S or top > GOAL_TOP_S)


def rate(what: str, calls: int, spent_s: float) -> float:
    per_s = calls / spent_s
    print(f"{what}: {spent_s:.1f} s, {per_s:,.0f} calls a second (goal: {GOAL_PER_S:,})")
    return per_s


def timed(*words: str) -> float:
    """The CPU time of a command."""
    start = sum(os.times()[2:4])
    command = [sys.executable, "-c", ENTRY, *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return sum(os.times()[2:4]) - start


def written(folder: Path, database: Path, calls: int) -> Path:
    """The folder of a run, with its journals."""
    plan = Plan(
        uuid="benchmark",
        database=str(database),
        command=("app.py",),
        form="script",
        cwd=str(folder),
        root=str(folder),
        python=sys.executable,
        started="2026-01-01T00:00:00+00:00",
        parent=os.getpid(),
        overhead=0.05,
        sources=(str(folder),),
        includes=(),
        excludes=(),
    )
    run = spool.create(plan, timing=False)
    made = Journal(str(run), limit=1 << 40)
    made.write(journal.PROCESS, 7, 1, ("app.py",), (), None, None, sys.executable, "3")
    file = str(folder / "app.py")
    made.write(journal.FILE, file, -1, -1)
    for number in range(1, FUNCTIONS + 1):
        name = (f"f{number}", number, "app", "function", (("x", "either"),))
        made.write(journal.FUNCTION, number, file, *name)
    rng = random.Random(1)
    common = [pickle.dumps([rng.random(), "x" * rng.randrange(200)], 5) for _ in range(1000)]
    for call in range(1, calls + 1):
        function, caller = rng.randrange(1, FUNCTIONS + 1), rng.randrange(FUNCTIONS + 1)
        values = [
            pickle.dumps([call, index], 5) if rng.random() < 0.25 else rng.choice(common)
            for index in range(2)
        ]
        made.write(journal.BEGIN, call, function, caller, 1, call, values[0], 0, None)
        made.write(journal.END, call, "returned", values[1], 0, None, rng.randrange(10**6))
    frames = [FrameKey(file, f"f{n}", n) for n in range(1, FUNCTIONS + 1)]
    stacks = [(tuple(rng.choices(frames, k=rng.randrange(2, 25))), 1) for _ in range(STACKS)]
    spool.finish(run, Finish(100.0, 100.0, 0, Samples(stacks, 0.01, "py-spy", "")))
    return run


if __name__ == "__main__":
    sys.exit(main())
