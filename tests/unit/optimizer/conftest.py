"""A trace file made by hand, and workers that run the code in this process."""

import ast
import contextlib
import io
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from perftrace import restore, snapshot
from perftrace.model import Candidate, Ending, Function, Process, Run
from perftrace.optimizer.workers import Version, Workers
from perftrace.replay.inside.spoil import spoil
from perftrace.replay.requests import (
    BlockTime,
    How,
    Memory,
    NotReplayed,
    Other,
    Overlay,
    Prepared,
    Replayed,
    Reply,
    Request,
    Target,
)
from perftrace.replay.session import NEW, Session
from perftrace.store import Store

CAP = 1 << 20


def encode(value: object) -> bytes:
    return snapshot.encode(value, CAP)[0]


def decode(blob: bytes) -> Any:
    return restore.decode(blob, lambda module, name: getattr(__import__(module), name))


class Gone(Exception):  # noqa: N818 - an outcome
    """Stands for code that ends or hangs its worker."""


class FakeSession(Session):
    """Runs the overlay's source here; its speed is what `cost` says of the source.

    Two versions in one session have the same noise; `# alone` in a source is one that can't share.
    """

    def __init__(
        self, process: Process, *, overlay: Overlay, hash_seed: int, hidden: Any, servers: Any
    ) -> None:
        super().__init__(process, overlay=overlay, hash_seed=hash_seed, hidden=hidden)
        self.space: dict[str, Any] = {"Gone": Gone, "seed": hash_seed}
        [text] = overlay.files.values()
        assert text is not None
        self.source = text
        self.seed = hash_seed
        self.prepared = self.bytes = 0
        self.exchanged = self.source
        self.sources = (self.source, self.source)

    @property
    def main_alias(self) -> dict[str, str]:
        return {}

    def call(
        self,
        request: Request,
        *,
        lines: bool = False,
        reach: Target | None = None,
        state: bool = False,
        repeat: bool = False,
    ) -> Reply:
        out = io.StringIO()
        try:
            exec(self.exchanged, self.space)
            arguments = decode(request.arguments)
            function = self.space[request.target.qualname]
            with contextlib.redirect_stdout(out):
                ending, payload = self._end(lambda: function(*arguments))
                if repeat:
                    spoil(payload, arguments)
                    arguments = decode(request.arguments)
                    ending, payload = self._end(lambda: function(*arguments))
        except Gone:
            return NotReplayed("took longer than 2 s")
        except SyntaxError as error:
            return NotReplayed(f"cannot import it: {error.msg}")
        result = encode([payload, arguments])
        own = isinstance(payload, ValueError)  # what sources here raise themselves
        implicit = ending is Ending.RAISED and not own
        reached = int(reach is not None and f"{reach.qualname}(" in self.source)
        left = {name: encode([value, None]) for name, value in self.space.get("LEFT", {}).items()}
        return Replayed(
            *(ending, result, 1000, 1000, out.getvalue(), "", frozenset(), reached),
            implicit=implicit,
            own=own,
            state=left if state else None,
        )

    def ask(self, request: Request, **options: Any) -> Callable[[], Reply]:
        return lambda: self.call(request, **options)

    @staticmethod
    def _end(call: Callable[[], object]) -> tuple[Ending, object]:
        try:
            return Ending.RETURNED, call()
        except Gone:
            raise
        except Exception as error:
            return Ending.RAISED, error

    def modules(self) -> list[tuple[str, str]]:
        return []

    def exchange(self, other: Other | None) -> NotReplayed | None:
        self.exchanged = other.source if other else self.source
        return None

    def amplify(
        self, requests: Sequence[Request], count: int, seed: int, how: How = How.LIKE
    ) -> list[bytes] | NotReplayed:
        found = re.search(rf"# {how}: (.*)", self.source)
        return [encode([value]) for value in ast.literal_eval(found[1])[:count]] if found else []

    def prepare(
        self, requests: Sequence[Request], other: Other | None = None
    ) -> Prepared | NotReplayed:
        self.prepared = len(requests)
        self.bytes = sum(len(request.arguments) for request in requests)
        self.sources = (other.source if other else self.source, self.source)
        return Prepared(len(requests), "it is alone" if "# alone" in self.source else "")

    def time_import(self, target: Target) -> BlockTime | NotReplayed:
        spent = self._told("import", 1) * 1_000_000  # milliseconds
        return BlockTime(spent, spent, 1, Memory(0, 0))

    def weigh_block(self) -> BlockTime | NotReplayed:
        return BlockTime(1, 1, 1, Memory(0, self._told("memory", 1) << 20))  # megabytes

    def _told(self, name: str, default: int) -> int:
        found = re.search(rf"# {name}: (.*)", self.source)
        return int(found[1]) if found else default

    def run_block(self, rounds: int, version: int = NEW, move: int = 0) -> BlockTime | NotReplayed:
        calls = rounds * self.prepared
        noise = random.Random(f"{self.seed}{self.source}").uniform(0.99, 1.01)
        source = self.sources[version]
        spent = round(noise * (cost(source) * calls + cost(source, "byte") * self.bytes * rounds))
        return BlockTime(spent, spent, calls)


