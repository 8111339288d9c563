"""Calls functions again in a worker process: the parent's side, which trusts nothing it gets back.

    with Session(store.process(call.process_id)) as session:
        reply = session.call(request)

One session is one worker process under one overlay and one hash seed. A worker that dies, hangs
or talks nonsense costs the call at hand, never the parent; the next call starts a new one.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

from perftrace.model import Coverage, Process, Run
from perftrace.replay import answers, memory
from perftrace.replay.answers import Refused
from perftrace.replay.inside import judge
from perftrace.replay.inside.program import MAIN
from perftrace.replay.inside.sandbox import TRACES
from perftrace.replay.inside.versions import NEW, OLD
from perftrace.replay.launching import Cold, Launcher, Limits
from perftrace.replay.process import Ended, WorkerProcess
from perftrace.replay.requests import (
    BlockTime,
    How,
    Memory,
    Noticed,
    NotReplayed,
    Other,
    Overlay,
    Prepared,
    Replayed,
    Reply,
    Request,
    Target,
)
from perftrace.replay.servers import Module, Servers

__all__ = ["NEW", "OLD", "Limits", "Session"]

NO_WORKER = "no worker can be started"
SPARE_S = 1.0  # beside the time of the calls themselves

# Arguments, all positional ones as the first, and the names of the others -> what came of them.
type Answering = Callable[[bytes, tuple[str, ...]], Reply]


class Session:
    """One worker process (context manager); it starts with the first call."""

    def __init__(
        self,
        process: Process,
        *,
        overlay: Overlay | None = None,
        hash_seed: int = 0,
        limits: Limits | None = None,
        hidden: Sequence[Path] = (),
        servers: Servers | None = None,
    ) -> None:
        """Nothing is started yet; a worker can't read what is hidden, nor the project's traces.

        With fork servers, its worker comes from one of them where it can.
        """
        self._process = process
        self._hidden = hidden
        self._overlay = overlay or Overlay()
        self._hash_seed = hash_seed
        self._limits = limits or Limits()
        self._servers = servers
        self._worker: WorkerProcess | None = None
        self._main: str | None = None
        self._layers = (NO_WORKER, NO_WORKER)
        self._prepared: tuple[Request, ...] = ()
        self._other: Other | None = None
        self._stale = False  # the prepared calls were lost with their worker

    @property
    def main_alias(self) -> Mapping[str, str]:
        """The names by which the worker knows `__main__`, e.g. {"__main__": "app"}."""
        if self._main is None:
            try:
                self._running()
            except Ended:
                self.close()
        return {} if self._main is None else dict.fromkeys(MAIN, self._main)

    @property
    def layers(self) -> tuple[str, str]:
        """Why the kernel does not hold back files and system calls; empty where it does."""
        try:
            self._running()
        except Ended:
            self.close()
        return self._layers

    def call(
        self,
        request: Request,
        *,
        lines: bool = False,
        reach: Target | None = None,
        state: bool = False,
        repeat: bool = False,
    ) -> Reply:
        """Make one call; with `lines` or `reach`, watch the target or that other function.

        With `state`, tell what it changes in the program's globals and classes. As that depends
        on the calls before, it can be compared between sessions that make the same calls alone.
        With `repeat`, change its result in place and tell what the same call does then.
        """
        return self.ask(request, lines=lines, reach=reach, state=state, repeat=repeat)()

    def ask(
        self,
        request: Request,
        *,
        lines: bool = False,
        reach: Target | None = None,
        state: bool = False,
        repeat: bool = False,
    ) -> Callable[[], Reply]:
        """Ask for one call, and have what waits for its reply: meanwhile, others may be asked."""
        header = {
            **answers.header(request),
            "op": "call",
            "lines": lines,
            "reach": reach and asdict(reach),
            "state": state,
            "repeat": repeat,
        }
        try:
            worker = self._running()
            worker.send(header, [request.arguments])
        except (Ended, Refused) as error:
            failed = self._not_replayed(error)
            return lambda: failed
        return functools.partial(self._reply, worker, request.wall_s or self._limits.wall_s)

    def _reply(self, worker: WorkerProcess, seconds: float) -> Reply:
        """The reply to a call that was asked for."""
        try:
            answers.checked(*worker.receive(self._limits.start_s))  # all it needs is loaded
            reply, blobs = answers.checked(*worker.receive(seconds))
            return answers.replayed(reply, blobs, worker.output())
        except (Ended, Refused) as error:
            return self._not_replayed(error)

    def judge(self, request: Request, names: Sequence[str], answer: Answering) -> str | NotReplayed:
        """Run a test of a function that is elsewhere; what it says, empty where it passes.

        Each call that it makes of one of `names` is handed to `answer`; where that has none, the
        test ends, and says `judge.GONE`.
        """
        header = {**answers.header(request), "op": "judge", "names": list(names)}
        try:
            worker = self._begin(header, [request.arguments])
            while True:
                reply, blobs = answers.checked(*worker.receive(self._limits.wall_s))
                if "asks" not in reply:
                    return str(reply["error"])
                match answer(blobs[0], tuple(map(str, reply["asks"]))):
                    case Replayed(ending=ending, result=result):
                        worker.send({"ending": ending}, [result])
                    case NotReplayed():
                        worker.send({"ending": judge.GONE})
        except (Ended, Refused) as error:
            return self._not_replayed(error)

    def amplify(
        self, requests: Sequence[Request], count: int, seed: int, how: How = How.LIKE
    ) -> list[bytes] | NotReplayed:
        """Arguments made of those of these calls of one function, for so many calls at most."""
        calls = [answers.header(request) for request in requests]
        header = {"op": "amplify", "calls": calls, "count": count, "seed": seed, "how": how}
        try:
            worker = self._running()
            worker.send(header, [request.arguments for request in requests])
            _, blobs = answers.checked(*worker.receive(self._limits.start_s))
        except (Ended, Refused) as error:
            return self._not_replayed(error)
        return blobs

    def modules(self) -> list[Module]:
        """The libraries that the worker has loaded by now; none where it does not say."""
        try:
            worker = self._running()
            worker.send({"op": "modules"})
            reply, _ = answers.checked(*worker.receive(self._limits.start_s))
            return answers.modules(reply)
        except (Ended, Refused) as error:
            self._not_replayed(error)
            return []

    def begin_coverage(self, target: Target) -> NotReplayed | None:
        """From now on watch which lines and branches of a function run; None: they are."""
        found = self._cover(target)
        return found if isinstance(found, NotReplayed) else None

    def coverage(self) -> Coverage | NotReplayed:
        """What ran of it since; then it is watched no more."""
        found = self._cover(None)
        if isinstance(found, NotReplayed):
            return found
        try:
            return answers.coverage(found)
        except Refused as error:
            return NotReplayed(str(error))

    def _cover(self, target: Target | None) -> dict[str, Any] | NotReplayed:
        try:
            worker = self._running()
            worker.send({"op": "cover", "target": target and asdict(target)})
            return answers.checked(*worker.receive(self._limits.start_s))[0]
        except (Ended, Refused) as error:
            return self._not_replayed(error)

    def exchange(self, other: Other | None) -> NotReplayed | None:
        """Give a function the code of another text, or (None) its own again; None: it has it."""
        try:
            worker = self._running()
            worker.send({"op": "exchange", "other": other and asdict(other)})
            answers.checked(*worker.receive(self._limits.start_s))
        except (Ended, Refused) as error:
            return self._not_replayed(error)
        return None

    def expect(self, requests: Sequence[Request]) -> list[bool] | NotReplayed:
        """Make some calls to compare `notices` with; which of them do the same each time."""
        calls = [answers.header(request) for request in requests]
        try:
            worker = self._running()
            arguments = [request.arguments for request in requests]
            worker.send({"op": "expect", "calls": calls}, arguments)
            reply, _ = answers.checked(*worker.receive(self._limits.start_s))
            return answers.steady(reply, len(requests))
        except (Ended, Refused) as error:
            return self._not_replayed(error)

    def notices(self, other: Other, seconds: Sequence[float]) -> Noticed | NotReplayed:
        """Which of the expected calls do something else where a function has this code.

        Each call may take so many seconds; a code that ends the worker is noticed by all.
        """
        try:
            worker = self._running()
            worker.send({"op": "notices", "other": asdict(other), "seconds": list(seconds)})
            reply, _ = answers.checked(*worker.receive(2 * sum(seconds) + SPARE_S))
            return answers.noticed(reply, len(seconds))
        except Refused as error:
            return self._not_replayed(error)
        except Ended as error:
            self._not_replayed(error)
            return Noticed(frozenset(range(len(seconds))), spoilt=True)

    def prepare(
        self, requests: Sequence[Request], other: Other | None = None
    ) -> Prepared | NotReplayed:
        """Get calls ready to be timed; they stay until the next prepare, also across restarts.

        With another version of a function, each block says which of the two it is of.
        """
        self._prepared, self._other = tuple(requests), other
        self._stale = False
        calls = [answers.header(request) for request in requests]
        header = {"op": "prepare", "calls": calls, "other": other and asdict(other)}
        try:
            worker = self._running()
            worker.send(header, [request.arguments for request in requests])
            reply, _ = answers.checked(*worker.receive(self._limits.start_s))
        except (Ended, Refused) as error:
            return self._not_replayed(error)
        return Prepared(len(requests), str(reply.get("apart", ""))[:1000])

    def run_block(self, rounds: int, version: int = NEW, move: int = 0) -> BlockTime | NotReplayed:
        """Time `rounds` rounds of the prepared calls, each on a fresh copy of its arguments.

        `version` is `OLD` or `NEW` where another version was prepared too. From a block with `move`
        on the code of both lies elsewhere in memory, by that number.
        """
        if self._stale:
            prepared = self.prepare(self._prepared, self._other)
            if isinstance(prepared, NotReplayed):
                return prepared
        return self._timed({"op": "block", "rounds": rounds, "version": version, "move": move})

    def weigh_block(self) -> BlockTime | NotReplayed:
        """One round of the prepared calls, with the memory that it takes."""
        return self._timed({"op": "block", "rounds": 1, "version": NEW, "move": 0}, weighed=True)

    def time_import(self, target: Target) -> BlockTime | NotReplayed:
        """Time the import of a function's module: the first request to a new worker."""
        return self._timed({"op": "import", "target": asdict(target)}, weighed=True)

    def _timed(self, header: dict[str, Any], *, weighed: bool = False) -> BlockTime | NotReplayed:
        """What a worker does between two signals, by our clocks."""
        seconds = self._limits.block_s
        try:
            worker = self._begin(header, [])
            used = memory.restart_peak(worker.pid) if weighed else None
            before = worker.signal()
            after = worker.wait(seconds)
            most = memory.peak(worker.pid) if weighed else None
            worker.signal()
            reply, _ = answers.checked(*worker.receive(seconds))
            found = answers.block_time(reply, before, after)
        except (Ended, Refused) as error:
            return self._not_replayed(error)
        if used is None or most is None:
            return found
        return replace(found, memory=Memory(used, most))

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _running(self) -> WorkerProcess:
        """The worker, started if there is none."""
        if self._worker is None:
            hello: Mapping[str, Any] = {"again": True}
            for launch in self._launchers():
                if hello.get("again"):
                    self.close()
                    hello = self._start(launch)
            self._main = str(hello["main"]) if hello.get("main") else None
            self._layers = _layers(hello.get("layers"))
        assert self._worker is not None
        return self._worker

    def _launchers(self) -> Iterator[Launcher]:
        """What starts a worker; the next one where a server had loaded what is to be changed."""
        run = self._process.run
        if self._servers is not None:
            yield self._servers.launcher(self._process, self._hash_seed, self._limits)
        yield Cold(run.python, run.cwd, self._hash_seed, self._limits)

    def _start(self, launch: Launcher) -> Mapping[str, Any]:
        """Start a worker; what it says first."""
        run = self._process.run
        hidden = [str(path) for path in (*self._hidden, *_traces(run))]
        self._worker = worker = WorkerProcess(launch, self._limits, hidden)
        start = {
            "path": self._process.path,
            "cwd": str(run.cwd),
            "main_file": self._process.main_file,
            "main_module": self._process.main_module,
            "overlay": dict(self._overlay.files),
            "folder": worker.folder,
            "root": str(run.root),
            "hidden": hidden,
            "reply": self._limits.reply,
            "forked": launch.forks,
        }
        worker.send(start)
        return worker.receive(self._limits.start_s)[0]

    def _begin(self, header: dict[str, Any], blobs: list[bytes]) -> WorkerProcess:
        """Send a request; returns when the worker has loaded all it needs."""
        worker = self._running()
        worker.send(header, blobs)
        answers.checked(*worker.receive(self._limits.start_s))
        return worker

    def _not_replayed(self, error: Exception) -> NotReplayed:
        if isinstance(error, Ended):
            self.close()
            self._stale = bool(self._prepared)
        return NotReplayed(str(error))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _layers(said: object) -> tuple[str, str]:
    """What a worker says of its layers, before any code of the program was loaded."""
    if isinstance(said, list) and len(said) == 2:
        return str(said[0])[:1000], str(said[1])[:1000]
    return NO_WORKER, NO_WORKER


def _traces(run: Run) -> list[Path]:
    """Where the project keeps what was recorded: a candidate must not look up what is expected."""
    return [run.root / TRACES, run.cwd / TRACES]
