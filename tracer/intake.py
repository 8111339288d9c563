"""Turn the records of one process into rows of the trace file."""

import hashlib
import json
import pickle
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from perftrace.effects import HARM
from perftrace.model import Ending
from perftrace.store import VALUE, Store, value_row
from perftrace.tracer.inside import journal
from perftrace.tracer.journals import DamagedError, Record
from perftrace.tracer.redact import Redactor

END_NOT_SEEN = "its end was not seen: still running, or an exception while none were watched"
RAN_NOTHING = "ran none of the code that is recorded: of files of your project, less those excluded"
CHANGED = "the file changed while the program ran"
SMALL = 512  # bytes: a value's own bytes lead to its digest
BATCH_BYTES = 32 << 20  # of values that are written together
UNKNOWN = Ending.UNKNOWN.value
ENDINGS = frozenset(ending.value for ending in Ending)

# A call on its way: the columns of `call`.
CALL = (
    *("id", "process_id", "function_id", "caller_id", "thread", "arguments", "missing"),
    *("ending", "result", "result_missing", "started_ns", "duration_ns", "context_id"),
)
ID, PROCESS_ID, ARGUMENTS = map(CALL.index, ("id", "process_id", "arguments"))
FUNCTION_ID, MISSING, CONTEXT_ID = map(CALL.index, ("function_id", "missing", "context_id"))
ENDING, RESULT, RESULT_MISSING = map(CALL.index, ("ending", "result", "result_missing"))
STARTED, DURATION = map(CALL.index, ("started_ns", "duration_ns"))

type Missing = Counter[tuple[int | None, str, str]]  # function, subject, reason


class Total:
    """The calls of one function, summed up."""

    __slots__ = ("calls", "durations", "whole")

    def __init__(self) -> None:
        self.calls = 0
        self.whole = 0
        self.durations: list[int] = []


class Archive:
    """What the processes of a run share on their way into the trace file."""

    def __init__(self, store: Store, redactor: Redactor) -> None:
        self.store = store
        self.redactor = redactor
        self.missing: Missing = Counter()
        self.functions: set[int] = set()
        self.totals: defaultdict[int, Total] = defaultdict(Total)
        self._sources: dict[str, int | None] = {}
        self._digests: dict[bytes, bytes] = {}  # of the small values: the same ones come again
        self._stored: set[bytes] = set()
        self._fresh: list[tuple[object, ...]] = []  # rows of values
        self._fresh_bytes = 0

    def value(self, blob: bytes, opaque: int) -> bytes:
        """Store a value once; its digest."""
        digest = self._digests.get(blob)
        if digest is None:
            digest = self.store.digest(blob)
            if len(blob) <= SMALL:
                self._digests[blob] = digest
            if digest not in self._stored:
                self._stored.add(digest)
                self._fresh.append(value_row(digest, blob, opaque))
                self._fresh_bytes += len(blob)
                if self._fresh_bytes > BATCH_BYTES:
                    self.flush()
        return digest

    def flush(self) -> None:
        """Write the values that are not written yet, in the table's order: that is faster."""
        self._fresh.sort()
        self.store.add_many("value", VALUE, self._fresh)
        self._fresh = []
        self._fresh_bytes = 0

    def context(self, run_id: int, name: str, unwatched: int) -> int:
        """Store a test that ran; its id."""
        row = {"run_id": run_id, "name": name, "unwatched": unwatched}
        number = self.store.intern("context", row, identity=("run_id", "name"))
        more = "UPDATE context SET unwatched = max(unwatched, ?) WHERE id = ?"
        self.store.change(more, unwatched, number)
        return number

    def next_call(self) -> int:
        """The id of the call that is written next."""
        return int(next(self.store.tuples("SELECT coalesce(max(id), 0) FROM call"))[0]) + 1

    def write_totals(self, run_id: int) -> None:
        """Sum up the calls, so that nobody has to read them all again to rank the functions."""
        columns = ("run_id", "function_id", "calls", "whole", "median_ns", "spent_ns")
        rows = [
            (
                *(run_id, number, total.calls, total.whole),
                median(total.durations) if total.durations else None,
                sum(total.durations),
            )
            for number, total in self.totals.items()
        ]
        self.store.add_many("total", columns, rows)

    def source(self, file: str, size: int, mtime_ns: int) -> int | None:
        """Store a file's text, if it is still what the program ran; its id."""
        if file not in self._sources:
            self._sources[file] = self._read_source(Path(file), size, mtime_ns)
        return self._sources[file]

    def function(self, row: dict[str, Any]) -> int:
        """Store a function, or bring it up to date; its id."""
        number = self.store.intern("function", row, identity=("file", "qualname", "line"))
        self.store.put("function", {"id": number, **row})
        self.functions.add(number)
        return number

    def _read_source(self, path: Path, size: int, mtime_ns: int) -> int | None:
        try:
            state = path.stat()
            if (state.st_size, state.st_mtime_ns) != (size, mtime_ns):
                self.missing[None, "sources", CHANGED] += 1
                return None
            with tokenize.open(path) as file:
                encoding = file.encoding
            text = path.read_bytes().decode(encoding).encode("utf-8")
        except (OSError, ValueError, SyntaxError) as error:
            self.missing[None, "sources", str(error)] += 1
            return None
        row = {"file": str(path), "sha256": hashlib.sha256(text).hexdigest(), "text": text}
        return self.store.intern("source", row, identity=("file", "sha256"))


