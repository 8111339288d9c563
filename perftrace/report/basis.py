"""What the ranking of a run rests on, and what recording it cost, in words."""

from perftrace.model import Run
from perftrace.optimizer.attribution import Tally
from perftrace.report import tables
from perftrace.store import Store

COST = """
SELECT CAST(sum(recorder_ns) AS REAL) AS recorder, CAST(sum(cpu_ns) AS REAL) AS cpu
FROM process WHERE run_id = ? AND CAST(cpu_ns AS INTEGER) > 0
"""


def seen(tally: Tally) -> int:
    """The samples of the program; older runs also count those of the recorder's own thread."""
    return tally.total + tally.outside


def by_samples(run: Run, tally: Tally) -> str:
    """`412 samples by py-spy, one every 5.0 ms, 22 of them outside your code and left out`."""
    every = tables.seconds(run.interval_s)
    left = f", {tally.outside:,} of them outside your code and left out" if tally.outside else ""
    return f"{seen(tally):,} samples by {run.sampler}{_note(run)}, one every {every}{left}"


def no_samples(run: Run, tally: Tally) -> str:
    """Why there is nothing to rank by but the recorded calls."""
    if tally.outside:
        count = f"{tally.outside:,} sample{'s' * (tally.outside != 1)}"
        return f"none of {count} by {run.sampler}{_note(run)} fell into your code"
    return f"there are no samples{_note(run)}"


def ranking(run: Run, tally: Tally) -> str:
    """What the shares rest on, as a sentence."""
    if tally.total:
        return f"{by_samples(run, tally)}."
    why = no_samples(run, tally)
    if not run.overhead:  # no calls were recorded either
        return f"{why[0].upper()}{why[1:]}."
    return f"Ranked by the durations of the recorded calls: {why}."


def duration(run: Run) -> str:
    """How long the program was recorded."""
    known = f"{run.wall_s:.1f} s" if run.wall_s > 0 else "a time that is not known"
    return f"recorded for {known}"


def taken(store: Store, run: Run) -> float | None:
    """The share of the CPU time that the recorder took, its start included; None: not known."""
    (row,) = store.rows(COST, run.id)
    return row["recorder"] / row["cpu"] if row["cpu"] and row["recorder"] is not None else None


def cost(took: float | None, allowed: float) -> str:
    """What recording took and what it was allowed, as a sentence."""
    limit = f"{tables.percent(allowed)}%"
    if took is None:
        return f"Recording was allowed {limit} of the CPU time; what it took is not known."
    share = f"{tables.percent(took)}% of the CPU time"
    if took <= allowed:
        return f"Recording took {share}; it was allowed {limit}."
    start = "or what its start takes where that is more"
    return f"Recording took {share}; it was allowed {limit}, {start}."


def _note(run: Run) -> str:
    return f" ({run.sampler_note})" if run.sampler_note else ""
