"""What a call does around itself, beside its values and the program's globals.

    with surroundings:
        the call
    surroundings.changed(payload, after, result)

Settings, what it leaves behind, what it says to `logging` and `warnings`, what it asks of clocks,
and what it does to the results of earlier calls.
"""

from typing import Any, Self

from ...snapshot import TooBig, Unencodable, encode
from .arrays import sharing
from .later import Later
from .left import Left
from .questions import Questions
from .settings import Settings
from .spoken import Spoken

LARGEST = 32 << 10  # bytes of what is told under one name
EARLIER, SHARED = "results of earlier calls", "arrays that share memory"


class Surroundings:
    """What is around the calls of one worker (context manager, for one call at a time)."""

    def __init__(self, folder: str) -> None:
        self._settings = Settings()
        self._left = Left(folder)
        self._spoken = Spoken()
        self._questions = Questions()
        self._later = Later()
        self._installed = False

    def __enter__(self) -> Self:
        if not self._installed:
            self._spoken.install()
            self._questions.install()
            self._installed = True
        self._left.begin()
        self._settings.begin()
        self._spoken.begin()
        self._questions.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._questions.end()
        self._spoken.end()

    def changed(self, payload: object, after: list[Any], result: bytes) -> dict[str, bytes]:
        """Under each name what is told of it, as `[value, None]`; the call's outcome is given."""
        found = self._settings.changed() | self._left.changed() | self._questions.found()
        earlier = self._later.changed()
        if earlier:
            found[EARLIER] = [f"that of {count} calls before was changed" for count in earlier]
        self._later.keep(payload, after, result)
        shared = sharing(payload, after)
        if shared:
            found[SHARED] = shared
        return self._spoken.found | {name: _written(value) for name, value in found.items()}


def _written(value: object) -> bytes:
    try:
        return encode([value, None], LARGEST)[0]
    except (TooBig, Unencodable):
        return encode([f"{len(str(value))} characters", None], LARGEST)[0]
