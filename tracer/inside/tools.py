"""Two of sys.monitoring's tool ids, used and given back whatever the program does to them."""

import builtins
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import CodeType, FrameType

# Programs patch `len` or `print`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

IDS = (4, 3, 5)  # not 0 debugger, 1 coverage, 2 profiler

monitoring = sys.monitoring
DISABLE = monitoring.DISABLE
START = monitoring.events.PY_START
RETURN = monitoring.events.PY_RETURN
YIELD = monitoring.events.PY_YIELD
UNWIND = monitoring.events.PY_UNWIND
CALL = monitoring.events.CALL

# A program that wants all the ids may free ours. Early-bound: it may patch these too.
_get_tool = monitoring.get_tool
_use_tool_id = monitoring.use_tool_id
_free_tool_id = monitoring.free_tool_id
_register = monitoring.register_callback
_set_events = monitoring.set_events
_set_local_events = monitoring.set_local_events

_current_frames = sys._current_frames
_sys = vars(sys)
SUB_INTERPRETERS = ("_interpreters", "_xxsubinterpreters")  # what makes them, by version

NAME = "".join(("perf", "trace"))  # known by its identity: the program may use the same text


class LostError(Exception):
    """The program took an id away."""

    def __init__(self) -> None:
        super().__init__("the program took the recorder's ids of sys.monitoring away")


class Tools:
    """Tool A has events of all code; tool B of single functions."""

    def __init__(self, judge: "Callable[[BaseException], None]") -> None:
        self._judge = judge  # of what goes wrong in here
        self._a = self._b = -1
        self._awaited: dict[int, Callable[[], None]] = {}  # by id of the code
        self._on_call: Callable[..., object] = self._reached

    def take(
        self, of_all: "dict[int, Callable[..., object]]", of_one: "dict[int, Callable[..., object]]"
    ) -> bool:
        """Take two free ids, with their callbacks by event; False: there are none."""
        free = [number for number in IDS if _get_tool(number) is None][:2]
        if len(free) < 2:
            return False
        self._a, self._b = free
        self._on_call = of_all[CALL]
        of_all = {**of_all, CALL: self._called, RETURN: self._reached, YIELD: self._reached}
        for number, callbacks in ((self._a, of_all), (self._b, of_one)):
            _use_tool_id(number, NAME)
            for event, callback in callbacks.items():
                _register(number, event, callback)
        return True

    def give_back(self, of_a: "Iterable[CodeType]", of_b: "Iterable[CodeType]") -> None:
        """Leave sys.monitoring as it was found: events, callbacks and ids."""
        self._awaited.clear()
        for number, codes in ((self._a, of_a), (self._b, of_b)):
            if _get_tool(number) is not NAME:
                continue
            _set_events(number, 0)  # first: what was switched off is forgotten with the others
            for code in codes:
                _set_local_events(number, code, 0)
            for event in (START, RETURN, YIELD, UNWIND, CALL):
                _register(number, event, None)
            _free_tool_id(number)

    def watch(self, events: int) -> None:
        """The events of all code.

        Raises:
            LostError: the id is not ours any more.
        """
        if _get_tool(self._a) is not NAME:
            raise LostError
        _set_events(self._a, events)

    def watch_calls(self, code: "CodeType") -> None:
        """The calls that one function makes; those that were switched off fire again, too.

        Raises:
            LostError: the id is not ours any more.
        """
        if _get_tool(self._a) is not NAME:
            raise LostError
        _set_local_events(self._a, code, 0)
        _set_local_events(self._a, code, CALL)

    def set(self, code: "CodeType", events: int) -> None:
        """The events of one function: those that were on fire again, too.

        Raises:
            LostError: the id is not ours any more.
        """
        if _get_tool(self._b) is not NAME:
            raise LostError
        _set_local_events(self._b, code, 0)
        if events:
            _set_local_events(self._b, code, events)

    def unseen(self, work: "Callable[[], None]") -> None:
        """Do work in a callback: no tool or trace function of the program's sees any of it."""
        self._await(_door.__code__, RETURN, work)
        _door()

    def soon(self, code: "CodeType", work: "Callable[[], None]") -> None:
        """Do work once this code, which is running, calls something or ends."""
        self._await(code, CALL | RETURN | YIELD, work)

    def _await(self, code: "CodeType", events: int, work: "Callable[[], None]") -> None:
        if _get_tool(self._a) is not NAME:
            raise LostError
        self._awaited[id(code)] = work
        _set_local_events(self._a, code, events)

    def _called(self, code: "CodeType", *details: object) -> object:
        try:
            if self._awaited:
                self._reached(code)
            return self._on_call(code, *details)
        except RecursionError:  # the program has no frame left for us
            return None
        except BaseException as error:  # noqa: BLE001 - it looks whose it is
            self._judge(error)
        return DISABLE

    def _reached(self, code: "CodeType", *_: object) -> object:
        work = self._awaited.pop(id(code), None)
        if work is not None:
            _set_local_events(self._a, code, CALL)  # each site is switched off if it is harmless
            work()
        return DISABLE


def current_frames() -> "dict[int, FrameType]":
    """Each thread's frame; none of them where there may be a sub-interpreter.

    `sys._current_frames` makes frame objects for those as well, with an allocator that is not
    theirs; freeing such a frame ends the process.
    """
    modules = _sys.get("modules")
    if type(modules) is not dict or any(name in modules for name in SUB_INTERPRETERS):
        return {}
    return _current_frames()


def _door() -> None:
    """Its return is the event that leads into the callback."""
