"""What is left of a recording when SIGKILL comes: nothing that was acknowledged may be lost.

    python benchmarks/kills.py [--times 1000] [--runs 30]

`--times`: a process writes records into a journal and sends each one's number through a pipe once
`write` has returned; it is killed at a random moment. Every number that arrived must be read back
from its files. `--runs`: a program under `perftrace run` acknowledges its calls, and either the
program alone or perftrace with it is killed; the next run must find what was recorded.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from perftrace.store import Store
from perftrace.tracer import journals
from perftrace.tracer.inside import journal
from perftrace.tracer.inside.journal import Journal

LONGEST_S = 0.02  # that a writer lives once it writes
NUMBER = 8  # bytes of an acknowledgement

# The call's number is acknowledged from within the next one: its own end is recorded by then.
PROGRAM = """
import os, sys
def work(number):
    if number: os.write(1, (number - 1).to_bytes(8, 'little'))
    return number
work(0)
for number in range(1, 1 << 40): work(number)
"""
ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"


def write_for_ever(folder: Path, pipe: int) -> None:
    """Fill a journal, with records of all sizes: some start a new segment."""
    written = Journal(str(folder))
    noise = random.Random(folder.name)
    for number in range(1 << 40):
        size = noise.choice((0, 10, 1000, 100_000, 2_000_000)) if number % 7 else 20
        written.write(journal.ITEM, number, bytes(size))
        os.write(pipe, number.to_bytes(NUMBER, "little"))


def kill_a_writer(folder: Path, wait_s: float) -> tuple[int, list[int]]:
    """How many records were acknowledged, and the numbers of those that can be read back."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(read)
        write_for_ever(folder, write)
    os.close(write)
    got = bytearray(os.read(read, NUMBER))  # it is at work
    time.sleep(wait_s)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while part := os.read(read, 1 << 16):
        got += part
    os.close(read)
    (found,) = journals.of_run(folder)
    found.slots()
    return len(got) // NUMBER, [int(str(record.fields[0])) for record in found.records()]


def kill_writers(times: int) -> tuple[int, list[str]]:
    """Records acknowledged in all, and what went wrong."""
    problems = []
    total = 0
    for turn in range(times):
        with tempfile.TemporaryDirectory() as name:
            acknowledged, found = kill_a_writer(Path(name), random.uniform(0, LONGEST_S))
        total += acknowledged
        if found != list(range(len(found))) or len(found) < acknowledged:
            problems.append(f"kill {turn}: {acknowledged} acknowledged, {len(found)} found")
    return total, problems


def kill_a_run(scratch: Path, *, parent: bool, wait_s: float) -> str:
    """Kill a recorded program, or perftrace as well; what perftrace said."""
    (scratch / "app.py").write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, "-c", ENTRY, "run", "--no-sample", "-o", "trace.db", "app.py"]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    read, write = os.pipe()
    perftrace = subprocess.Popen(
        command, cwd=scratch, env=environment, stdout=write, stderr=subprocess.PIPE
    )
    os.close(write)
    os.read(read, NUMBER)  # the first call has ended
    program = child_of(perftrace.pid)
    time.sleep(wait_s)
    if parent:
        perftrace.kill()
        perftrace.wait()
    os.kill(program, signal.SIGKILL)
    while os.read(read, 1 << 16):
        pass
    os.close(read)
    _, said = perftrace.communicate(timeout=60)
    return said.decode()


def child_of(pid: int) -> int:
    """The program: the youngest child of perftrace, whose older one listens for signals."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return int(text.split()[-1])


def recorded(scratch: Path) -> tuple[int, int]:
    """The calls in the trace file, and how many of them have a result."""
    with Store.open(scratch / "trace.db") as store:
        sql = "SELECT count(*) AS n, sum(result IS NOT NULL) AS whole FROM call"
        (row,) = store.rows(sql)
        return row["n"], row["whole"] or 0


def kill_runs(times: int) -> tuple[int, list[str]]:
    """Calls recorded in all, and what went wrong."""
    problems = []
    total = 0
    for turn in range(times):
        parent = turn % 2 == 1
        with tempfile.TemporaryDirectory() as name:
            scratch = Path(name)
            said = kill_a_run(scratch, parent=parent, wait_s=random.uniform(0, 0.3))
            if parent:  # the next run reads what the killed one left
                (scratch / "app.py").write_text("", encoding="utf-8")
                command = [sys.executable, "-c", ENTRY, "run", "--no-sample", "-o", "trace.db"]
                subprocess.run(
                    [*command, "app.py"],
                    cwd=scratch,
                    env={**os.environ, "TMPDIR": name},
                    check=True,
                    capture_output=True,
                    timeout=60,
                )
            elif not re.search(r"\d calls? of 1 function", said):
                problems.append(f"run {turn}: {said}")
            calls, whole = recorded(scratch)
            left = list(scratch.glob("perftrace-*/*"))
        total += calls
        # The first call is recorded whatever the budget. Each call begins when the one before it
        # was acknowledged, so only the last may lack its end.
        if calls < 1 or whole < calls - 1 or left:
            problems.append(f"run {turn}: {calls} calls, {whole} whole, left {left}")
    return total, problems


def main() -> int:
    """Kill, read, report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=30)
    chosen = parser.parse_args()
    bad = []
    for name, work, times in (
        ("journals", kill_writers, chosen.times),
        ("runs", kill_runs, chosen.runs),
    ):
        began = time.monotonic()
        total, problems = work(times)
        bad += problems
        print(f"{name}: {times} kills, {total} records, {len(problems)} problems", end="")
        print(f", {time.monotonic() - began:.0f} s")
    print("\n".join(bad) or "nothing acknowledged was lost, and every file was readable")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
