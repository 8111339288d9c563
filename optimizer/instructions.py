"""Instructions that a program executes, counted by Valgrind's callgrind.

They are the same each time, whatever else the machine does, but for what follows addresses and
clocks: a difference of a thousandth means something. They are not time: a cache miss counts as
much as an addition. Children of the program are not counted.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

SLOWDOWN = 200  # a program under callgrind takes 30 to 100 times as long
TOTAL = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Counted:
    """Instructions of a whole run, the interpreter's start included."""

    old: int
    new: int

    @property
    def ratio(self) -> float:
        """Old over new: above 1 the new program executes fewer."""
        return self.old / self.new


@dataclass(frozen=True, slots=True)
class NotCounted:
    """Why there is no figure."""

    reason: str


type Count = Counted | NotCounted


def tool() -> str | None:
    """Valgrind's path, where it is installed."""
    return shutil.which("valgrind")


def command(valgrind: str, file: Path) -> list[str]:
    """What has to stand in front of a program's command; the counts go into the file."""
    return [valgrind, "--quiet", "--tool=callgrind", f"--callgrind-out-file={file}"]


def read(file: Path) -> int | None:
    """The number of instructions in callgrind's file; None: it holds none."""
    try:
        found = TOTAL.search(file.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return int(found[1]) if found and int(found[1]) else None
