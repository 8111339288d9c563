"""One recorded run, from the plan to the trace file."""

import os
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from perftrace.config import Settings
from perftrace.errors import CannotError
from perftrace.tracer import ingest, launch, sampler, spool
from perftrace.tracer.ingest import Summary
from perftrace.tracer.launch import Program
from perftrace.tracer.spool import Finish, Plan


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user chose for a run, beside the settings of the project."""

    database: Path
    overhead: float
    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    sample: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """The program has ended; its recording may be lost, or not yet in the trace file."""

    exit_code: int  # the program's own; 128 + n where signal n ended it
    summary: Summary | None
    problem: str  # why there is no summary


def record(program: Program, cwd: Path, settings: Settings, choices: Choices) -> Result:
    """Run the program and write what it did into the trace file.

    Raises:
        CannotError: the program could not be started.
    """
    ingest.recover(choices.database)
    plan = plan_of(program, cwd, settings, choices, parent=os.getpid())
    unsampled = sampler.unavailable() if choices.sample else "--no-sample was given"
    try:
        folder = spool.create(plan, timing=choices.sample and bool(unsampled))
    except CannotError as error:
        finish = launch.execute(program, None, cwd, unsampled="not recorded")
        return Result(_exit_code(finish), None, f"Nothing was recorded: {error}.")
    try:
        finish = launch.execute(program, folder, cwd, unsampled=unsampled)
    except CannotError:
        spool.remove(folder)
        raise
    try:
        spool.finish(folder, finish)
        summary = ingest.ingest(folder)
    except Exception as error:  # noqa: BLE001 - the program has run: its exit code stands
        kept = f"The recording is kept in {folder} and is added by the next perftrace run."
        return Result(_exit_code(finish), None, f"{error} {kept}")
    return Result(_exit_code(finish), summary, "")


def plan_of(
    program: Program, cwd: Path, settings: Settings, choices: Choices, *, parent: int
) -> Plan:
    """What is about to be run, for a parent process that reads the journals when it has ended."""
    sources = tuple(str(program.root / folder) for folder in settings.source)
    return Plan(
        uuid=str(uuid.uuid4()),
        database=str(choices.database),
        command=program.words,
        form=program.form,
        cwd=str(cwd),
        root=str(program.root),
        python=program.python,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        parent=parent,
        overhead=choices.overhead,
        sources=sources or (str(program.root),),
        includes=spool.globs(settings.include, program.root) + spool.globs(choices.includes, cwd),
        excludes=spool.globs(settings.exclude, program.root) + spool.globs(choices.excludes, cwd),
        retain=settings.retain_bytes,
    )


def _exit_code(finish: Finish) -> int:
    """As a shell reports it."""
    return finish.exit_code if finish.exit_code >= 0 else 128 - finish.exit_code
