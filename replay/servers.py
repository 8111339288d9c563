"""Fork servers, from the parent's side: workers that begin with their libraries loaded.

A new interpreter takes tens of milliseconds until it can serve, and as long again as the program's
libraries take to import. A fork server pays that once for each interpreter, folder and hash seed;
a fork takes a millisecond. What is timed last, and decides, still runs in processes of its own.
"""

import contextlib
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from perftrace.model import Process
from perftrace.replay import launching
from perftrace.replay.inside import wire
from perftrace.replay.launching import CannotStart, Child, Cold, Launcher, Limits, Plumbing

MOST = 8  # servers at a time: each holds the libraries in memory
FORKS = sys.platform == "linux"  # elsewhere system libraries do not survive a fork
PRELOAD_S = 60.0

type Module = tuple[str, str]  # its name and its file


@dataclass(frozen=True, slots=True)
class _Key:
    """Workers that may come from one server."""

    python: str
    cwd: str
    path: tuple[str, ...]
    hash_seed: int


class _Gone(Exception):  # noqa: N818 - an outcome
    """The server does not answer."""


class Server:
    """One fork server."""

    def __init__(self, process: Process, hash_seed: int, limits: Limits) -> None:
        """Start it.

        Raises:
            CannotStart: there is no such interpreter or folder.
        """
        self._limits = limits
        self._path = process.path
        self._folder = tempfile.TemporaryDirectory(
            prefix="perftrace-server-", ignore_cleanup_errors=True
        )
        self._lock = threading.Lock()
        self._connection, theirs = socket.socketpair()
        self.preloaded: tuple[Module, ...] = ()
        try:
            with theirs, Path(os.devnull).open("wb") as nothing:
                self._process = launching.start(
                    process.run.python,
                    [
                        *(str(launching.INSIDE / "server.py"), launching.root()),
                        *(str(theirs.fileno()), *limits.arguments),
                    ],
                    process.run.cwd,
                    launching.environment(self._folder.name, hash_seed),
                    (nothing.fileno(), nothing.fileno()),
                    (theirs.fileno(),),
                )
        except CannotStart:
            self._connection.close()
            self._folder.cleanup()
            raise

    def fork(self, plumbing: Plumbing) -> Child:
        """A new worker.

        Raises:
            CannotStart: the server is gone.
        """
        descriptors = [plumbing.reading, plumbing.writing, plumbing.life, *plumbing.outputs]
        home, hidden = str(Path(plumbing.folder).parent), list(plumbing.hidden)
        request = {"op": "fork", "folder": plumbing.folder, "home": home, "hidden": hidden}
        try:
            return _Forked(self, int(self._ask(request, self._limits.start_s, descriptors)["pid"]))
        except (_Gone, LookupError) as error:
            raise CannotStart(f"the fork server does not answer: {error}") from error

    def wait(self, pid: int, seconds: float) -> int | None:
        """How a worker ended; None: it runs still, or the server is gone."""
        try:
            request = {"op": "wait", "pid": pid, "seconds": seconds}
            status = self._ask(request, seconds + self._limits.start_s)["status"]
        except (_Gone, LookupError):
            return None
        return status if isinstance(status, int) else None

    def preload(self, modules: tuple[Module, ...]) -> str:
        """Load libraries, for all workers to come; why they can't be kept, or empty."""
        self.preloaded = modules
        try:
            request = {"op": "preload", "path": list(self._path), "modules": list(modules)}
            return str(self._ask(request, PRELOAD_S).get("reason", ""))
        except _Gone as error:
            return str(error)

    def close(self) -> None:
        """End it; its workers end by themselves."""
        self._connection.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._folder.cleanup()

    def _ask(
        self, request: wire.Header, seconds: float, descriptors: Sequence[int] = ()
    ) -> dict[str, Any]:
        with self._lock:
            try:
                self._connection.settimeout(seconds)
                socket.send_fds(self._connection, [b"!"], descriptors)
                self._connection.sendall(wire.pack(request))
                deadline = time.monotonic() + seconds
                sizes = wire.SIZES.unpack(self._read(wire.SIZES.size, deadline))
                return wire.unpack(*(self._read(size, deadline) for size in sizes))[0]
            except (OSError, ValueError) as error:
                raise _Gone(str(error)) from error

    def _read(self, size: int, deadline: float) -> bytes:
        parts = []
        while size:
            self._connection.settimeout(max(0.001, deadline - time.monotonic()))
            part = self._connection.recv(size)
            if not part:
                raise _Gone("it ended")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class _Forked:
    """A worker that a server forked; only the server can wait for it."""

    server: Server
    pid: int

    def wait(self, seconds: float) -> int | None:
        return self.server.wait(self.pid, seconds)