class Intake:
    """One process: takes its records, then writes its rows."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._process: tuple[Any, ...] | None = None
        self._sources: dict[str, int | None] = {}
        self._names: dict[int, tuple[tuple[str, ...], str]] = {}  # by id: see Redactor
        self._numbers: dict[int, int | None] = {0: None}  # the journal's functions -> their ids
        self._calls: dict[int, list[Any]] = {}  # in the order of CALL
        self._items: dict[int, list[bytes]] = {}
        self._opaque: set[int] = set()  # calls whose arguments have a gap
        self._effects: dict[int, Counter[tuple[int, str, str]]] = {}  # by call
        self._missing: list[tuple[int, str, str]] = []
        self._contexts: dict[int, tuple[str, int]] = {}
        self._context = 0
        self._reached: set[tuple[int, int]] = set()  # context, function's id
        self.timed: list[tuple[str, int]] = []
        self._take = {
            journal.PROCESS: self._take_process,
            journal.FILE: self._take_file,
            journal.FUNCTION: self._take_function,
            journal.BEGIN: self._take_begin,
            journal.ITEM: self._take_item,
            journal.END: self._take_end,
            journal.EFFECT: self._take_effect,
            journal.READS: self._take_reads,
            journal.MISSING: self._take_missing,
            journal.TIMED: self._take_timed,
            journal.CONTEXT: self._take_context,
            journal.REACHED: self._take_reached,
        }

    def take_all(self, records: Iterable[Record]) -> None:
        """Take the journal's records.

        Raises:
            DamagedError: the recorder did not write one so; those before it are taken.
        """
        take = self._take
        try:
            for kind, fields in records:
                take[kind](*fields)
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedError(
                f"a record makes no sense: {type(error).__name__}: {error}"
            ) from error

    def write(self, run_id: int, cpu_ns: int, recorder_ns: int) -> int:
        """Write the process and its calls; how many calls. None of them: it was never described."""
        for number, subject, reason in self._missing:
            self._archive.missing[self._numbers.get(number), subject, reason] += 1
        if self._process is None:
            self._archive.missing[None, "processes", RAN_NOTHING] += 1
            return 0
        pid, parent, arguments, path, main_file, main_module, _, _ = self._process
        row = {
            "run_id": run_id,
            "pid": pid,
            "parent_pid": parent,
            "arguments": json.dumps(self._archive.redactor.command(arguments)),
            "path": json.dumps(path),
            "main_file": main_file,
            "main_module": main_module,
            "cpu_ns": cpu_ns or None,
            "recorder_ns": recorder_ns,
        }
        process_id = self._archive.store.add("process", row)
        contexts = self._write_contexts(run_id)
        calls = sorted(self._calls.items(), key=_started)
        first = self._archive.next_call()
        for call_id, (number, call) in enumerate(calls, first):
            call[ID] = call_id
            call[PROCESS_ID] = process_id
            call[CONTEXT_ID] = contexts[call[CONTEXT_ID]]
            self._sum_up(number, call)
        self._archive.store.add_many("call", CALL, (call for _, call in calls))
        self._write_effects()
        self._note_missing()
        return len(calls)

    @property
    def calls(self) -> int:
        """How many there are to be written."""
        return len(self._calls)

    @property
    def interpreter(self) -> tuple[str, str]:
        """Path and version of the process's Python; empty where unknown."""
        return (self._process[6], self._process[7]) if self._process else ("", "")

    # --- records --------------------------------------------------------------------------

    def _take_process(self, *described: Any) -> None:
        if len(described) != 8:
            raise ValueError("fields of a process")
        self._process = described

    def _take_file(self, file: str, size: int, mtime_ns: int) -> None:
        self._sources[file] = self._archive.source(file, size, mtime_ns)

    def _take_function(self, number: int, file: str, qualname: str, *rest: Any) -> None:
        line, module, kind, parameters = rest
        row = {
            "file": file,
            "qualname": qualname,
            "line": line,
            "module": module,
            "kind": kind,
            "parameters": json.dumps(parameters),
            "source_id": self._sources[file],
        }
        self._numbers[number] = function_id = self._archive.function(row)
        names = tuple(name for name, _ in parameters)
        self._names[function_id] = (names, qualname.rpartition(".")[2])

    def _take_begin(self, *fields: Any) -> None:
        call, function, caller, thread, started_ns, blob, opaque, missing = fields
        function_id = self._id(function)
        digest = None
        if blob is not None:
            secret = self._archive.redactor.arguments(blob, self._names[function_id][0])
            if secret is None:
                digest = self._archive.value(blob, opaque)
            else:
                missing = secret
        self._calls[call] = [
            None, None, function_id, self._numbers[caller], thread, digest, missing,
            UNKNOWN, None, END_NOT_SEEN, started_ns, None, self._context,
        ]  # fmt: skip
        if opaque:
            self._opaque.add(call)
        if self._context:
            self._reached.add((self._context, function_id))

    def _take_item(self, call: int, blob: bytes) -> None:
        """An item of a generator; what was seen stands even if its end was not."""
        self._calls[call][ENDING] = Ending.YIELDED.value
        self._items.setdefault(call, []).append(blob)

    def _take_end(self, *fields: Any) -> None:
        call, ending, blob, opaque, missing, duration_ns = fields
        if self._items:
            self._items.pop(call, None)
        if ending not in ENDINGS:
            raise ValueError(f"an ending {ending!r}")
        row = self._calls[call]
        row[ENDING] = ending
        row[RESULT], row[RESULT_MISSING] = self._outcome(row, blob, opaque, missing)
        row[DURATION] = duration_ns

    def _outcome(
        self, row: list[Any], blob: bytes | None, opaque: int, missing: str | None
    ) -> tuple[bytes | None, str | None]:
        """The digest of what came of a call, or why it is missing."""
        if blob is None:
            return None, missing
        secret = self._archive.redactor.outcome(blob, *self._names[row[FUNCTION_ID]])
        return (self._archive.value(blob, opaque), missing) if secret is None else (None, secret)

    def _take_effect(self, call: int, function: int, kind: str, detail: str) -> None:
        counts = self._effects.setdefault(call, Counter())
        detail = self._archive.redactor.text(detail)
        shown = detail.encode("utf-8", "backslashreplace").decode()  # file names may be any bytes
        counts[self._id(function), kind, shown] += 1

    def _take_reads(self, function: int, kind: str, name: str) -> None:
        row = {"function_id": self._id(function), "kind": kind, "name": name}
        self._archive.store.put("reads", row)

    def _take_missing(self, function: int, subject: str, reason: str) -> None:
        self._missing.append((function, subject, reason))

    def _take_timed(self, stack: str, spent_ns: int) -> None:
        self.timed.append((stack, spent_ns))

    def _take_context(self, number: int, name: str, unwatched: int) -> None:
        if number:
            self._contexts[number] = (name, unwatched)
        self._context = number

    def _take_reached(self, number: int, functions: tuple[int, ...]) -> None:
        if number not in self._contexts:
            raise ValueError(f"context {number}")
        for function in functions:
            self._reached.add((number, self._id(function)))

    def _id(self, number: int) -> int:
        function_id = self._numbers[number]
        if function_id is None:
            raise ValueError("no function")
        return function_id

    # --- what is left ---------------------------------------------------------------------

    def close(self) -> None:
        """All records are taken: a generator whose end was not seen gave at least its items."""
        for call, items in self._items.items():
            blob = pickle.dumps([[items, "suspended", None], None], 5)
            row = self._calls[call]
            row[RESULT], row[RESULT_MISSING] = self._outcome(row, blob, 0, None)

    def _sum_up(self, number: int, call: list[Any]) -> None:
        total = self._archive.totals[call[FUNCTION_ID]]
        total.calls += 1
        if call[DURATION] is not None:
            total.durations.append(call[DURATION])
        if call[ARGUMENTS] is not None and number not in self._opaque:
            effects = self._effects.get(number, ())
            total.whole += not effects or HARM.isdisjoint(kind for _, kind, _ in effects)

    def _write_contexts(self, run_id: int) -> dict[int, int | None]:
        """Write the tests that ran and what they reached; the journal's numbers -> their ids."""
        ids: dict[int, int | None] = {0: None}
        for number, (name, unwatched) in self._contexts.items():
            ids[number] = self._archive.context(run_id, name, unwatched)
        pairs = [(ids[number], function) for number, function in sorted(self._reached)]
        self._archive.store.add_many("reach", ("context_id", "function_id"), pairs)
        return ids

    def _write_effects(self) -> None:
        columns = ("call_id", "function_id", "kind", "detail", "count")
        rows = [
            (self._calls[number][ID], *effect, count)
            for number in self._effects.keys() & self._calls.keys()
            for effect, count in self._effects[number].items()
        ]
        self._archive.store.add_many("effect", columns, sorted(rows))

    def _note_missing(self) -> None:
        missing = self._archive.missing
        for call in self._calls.values():
            if call[MISSING] is not None:
                missing[call[FUNCTION_ID], "arguments", call[MISSING]] += 1
            if call[RESULT_MISSING] is not None:
                missing[call[FUNCTION_ID], "results", call[RESULT_MISSING]] += 1


def _started(entry: tuple[int, list[Any]]) -> int:
    return int(entry[1][STARTED])