def cost(source: str, name: str = "cost") -> int:
    """Nanoseconds a call takes, or each byte of its arguments: `# cost: 5000`, `# byte: 10`."""
    return int(source.rpartition(f"# {name}: ")[2].split()[0]) if f"# {name}: " in source else 0


@dataclass
class Lab:
    """A recorded run of one file."""

    store: Store
    file: Path
    run: Run
    ids: dict[str, int]

    @property
    def workers(self) -> Workers:
        return Workers(self.store, FakeSession, random.Random(0))

    def function(self, name: str = "f") -> Function:
        return self.store.functions()[self.ids[name]]

    def version(self, name: str = "f") -> Version:
        return Version(self.function(name), self.file.read_text())

    def candidate(self, source: str, step: str = "rule") -> Candidate:
        original = self.file.read_text()
        return Candidate(self.function(), "fake", (step,), f"why {step}", original, source)

    def call(self, values: list[object], result: object = None, /, **more: Any) -> int:
        """Record a call; without a result its outcome is unknown, as when it ran too long."""
        with self.store.transaction():
            return self._call(values, result, more)

    def _call(self, values: list[object], result: object, more: dict[str, Any]) -> int:
        blob = self.store.add_value(encode(values), 0)
        row = {
            "process_id": 1,
            "function_id": self.ids[more.pop("name", "f")],
            "caller_id": None,
            "thread": 1,
            "arguments": blob,
            "ending": "unknown",
            "started_ns": 0,
            "duration_ns": 5000,
        }
        if result is not None:
            row |= {"ending": "returned", "result": self.store.add_value(encode(result), 0)}
        return self.store.add("call", {**row, **more})


RUN = {
    "uuid": "u1",
    "command": '["app.py"]',
    "form": "script",
    "python": "/python",
    "python_version": "",
    "started": "",
    "wall_s": 1,
    "cpu_s": 1,
    "exit_code": 0,
    "sampler": "none",
    "interval_s": 0,
    "samples": 0,
    "sampler_note": "",
    "overhead": 0,
    "version": "",
}


@pytest.fixture
def make_lab(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """`make_lab(source, {"f": ["x"]})`: a trace file of these functions and their parameters."""
    with contextlib.ExitStack() as stack:

        def make(source: str, functions: dict[str, list[str]]) -> Lab:
            file = tmp_path / "app.py"
            file.write_text(source)
            store = stack.enter_context(Store.open_to_write(tmp_path / "trace.db"))
            with store.transaction():
                ids = fill(store, file, source, functions)
            return Lab(store, file, store.last_run(), ids)

        yield make


def fill(store: Store, file: Path, source: str, functions: dict[str, list[str]]) -> dict[str, int]:
    """Write the run, its process, the source and the functions; their ids by name."""
    run = store.add("run", {**RUN, "cwd": str(file.parent), "root": str(file.parent)})
    store.add(
        "process", {"run_id": run, "pid": 1, "parent_pid": 0, "arguments": "[]", "path": "[]"}
    )
    text = store.add("source", {"file": str(file), "sha256": "0", "text": source.encode()})
    lines = source.splitlines()
    ids = {}
    for name, parameters in functions.items():
        listed = ", ".join(f'["{one}", "either"]' for one in parameters)
        row = {
            "file": str(file),
            "qualname": name,
            "line": next(n for n, line in enumerate(lines, 1) if line.startswith(f"def {name}(")),
            "module": "app",
            "kind": "function",
            "parameters": f"[{listed}]",
            "source_id": text,
        }
        ids[name] = store.add("function", row)
    return ids
