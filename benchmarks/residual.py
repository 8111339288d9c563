"""Does a program stay slower after recording has stopped? Its code and its very objects.

    python benchmarks/residual.py [--rounds N]

Each program makes its objects once, works with them while it is recorded with half of its CPU
time, so that every hot function and many of the objects are captured; then the recorder stops and
the same work on the same objects is timed. Runs with and without the recorder take turns; the
least time of each counts. Python 3.12 keeps code that was watched without its combined
instructions, whoever watched it; `watched` is what a tool costs there that does nothing else.
"""

import argparse
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAMS = Path(__file__).resolve().parent / "programs"
WORK = {
    "constraints": (
        "first, last = m.chain(400); planner = m.Planner()",
        "for number in range(1500): planner.change(first, number)",
    ),
    "raytrace": ("", "m.picture(120)"),
    "nbody": (
        "import itertools; system = m.bodies(); pairs = list(itertools.combinations(system, 2))",
        "m.main(20_000)",
    ),
    "scheduler": ("", "m.System(120_000).run()"),
}
PROGRAM = """
import contextlib, io, sys
from time import process_time
sys.path.insert(0, {folder!r})
import {name} as m
{make}
def work():
    with contextlib.redirect_stdout(io.StringIO()):
        {work}
if sys.argv[2] == "watched":
    tool = sys.monitoring
    tool.use_tool_id(4, "nothing")
    tool.register_callback(4, tool.events.PY_START, lambda *_: tool.DISABLE)
    tool.set_events(4, tool.events.PY_START)
for _ in range(4):
    work()
if sys.argv[2] == "recorded":
    sys.modules["_perftrace.tracer.inside.boot"].running.stop()
if sys.argv[2] == "watched":
    tool.set_events(4, 0)
    tool.free_tool_id(4)
spent = []
for _ in range(12):
    began = process_time()
    work()
    spent.append(process_time() - began)
open(sys.argv[1], "w").write(str(min(spent)))
"""
KINDS = ("plain", "watched", "recorded")


def least(folder: Path, kind: str) -> float:
    """Seconds of CPU time that the work takes after the recorder has stopped."""
    perftrace = str(Path(sys.executable).with_name("perftrace"))
    record = [perftrace, "run", "--no-sample", "--overhead", "50%"]
    command = [*(record if kind == "recorded" else [sys.executable]), "app.py", "answer", kind]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return float((folder / "answer").read_text(encoding="utf-8"))


def main() -> None:
    """Measure in turn and print the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds: int = parser.parse_args().rounds
    print("| program | watched / plain | recorded / plain | recorded / watched |")
    print("| --- | --: | --: | --: |")
    for name, (make, work) in WORK.items():
        text = PROGRAM.format(folder=str(PROGRAMS), name=name, make=make, work=work)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            (folder / "app.py").write_text(text, encoding="utf-8")
            turns = [{kind: least(folder, kind) for kind in KINDS} for _ in range(rounds)]
        plain, watched, recorded = (min(turn[kind] for turn in turns) for kind in KINDS)
        ratios = watched / plain, recorded / plain, recorded / watched
        print(f"| {name} | {' | '.join(f'{ratio:.3f}x' for ratio in ratios)} |", flush=True)
    print(f"\nCPU time, least of {rounds} runs of 12 turns; Python {platform.python_version()}.")


if __name__ == "__main__":
    main()
