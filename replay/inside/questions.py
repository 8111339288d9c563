"""What a call asks that its arguments don't answer: clocks, entropy, the environment.

`sys.monitoring` tells the calls of code that names one of those functions, as the recorder finds
effects (docs/decisions/0006-effects.md). The answers are the real ones: nothing is put in the
place of a clock. That clocks and entropy are asked as often and in the same order is compared;
of the environment which variables are asked for, as asking twice gives the same.
"""

import os
import sys
import sysconfig
from types import BuiltinFunctionType, CodeType, FrameType
from typing import Any

from ...effects import CLOCK, RANDOM, READERS

TOOL = 5
NAME = "perftrace replay questions"
ENTROPY = ("posix", ("urandom", "getrandom")), ("_uuid", ("generate_time_safe",))
CLASSES = ("date", "datetime")  # of `datetime`, whose class methods ask the clock
MOST = 1000  # kept one by one
STANDARD = tuple(
    {os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")}
)
OURS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep
PACKAGES = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
PASSED_ON = ("<frozen ", os.path.realpath(os.__file__))  # `os` and the classes it is built upon
ASKED, VARIABLES = "clocks and entropy asked", "environment variables asked for"


class Questions:
    """The questions of one call."""

    def __init__(self) -> None:
        self._asked: list[str] = []
        self._variables: set[str] = set()
        self._count = 0
        self._active = False
        self._modules = -1  # as many there were when the functions were looked up
        self._known: dict[int, str] = {}
        self._names = _names()
        self._environment = _environment_codes()

    def install(self) -> None:
        """Watch code from now on."""
        monitoring, event = sys.monitoring, sys.monitoring.events
        if monitoring.get_tool(TOOL) is None:  # else it is the program's own: nothing is seen
            monitoring.use_tool_id(TOOL, NAME)
            monitoring.register_callback(TOOL, event.PY_START, self._start)
            monitoring.register_callback(TOOL, event.CALL, self._call)
            monitoring.set_events(TOOL, event.PY_START)

    def begin(self) -> None:
        """A call is about to begin."""
        self._asked, self._variables, self._count = [], set(), 0
        if len(sys.modules) != self._modules:
            self._known |= _functions()
            self._modules = len(sys.modules)
        self._active = True

    def end(self) -> None:
        """The call has ended."""
        self._active = False

    def found(self) -> dict[str, object]:
        """What was asked, if anything."""
        found: dict[str, object] = {}
        if self._asked:
            found[ASKED] = [*self._asked, *([self._count] if self._count > MOST else [])]
        if self._variables:
            found[VARIABLES] = sorted(self._variables)
        return found

    def _start(self, code: CodeType, _offset: int) -> object:
        """Some code starts; unless it is of interest, never again."""
        if code in self._environment:
            if self._active:
                self._ask_environment(sys._getframe(1), self._environment[code])
            return None
        if not self._names.isdisjoint(code.co_names):
            sys.monitoring.set_local_events(TOOL, code, sys.monitoring.events.CALL)
        return sys.monitoring.DISABLE

    def _call(self, code: CodeType, _offset: int, function: object, _first: object) -> object:
        name = self._known.get(id(function)) or _method_of_class(function)
        if name is None:
            return sys.monitoring.DISABLE
        if self._active and (name in ENTROPIC or _is_of_program(code.co_filename)):
            self._count += 1
            if self._count <= MOST:
                self._asked.append(name)
        return None

    def _ask_environment(self, frame: FrameType, key: str | None) -> None:
        asker = frame.f_back
        while asker is not None and asker.f_code.co_filename.startswith(PASSED_ON):
            asker = asker.f_back
        if asker is not None and _is_of_program(asker.f_code.co_filename):
            name = frame.f_locals.get(key) if key else "all of it"
            self._variables.add(name if type(name) is str else "something")


def _is_of_program(file: str) -> bool:
    """Not of the standard library, whose own clocks are its own business."""
    if file.startswith(("<frozen ", OURS)):
        return False
    return any(part in file for part in PACKAGES) or not file.startswith(STANDARD)


def _functions() -> dict[int, str]:
    """The functions in C that answer such questions, by id; those of loaded modules."""
    places = [("time", [name for name, kind in READERS["time"].items() if kind == CLOCK]), *ENTROPY]
    found = {}
    for module, names in places:
        there: Any = sys.modules.get(module)
        for name in names:
            function = getattr(there, name, None)
            if type(function) is BuiltinFunctionType:
                found[id(function)] = f"{module}.{name}".replace("posix.", "os.")
    return found


ENTROPIC = frozenset(f"os.{name}" for name in ENTROPY[0][1]) | {"_uuid.generate_time_safe"}


def _names() -> frozenset[str]:
    """Code that names none of these asks nothing."""
    answers = (READERS["time"], READERS["datetime"])
    entropy = {name for name, kind in READERS["os"].items() if kind == RANDOM}
    own = {"_urandom", "_generate_time_safe"}
    return frozenset(name for table in answers for name in table) | entropy | own


def _method_of_class(function: object) -> str | None:
    """`datetime.now` and the like: bound anew each time, so known by name and class."""
    if type(function) is not BuiltinFunctionType or function.__name__ not in READERS["datetime"]:
        return None
    datetime: Any = sys.modules.get("datetime")
    owner = function.__self__
    classes = tuple([getattr(datetime, name) for name in CLASSES]) if datetime else ()
    if issubclass(type(owner), type) and issubclass(owner, classes):  # type: ignore[arg-type]
        return f"datetime.{function.__name__}"
    return None


def _environment_codes() -> dict[CodeType, str | None]:
    """The methods of `os.environ`, and the name that the variable has there."""
    cls: Any = type(os.environ)
    keyed = {vars(cls)["__getitem__"].__code__: "key"}
    return keyed | {vars(cls)[name].__code__: None for name in ("__iter__", "__len__")}
