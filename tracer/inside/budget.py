"""How much CPU time the recorder may use, and which functions get the next share of it."""

import builtins
from _heapq import heappop, heappush
from itertools import count
from time import process_time_ns

from .function import SMALLEST_CAP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .function import Watched

# Programs patch `len` or `time.time`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

CREDIT_NS = 4_000_000  # granted beside the recorder's start, however short the program
USUAL_NS = 100_000  # of a capture, before there was one
BURST_S = 0.5  # a round may use what this many seconds earn, or more where rounds are rare
SKIPS = 32  # functions too costly for what is left of a round that are passed over
SMALL_FAILURES = 1  # the first try is a short one
MORE_SHOTS = 15  # calls of one function in a row: neighbours tell less than calls far apart
LONGEST_REST = 1200  # rounds; a minute
QUICK_NS = 150_000
NEAR_NS = 600_000  # what recording the neighbours of the arguments costs at most, mostly
QUOTA = 500  # whole calls of a function
BEYOND = 50  # more of them, and its rests are twice as long
FEW = 4  # whole calls of a function; from then on those that look like them may be let go by
MOST_PEEKS = 16  # that are let go by, before the next is taken whatever it looks like
MOST_SHAPES = 256
REACH_CREDIT_NS = 5_000_000  # granted in any case
REACH_SHARE = 0.3  # of the budget may go into knowing which functions each test reaches


class Budget:
    """CPU time, never wall time: on a busy machine wall time inflates both sides."""

    def __init__(self, share: float, cap: int = SMALLEST_CAP) -> None:
        self.spent = 0
        self.cap = cap  # bytes of a function's first values
        self._share = share
        self._start = 0
        self._cpu = self._cpu_before = 0
        self._limit = CREDIT_NS
        self._queue: list[tuple[bool, int, int, Watched]] = []  # by urgency
        self._settled: list[Watched] = []  # since the last round
        self._resting: list[tuple[int, int, Watched]] = []  # by the round they return in
        self._order = count()
        self._round = 0
        self._usual = USUAL_NS  # what a capture costs: a moving average over all functions

    def refresh(self) -> int:
        """Take the program's CPU time so far into account, and return it."""
        self._cpu = cpu = process_time_ns()
        self._limit = max(CREDIT_NS + self._start, int(self._share * cpu))
        return cpu

    def started(self, spent_ns: int) -> None:
        """The recorder's start took so long: the first part of the share."""
        self.spent += spent_ns
        self._start = spent_ns

    def begin_again(self) -> None:
        """Forget the past: a forked child's CPU clock starts at nought."""
        self.spent = 0
        self._start = self._cpu_before = 0
        self.refresh()

    def time_for(self, cost_ns: int) -> int:
        """How long the program has to run for this to be within the share, in ns."""
        return int(cost_ns / self._share)

    def open(self) -> bool:
        """Whether there is anything left."""
        return self.spent < self._limit

    def allows(self, reach_spent: int) -> bool:
        """Whether noting which functions a test reaches may cost any more.

        A little is always granted: in a short suite, starting the recorder uses the budget up.
        """
        if reach_spent < REACH_CREDIT_NS:
            return True
        return self.open() and reach_spent < REACH_SHARE * self._limit

    def another(self, function: "Watched") -> bool:
        """Whether the function's very next call is captured too.

        Its second one is where the first did not fit, but was found out quickly: a short program
        may not have many.
        """
        if not self.open():
            return False
        if function.failures:
            return function.captured == 1 and function.bill < QUICK_NS
        if function.shots <= 1 or function.peeks > MOST_PEEKS:  # they all look alike
            return False
        function.shots -= 1
        return True

    def passes(self, function: "Watched", shape: int) -> bool:
        """Whether a call is let go by, for calls that look like it are recorded already.

        Not for long: a function that is seldom called may not be called again.
        """
        if shape not in function.shapes:
            if len(function.shapes) < MOST_SHAPES:
                function.shapes.add(shape)
            return False
        function.peeks += 1
        return (
            function.whole >= FEW and function.peeks <= MOST_PEEKS and function.armed == self._round
        )

    def settle(self, function: "Watched") -> None:
        """Queue a function for another capture, the least captured and cheapest first."""
        self._settled.append(function)

    def choose(self) -> "list[Watched]":
        """The functions to capture next: as many as fit, at most once each a round."""
        self._round += 1
        while self._settled:  # only now: the event that settled it is on its bill as well
            self._account(self._settled.pop())
        while self._resting and self._resting[0][0] <= self._round:
            self._push(heappop(self._resting)[2])
        burst = int(self._share * max(BURST_S * 1e9, self._cpu - self._cpu_before))
        self._cpu_before = self._cpu
        room = min(self._limit - self.spent, burst)
        chosen: list[Watched] = []
        passed: list[Watched] = []
        saving = False
        while room > 0 and self._queue and len(passed) < SKIPS:
            function = heappop(self._queue)[-1]
            if function.cost > room and room < burst:  # nothing is too costly for a whole burst
                passed.append(function)
                if _is_wanted(function):
                    saving = True  # for this one, so that others get no more than their turn
                    break
            else:
                chosen.append(function)
                room -= function.cost
        for function in passed:
            self._push(function)
        for function in chosen:  # what is left is shared out
            more = 0 if saving else room // (len(chosen) * (function.cost or 1))
            function.shots = 1 + min(MORE_SHOTS, more) if function.whole < QUOTA else 1
            function.armed, function.peeks = self._round, 0
        return chosen

    def _account(self, function: "Watched") -> None:
        captures = function.captured - function.settled
        if captures:  # else nothing but an event came: that says nothing of what a capture costs
            bill = function.bill * function.growth // captures
            known = function.cost if function.settled else 0
            function.settled = function.captured
            function.cost = (known + bill) // 2 if known else bill
            if function.near and function.captured > 1:  # few of the next ones will be whole
                function.cost = min(known or bill, bill, NEAR_NS)
            function.growth = 1
            self._usual += (function.cost - self._usual) // 16
        elif not function.settled:
            function.cost = self._usual
        function.bill = 0
        rest = _rest(function)
        if rest:
            heappush(self._resting, (self._round + rest, next(self._order), function))
        else:
            self._push(function)

    def _push(self, function: "Watched") -> None:
        wanted = _is_wanted(function)
        urgency = (function.captured + 1) * function.cost // (1 + function.seen)
        heappush(self._queue, (not wanted, urgency, next(self._order), function))


def _rest(function: "Watched") -> int:
    """Rounds until its next turn: more with each failure, and with the calls there are of it.

    Beyond its quota each doubling of the run adds as many calls: a long run is known in all its
    parts, and neither its cost nor its journal keep growing.
    """
    if function.failures:
        return min(function.failures**2, LONGEST_REST)
    if function.whole < QUOTA:
        return 0
    return min(1 << min((function.whole - QUOTA) // BEYOND, 16), LONGEST_REST)


def _is_wanted(function: "Watched") -> bool:
    """Whether it is hot, and nothing of it can be replayed yet, but maybe soon."""
    lacking = not function.full and function.whole < FEW
    return function.seen > 0 and lacking and function.failures <= SMALL_FAILURES
