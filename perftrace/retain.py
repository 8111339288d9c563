"""Keep a trace file within its limit: the oldest runs go first, the newest one never."""

from dataclasses import dataclass

from perftrace.store import Store

ROOM = 0.75  # of the limit is kept, so that not every run has to make room

DELETIONS = (
    "DELETE FROM effect WHERE call_id IN (SELECT call.id FROM call"
    " JOIN process ON process.id = process_id WHERE run_id = ?)",
    "DELETE FROM call WHERE process_id IN (SELECT id FROM process WHERE run_id = ?)",
    "DELETE FROM reach WHERE context_id IN (SELECT id FROM context WHERE run_id = ?)",
    "DELETE FROM context WHERE run_id = ?",
    "DELETE FROM missing WHERE run_id = ?",
    "DELETE FROM total WHERE run_id = ?",
    "DELETE FROM stack WHERE run_id = ?",
    "DELETE FROM decision WHERE run_id = ?",
    "DELETE FROM process WHERE run_id = ?",
    "DELETE FROM run WHERE id = ?",
)
UNREFERENCED = (
    "DELETE FROM value WHERE digest NOT IN (SELECT arguments FROM call WHERE arguments NOT NULL"
    " UNION SELECT result FROM call WHERE result NOT NULL)",
    "DELETE FROM function WHERE id NOT IN (SELECT function_id FROM call"
    " UNION SELECT caller_id FROM call WHERE caller_id NOT NULL"
    " UNION SELECT function_id FROM effect UNION SELECT function_id FROM reach"
    " UNION SELECT function_id FROM decision"
    " UNION SELECT function_id FROM missing WHERE function_id NOT NULL)",
    "DELETE FROM reads WHERE function_id NOT IN (SELECT id FROM function)",
    "DELETE FROM source WHERE id NOT IN (SELECT source_id FROM function WHERE source_id NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class Dropped:
    """What had to go."""

    runs: int
    limit: int  # bytes
    size: int  # of the file now


def retain(store: Store, limit: int) -> Dropped:
    """Drop the oldest runs of a trace file that is larger than the limit.

    Raises:
        TraceError: the file cannot be written.
    """
    size = store.used_bytes()
    runs = store.runs()  # oldest first
    dropped = 0
    if size > limit and len(runs) > 1:
        with store.transaction():
            while store.used_bytes() > ROOM * limit and dropped < len(runs) - 1:
                _drop(store, runs[dropped].id)
                dropped += 1
        store.compact()
    return Dropped(dropped, limit, store.used_bytes())


def _drop(store: Store, run: int) -> None:
    for sql in DELETIONS:
        store.change(sql, run)
    for sql in UNREFERENCED:
        store.change(sql)
    kept = {
        number
        for (frames,) in store.tuples("SELECT frames FROM stack")
        for number in str(frames).split()
    }
    gone = [
        (number,) for (number,) in store.tuples("SELECT id FROM frame") if str(number) not in kept
    ]
    for (number,) in gone:
        store.change("DELETE FROM frame WHERE id = ?", number)
