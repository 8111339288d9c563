"""Every error perftrace raises on purpose, each with a slug and an exit code.

PerftraceError
├── UsageError        (2)  wrong usage or configuration
├── CannotError       (3)  cannot do it here: no trace, no interpreter, no permission
│   ├── TraceError    (3)  the trace file is missing, damaged, foreign or too new
│   └── StaleError    (3)  the source changed since it was recorded
└── CheckFailed       (1)  a check the user asked for failed
"""


class PerftraceError(Exception):
    """An expected failure: one clear line for the user, never a traceback.

    The message says what happened, why, and what to do next.
    """

    exit_code = 3

    def __init__(self, slug: str, message: str) -> None:
        super().__init__(message)
        self.slug = slug


class UsageError(PerftraceError):
    """Wrong usage or configuration."""

    exit_code = 2


class CannotError(PerftraceError):
    """What was asked cannot be done here."""


class TraceError(CannotError):
    """The trace file is missing, damaged, foreign or too new."""


class StaleError(CannotError):
    """The source changed since it was recorded."""


class CheckFailed(PerftraceError):  # noqa: N818 - it is an answer, not an error
    """A check the user asked for failed."""

    exit_code = 1
