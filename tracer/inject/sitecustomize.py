"""Starts the recorder in the interpreter that `perftrace run` started, then steps aside.

Its folder is first on PYTHONPATH. What it found is put back: sys.path, the environment, and the
user's own sitecustomize, or the absence of one.
"""

# pathlib is too heavy to import into the program.
# ruff: noqa: PTH100, PTH118, PTH120, PTH123

import os
import sys
from _thread import _is_main_interpreter  # type: ignore[attr-defined]
from time import thread_time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

ROOT = "_perftrace"  # the private name of our package in the user's process
NAMES = ("PERFTRACE_RUN", "PERFTRACE_HOME", "PERFTRACE_CHILDREN")
THEIRS = "PERFTRACE_PYTHONPATH"
HERE = os.path.dirname(os.path.abspath(__file__))
TRACER = os.path.dirname(HERE)


def step_aside() -> dict[str, str]:
    """Restore sys.path and the environment; what led here, which is nothing a second time.

    Where children are recorded too, the C library's environment keeps it for them.
    """
    sys.path[:] = [entry for entry in sys.path if entry != HERE]
    sys.path_importer_cache.pop(HERE, None)
    ours = {name: os.environ[name] for name in NAMES if name in os.environ}
    if "PERFTRACE_RUN" not in ours:  # a sub-interpreter: the program's own business
        return {}
    theirs = os.environ.get(THEIRS)
    inherited = "PERFTRACE_CHILDREN" in ours
    for name in (*NAMES, THEIRS):
        put(name, None, inherited)
    put("PYTHONPATH", theirs, inherited)
    # A sub-interpreter finds the same environment. (Asking `_interpreters` here crashes 3.13.0.)
    return ours if not inherited or _is_main_interpreter() else {}


def put(name: str, value: str | None, hidden: bool) -> None:  # noqa: FBT001
    """Set or remove a variable; hidden: in `os.environ` alone, and not for children."""
    environment = os.environ._data if hidden else os.environ  # type: ignore[attr-defined]
    key = os.environ.encodekey(name) if hidden else name
    if value is None:
        environment.pop(key, None)
    else:
        environment[key] = os.environ.encodevalue(value) if hidden else value


def add_package(name: str, folder: str) -> None:
    """A package that needs no `__init__` and is on no path."""
    package = type(sys)(name)
    package.__path__ = [folder]
    sys.modules[name] = package


def load(home: str) -> "ModuleType":
    """The recorder; its own byte code is always cached: compiling it takes 15 ms."""
    add_package(ROOT, home)
    add_package(f"{ROOT}.tracer", TRACER)
    settings = sys.dont_write_bytecode, sys.pycache_prefix
    sys.dont_write_bytecode, sys.pycache_prefix = False, None
    try:
        from _perftrace.tracer.inside import boot  # type: ignore[import-not-found]  # noqa: PLC0415
    finally:
        sys.dont_write_bytecode, sys.pycache_prefix = settings
    assert isinstance(boot, type(sys))
    return boot


def begin() -> None:
    """Start the recorder; whatever goes wrong in here is not the program's concern."""
    since = thread_time_ns()
    ours = step_aside()
    if not ours:
        return
    folder = ours["PERFTRACE_RUN"]
    inject = HERE if "PERFTRACE_CHILDREN" in ours else None
    try:
        load(ours["PERFTRACE_HOME"]).start(folder, since, inject, ours)
    except Exception as error:  # noqa: BLE001 - the border to the program
        try:
            with open(os.path.join(folder, f"failed.{os.getpid()}"), "wb") as file:
                file.write(f"{type(error).__name__}: {error}".encode("utf-8", "backslashreplace"))
        except OSError:
            pass


begin()
del sys.modules[__name__]
import sitecustomize  # type: ignore[import-not-found]  # noqa: E402, F401 - the user's own; without one, the usual ImportError
