"""Write a run's journals into the trace file; the one place that knows both."""

import contextlib
import dataclasses
import gc
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perftrace import __version__
from perftrace.errors import TraceError
from perftrace.retain import Dropped, retain
from perftrace.store import Store
from perftrace.tracer import journals, spool
from perftrace.tracer.inside import journal
from perftrace.tracer.inside.scope import REASONS, Scope
from perftrace.tracer.intake import Archive, Intake
from perftrace.tracer.journals import DamagedError, ProcessJournal
from perftrace.tracer.redact import Redactor
from perftrace.tracer.spool import Finish, Plan
from perftrace.tracer.stacks import Samples, from_timing, store_samples, without_recorder

KILLED = Finish(0.0, 0.0, -9, Samples((), 0.0, "none", "perftrace itself was killed"))
FULL = f"the journals reached their limit of {journal.LIMIT >> 20} MB"
NO_ROOM = "there was no room for the journal"
BROKEN = "the recorder stopped itself, and could not say why"
NO_EFFECTS = "--no-effects was given"
UNTRACED = "child processes were not traced: add --subprocesses"
NOT_PYTHON = "child processes were not traced: not Python 3.12+, or without its environment"
STILL_RAN = "was still running when the recording ended; what it did since is missing"
NO_JOURNAL = "the interpreter ignored its environment (-E, -I, -S), or it is not Python 3.12+"
ATTEMPTS = 10  # to open the file while another run makes it
PAUSE_S = 0.05


@dataclass(slots=True)
class Summary:
    """What a run recorded."""

    calls: int = 0
    functions: int = 0  # described: with recorded calls, or their callers
    called: int = 0  # functions with recorded calls
    processes: int = 0
    samples: int = 0
    sampler: str = "none"
    sampler_note: str = ""
    cpu_ns: int = 0
    recorder_ns: int = 0
    missing: list[tuple[str, str, int]] = field(default_factory=list)
    retained: Dropped | None = None


def ingest(folder: Path) -> Summary:
    """Write the run in this folder into its trace file, and remove the folder.

    Doing it twice is harmless: a run is known by its uuid.

    Raises:
        TraceError: the trace file cannot be written; the folder stays.
        OSError: the folder cannot be read.
    """
    plan = spool.read_plan(folder)
    with _open(Path(plan.database)) as store, _no_collection():
        with store.transaction():
            known = next(store.rows("SELECT id FROM run WHERE uuid = ?", plan.uuid), None)
            summary = Summary() if known else _ingest(store, folder, plan)
        summary.retained = retain(store, plan.retain)
    spool.remove(folder)
    return summary


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Millions of rows hold no cycles: looking for those would take a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def recover(database: Path) -> int:
    """Ingest what killed parent commands left for this trace file; how many runs."""
    count = 0
    for folder, plan in spool.left_behind():
        if Path(plan.database) != database:
            continue
        try:
            ingest(folder)
        except (TraceError, OSError, ValueError, TypeError, LookupError):
            continue  # it stays for the next time, or is damaged
        count += 1
    return count


def _open(database: Path) -> Store:
    """The trace file; two runs that both make it may get into each other's way for a moment."""
    for _ in range(ATTEMPTS):
        try:
            return Store.open_to_write(database)
        except TraceError:
            if not database.parent.is_dir():
                raise
            time.sleep(PAUSE_S)
    return Store.open_to_write(database)


