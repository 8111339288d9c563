"""Which functions the program's time is spent in, from the samples of a run and its calls."""

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from perftrace.effects import HARM
from perftrace.errors import CannotError
from perftrace.model import Function, HotFunction, Kind, Run, Share
from perftrace.optimizer.attribution import Frame, Tally, attribute
from perftrace.optimizer.counting import (
    FEWEST,
    LEAST_SAMPLES,
    NOT_KNOWN,
    Clock,
    clock,
    estimate,
)
from perftrace.store import Store

RESOLVED_S = 20e-6  # durations of which the recorder's callbacks are a small part
Z = 1.959964  # 95 % of a normal distribution lies within this many standard deviations


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded of one function in a run."""

    calls: int = 0
    whole: int = 0  # calls whose arguments are recorded without a gap
    median_s: float | None = None
    total_s: float = 0.0


NOTHING = Recording()


def rank(store: Store, run: Run, tally: Tally | None = None) -> list[HotFunction]:
    """The run's functions, hottest first; the tally is the run's, where it is already at hand.

    Without samples (the program was too short) they are ranked by the recorded durations; then
    nothing is known about how exact the shares are, and their intervals say so.

    Raises:
        TraceError: the trace file is damaged.
    """
    recordings = _recordings(store, run)
    tally = tally or tally_of(store, run)
    if tally.total:
        ranked = _by_samples(store, run, tally, recordings)
    else:
        ranked = _by_durations(store, run, recordings)
    return placed(sorted(ranked, key=_order)) if tally.total else sorted(ranked, key=_order)


def placed(ranked: Sequence[HotFunction]) -> list[HotFunction]:
    """The functions with their places, hottest first: 1, 2=, 2=, 4.

    A function shares the place of the first above it whose interval overlaps its own: the samples
    do not say which of the two is hotter. That is more careful than a test of the difference of
    two shares of one multinomial sample (Goodman 1965, Technometrics 7:247).
    """
    leaders: list[int] = []
    for index, hot in enumerate(ranked):
        leader = leaders[-1] if leaders else index
        overlaps = hot.hot.high >= ranked[leader].hot.low
        leaders.append(leader if overlaps else index)
    return [
        replace(hot, place=leader + 1, tied=leaders.count(leader) > 1)
        for hot, leader in zip(ranked, leaders, strict=True)
    ]


def require_calls(ranked: Sequence[HotFunction]) -> None:
    """Make sure that there is something to replay.

    Raises:
        CannotError: the run was only sampled, or the recorder saw nothing of it.
    """
    if not any(hot.recorded for hot in ranked):
        raise CannotError(
            "no-calls",
            "The last run holds no recorded calls, so nothing can be replayed. Record some:"
            " perftrace run",
        )


def tally_of(store: Store, run: Run) -> Tally:
    """The run's samples, charged to functions."""
    frames = {
        str(row["id"]): Frame(row["file"], row["qualname"], row["line"], bool(row["user"]))
        for row in store.rows(FRAMES)
    }
    stacks = store.rows(STACKS, run.id)
    return attribute(
        ([frames[number] for number in row["frames"].split() if number in frames], row["count"])
        for row in stacks
    )


def share(count: float, total: float) -> Share:
    """A share with its 95 % score interval (Wilson 1927, JASA 22:209).

    It takes samples for independent. Those that fall into one long call are not quite, so the true
    interval is a little wider.
    """
    p = count / total
    squared = Z * Z / total
    center = (p + squared / 2) / (1 + squared)
    half = Z / (1 + squared) * math.sqrt(p * (1 - p) / total + squared / (4 * total))
    return Share(p, max(0.0, center - half), min(1.0, center + half))


def _order(hot: HotFunction) -> tuple[float, float, str, str, int]:
    function = hot.function
    return -hot.hot.value, -hot.inclusive, function.module, function.qualname, function.line


# --- by samples -------------------------------------------------------------------------


def _by_samples(
    store: Store, run: Run, tally: Tally, recordings: Mapping[int, Recording]
) -> Iterator[HotFunction]:
    functions = _functions(store, run, tally)
    of_run = _clock(store, run, tally)
    for frame, function in functions.items():
        recording = recordings.get(function.id, NOTHING)
        samples = tally.inclusive[frame]
        callers = tally.callers[frame].most_common()
        alone = 0 if frame in tally.recursive else samples
        calls, known = _calls(store, run, function, recording, (alone, of_run))
        yield HotFunction(
            function=function,
            hot=share(tally.hot[frame], tally.total),
            self_share=tally.own[frame] / tally.total,
            inclusive=samples / tally.total,
            calls=calls,
            calls_at_least=not known,
            per_call_s=recording.median_s,
            recorded=recording.calls,
            replayable=0 if function.nested else recording.whole,
            via=tuple((functions[caller], count / samples) for caller, count in callers),
        )
    sampled = {function.id for function in functions.values()}
    for number, recording in recordings.items():
        if number not in sampled:
            yield _unseen(store.functions()[number], recording, share(0, tally.total))


