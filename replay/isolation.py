"""Does the kernel shut in here what is replayed? Nobody's candidate is run where it does not."""

import sys
from dataclasses import dataclass

from perftrace.errors import CannotError
from perftrace.model import Process, Run
from perftrace.replay.session import Session


@dataclass(frozen=True, slots=True)
class Isolation:
    """Of each layer why it does not hold, or empty (`replay/inside/sandbox.py`)."""

    files: str  # Landlock
    calls: str  # seccomp

    @property
    def gaps(self) -> str:
        """What is not held back, in plain words; empty: nothing."""
        gaps = {"files": self.files, "network, processes and the rest": self.calls}
        return "; ".join(f"{what}: {reason}" for what, reason in gaps.items() if reason)


def look(run: Run) -> Isolation:
    """Start a worker of the run's interpreter and see."""
    with Session(Process(0, run, 0, (), None, None)) as session:
        return Isolation(*session.layers)


def require(run: Run, *, unsafe: bool) -> str:
    """Make sure that a candidate can be shut in; a warning where that is so in part, or empty.

    Args:
        run: the recorded run, whose interpreter the workers are.
        unsafe: the user takes the risk (`--unsafe-no-sandbox`).

    Raises:
        CannotError: nothing holds here, and it was not said that it need not.
    """
    found = look(run)
    if found.files and found.calls and not unsafe and sys.platform == "linux":
        raise CannotError(
            "no-sandbox",
            f"The kernel can't shut a candidate in here ({found.gaps}), so none is run. Where you"
            " trust it: --unsafe-no-sandbox",
        )
    return f"Reduced isolation: a candidate is not kept from {found.gaps}" if found.gaps else ""
