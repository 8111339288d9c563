"""The fork server: loads what workers need once, and forks one worker for each request.

    python server.py PERFTRACE_FOLDER SOCKET_FD LIMIT=VALUE ...

It loads the worker's own modules, later the libraries that the program uses, and never a module of
the program nor a candidate: each worker imports these after it has shut itself in. Requests come
over a socket, with the descriptors of the new worker's pipes and output. A worker is a process
group of its own and ends when the parent is gone; the server ends when the socket does.
"""

import gc
import importlib
import importlib.util
import os
import socket
import sys
import time
import traceback
import warnings
from typing import Any

START_FILE = "start.py"
DESCRIPTORS = 5  # pipe in, pipe out, life, stdout, stderr
THREADED_BUT_SAFE = ("numpy",)  # its threads are started anew after a fork
POLL_S = 0.002  # between looks whether a worker has ended

type Message = dict[str, Any]


def load_start() -> Any:
    """The module beside this one that sets a worker up."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), START_FILE)
    spec = importlib.util.spec_from_file_location("_perftrace_start", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Server:
    """Answers the requests of one parent."""

    def __init__(self, connection: socket.socket, start: Any, modules: dict[str, Any]) -> None:
        self._connection = connection
        self._start = start
        self._worker = modules["worker"]
        self._wire = modules["wire"]
        self._library = modules["library"]
        self._sandbox = modules["sandbox"]
        self._hidden: list[str] | None = None
        self._rules: Any = None  # what keeps workers from the hidden files, as far as it is shared

    def serve(self) -> None:
        """Answer until the parent closes its end."""
        operations = {"fork": self._fork, "wait": self._wait, "preload": self._preload}
        while True:
            first, descriptors, _, _ = socket.recv_fds(self._connection, 1, DESCRIPTORS)
            if not first:
                return
            sizes = self._wire.SIZES.unpack(self._read(self._wire.SIZES.size))
            request, _ = self._wire.unpack(*(self._read(size) for size in sizes))
            answer = operations[request["op"]](request, descriptors)
            self._connection.sendall(self._wire.pack(answer))

    def _read(self, size: int) -> bytes:
        parts = []
        while size:
            part = self._connection.recv(size)
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _fork(self, request: Message, descriptors: list[int]) -> Message:
        if request["hidden"] != self._hidden:
            if self._rules is not None:
                self._rules.close()
            self._hidden = None
            self._rules = self._sandbox.prepare(request["home"], request["hidden"])
            self._hidden = request["hidden"]
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # threads: looked at in _preload
            child = os.fork()
        if not child:
            self._become_worker(request["folder"], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        return {"pid": child}

    def _become_worker(self, folder: str, descriptors: list[int]) -> None:
        code = 1
        try:
            os.setsid()
            self._connection.close()
            reading, writing, life, *outputs = descriptors
            for output, descriptor in zip(outputs, (1, 2), strict=True):
                os.dup2(output, descriptor)
                os.close(output)
            self._start.end_with_parent(life)
            os.environ["TMPDIR"] = folder
            if "tempfile" in sys.modules:
                vars(sys.modules["tempfile"])["tempdir"] = None  # it keeps what TMPDIR was
            self._worker.main(reading, writing, self._rules)
            code = 0
        except BaseException:  # noqa: BLE001 - nothing may return to the server's loop
            traceback.print_exc()
        finally:
            self._worker.Worker.flush()
            os._exit(code)

    @staticmethod
    def _wait(request: Message, _: list[int]) -> Message:
        """How a worker ended; no status where it still runs after so long."""
        end = time.monotonic() + request["seconds"]
        while True:
            try:
                found, status = os.waitpid(request["pid"], os.WNOHANG)
            except ChildProcessError:
                return {"status": None}
            if found:
                return {"status": os.waitstatus_to_exitcode(status)}
            if time.monotonic() > end:
                return {"status": None}
            time.sleep(POLL_S)

    def _preload(self, request: Message, _: list[int]) -> Message:
        """Import libraries by name, each only from the file it is known to have."""
        sys.path[:] = request["path"]
        names = sorted(request["modules"], key=lambda one: one[0] not in THREADED_BUT_SAFE)
        threads, known = _threads(), set(sys.modules)
        loaded = 0
        for name, origin in names:
            loaded += self._import(name, origin)
            if name in THREADED_BUT_SAFE:
                threads = _threads()
        reason = ""
        if _threads() > threads:
            reason = "a library starts threads when it is imported"
        elif any(map(self._library.is_foreign, (sys.modules[n] for n in set(sys.modules) - known))):
            reason = "a library imports modules that are no library's"
        gc.collect()
        gc.freeze()
        return {"loaded": loaded, "reason": reason}

    @staticmethod
    def _import(name: str, origin: str) -> bool:
        """Whether the module is loaded now; where it can't be, the worker will see why."""
        try:
            spec = importlib.util.find_spec(name)
            if spec is None or spec.origin != origin:
                return False
            importlib.import_module(name)
        except BaseException:  # noqa: BLE001 - a library's own code, SystemExit too
            traceback.print_exc()
            return False
        return True


def _threads() -> int:
    """How many threads this process has, those that Python does not know of too."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return sys.maxsize  # it can't be told: any preloading is one too many


def main() -> None:
    """Start the server."""
    perftrace, descriptor, *limits = sys.argv[1:]
    start = load_start()
    start.set_limits(limits)
    start.make_root(perftrace)
    prefix = "_perftrace.replay.inside"
    modules = {
        name: start.imported(f"{prefix}.{name}")
        for name in ("worker", "wire", "library", "sandbox")
    }
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(descriptor)) as connection:
        connection.set_inheritable(False)
        Server(connection, start, modules).serve()


if __name__ == "__main__":
    main()