def _functions(store: Store, run: Run, tally: Tally) -> dict[Frame, Function]:
    """The function of each frame; one made up (id below 0) where none was recorded."""
    known = {(f.file, f.qualname, f.line): f for f in store.functions().values()}
    modules = {function.file: function.module for function in known.values()}
    modules |= dict.fromkeys(_main_files(store, run), "__main__")
    functions = {}
    for number, frame in enumerate(tally.inclusive, start=1):
        function = known.get((frame.file, frame.qualname, frame.line))
        functions[frame] = function or Function(
            id=-number,
            file=frame.file,
            qualname=frame.qualname,
            line=frame.line,
            module=modules.get(frame.file) or _module(frame.file, run),
            kind=Kind.FUNCTION,
            parameters=(),
        )
    return functions


def _main_files(store: Store, run: Run) -> Iterator[str]:
    """The file of the main program, as recorded, or as the command names it."""
    for row in store.rows(MAIN_FILES, run.id):
        yield row["main_file"]
    if run.form == "script" and run.command:
        yield os.path.normpath(run.cwd / run.command[0])


def _module(file: str, run: Run) -> str:
    """The name a file is most likely imported by."""
    path = PurePath(file).with_suffix("")
    parts = path.relative_to(run.root).parts if path.is_relative_to(run.root) else (path.name,)
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _clock(store: Store, run: Run, tally: Tally) -> Clock:
    if any(store.rows(THREADS, run.id)):
        return NOT_KNOWN  # while one waits another may work, so nobody knows how long one waited
    spent = [row["ns"] and row["ns"] / 1e9 for row in store.rows(PROCESSES, run.id)]
    return clock(run, tally.total + tally.outside, spent)


def _calls(
    store: Store, run: Run, function: Function, recording: Recording, seen: tuple[int, Clock]
) -> tuple[int | None, bool]:
    """How often a function was called, and whether that is an estimate or no more than a bound.

    Of short calls the recorded duration is mostly the recorder's: no more is known of those than
    that there were the recorded ones.
    """
    samples, of_run = seen
    bound = recording.calls or None, False
    if samples < LEAST_SAMPLES or recording.calls < FEWEST or of_run is NOT_KNOWN:
        return bound
    if (recording.median_s or 0.0) < RESOLVED_S:
        return bound
    rows = list(store.rows(DURATIONS, function.id, run.id))
    if len({row["thread"] for row in rows}) > 1:  # they may have waited for each other
        return bound
    number = estimate(samples, of_run, [row["ns"] / 1e9 for row in rows])
    return bound if number is None or number < recording.calls else (number, True)


def _unseen(function: Function, recording: Recording, hot: Share) -> HotFunction:
    """A recorded function that no sample fell into."""
    return HotFunction(
        function=function,
        hot=hot,
        self_share=hot.value,
        inclusive=hot.value,
        calls=recording.calls,
        calls_at_least=True,
        per_call_s=recording.median_s,
        recorded=recording.calls,
        replayable=0 if function.nested else recording.whole,
        via=(),
    )


# --- by recorded durations --------------------------------------------------------------


def _by_durations(
    store: Store, run: Run, recordings: Mapping[int, Recording]
) -> Iterator[HotFunction]:
    own = {number: recording.total_s for number, recording in recordings.items()}
    for row in store.rows(CALLEES, run.id):
        if row["caller_id"] in own:
            own[row["caller_id"]] -= row["ns"] / 1e9
    total = sum(max(0.0, spent) for spent in own.values())
    for number, spent in own.items():
        value = max(0.0, spent) / total if total else 0.0
        yield _unseen(store.functions()[number], recordings[number], Share(value, 0.0, 1.0))


# --- queries: casts, for a file that is not ours can hold anything in any column --------

FRAMES = """
SELECT id, CAST(file AS TEXT) AS file, CAST(qualname AS TEXT) AS qualname,
       CAST(line AS INTEGER) AS line, user = 1 AS user FROM frame
"""

