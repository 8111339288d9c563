"""The script a worker is started with: sets its limits and makes the private root package.

    python start.py PERFTRACE_FOLDER READ_FD WRITE_FD LIFE_FD LIMIT=VALUE ...

`_perftrace` is an empty package that leads to our files without running `perftrace/__init__.py`,
so the recorded program's interpreter needs no perftrace installed.
"""

import fcntl
import importlib
import os
import resource
import signal
import sys
import types


def make_root(perftrace: str) -> None:
    """Make `_perftrace` and its folder `replay`, wherever the files lie."""
    inside = os.path.dirname(os.path.abspath(__file__))
    folders = {
        "_perftrace": perftrace,
        "_perftrace.replay": os.path.dirname(inside),
        "_perftrace.replay.inside": inside,
    }
    for name, folder in folders.items():
        module = types.ModuleType(name)
        module.__path__ = [folder]
        sys.modules[name] = module


def imported(name: str) -> types.ModuleType:
    """One of our modules. Python keeps it compiled: -B is for the program's own."""
    sys.dont_write_bytecode = False
    try:
        return importlib.import_module(name)
    finally:
        sys.dont_write_bytecode = True


def limit(name: str, value: int) -> None:
    """Set a resource limit, as far as the system has it and allows it."""
    kind = getattr(resource, f"RLIMIT_{name}")
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def set_limits(limits: "list[str]") -> None:
    """Set limits that are written as `NAME=VALUE`."""
    for name, _, value in (text.partition("=") for text in limits):
        limit(name, int(value))


def end_with_parent(descriptor: int) -> None:
    """Have the kernel kill this process when the last writer of a pipe is gone.

    A limit on CPU time would do too, but under one the kernel keeps the process's CPU clock only
    as exact as its tick.
    """
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_ASYNC)
    else:
        limit("CPU", 3600)


def main() -> None:
    """Start the worker."""
    perftrace, reading, writing, life, *limits = sys.argv[1:]
    end_with_parent(int(life))
    set_limits(limits)
    make_root(perftrace)
    worker = imported("_perftrace.replay.inside.worker")
    worker.main(int(reading), int(writing))


if __name__ == "__main__":
    main()
