"""Which calls of a function notice small mistakes in it, as far as that can be told in seconds.

A call that notices a mistake that no other does is worth a test (mutation adequacy: DeMillo, Lipton
and Sayward 1978, "Hints on test data selection", IEEE Computer 11(4)).
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from perftrace.replay.requests import NotReplayed, Other, Request, Target
from perftrace.replay.session import Session

MOST = 60  # mistakes in a function
CALLS_S = 1.0  # about what all calls may take, for all mistakes; longer ones are not made
SECONDS = 20.0  # after that it is given up
SPOILT = 3  # workers that mistakes may cost, of each session
SLOWER, SPARE_S = 10, 0.05  # a call may take so many times what it took, and a bit


class Mutants(Protocol):
    """Makes small mistakes in a function."""

    def __call__(self, source: str, qualname: str, line: int, *, most: int) -> Iterable[str]:
        """The texts that its file could have, each with one; what stands around may be left out.

        Args:
            source: the file's text.
            qualname: the function's qualified name.
            line: its first line.
            most: so many at most, the same each time.
        """
        ...


@dataclass(frozen=True, slots=True)
class Weighed:
    """What calls notice."""

    tried: int
    noticed: Mapping[int, frozenset[int]]  # place of a call -> numbers of mistakes


def weigh(
    sessions: Sequence[Session],
    target: Target,
    texts: Iterable[str],
    requests: Mapping[int, tuple[Request, int]],
    recorded: Mapping[int, int] | None = None,
) -> Weighed | None:
    """Make the mistakes one by one; None: there are none, or it takes too long.

    Args:
        sessions: workers that are used for nothing else; each tries its part of the mistakes.
        target: the function.
        texts: of its file, one for each mistake.
        requests: the calls by place, and how long each took, in nanoseconds of wall time.
        recorded: how long they took in the recorded run, if it is known; the calls that are quick
            enough are chosen by this, so that they are the same each time.
    """
    chosen = list(dict.fromkeys(texts))[:MOST]
    took = {place: wall_ns for place, (_, wall_ns) in requests.items()} | dict(recorded or {})
    calls = _quick(took, len(chosen))
    if not chosen or not calls:
        return None
    wanted = {place: requests[place] for place in calls}
    count = len(sessions)
    parts = [dict(list(enumerate(chosen))[place::count]) for place in range(count)]
    with ThreadPoolExecutor(count) as pool:  # each waits for its worker
        trials = [_Trial(session, target, wanted) for session in sessions]
        found = list(pool.map(_Trial.run, trials, parts))
    return _together([one for one in found if one is not None]) if all(found) else None


def _together(parts: Sequence[Weighed]) -> Weighed | None:
    noticed: dict[int, frozenset[int]] = defaultdict(frozenset)
    for part in parts:
        for place, numbers in part.noticed.items():
            noticed[place] |= numbers
    tried = sum(part.tried for part in parts)
    return Weighed(tried, dict(noticed)) if tried else None


def _quick(took: Mapping[int, int], mistakes: int) -> list[int]:
    """The places of those calls that can be made for every mistake."""
    left = CALLS_S * 1e9
    found = []
    for place in sorted(took, key=took.__getitem__):
        left -= took[place] * 2 * mistakes
        if left >= 0:
            found.append(place)
    return sorted(found)


class _Trial:
    """Calls that are made with each mistake."""

    def __init__(
        self, session: Session, target: Target, calls: Mapping[int, tuple[Request, int]]
    ) -> None:
        self._session = session
        self._target = target
        self._places = list(calls)
        self._requests = [request for request, _ in calls.values()]
        self._seconds = [wall / 1e9 * SLOWER + SPARE_S for _, wall in calls.values()]
        self._ready = False

    def run(self, texts: Mapping[int, str]) -> Weighed | None:
        """What the calls notice, texts by number; None: it takes too long, or the worker won't."""
        end = time.monotonic() + SECONDS
        noticed: dict[int, set[int]] = {place: set() for place in self._places}
        tried = spoilt = 0
        for number, text in texts.items():
            if time.monotonic() > end or spoilt > SPOILT or not self._prepare():
                return None
            found = self._session.notices(Other(self._target, text), self._seconds)
            if isinstance(found, NotReplayed):
                continue  # a code that can't stand in the other's place
            tried += 1
            for place in found.calls:
                noticed[self._places[place]].add(number)
            if found.spoilt:
                spoilt += 1
                self._ready = False
        kept = {place: frozenset(numbers) for place, numbers in noticed.items()}
        return Weighed(tried, kept)

    def _prepare(self) -> bool:
        """Have a worker that has made the calls."""
        if not self._ready:
            self._session.close()
            steady = self._session.expect(self._requests)
            self._ready = not isinstance(steady, NotReplayed) and any(steady)
        return self._ready
