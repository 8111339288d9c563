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


def start(folder: str, since_ns: int) -> None:
    """Record this process into a journal in the folder; our CPU time counts from `since_ns`."""
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
    budget = Budget(settings.share)
    process = Process(folder, own)
    monitor = Monitor(process, rule, budget)
    me = get_ident()
    monitor.busy.add(me)
    try:
        if monitor.start():
            Control(monitor, process, budget, _timing(process) if settings.timing else None).start()
        else:
            process.no_tool_ids()
        budget.spent += thread_time_ns() - since_ns
        process.clocks(budget.refresh(), budget.spent)
    except BaseException:
        monitor.stop()
        raise
    monitor.busy.discard(me)


def _timing(process: Process) -> "Timing | None":
    from .timing import Timing  # noqa: PLC0415

    timing = Timing(process.timed, process.foreign, process.timing_failed)
    return timing if timing.start() else None
