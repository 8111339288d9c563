"""How many verdicts a minute, on the program of `make demo`.

    python benchmarks/verdicts.py [--top 10] [--rounds 3]

Records a copy of `examples/warehouse` as `make demo` does and has `perftrace optimize` look for
faster versions of its hottest functions with the rules. Counted are the candidates that got a
verdict, and the time from the start of the command: until the first function's line is there, and
until all are. The whole program is not run; that takes what the program takes. Fails if the medians
miss 20 verdicts a minute, 10 s a candidate, 15 s until the first line or three minutes in all.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "warehouse"
ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"
PERFTRACE = (sys.executable, "-c", ENTRY)
RUN = ("run", "--overhead", "10%", "--value-size", "64KB", "-m", "warehouse", "data", "-o", "r.txt")
VERDICTS = {"accepted", "rejected", "inconclusive"}


@dataclass(frozen=True)
class Round:
    """One run of `perftrace optimize`."""

    first_s: float  # until the first function's line
    all_s: float
    functions: int
    candidates: int  # with a verdict


def main() -> int:
    """Optimize the demo some times over and print what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--top", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="perftrace-verdicts-") as name:
        folder = Path(name) / "warehouse"
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".perftrace"))
        os.environ["XDG_CONFIG_HOME"] = str(Path(name) / "config")  # where the trace's key lies
        subprocess.run([sys.executable, "generate.py", "data"], cwd=folder, check=True)
        subprocess.run([*PERFTRACE, *RUN], cwd=folder, check=True, stderr=subprocess.DEVNULL)
        rounds = [optimize(folder, options.top) for _ in range(options.rounds)]
    date = datetime.now(UTC).date().isoformat()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {date}:\n")
    print("| functions | candidates | first line | all | verdicts a minute | a candidate |")
    print("| --: | --: | --: | --: | --: | --: |")
    for one in rounds:
        rate, each = one.candidates / one.all_s * 60, one.all_s / one.candidates
        first = f"{one.first_s:.1f} s | {one.all_s:.0f} s"
        print(f"| {one.functions} | {one.candidates} | {first} | {rate:.1f} | {each:.1f} s |")
    first_s = statistics.median(one.first_s for one in rounds)
    all_s = statistics.median(one.all_s for one in rounds)
    each_s = statistics.median(one.all_s / one.candidates for one in rounds)
    return int(first_s > 15 or all_s > 180 or each_s > 60 / 20)


def optimize(folder: Path, top: int) -> Round:
    """One run; the lines that it says are timed as they come."""
    words = [*PERFTRACE, "optimize", "--top", str(top), "--json", "--no-whole-program"]
    started, first = time.monotonic(), 0.0
    with tempfile.TemporaryFile() as out:
        running = subprocess.Popen(words, cwd=folder, stdout=out, stderr=subprocess.PIPE, text=True)
        assert running.stderr is not None
        for line in running.stderr:
            if not first and ("  kept  " in line or "  dropped  " in line):
                first = time.monotonic() - started
        code = running.wait()
        out.seek(0)
        found = json.load(out)
    if code or not first:
        raise SystemExit(f"perftrace optimize failed: {code}")
    seconds = time.monotonic() - started
    tried = [verdict for one in found["functions"] for verdict in one["tried"]]
    assert {one["verdict"] for one in tried} <= VERDICTS
    return Round(first, seconds, len(found["functions"]), len(tried))


if __name__ == "__main__":
    sys.exit(main())
