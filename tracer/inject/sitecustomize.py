"""Starts the recorder in the interpreter that `perftrace run` started, then steps aside.

Its folder is first on PYTHONPATH. What it found is put back: sys.path, the environment, and the
user's own sitecustomize, or the absence of one.
"""

# pathlib is too heavy to import into the program.
# ruff: noqa: PTH100, PTH118, PTH120, PTH123

import os
import sys
from time import thread_time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

ROOT = "_perftrace"  # the private name of our package in the user's process
HERE = os.path.dirname(os.path.abspath(__file__))
TRACER = os.path.dirname(HERE)


def step_aside() -> tuple[str | None, str | None]:
    """Restore sys.path and the environment; return the run's folder and the package's."""
    sys.path[:] = [entry for entry in sys.path if entry != HERE]
    sys.path_importer_cache.pop(HERE, None)
    folder = os.environ.pop("PERFTRACE_RUN", None)
    if folder is None:  # a sub-interpreter: the program's own business
        return None, None
    theirs = os.environ.pop("PERFTRACE_PYTHONPATH", None)
    if theirs is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = theirs
    return folder, os.environ.pop("PERFTRACE_HOME", None)


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
    folder, home = step_aside()
    if folder is None or home is None:
        return
    try:
        load(home).start(folder, since)
    except Exception as error:  # noqa: BLE001 - the border to the program
        try:
            with open(os.path.join(folder, f"failed.{os.getpid()}"), "wb") as file:
                file.write(f"{type(error).__name__}: {error}".encode("utf-8", "backslashreplace"))
        except OSError:
            pass


begin()
del sys.modules[__name__]
import sitecustomize  # type: ignore[import-not-found]  # noqa: E402, F401 - the user's own; without one, the usual ImportError
