"""How long `perftrace top` takes on a large trace, start-up included.

    python benchmarks/top.py [--calls 100000] [--folder DIR]

Makes a trace file with that many recorded calls of 400 functions and 20,000 sampled stacks, runs
`perftrace top` on it five times, and fails if the median is over two seconds.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from perftrace.store import Store

GOAL_S = 2.0
FUNCTIONS = 400
STACKS = 20_000
DEPTH = 25
VALUES = 30_000

RUN = {
    "uuid": "benchmark",
    "command": '["app.py"]',
    "form": "script",
    "cwd": "/work",
    "root": "/work",
    "python": sys.executable,
    "python_version": "3",
    "started": "2025-01-01T00:00:00+00:00",
    "wall_s": 100.0,
    "cpu_s": 100.0,
    "exit_code": 0,
    "sampler": "py-spy",
    "interval_s": 0.005,
    "samples": STACKS,
    "sampler_note": "",
    "overhead": 0.02,
    "version": "benchmark",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=None, help="keep the trace here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        path = (options.folder or Path(temporary)) / "large.db"
        path.unlink(missing_ok=True)
        make(path, options.calls)
        spent = [once(path) for _ in range(5)]
    median = statistics.median(spent)
    print(f"perftrace top, {options.calls:,} calls: {median:.2f} s (goal: {GOAL_S:.0f} s)")
    return int(median > GOAL_S)


def once(path: Path) -> float:
    code = "import sys; from perftrace.cli import main; sys.exit(main())"
    start = time.perf_counter()
    command = [sys.executable, "-c", code, "top", "-d", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def make(path: Path, calls: int) -> None:
    rng = random.Random(1)
    with Store.open_to_write(path) as store, store.transaction():
        run_id = store.add("run", RUN)
        process = {"run_id": run_id, "pid": 1, "parent_pid": 0, "arguments": "[]", "path": "[]"}
        process["cpu_ns"] = 100_000_000_000  # else no number of calls is estimated
        process_id = store.add("process", process)
        functions = [store.add("function", function(number)) for number in range(FUNCTIONS)]
        frames = [store.add("frame", frame(number)) for number in range(2 * FUNCTIONS)]
        values = [store.add_value(os.urandom(rng.randrange(20, 800)), 0) for _ in range(VALUES)]
        for _ in range(calls):
            store.add("call", call(rng, process_id, functions, values))
        for _ in range(STACKS):
            numbers = " ".join(str(rng.choice(frames)) for _ in range(rng.randrange(2, DEPTH)))
            store.add("stack", {"run_id": run_id, "frames": numbers, "count": 1})


def function(number: int) -> dict[str, object]:
    name = {"file": f"/work/m{number % 20}.py", "qualname": f"f{number}", "line": number}
    return name | {"module": f"m{number % 20}", "kind": "function", "parameters": "[]"}


def frame(number: int) -> dict[str, object]:
    if number < FUNCTIONS:
        return {"file": f"/work/m{number % 20}.py", "qualname": f"f{number}", "line": number} | {
            "user": 1
        }
    return {"file": "/lib/lib.py", "qualname": f"lib{number}", "line": number, "user": 0}


def call(
    rng: random.Random, process_id: int, functions: list[int], values: list[bytes]
) -> dict[str, object]:
    return {
        "process_id": process_id,
        "function_id": rng.choice(functions),
        "caller_id": rng.choice(functions),
        "thread": 1,
        "arguments": rng.choice(values),
        "ending": "returned",
        "result": rng.choice(values),
        "started_ns": 0,
        "duration_ns": rng.randrange(1_000, 1_000_000),
    }


if __name__ == "__main__":
    sys.exit(main())
