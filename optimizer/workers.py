"""The worker processes that make recorded calls again: one per recorded process and version."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, Self

from perftrace.model import Candidate, Function, Process
from perftrace.optimizer import patch
from perftrace.replay.requests import NotReplayed, Other, Overlay, Reply, Request, Target
from perftrace.replay.session import Session
from perftrace.store import Store

SEEDS = (1, 2)  # hash seeds every call is made under: an order that depends on them shows


@dataclass(frozen=True, slots=True)
class Version:
    """The original or a candidate: a whole text that stands in for the function's file."""

    function: Function
    source: str
    decorated: bool = False  # it put a decorator on the function

    @classmethod
    def of(cls, candidate: Candidate) -> Self:
        """The candidate's version."""
        function = candidate.function
        ordinal = patch.ordinal_of(candidate.original, function.qualname, function.line)
        before = _decorators(candidate.original, function.qualname, ordinal)
        after = _decorators(candidate.source, function.qualname, ordinal)
        return cls(function, candidate.source, decorated=after > before)

    @property
    def overlay(self) -> Overlay:
        """What a worker imports in place of the file."""
        return Overlay({self.function.file: self.source})

    def request(self, request: Request) -> Request:
        """The same request, for this version."""
        target = request.target
        mine = (target.file, target.qualname) == (self.function.file, self.function.qualname)
        if not (self.decorated and mine):
            return request
        return replace(request, target=replace(target, decorated=True))


def _decorators(source: str, qualname: str, ordinal: int) -> int:
    found = (p for p in patch.places(source) if (p.qualname, p.ordinal) == (qualname, ordinal))
    return next((len(place.node.decorator_list) for place in found), 0)


class OpenSession(Protocol):
    """Starts a worker; `Session` itself, or what stands in for it in tests."""

    def __call__(
        self, process: Process, *, overlay: Overlay, hash_seed: int, hidden: Sequence[Path]
    ) -> Session:
        """A worker (context manager)."""
        ...


class Workers:
    """Starts the workers of a trace file's processes."""

    def __init__(self, store: Store, open_session: OpenSession = Session) -> None:
        self.store = store
        self._open = open_session

    def session(self, process_id: int, version: Version, seed: int) -> Session:
        """A new worker (context manager)."""
        process = self.store.process(process_id)
        trace = self.store.path
        hidden = [trace.with_name(trace.name + end) for end in ("", "-wal", "-shm")]
        return self._open(process, overlay=version.overlay, hash_seed=seed, hidden=hidden)

    def start(self, version: Version, seed: int) -> "Started":
        """Workers of one version, started as their processes are asked for (context manager)."""
        return Started(self, version, seed)


class Started:
    """The running workers of one version under one hash seed."""

    def __init__(self, workers: Workers, version: Version, seed: int) -> None:
        self._workers = workers
        self._version = version
        self._seed = seed
        self._sessions: dict[int, Session] = {}
        self._stack = contextlib.ExitStack()

    def make(
        self,
        process_id: int,
        request: Request,
        *,
        lines: bool = False,
        reach: Target | None = None,
        state: bool = False,
    ) -> Reply:
        """Make a call of one recorded process."""
        request = self._version.request(request)
        return self._session(process_id).call(request, lines=lines, reach=reach, state=state)

    def amplify(
        self, process_id: int, requests: Sequence[Request], count: int, seed: int
    ) -> list[bytes] | NotReplayed:
        """Arguments like those of calls of one recorded process."""
        mine = [self._version.request(request) for request in requests]
        return self._session(process_id).amplify(mine, count, seed)

    def exchange(self, process_id: int, other: Other | None) -> NotReplayed | None:
        """Give a function the code of another text, or its own again, in one process's worker."""
        return self._session(process_id).exchange(other)

    def aliases(self, process_id: int) -> Mapping[str, str]:
        """The names by which a process's worker knows `__main__`."""
        return MappingProxyType(dict(self._session(process_id).main_alias))

    def _session(self, process_id: int) -> Session:
        if process_id not in self._sessions:
            session = self._workers.session(process_id, self._version, self._seed)
            self._sessions[process_id] = self._stack.enter_context(session)
        return self._sessions[process_id]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