STACKS = """
SELECT CAST(frames AS TEXT) AS frames, CAST(count AS INTEGER) AS count FROM stack
WHERE run_id = ? AND CAST(count AS INTEGER) > 0
"""

# `+` before a column keeps SQLite from walking the table in the order of an index, which takes
# five times as long as reading it through.

MAIN_FILES = """
SELECT DISTINCT CAST(main_file AS TEXT) AS main_file FROM process
WHERE run_id = ? AND main_file IS NOT NULL
"""

TOTALS = """
SELECT function_id, CAST(calls AS INTEGER) AS calls, CAST(whole AS INTEGER) AS whole,
       CAST(median_ns AS REAL) AS median_ns, CAST(spent_ns AS INTEGER) AS spent_ns
FROM total WHERE run_id = ?
"""

OF_RUN = "process_id IN (SELECT id FROM process WHERE run_id = ?)"

HARMFUL = ", ".join(f"'{kind}'" for kind in sorted(HARM))

PROCESSES = "SELECT CAST(cpu_ns AS INTEGER) AS ns FROM process WHERE run_id = ?"

THREADS = """
SELECT 1 FROM frame JOIN stack ON CAST(frames AS TEXT) LIKE frame.id || ' %'
WHERE qualname = 'Thread._bootstrap' AND run_id = ? LIMIT 1
"""

DURATIONS = f"""
SELECT CAST(duration_ns AS INTEGER) AS ns, CAST(thread AS INTEGER) AS thread FROM call
WHERE function_id = ? AND {OF_RUN} AND duration_ns IS NOT NULL ORDER BY id
"""  # noqa: S608

COUNTS = f"""
SELECT function_id, count(*) AS calls, coalesce(sum(duration_ns), 0) AS ns,
       sum(arguments IN (SELECT digest FROM value WHERE opaque = 0)
           AND id NOT IN (SELECT call_id FROM effect WHERE kind IN ({HARMFUL}))) AS whole
FROM call WHERE {OF_RUN} GROUP BY +function_id
"""  # noqa: S608 - our own text

MEDIANS = f"""
SELECT function_id, avg(duration_ns) AS ns FROM (
  SELECT +function_id AS function_id, duration_ns,
         count(*) OVER (PARTITION BY +function_id) AS n,
         row_number() OVER (PARTITION BY +function_id ORDER BY duration_ns) AS place
  FROM call WHERE {OF_RUN} AND duration_ns IS NOT NULL)
WHERE place IN ((n + 1) / 2, n / 2 + 1) GROUP BY function_id
"""  # noqa: S608

GAPS = f"""
SELECT count(*) AS calls FROM call JOIN value ON value.digest = call.arguments
WHERE function_id = ? AND {OF_RUN} AND opaque > 0 AND NOT EXISTS
  (SELECT 1 FROM effect WHERE effect.call_id = call.id AND kind IN ({HARMFUL}))
"""  # noqa: S608

CALLEES = f"""
SELECT caller_id, coalesce(sum(duration_ns), 0) AS ns FROM call
WHERE {OF_RUN} AND caller_id IS NOT NULL GROUP BY +caller_id
"""  # noqa: S608


def calls_with_gaps(store: Store, run: Run, functions: Iterable[Function]) -> dict[int, int]:
    """By function id: the calls of which a part of the arguments was not recorded.

    They can be replayed where nothing needs that part, which only the replay shows.
    """
    counts: dict[int, int] = {}
    for function in functions:
        (row,) = store.rows(GAPS, function.id, run.id)
        counts[function.id] = 0 if function.nested else row["calls"]
    return counts


def _recordings(store: Store, run: Run) -> dict[int, Recording]:
    """What was recorded, by function id."""
    totals = {
        row["function_id"]: Recording(
            calls=row["calls"],
            whole=row["whole"],
            median_s=None if row["median_ns"] is None else row["median_ns"] / 1e9,
            total_s=row["spent_ns"] / 1e9,
        )
        for row in store.rows(TOTALS, run.id)
        if row["function_id"] in store.functions()
    }
    return totals or _summed_up(store, run)


def _summed_up(store: Store, run: Run) -> dict[int, Recording]:
    """The same from every single call: a run of an older format has no totals."""
    medians = {row["function_id"]: row["ns"] / 1e9 for row in store.rows(MEDIANS, run.id)}
    return {
        row["function_id"]: Recording(
            calls=row["calls"],
            whole=row["whole"] or 0,
            median_s=medians.get(row["function_id"]),
            total_s=row["ns"] / 1e9,
        )
        for row in store.rows(COUNTS, run.id)
        if row["function_id"] in store.functions()
    }
