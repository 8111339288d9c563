"""Results and arguments of earlier calls: whether a later call changed them.

A result that is written again by the next call (a static buffer) or filled in late looks right when
its own call ends. So results are kept for a while, as the objects they are: the last one is looked
at after each of the first calls and after every fourth later on, all that are kept after the 4th,
8th, 16th … call.
"""

from typing import Any

from ...snapshot import TooBig, Unencodable, encode, immutable

MOST = 16  # results
EACH, THEN = 16, 4  # so many calls are looked after one by one; then every so many
ROOM = 16 << 20  # bytes of all of them
LARGEST = 1 << 20  # of one


class Later:
    """The results of earlier calls."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, Any, bytes]] = []  # number of the call, `[payload, after]`
        self._room = ROOM
        self._calls = 0

    def changed(self) -> list[int]:
        """How many calls ago those were made whose results are others now; a call has ended."""
        self._calls += 1
        power = self._calls >= 4 and self._calls & (self._calls - 1) == 0
        found = []
        last = self._kept[-1:] if self._calls <= EACH or self._calls % THEN == 0 else []
        for entry in list(self._kept) if power else last:
            number, outcome, blob = entry
            if _written(outcome) != blob:
                found.append(self._calls - number)
                self._drop(entry)  # it has been told
        return found

    def keep(self, payload: object, after: list[Any], blob: bytes) -> None:
        """The outcome of the call that has ended, and its bytes."""
        if (immutable(payload) and all(map(immutable, after))) or len(blob) > LARGEST:
            return
        self._kept.append((self._calls, [payload, after], blob))
        self._room -= len(blob)
        while self._room < 0 or len(self._kept) > MOST:
            self._drop(self._kept[0])

    def _drop(self, entry: tuple[int, Any, bytes]) -> None:
        self._kept = [one for one in self._kept if one is not entry]
        self._room += len(entry[2])


def _written(outcome: object) -> bytes:
    try:
        return encode(outcome, 2 * LARGEST)[0]
    except (TooBig, Unencodable) as error:
        return f"{type(error).__name__}: {error}".encode()
