"""Work done in callbacks: at the program's expense, but never to its harm."""

import builtins
from _thread import get_ident
from time import monotonic_ns, thread_time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .budget import Budget
    from .function import Watched
    from .pending import Pending
    from .process import Process

# Programs patch `time.time`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))


class Guard:
    """Counts the time, keeps the recorder from watching itself, and judges what goes wrong."""

    def __init__(
        self, process: "Process", budget: "Budget", fail: "Callable[[BaseException], None]"
    ) -> None:
        self.busy: set[int] = set()  # threads in here
        self.inside: dict[int, int] = {}  # thread -> ns of wall time in here
        self._process = process
        self._budget = budget
        self._fail = fail

    def do(
        self, function: "Watched | None", work: "Callable[..., Pending | None]", *details: object
    ) -> bool:
        """Do work at the program's expense, never to its harm; whether it was done."""
        thread = get_ident()
        if thread in self.busy:
            return False
        cpu, wall = thread_time_ns(), monotonic_ns()
        begun = None
        try:
            self.busy.add(thread)
            begun = work(*details)
        except BaseException as error:  # noqa: BLE001
            self.judge(error)
        finally:
            self.busy.discard(thread)
            spent = thread_time_ns() - cpu
            self._budget.spent += spent
            if function is not None:
                function.bill += spent
            now = monotonic_ns()
            inside = self.inside[thread] = self.inside.get(thread, 0) + now - wall
            if begun is not None:
                begun.inside_ns, begun.clock_ns = inside, now
        return True

    def judge(self, error: BaseException) -> None:
        """An exception came up in here: raise it if it is the program's, else see to it."""
        if self._process.foreign(error):
            raise error  # a signal handler's, which happened to run in here
        if not isinstance(error, (RecursionError, MemoryError)):  # the program's limits
            self._fail(error)
