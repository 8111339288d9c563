"""What the pytest plugin has done outside of the tests' process: `python -m perftrace.cli.suite`.

An order comes on stdin, as JSON, and the answer goes to stdout behind the word ANSWER: whatever
the environment's own start-up files print stands before it.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from perftrace import config
from perftrace.cli.run import lines
from perftrace.errors import PerftraceError
from perftrace.tracer import ingest, record, sampler, spool
from perftrace.tracer.launch import Program
from perftrace.tracer.record import Choices, Result
from perftrace.tracer.sampler import FrameKey, Sampler, Samples
from perftrace.tracer.spool import Finish


def begin(order: Mapping[str, Any]) -> dict[str, Any]:
    """Make the run's folder and start py-spy beside the tests."""
    cwd = Path(order["cwd"])
    root = config.find_root(cwd)
    settings = config.load(root)
    database = order["database"] or os.environ.get("PERFTRACE_DATABASE")
    choices = Choices(
        database=cwd / database if database else root / settings.database,
        overhead=settings.overhead,
    )
    words = tuple(order["words"])
    program = Program(order["form"], words, sys.executable, words, root)
    ingest.recover(choices.database)
    plan = record.plan_of(program, cwd, settings, choices, parent=order["pid"])
    unsampled = sampler.unavailable(own_child=False)
    folder = spool.create(plan, timing=bool(unsampled))
    if unsampled:
        sampler.leave_none(folder, unsampled)
    else:
        Sampler.start(order["pid"], folder).leave()
    return {"folder": str(folder)}


def end(order: Mapping[str, Any]) -> dict[str, Any]:
    """Stop py-spy and write the run into the trace file."""
    folder = Path(order["folder"])
    plan = spool.read_plan(folder)
    samples = _without_us(sampler.stop_left(folder))
    spool.finish(folder, Finish(order["wall_s"], order["cpu_s"], order["exit_code"], samples))
    database = Path(plan.database)
    try:
        result = Result(0, ingest.ingest(folder), "")
    except PerftraceError as error:
        kept = f"The recording is kept in {folder} and is added by the next perftrace run."
        result = Result(0, None, f"{error} {kept}")
    return {"lines": list(lines(result, Choices(database, plan.overhead)))}


def _without_us(samples: Samples) -> Samples:
    """py-spy looks at child processes too, and so at this one."""

    def ours(frame: FrameKey) -> bool:
        return frame.qualname == "<module>" and frame.file == __file__

    kept = [(stack, count) for stack, count in samples.stacks if not any(map(ours, stack))]
    return Samples(kept, samples.interval_s, samples.name, samples.note)


def main() -> int:
    """Do what the plugin orders."""
    order = json.load(sys.stdin)
    try:
        answer = {"begin": begin, "end": end}[order["order"]](order)
    except PerftraceError as error:
        answer = {"problem": str(error), "lines": [f"perftrace: {error}"]}
    click.echo(f"\nANSWER {json.dumps(answer)}", nl=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
