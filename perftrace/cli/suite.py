"""What the pytest plugin has done outside of the tests' process: `python -m perftrace.cli.suite`.

An order comes on stdin, as JSON, and the answer goes to stdout behind the word ANSWER: whatever
the environment's own start-up files print stands before it.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from perftrace import config, target
from perftrace.cli.run import database_of, lines, names_of
from perftrace.errors import PerftraceError
from perftrace.tracer import ingest, record, sampler, spool
from perftrace.tracer.launch import Program
from perftrace.tracer.record import Choices
from perftrace.tracer.sampler import Sampler
from perftrace.tracer.spool import Finish
from perftrace.tracer.stacks import FrameKey, Samples


def begin(order: Mapping[str, Any]) -> dict[str, Any]:
    """Make the run's folder and start py-spy beside the tests."""
    cwd = Path(order["cwd"])
    root = config.find_root(cwd)
    settings = config.load(root)
    database = database_of(order["database"], cwd, root, settings)
    target.require(database, "--perftrace=FILE")
    choices = Choices(database=database, overhead=order["overhead"] or settings.overhead)
    words = tuple(order["words"])
    program = Program(order["form"], words, sys.executable, words, root)
    ingest.recover(choices.database)
    plan = record.plan(program, cwd, settings, choices, parent=order["pid"])
    unsampled = sampler.unavailable(own_child=False)
    folder = spool.create(plan, timing=bool(unsampled))
    if unsampled:
        sampler.leave_none(folder, unsampled)
    else:
        how = sampler.sampling(share=choices.overhead, depth=sampler.SUITE_DEPTH)
        Sampler.start(order["pid"], folder, how, alone=True).leave()
    return {"folder": str(folder)}


def end(order: Mapping[str, Any]) -> dict[str, Any]:
    """Stop py-spy and write the run into the trace file."""
    folder = Path(order["folder"])
    plan = spool.read_plan(folder)
    samples = _without_us(sampler.stop_left(folder))
    finish = Finish(order["wall_s"], order["cpu_s"], order["exit_code"], samples)
    result = record.add(folder, finish)
    root = Path(plan.root)
    default = root / config.load(root).database
    names = names_of(Path(plan.database), default, Path(plan.cwd))
    return {"lines": list(lines(result, names))}


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
