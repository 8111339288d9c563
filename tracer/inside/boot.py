"""Starts the recorder in a program's interpreter, from the settings in the run's folder."""

import builtins
from _thread import get_ident
from time import thread_time_ns

from . import scope
from .budget import Budget
from .control import Control
from .monitor import Monitor
from .process import Process
from .settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .timing import Timing

# Programs patch `open`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))


class Recorder:
    """The recorder at work in this process, for a plugin of the program's test framework."""

    def __init__(self, folder: str, monitor: Monitor, control: Control) -> None:
        self.folder = folder
        self._monitor = monitor
        self._control = control

    @property
    def active(self) -> bool:
        """Whether it records; it may have stopped itself."""
        return self._monitor.running

    def tell_contexts(self) -> None:
        """The plugin says which test runs, so that nothing has to look for it."""
        self._monitor.contexts.told = True

    def enter(self, name: str) -> bool:
        """A test begins; False: it is part of another one, or nothing is recorded."""
        if not self.active or self._monitor.contexts.current:
            return False
        return self._switch(name)

    def leave(self) -> None:
        """The test that was entered has ended."""
        self._switch("")

    def stop(self) -> None:
        """Record no more, and leave the interpreter as it was found."""
        if self.active:
            self._monitor.guarded(None, self._monitor.contexts.write)
        try:
            self._control.stop()
        finally:
            self._monitor.stop()

    def _switch(self, name: str) -> bool:
        return self._monitor.guarded(None, self._monitor.contexts.switch, name)


running: Recorder | None = None  # in this process, or in the one it was forked from


def start(folder: str, since_ns: int, inject: "str | None", ours: "dict[str, str]") -> None:
    """Record this process into a journal in the folder; our CPU time counts from `since_ns`.

    With `inject`, the folder that leads to the recorder, its children are recorded too; `ours` is
    what stands in the environment for that.
    """
    global running  # noqa: PLW0603 - one a process
    settings = Settings.read(folder)
    if settings.timing:  # only where there is no sampler
        from . import timing  # noqa: F401, PLC0415 - so that it is among our own files
    own = scope.own_files()
    rule = scope.Scope(
        settings.sources,
        settings.includes,
        settings.excludes,
        cwd=settings.cwd,
        libraries=scope.own_libraries(),
        own=own,
    )
    budget = Budget(settings.share, settings.cap)
    process = Process(folder, own)
    monitor = Monitor(process, rule, budget)
    me = get_ident()
    monitor.busy.add(me)
    recorder = None
    try:
        if monitor.start(effects=settings.effects):
            timer = _timing(process) if settings.timing else None
            control = Control(monitor, process, budget, timer)
            control.start()
            recorder = Recorder(folder, monitor, control)
        else:
            process.no_tool_ids()
        if inject is not None:
            _children(inject, ours)
        budget.started(thread_time_ns() - since_ns)
        process.clocks(budget.refresh(), budget.spent)
    except BaseException:
        monitor.stop()
        raise
    running = recorder
    monitor.busy.discard(me)


def _children(inject: str, ours: "dict[str, str]") -> None:
    from .children import Children  # noqa: PLC0415 - only where they are recorded

    Children(inject, ours).follow()


def _timing(process: Process) -> "Timing | None":
    from .timing import Timing  # noqa: PLC0415

    timing = Timing(process.timed, process.foreign, process.timing_failed)
    return timing if timing.start() else None
