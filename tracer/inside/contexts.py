"""Which test is running, and which functions run during it.

A test's functions are known at the price of one event each: when a test begins, the functions
that ran during the last one are given a start event again. It fires once and is off.
"""

import builtins
from _thread import allocate_lock
from time import thread_time_ns

from . import journal
from .function import FRESH_LOCALS, Watched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

    from .budget import Budget
    from .process import Process

# Programs patch `len` or `id`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

REACHED_NS = 500  # a start that is only noted


class Contexts:
    """The context of what is recorded: the test that runs, or none."""

    def __init__(
        self, process: "Process", budget: "Budget", watch: "Callable[[Watched], None]"
    ) -> None:
        self._process = process
        self._budget = budget
        self._watch = watch  # have the function's next start reported
        self._lock = allocate_lock()  # the control thread writes, too
        self.current = ""
        self.told = False  # a plugin says which test runs: don't look for it
        self.runners: dict[int, Callable[[FrameType], str]] = {}  # by id of the code
        self.codes: list[CodeType] = []  # keeps them, so that an id stays their own
        self._frame = 0  # id of the runner's frame that the context belongs to
        self._number = 0
        self._reached: list[Watched] = []  # started since the context began
        self._written = 0  # of those, in the journal
        self._idle: list[Watched] = []  # whose start would not be noticed
        self._spent = 0

    # --- which test -----------------------------------------------------------------------

    def is_runner(self, code: "CodeType") -> bool:
        """Whether the code runs a single test of a framework; from now on it is known."""
        found = RUNNERS.get(code.co_qualname)
        if found is None or not code.co_filename.endswith(found[0]):
            return False
        self.codes.append(code)
        self.runners[id(code)] = found[1]
        return True

    def begin(self, frame: "FrameType") -> None:
        """A test begins in the runner's frame; one that another test runs is part of that."""
        below = frame.f_back
        while below is not None:
            if id(below.f_code) in self.runners:
                return
            below = below.f_back
        name = "" if self.told else self.runners[id(frame.f_code)](frame)
        if name:
            self.switch(name)
            self._frame = id(frame)

    def end(self, frame: "FrameType") -> None:
        """The runner's frame returns."""
        if id(frame) == self._frame:
            self._frame = 0
            self.switch("")

    def stop(self) -> "list[CodeType]":
        """Look for no test any more; the code that was watched for them."""
        codes, self.codes, self.runners = self.codes, [], {}
        return codes

    # --- switching ------------------------------------------------------------------------

    def switch(self, name: str) -> None:
        """From now on the context is this; empty: none.

        Raises:
            FullError: the journal takes no more.
            OSError: there is no room.
        """
        before = thread_time_ns()
        with self._lock:
            self._write_reached()
            fired, self._reached, self._written = self._reached, [], 0
            self._idle += fired
            watching = bool(name) and self._budget.allows(self._spent)
            self._describe(name, 0 if watching else len(self._idle))
            self.current = name
            if watching:
                self._watch_idle()
        self._spent += thread_time_ns() - before

    def _watch_idle(self) -> None:
        while self._idle:  # one by one: a signal's handler may raise in here
            function = self._idle[-1]
            function.unseen = True
            self._watch(function)
            self._idle.pop()

    def reached(self, function: Watched) -> None:
        """The function starts."""
        self._reached.append(function)
        function.unseen = False
        self._spent += REACHED_NS
        self._budget.spent += REACHED_NS

    def write(self) -> None:
        """Bring the journal up to date; the control thread does so, for the process may die.

        It does not wait for a thread that switches, and so writes itself: a signal's handler may
        fork there, which in turn waits for the control thread.
        """
        if self._lock.acquire(blocking=False):
            try:
                self._write_reached()
            finally:
                self._lock.release()

    def begin_again(self) -> None:
        """This is a forked child, with a journal of its own; it runs in its parent's context."""
        self._lock = allocate_lock()
        self._idle += self._reached
        self._reached, self._written, self._number = [], 0, 0
        if self.current:
            self._describe(self.current, len(self._idle))

    def _describe(self, name: str, unwatched: int) -> None:
        if not name:
            self._process.write(journal.CONTEXT, 0, "", 0)
            return
        self._number += 1
        self._process.write(journal.CONTEXT, self._number, name, unwatched)

    def _write_reached(self) -> None:
        end = len(self._reached)
        if not self.current or self._written == end:
            return
        fresh = self._reached[self._written : end]
        for function in fresh:
            self._process.declare(function)
        numbers = tuple([function.number for function in fresh])
        self._process.write(journal.REACHED, self._number, numbers)
        self._written = end


# --- the frameworks' own functions that run a test ------------------------------------------


def _pytest_name(frame: "FrameType") -> str:
    """The item's `nodeid`, if that is pytest's own property and not one of the user's."""
    item = _local(frame, "item")
    for kind in type.__getattribute__(type(item), "__mro__"):
        found = type.__getattribute__(kind, "__dict__").get("nodeid")
        if found is not None:
            theirs = type.__getattribute__(kind, "__module__") != "_pytest.nodes"
            return "" if theirs else _text(found.__get__(item))
    return ""


def _unittest_name(frame: "FrameType") -> str:
    """What `TestCase.id` says, without calling anything that may be the user's."""
    test = _local(frame, "self")
    method = _text(_attribute(test, "_testMethodName"))
    module = _text(type.__getattribute__(type(test), "__module__"))
    return f"{module}.{type.__getattribute__(type(test), '__qualname__')}.{method}"


def _local(frame: "FrameType", name: str) -> object:
    found = frame.f_locals
    value = found.get(name)
    if not FRESH_LOCALS:
        found.clear()  # the dict stays on the frame and would keep its values alive
    return value


def _attribute(value: object, name: str) -> object:
    try:
        return object.__getattribute__(value, name)
    except AttributeError:
        return None


def _text(value: object) -> str:
    return value if type(value) is str else ""


# By qualified name: the end of the file's name, and what says which test it is.
RUNNERS: "dict[str, tuple[str, Callable[[FrameType], str]]]" = {
    "runtestprotocol": ("_pytest/runner.py", _pytest_name),
    "TestCase.run": ("unittest/case.py", _unittest_name),
}
