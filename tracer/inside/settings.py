"""The recorder's settings: written by the parent command, read in the program."""

import builtins

from .fields import pack, unpack
from .function import SMALLEST_CAP

# Programs patch `open`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

NAME = "settings"  # of the file in the run's folder


class Settings:
    """What to record, and at what cost."""

    __slots__ = ("cap", "cwd", "effects", "excludes", "includes", "share", "sources", "timing")

    def __init__(  # noqa: PLR0913 - a line for each setting
        self,
        *,
        cwd: str,
        sources: tuple[str, ...],
        includes: tuple[str, ...],
        excludes: tuple[str, ...],
        share: float,
        timing: bool,
        effects: bool = True,
        cap: int = SMALLEST_CAP,
    ) -> None:
        self.cwd = cwd  # relative file names count from here
        self.sources = sources  # folders of user code
        self.includes = includes  # globs
        self.excludes = excludes
        self.share = share  # of the program's CPU time
        self.timing = timing  # there is no sampler: time calls as well
        self.effects = effects  # note what calls do outside
        self.cap = cap  # bytes of a value, at first

    def write(self, folder: str) -> None:
        """Write them into the run's folder."""
        millionths = round(self.share * 1e6)
        with open(f"{folder}/{NAME}", "wb") as file:
            file.write(
                pack(
                    *(self.cwd, self.sources, self.includes, self.excludes),
                    *(millionths, int(self.timing), int(self.effects), self.cap),
                )
            )

    @classmethod
    def read(cls, folder: str) -> "Settings":
        """Read them from the run's folder."""
        with open(f"{folder}/{NAME}", "rb") as file:
            found = unpack(file.read())
        cwd, sources, includes, excludes, millionths, timing, effects, cap = found
        return cls(
            cwd=cwd,
            sources=sources,
            includes=includes,
            excludes=excludes,
            share=millionths / 1e6,
            timing=bool(timing),
            effects=bool(effects),
            cap=cap,
        )
