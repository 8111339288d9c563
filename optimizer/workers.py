"""The worker processes that make recorded calls again: one per recorded process and version."""

import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, Self

from perftrace.model import Candidate, Coverage, Function, Process
from perftrace.optimizer import patch
from perftrace.replay.requests import How, NotReplayed, Other, Overlay, Reply, Request, Target
from perftrace.replay.servers import Servers
from perftrace.replay.session import Session
from perftrace.store import Store

TIMING_SERVERS = 4  # fork servers for timing: each has a hash seed and a memory layout of its own
SEEDS = (1, 2)  # hash seeds every call is made under: an order that depends on them shows


@dataclass(frozen=True, slots=True)
class Here:
    """Where a recorded function is in a revision."""

    target: Target | None  # None: it is not there
    refused: str = ""  # why recorded calls of it can't be made there


@dataclass(frozen=True, slots=True)
class Revision:
    """A whole revision of the program: its files, and where recorded functions are in them."""

    name: str
    files: Mapping[str, str | None] = field(default_factory=dict)  # as of `Overlay`
    targets: Mapping[Target, Here] = field(default_factory=dict)  # else: where it was recorded
    as_recorded: bool = True  # these are the files that were recorded


@dataclass(frozen=True, slots=True)
class Version:
    """The original or a candidate: a whole text that stands in for the function's file."""

    function: Function  # as it was recorded
    source: str
    decorated: bool = False  # it put a decorator on the function
    revision: Revision | None = None  # more than that file differs, or it is elsewhere
    alone: bool = False  # it can't take turns with another version in one process

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
        if self.revision is not None:
            return Overlay(self.revision.files)
        return Overlay({self.function.file: self.source})

    @property
    def as_recorded(self) -> bool:
        """Whether the original did what it does when it was recorded."""
        return self.revision is None or self.revision.as_recorded

    def target(self, target: Target) -> Target | None:
        """Where a recorded function is in this version; None: it is not there."""
        if self.revision is not None:
            return self.revision.targets.get(target, Here(target)).target
        mine = (target.file, target.qualname) == (self.function.file, self.function.qualname)
        return replace(target, decorated=True) if self.decorated and mine else target

    def request(self, request: Request) -> Request | NotReplayed:
        """The same request, for this version."""
        target = self.target(request.target)
        here = self.revision.targets.get(request.target) if self.revision else None
        refused = here.refused if here else ""
        if target is None or refused:
            return NotReplayed(refused or f"{request.target.qualname} is not there any more")
        return request if target == request.target else replace(request, target=target)

    def requests(self, requests: Sequence[Request]) -> list[Request] | NotReplayed:
        """The same requests, for this version, or why one of them can't be made."""
        here: list[Request] = []
        for request in requests:
            found = self.request(request)
            if isinstance(found, NotReplayed):
                return found
            here.append(found)
        return here


def _decorators(source: str, qualname: str, ordinal: int) -> int:
    found = (p for p in patch.places(source) if (p.qualname, p.ordinal) == (qualname, ordinal))
    return next((len(place.node.decorator_list) for place in found), 0)


class OpenSession(Protocol):
    """Starts a worker; `Session` itself, or what stands in for it in tests."""

    def __call__(
        self,
        process: Process,
        *,
        overlay: Overlay,
        hash_seed: int,
        hidden: Sequence[Path],
        servers: Servers | None,
    ) -> Session:
        """A worker (context manager)."""
        ...


class Workers:
    """Starts the workers of a trace file's processes (context manager: it holds fork servers)."""

    def __init__(
        self,
        store: Store,
        open_session: OpenSession = Session,
        dice: random.Random | None = None,
    ) -> None:
        self.store = store
        self._open = open_session
        self._servers = Servers()
        dice = dice or random.SystemRandom()
        self.timing_seeds = tuple(dice.randrange(1, 2**32) for _ in range(TIMING_SERVERS))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the fork servers."""
        self._servers.close()

    def learn(self, process_id: int, session: Session) -> None:
        """Let workers to come begin with the libraries that this original's has loaded."""
        self._servers.learn(self.store.process(process_id), session.modules())

    def session(
        self, process_id: int, version: Version, seed: int, *, cold: bool = False
    ) -> Session:
        """A new worker (context manager); cold: in an interpreter of its own from the start."""
        servers = None if cold else self._servers
        process = self.store.process(process_id)
        trace = self.store.path
        hidden = [trace.with_name(trace.name + end) for end in ("", "-wal", "-shm")]
        return self._open(
            process, overlay=version.overlay, hash_seed=seed, hidden=hidden, servers=servers
        )

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
        return self._ask(process_id, request, lines=lines, reach=reach, state=state)()

    def _ask(
        self,
        process_id: int,
        request: Request,
        *,
        lines: bool = False,
        reach: Target | None = None,
        state: bool = False,
        repeat: bool = False,
    ) -> Callable[[], Reply]:
        """Ask for a call; what waits for its reply."""
        here = self._version.request(request)
        if isinstance(here, NotReplayed):
            refused = here
            return lambda: refused
        aim = self._version.target(reach) if reach else None
        session = self._session(process_id)
        return session.ask(here, lines=lines, reach=aim, state=state, repeat=repeat)

    @staticmethod
    def make_all(
        started: "Sequence[Started]",
        process_id: int,
        request: Request,
        *,
        reach: Target | None = None,
        state: bool = False,
        repeat: bool = False,
    ) -> list[Reply]:
        """Make the same call in several workers at the same time."""
        asked = [
            one._ask(process_id, request, reach=reach, state=state, repeat=repeat)
            for one in started
        ]
        return [wait() for wait in asked]

    def amplify(
        self,
        process_id: int,
        requests: Sequence[Request],
        count: int,
        seed: int,
        how: How = How.LIKE,
    ) -> list[bytes] | NotReplayed:
        """Arguments made of those of calls of one recorded process."""
        here = self._version.requests(requests)
        if isinstance(here, NotReplayed):
            return here
        return self._session(process_id).amplify(here, count, seed, how)

    def has(self, target: Target) -> bool:
        """Whether a recorded function is there in this version."""
        return self._version.target(target) is not None

    def begin_coverage(self, process_id: int, target: Target) -> NotReplayed | None:
        """Watch which lines and branches of a function run, in one process's worker."""
        return self._session(process_id).begin_coverage(target)

    def coverage(self, process_id: int) -> Coverage | NotReplayed:
        """What ran of it since."""
        return self._session(process_id).coverage()

    def exchange(self, process_id: int, other: Other | None) -> NotReplayed | None:
        """Give a function the code of another text, or its own again, in one process's worker."""
        return self._session(process_id).exchange(other)

    def teach(self) -> None:
        """Let workers to come begin with the libraries that these have loaded."""
        for process_id, session in self._sessions.items():
            self._workers.learn(process_id, session)

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