class Servers:
    """The fork servers of one command (context manager), each started when it is first needed."""

    def __init__(self) -> None:
        self._servers: OrderedDict[_Key, Server] = OrderedDict()  # the one used last at the end
        self._modules: dict[tuple[str, ...], tuple[Module, ...]] = {}  # to preload, by search path
        self._broken: set[_Key] = set()
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()  # workers may be asked for by several threads

    @property
    def home(self) -> str:
        """The folder that all workers' private folders lie in."""
        with self._lock:
            if self._home is None:
                self._home = tempfile.TemporaryDirectory(
                    prefix="perftrace-replay-", ignore_cleanup_errors=True
                )
            return self._home.name

    def launcher(self, process: Process, hash_seed: int, limits: Limits) -> Launcher:
        """What starts workers of this process: forking where that can be done."""
        run = process.run
        cold = Cold(run.python, run.cwd, hash_seed, limits)
        if not FORKS:
            return cold
        key = _Key(str(run.python), str(run.cwd), process.path, hash_seed)
        return _Forking(self, process, key, cold)

    def learn(self, process: Process, modules: Sequence[Module]) -> None:
        """What the program's own code has imported, to be loaded by the servers from now on."""
        self._modules.setdefault(process.path, tuple(modules))

    def fork(self, process: Process, key: _Key, limits: Limits, plumbing: Plumbing) -> Child:
        """A worker from the server of this key.

        Raises:
            CannotStart: it has none, or it ended.
        """
        with self._lock:
            if key in self._broken:
                raise CannotStart("the fork server ended")
            try:
                return self._server(process, key, limits).fork(plumbing)
            except CannotStart:
                self._broken.add(key)
                self._drop(key)
                raise

    def close(self) -> None:
        """End them all."""
        while self._servers:
            self._servers.popitem()[1].close()
        if self._home is not None:
            self._home.cleanup()
            self._home = None

    def _server(self, process: Process, key: _Key, limits: Limits) -> Server:
        if key not in self._servers:
            if len(self._servers) >= MOST:
                self._servers.popitem(last=False)[1].close()
            self._servers[key] = Server(process, key.hash_seed, limits)
        self._servers.move_to_end(key)
        wanted = self._modules.get(key.path, ())
        server = self._servers[key]
        if server.preloaded != wanted and server.preload(wanted):
            # Something in there does not go with forking: without libraries, then.
            self._modules[key.path] = ()
            self._drop(key)
            return self._server(process, key, limits)
        return server

    def _drop(self, key: _Key) -> None:
        server = self._servers.pop(key, None)
        if server is not None:
            server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _Forking:
    """Starts workers by forking, or anew where there is no server."""

    servers: Servers
    process: Process
    key: _Key
    cold: Cold
    forks: bool = True

    @property
    def home(self) -> str:
        return self.servers.home

    def __call__(self, plumbing: Plumbing) -> Child:
        try:
            return self.servers.fork(self.process, self.key, self.cold.limits, plumbing)
        except CannotStart:
            return self.cold(plumbing)
