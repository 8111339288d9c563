"""Which of some calls notice that a function has other code: small mistakes, tried one by one.

The code is the user's own but for the mistake, in a worker that is shut in. Outcomes are compared
here and as bytes, since there are thousands of them: what is only written in another order counts
as noticed too.
"""

import contextlib
import io
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ...snapshot import encode, immutable
from .drive import Arguments, Drive

MOST_LATE = 2  # calls with one mistake; where it never ends, most do
AGAIN_S = 0.05  # a call that goes on after its time is told so once more, and again
UNHURRIED_S = 30.0  # for a call of the function as it is; the parent's limit may come first
HAS_TIMER = hasattr(signal, "setitimer")


class Repeated(NamedTuple):
    """One call, and what it takes to make it any number of times."""

    function: Callable[..., Any]
    fresh: Callable[[], Arguments]
    kind: str
    pull: int
    rest: str


class Notice:
    """Some calls and what they do with the function as it is."""

    def __init__(self, calls: Sequence[Repeated], cap: int) -> None:
        """Make each call twice: what does not do the same is not looked at."""
        self._calls = calls
        self._cap = cap
        self._late = 0  # calls that ran out of time
        self._expected = self._outcomes()
        again = self._outcomes()
        self.steady = [
            one is not None and one == other
            for one, other in zip(self._expected, again, strict=True)
        ]

    def noticing(self, seconds: Sequence[float]) -> list[int]:
        """The calls that do something else now, by their places; each may take so long.

        When some have run out of time, those after them are not made: they count as not noticing.
        """
        found = []
        self._late = 0
        for place, (call, most) in enumerate(zip(self._calls, seconds, strict=True)):
            if self._late >= MOST_LATE:
                break
            if self.steady[place] and self._outcome(call, most) != self._expected[place]:
                found.append(place)
        return found

    def _ran_out(self) -> None:
        self._late += 1

    def _outcomes(self) -> list[bytes | None]:
        return [self._outcome(call, UNHURRIED_S) for call in self._calls]

    def _outcome(self, call: Repeated, seconds: float) -> bytes | None:
        """How a call ends, with what, and what it prints; None: that can't be written."""
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed), at_most(seconds, self._ran_out):
                arguments = call.fresh()
                drive = Drive(call.kind, pull=call.pull, rest=call.rest, cap=self._cap)
                ending, payload = drive.run(call.function, arguments)
                after = [None if immutable(value) else value for value in arguments.values]
                return encode([ending, payload, after, printed.getvalue()], self._cap)[0]
        except BaseException:  # noqa: BLE001 - values of user code: anything may come out
            return None


class TooLateError(BaseException):
    """A call takes longer than it may; not an Exception, which the program may catch."""


@contextlib.contextmanager
def at_most(seconds: float, late: Callable[[], None]) -> Iterator[None]:
    """Raise `TooLateError` in this thread after so long, and again if that is caught.

    Args:
        seconds: of wall time.
        late: called each time.
    """
    if not HAS_TIMER:  # the parent ends the worker
        yield
        return
    armed = True

    def ring(*_: object) -> None:
        if armed:
            late()
            raise TooLateError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_S)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
