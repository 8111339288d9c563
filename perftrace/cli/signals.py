"""SIGTERM ends a command as Ctrl-C does: what is finished is kept, and workers are stopped."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM


class TerminatedError(KeyboardInterrupt):
    """The process got SIGTERM."""


@contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """Raise `TerminatedError` at the first SIGTERM; at the second the process ends at once."""

    def terminated(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise TerminatedError

    first = threading.current_thread() is threading.main_thread()
    ours = first and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, terminated)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def exit_code(error: BaseException) -> int:
    """What a command that was ended in this way ends with."""
    cause = error.__cause__ or error  # click raises an error of its own
    return TERMINATED if isinstance(cause, TerminatedError) else INTERRUPTED