def _ingest(store: Store, folder: Path, plan: Plan) -> Summary:
    end = spool.read_finish(folder) or KILLED
    redactor = Redactor(plan.redact)
    archive = Archive(store, redactor)
    found = [(each, _read(each, archive)) for each in journals.of_run(folder)]
    interpreter = next((intake.interpreter for _, intake in found), ("", ""))
    samples = _samples(end, [intake for _, intake in found])
    row = _run_row(plan, end, interpreter, samples)
    run_id = store.add("run", {**row, "command": json.dumps(redactor.command(plan.command))})
    summary = Summary(sampler=samples.name, sampler_note=samples.note)
    slots_of = [_slots(each, archive) for each, _ in found]
    with store.bulk("call", sum(intake.calls for _, intake in found)):
        for (_, intake), slots in zip(found, slots_of, strict=True):
            cpu_ns, recorder_ns = slots[journal.CPU_NS], slots[journal.RECORDER_NS]
            summary.calls += intake.write(run_id, cpu_ns, recorder_ns)
    archive.write_totals(run_id)
    for slots in slots_of:
        summary.cpu_ns += slots[journal.CPU_NS]
        summary.recorder_ns += slots[journal.RECORDER_NS]
    if plan.overhead:
        untraced_s = end.cpu_s - summary.cpu_ns / 1e9
        _note_processes(folder, archive, plan, traced=len(found), untraced_s=untraced_s)
        archive.missing[None, "effects", NO_EFFECTS] += not plan.effects
    rule = Scope(plan.sources, plan.includes, plan.excludes, cwd=plan.cwd)
    store_samples(store, run_id, samples, lambda file: rule.reason(file) is None)
    summary.processes = len(found)
    summary.functions = len(archive.functions)
    summary.called = len(archive.totals)
    summary.samples = sum(count for _, count in samples.stacks)
    summary.missing = _write_missing(store, run_id, archive)
    return summary


def _samples(end: Finish, intakes: Sequence[Intake]) -> Samples:
    """What the sampler saw; where it could not look, what the recorder timed instead."""
    timed = [entry for intake in intakes for entry in intake.timed]
    if not timed:
        return without_recorder(end.samples)
    return dataclasses.replace(from_timing(timed, end.cpu_s), note=end.samples.note)


def _run_row(
    plan: Plan, end: Finish, interpreter: tuple[str, str], samples: Samples
) -> dict[str, object]:
    python, version = interpreter
    return {
        "uuid": plan.uuid,
        "form": plan.form,
        "cwd": plan.cwd,
        "root": plan.root,
        "python": python or plan.python,
        "python_version": version,
        "started": plan.started,
        "wall_s": end.wall_s,
        "cpu_s": end.cpu_s,
        "exit_code": end.exit_code,
        "sampler": samples.name,
        "interval_s": samples.interval_s,
        "samples": sum(count for _, count in samples.stacks),
        "sampler_note": samples.note,
        "overhead": plan.overhead,
        "version": __version__,
    }


def _read(found: ProcessJournal, archive: Archive) -> Intake:
    intake = Intake(archive)
    try:
        intake.take_all(found.records())
    except DamagedError as error:
        archive.missing[None, "processes", f"a journal is damaged: {error}"] += 1
    intake.close()
    archive.flush()
    return intake


def _slots(found: ProcessJournal, archive: Archive) -> tuple[int, ...]:
    """The numbers in the journal's header; what they say was not recorded is noted."""
    try:
        slots = found.slots()
    except DamagedError:
        return (0,) * journal.SLOTS
    archive.missing[None, "calls", FULL] += slots[journal.STOPPED_FULL]
    archive.missing[None, "calls", NO_ROOM] += slots[journal.STOPPED_NO_ROOM]
    archive.missing[None, "calls", BROKEN] += slots[journal.STOPPED_BROKEN]
    for index, reason in enumerate(REASONS):
        archive.missing[None, "functions", reason] += slots[journal.FIRST_COUNT + index]
    return slots


def _note_processes(
    folder: Path, archive: Archive, plan: Plan, *, traced: int, untraced_s: float
) -> None:
    # The parent waits for us: of pytest, which is its own parent, all that follows is its end.
    living = set(spool.living(folder)) - {plan.parent}
    archive.missing[None, "processes", STILL_RAN] += len(living)
    for text in journals.failures(folder):
        archive.missing[None, "processes", f"the recorder could not start: {text}"] += 1
    if not traced:
        archive.missing[None, "processes", NO_JOURNAL] += 1
    elif untraced_s > 0.2:
        reason = NOT_PYTHON if plan.children else UNTRACED
        archive.missing[None, "processes", f"{reason} ({untraced_s:.1f} s of CPU time)"] += 1


def _write_missing(store: Store, run_id: int, archive: Archive) -> list[tuple[str, str, int]]:
    totals: Counter[tuple[str, str]] = Counter()
    for (function_id, subject, reason), count in archive.missing.items():
        if not count:
            continue
        totals[subject, reason] += count
        row = {"run_id": run_id, "function_id": function_id, "subject": subject}
        store.add("missing", {**row, "reason": reason, "count": count})
    return [(subject, reason, count) for (subject, reason), count in totals.most_common()]
