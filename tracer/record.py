"""One run, recorded or only sampled, from the plan to the trace file."""

import os
import time
import uuid
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from perftrace.config import Settings
from perftrace.errors import CannotError, TraceError
from perftrace.store import Store
from perftrace.tracer import ingest, launch, sampler, spool, stacks
from perftrace.tracer.ingest import Summary
from perftrace.tracer.launch import Program, Recorder
from perftrace.tracer.sampler import Sampling
from perftrace.tracer.spool import Finish, Plan

CHILDREN_S = 5.0  # for children that outlive the program
LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user chose for a run, beside the settings of the project."""

    database: Path
    overhead: float  # 0: no recorder inside, only the sampler beside it
    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    sample: bool = True
    effects: bool = True
    value_bytes: int = 0  # of a recorded value, at first; 0: as the project's settings say
    rate: int | None = None  # samples per second; None: what suits
    native: bool = False  # sample the frames of C code too
    children: bool = False  # record the child processes too


@dataclass(frozen=True, slots=True)
class Result:
    """The program has ended; its recording may be lost, or not yet in the trace file."""

    exit_code: int  # the program's own; 128 + n where signal n ended it
    summary: Summary | None
    problem: str  # why there is no summary


def record(
    program: Program,
    cwd: Path,
    settings: Settings,
    choices: Choices,
    writing: AbstractContextManager[None] | None = None,
) -> Result:
    """Run the program and, within `writing`, write what it did into the trace file.

    Raises:
        CannotError: the program could not be started.
    """
    ingest.recover(choices.database)
    how = _sampling(program, choices)
    try:
        planned = plan(program, cwd, settings, choices, parent=os.getpid())
        folder = spool.create(planned, timing=choices.sample and isinstance(how, str))
    except CannotError as error:
        finish = launch.execute(program, None, cwd, "not recorded", Recorder.NONE)
        return Result(_exit_code(finish), None, f"Nothing was recorded: {error}.")
    try:
        finish = launch.execute(program, folder, cwd, how, _recorder(choices))
        if choices.children:
            _await_children(folder)
    except CannotError:
        spool.remove(folder)
        raise
    with writing or nullcontext():
        return add(folder, finish)


def _await_children(folder: Path) -> None:
    """Give children that outlive the program a little time to end; Ctrl-C ends the waiting."""
    deadline = time.monotonic() + CHILDREN_S
    with suppress(KeyboardInterrupt):
        while spool.living(folder) and time.monotonic() < deadline:
            time.sleep(LOOK_S)


def _recorder(choices: Choices) -> Recorder:
    if not choices.overhead:
        return Recorder.NONE
    return Recorder.CHILDREN if choices.children else Recorder.PROGRAM


def _sampling(program: Program, choices: Choices) -> Sampling | str:
    """How the program is sampled, or why it is not."""
    reason = sampler.unavailable() if choices.sample else "--no-sample was given"
    if reason:
        return reason
    expected_s, depth = _before(choices.database, program)
    suite = any(Path(word).name in ("pytest", "py.test") for word in program.words[:1])
    return sampler.sampling(
        choices.rate,
        native=choices.native,
        expected_s=expected_s,
        share=choices.overhead,
        depth=depth or (sampler.SUITE_DEPTH if suite else 0.0),
    )


def _before(database: Path, program: Program) -> tuple[float, float]:
    """The CPU time the program took the last time, and its stacks' mean depth; 0: not known."""
    try:
        with Store.open(database) as store:
            same = [run for run in store.runs() if run.command == program.words]
            return (same[-1].cpu_s, stacks.mean_depth(store, same[-1].id)) if same else (0.0, 0.0)
    except TraceError:  # there is none yet, or it is damaged: then `ingest` says so
        return 0.0, 0.0


def add(folder: Path, finish: Finish) -> Result:
    """Write what a run left in its folder into the trace file."""
    try:
        spool.finish(folder, finish)
        summary = ingest.ingest(folder)
    except Exception as error:  # noqa: BLE001 - the program has run: its exit code stands
        if not folder.exists():
            lost = f"Nothing was recorded: the program removed the recording, {folder}."
            return Result(_exit_code(finish), None, lost)
        kept = (
            f"The recording is kept in {folder} and is added by the next perftrace run into the"
            " same file, once that can be written."
        )
        return Result(_exit_code(finish), None, f"{_sentence(str(error))} {kept}")
    return Result(_exit_code(finish), summary, "")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def plan(program: Program, cwd: Path, settings: Settings, choices: Choices, *, parent: int) -> Plan:
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
        children=choices.children,
        sources=sources or (str(program.root),),
        includes=spool.globs(settings.include, program.root) + spool.globs(choices.includes, cwd),
        excludes=spool.globs(settings.exclude, program.root) + spool.globs(choices.excludes, cwd),
        effects=choices.effects,
        redact=_redacted(settings.redact),
        retain=settings.retain_bytes,
        value_bytes=choices.value_bytes or settings.value_bytes,
    )


def _redacted(setting: tuple[str, ...] | bool) -> tuple[str, ...] | None:  # noqa: FBT001 - a setting
    if isinstance(setting, bool):
        return () if setting else None
    return setting


def _exit_code(finish: Finish) -> int:
    """As a shell reports it."""
    return finish.exit_code if finish.exit_code >= 0 else 128 - finish.exit_code
