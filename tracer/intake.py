"""Turn the records of one process into rows of the trace file."""

import hashlib
import json
import pickle
import tokenize
from collections import Counter
from pathlib import Path
from typing import Any

from perftrace.model import Ending
from perftrace.store import Store
from perftrace.tracer.inside import journal
from perftrace.tracer.journals import DamagedError, Record
from perftrace.tracer.redact import Redactor

END_NOT_SEEN = "its end was not seen: still running, or an exception while none were watched"
CHANGED = "the file changed while the program ran"

type Missing = Counter[tuple[int | None, str, str]]  # function, subject, reason


class Archive:
    """What the processes of a run share on their way into the trace file."""

    def __init__(self, store: Store, redactor: Redactor) -> None:
        self.store = store
        self.redactor = redactor
        self.missing: Missing = Counter()
        self.functions: set[int] = set()
        self._sources: dict[str, int | None] = {}
        self._digests: set[bytes] = set()

    def value(self, blob: bytes, opaque: int) -> bytes:
        """Store a value once; its digest."""
        digest = self.store.digest(blob)
        if digest not in self._digests:
            self._digests.add(digest)
            self.store.add_value(blob, opaque)
        return digest

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
        self._names: dict[int, tuple[tuple[str, ...], str]] = {}  # of parameters, and a function's
        self._numbers: dict[int, int] = {}  # the journal's functions -> their ids
        self._calls: dict[int, dict[str, Any]] = {}
        self._of: dict[int, tuple[tuple[str, ...], str]] = {}  # a call's names
        self._items: dict[int, list[bytes]] = {}
        self._effects: dict[int, Counter[tuple[int, str, str]]] = {}
        self._missing: list[tuple[int, str, str]] = []
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
        }

    def take(self, record: Record) -> None:
        """Take the next record.

        Raises:
            DamagedError: the recorder did not write it so.
        """
        try:
            self._take[record.kind](*record.fields)
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedError(
                f"a record makes no sense: {type(error).__name__}: {error}"
            ) from error

    def write(self, run_id: int, cpu_ns: int, recorder_ns: int) -> int:
        """Write the process and its calls; how many calls. None of them: it was never described."""
        for number, subject, reason in self._missing:
            self._archive.missing[self._numbers.get(number), subject, reason] += 1
        if self._process is None:
            self._archive.missing[None, "processes", "ended before it ran any code of yours"] += 1
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
        for number, call in sorted(self._calls.items(), key=_started):
            call_id = self._archive.store.add("call", {"process_id": process_id, **call})
            self._write_effects(number, call_id)
        self._note_missing()
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
        self._numbers[number] = self._archive.function(row)
        names = tuple(name for name, _ in parameters)
        self._names[number] = (names, qualname.rpartition(".")[2])

    def _take_begin(self, call: int, function: int, caller: int, thread: int, *rest: Any) -> None:
        started_ns, blob, opaque, missing = rest
        names = self._names[function]
        secret = blob and self._archive.redactor.arguments(blob, names[0])
        if secret:
            blob, missing = None, secret
        self._of[call] = names
        self._calls[call] = {
            "function_id": self._numbers[function],
            "caller_id": self._numbers[caller] if caller else None,
            "thread": thread,
            "arguments": None if blob is None else self._archive.value(blob, opaque),
            "missing": missing,
            "ending": Ending.UNKNOWN,
            "result": None,
            "result_missing": END_NOT_SEEN,
            "started_ns": started_ns,
            "duration_ns": None,
        }

    def _take_item(self, call: int, blob: bytes) -> None:
        """An item of a generator; what was seen stands even if its end was not."""
        items = self._items.setdefault(call, [])
        items.append(blob)
        self._calls[call]["ending"] = Ending.YIELDED

    def _take_end(self, call: int, ending: str, blob: bytes | None, *rest: Any) -> None:
        opaque, missing, duration_ns = rest
        secret = blob and self._archive.redactor.outcome(blob, *self._of[call])
        if secret:
            blob, missing = None, secret
        self._items.pop(call, None)
        self._calls[call] |= {
            "ending": Ending(ending),
            "result": None if blob is None else self._archive.value(blob, opaque),
            "result_missing": missing,
            "duration_ns": duration_ns,
        }

    def _take_effect(self, call: int, function: int, kind: str, detail: str) -> None:
        counts = self._effects.setdefault(call, Counter())
        detail = self._archive.redactor.text(detail)
        shown = detail.encode("utf-8", "backslashreplace").decode()  # file names may be any bytes
        counts[self._numbers[function], kind, shown] += 1

    def _take_reads(self, function: int, kind: str, name: str) -> None:
        self._archive.store.put(
            "reads", {"function_id": self._numbers[function], "kind": kind, "name": name}
        )

    def _take_missing(self, function: int, subject: str, reason: str) -> None:
        self._missing.append((function, subject, reason))

    def _take_timed(self, stack: str, spent_ns: int) -> None:
        self.timed.append((stack, spent_ns))

    # --- what is left ---------------------------------------------------------------------

    def close(self) -> None:
        """All records are taken: a generator whose end was not seen gave at least its items."""
        for call, items in self._items.items():
            blob = pickle.dumps([[items, "suspended", None], None], 5)
            secret = self._archive.redactor.outcome(blob, *self._of[call])
            digest = None if secret else self._archive.value(blob, 0)
            self._calls[call] |= {"result": digest, "result_missing": secret}

    def _write_effects(self, number: int, call_id: int) -> None:
        for (function_id, kind, detail), count in self._effects.get(number, {}).items():
            row = {"call_id": call_id, "function_id": function_id, "kind": kind}
            self._archive.store.add("effect", {**row, "detail": detail, "count": count})

    def _note_missing(self) -> None:
        for call in self._calls.values():
            for subject, reason in (
                ("arguments", call["missing"]),
                ("results", call["result_missing"]),
            ):
                if reason is not None:
                    self._archive.missing[call["function_id"], subject, reason] += 1


def _started(entry: tuple[int, dict[str, Any]]) -> int:
    return int(entry[1]["started_ns"])
