"""Which lines and branches of one function run, over many calls.

What belongs to a function is its own code and that of what is defined in it: inner functions,
lambdas, generator expressions, class bodies. A branch is one way on from a condition or a loop. The
compiler writes some conditions twice (the head of a `while`, the body of a `finally`): they are one
here, as they stand at the same place of the source. What it adds of its own is no branch: whether
an `except` fits, whether a `with` swallows an exception. Nor is the failure of an `assert`, which
is not meant to come.
"""

import dis
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any

from .locate import Code

# Of sys.monitoring's six tools the last: a debugger's, coverage's and a profiler's are the
# program's own, and two are for what is watched in each call (`watch.py`).
TOOL = 5

# What a function does before its first line.
PROLOGUE = frozenset({"RESUME", "MAKE_CELL", "COPY_FREE_VARS", "RETURN_GENERATOR"})
CONDITION = "POP_JUMP_IF_"  # and what the value is when it jumps
LOOP = "FOR_ITER"
OTHERWISE = {"TRUE": "FALSE", "FALSE": "TRUE", "NONE": "NOT_NONE", "NOT_NONE": "NONE"}
NEXT, END = "an item", "the end"  # a loop's two ways
OWN = frozenset({"CHECK_EXC_MATCH", "CHECK_EG_MATCH", "WITH_EXCEPT_START"})  # the compiler's
FAILS = ("LOAD_ASSERTION_ERROR", "LOAD_COMMON_CONSTANT")  # begins the failure of an `assert`

type Spot = tuple[int, int, int, int]  # in the source: line, column, last line, last column
type Way = tuple[Spot, str]  # one way on from there
type Fork = tuple[int, Way, Way]  # where the jump leads to, the way straight on, and that way


class Coverage:
    """Watches one function from `start` to `stop`."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._watched: list[CodeType] = []
        self._forks: dict[CodeType, dict[int, Fork]] = {}
        self._lines: set[int] = set()
        self._ran: set[int] = set()
        self._ways: dict[Way, tuple[int, int]] = {}  # from which line to which
        self._taken: set[Way] = set()

    def start(self) -> None:
        """From now on; a worker has one at a time."""
        monitoring, event = sys.monitoring, sys.monitoring.events
        monitoring.use_tool_id(TOOL, "perftrace coverage")
        monitoring.register_callback(TOOL, event.PY_START, self._start)
        monitoring.register_callback(TOOL, event.LINE, self._line)
        for branch in branch_events():
            monitoring.register_callback(TOOL, branch, self._branch)
        monitoring.set_events(TOOL, event.PY_START)
        monitoring.restart_events()

    def stop(self) -> None:
        """From now on nothing is watched."""
        monitoring, event = sys.monitoring, sys.monitoring.events
        monitoring.set_events(TOOL, event.NO_EVENTS)
        for code in self._watched:
            monitoring.set_local_events(TOOL, code, event.NO_EVENTS)
        for kind in (event.PY_START, event.LINE, *branch_events()):
            monitoring.register_callback(TOOL, kind, None)
        monitoring.free_tool_id(TOOL)

    def found(self) -> dict[str, Any]:
        """As a message says it; no lines at all: the function never started."""
        missed = [self._ways[way] for way in self._ways if way not in self._taken]
        return {
            "lines": len(self._lines),
            "unreached": sorted(self._lines - self._ran),
            "branches": len(self._ways),
            "untaken": sorted(missed),
        }

    def _start(self, code: CodeType, _offset: int) -> object:
        if self._code.matches(code) and code not in self._forks:
            for one in family(code):
                self._add(one)
        return sys.monitoring.DISABLE

    def _add(self, code: CodeType) -> None:
        instructions = list(dis.get_instructions(code))
        self._lines.update(_lines(instructions))
        self._forks[code] = dict(_forks(instructions))
        for offset, (target, straight, jump) in self._forks[code].items():
            self._ways.setdefault(straight, (straight[0][0], _line_at(instructions, offset + 1)))
            self._ways.setdefault(jump, (jump[0][0], _line_at(instructions, target)))
        self._watched.append(code)
        events = sys.monitoring.events.LINE
        for branch in branch_events():
            events |= branch
        sys.monitoring.set_local_events(TOOL, code, events)

    def _line(self, _code: CodeType, line: int) -> object:
        self._ran.add(line)
        return sys.monitoring.DISABLE

    def _branch(self, code: CodeType, offset: int, destination: int) -> object:
        fork = self._forks[code].get(offset)
        if fork is None:
            return sys.monitoring.DISABLE
        target, straight, jump = fork
        self._taken.add(jump if destination >= target else straight)
        # Before Python 3.14 switching one way off switches off the other too.
        both = straight in self._taken and jump in self._taken
        return sys.monitoring.DISABLE if both else None


def branch_events() -> list[int]:
    """The events of branches: one for both ways, or from Python 3.14 on one for each."""
    events: Any = sys.monitoring.events
    if hasattr(events, "BRANCH_LEFT"):
        return [events.BRANCH_LEFT, events.BRANCH_RIGHT]
    return [events.BRANCH]


def family(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of all that is defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from family(constant)


def _lines(instructions: list[dis.Instruction]) -> Iterator[int]:
    """The lines that hold code."""
    before = ""
    for one in instructions:
        started = one.opname in PROLOGUE or (before == "RETURN_GENERATOR")
        before = one.opname
        line = one.positions.lineno if one.positions else None
        if line is not None and not started:
            yield line


def _forks(instructions: list[dis.Instruction]) -> Iterator[tuple[int, Fork]]:
    """The branching instructions by their offsets."""
    before = ""
    for place, one in enumerate(instructions):
        name, last = one.opname, before
        before = last if name == "TO_BOOL" else name
        position = one.positions
        if position is None or None in position:
            continue
        spot: Any = tuple(position)
        spot = (spot[0], spot[2], spot[1], spot[3])
        if name == LOOP:
            yield one.offset, (one.argval, (spot, NEXT), (spot, END))
        elif name.startswith(CONDITION) and last not in OWN:
            if _fails(instructions, place, one.argval):
                continue
            value = name.removeprefix(CONDITION)
            yield one.offset, (one.argval, (spot, OTHERWISE[value]), (spot, value))


def _fails(instructions: list[dis.Instruction], place: int, target: int) -> bool:
    """Whether one of the ways is the failure of an `assert`."""
    ways = [one for one in instructions[place + 1 :] if one.opname not in {"CACHE", "NOT_TAKEN"}]
    ends = [one for one in instructions if one.offset == target]
    return any(
        one.opname == FAILS[0] or (one.opname == FAILS[1] and "AssertionError" in one.argrepr)
        for one in (*ways[:1], *ends)
    )


def _line_at(instructions: list[dis.Instruction], offset: int) -> int:
    """The line of the first instruction from there on that has one; 0: there is none."""
    for one in instructions:
        line = one.positions.lineno if one.positions else None
        if one.offset >= offset and line is not None:
            return line
    return 0
