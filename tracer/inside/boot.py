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


def start(folder: str, since_ns: int, inject: "str | None", ours: "dict[str, str]") -> None:
    """Record this process into a journal in the folder; our CPU time counts from `since_ns`.

    With `inject`, the folder that leads to the recorder, its children are recorded too; `ours` is
    what stands in the environment for that.
    """
    settings = Settings.read(folder)
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
        if monitor.start(effects=settings.effects):
            Control(monitor, process, budget, _timing(process) if settings.timing else None).start()
        else:
            process.no_tool_ids()
        if inject is not None:
            _children(inject, ours)
        budget.spent += thread_time_ns() - since_ns
        process.clocks(budget.refresh(), budget.spent)
    except BaseException:
        monitor.stop()
        raise
    monitor.busy.discard(me)


def _children(inject: str, ours: "dict[str, str]") -> None:
    from .children import Children  # noqa: PLC0415 - only where they are recorded

    Children(inject, ours).follow()


def _timing(process: Process) -> "Timing | None":
    from .timing import Timing  # noqa: PLC0415 - only where there is no sampler

    timing = Timing(process.timed, process.foreign)
    return timing if timing.start() else None
