"""What is wrong with a trace file, as errors for the user."""

from pathlib import Path

from perftrace.errors import TraceError


def broken(path: Path, error: Exception) -> TraceError:
    """What SQLite's refusal means to the user."""
    code = kind(error)
    if code in {"BUSY", "LOCKED"}:
        return TraceError(
            "trace-busy", f"{path} is in use by another perftrace. Wait until it has finished."
        )
    if code in {"FULL", "IOERR", "READONLY", "CANTOPEN", "PERM"}:
        return unwritable(path, error)
    return damaged(path, str(error).partition("\n")[0])


def kind(error: Exception) -> str:
    """The first word of SQLite's error code, such as BUSY or CORRUPT."""
    return str(getattr(error, "sqlite_errorname", "SQLITE_CORRUPT")).split("_")[1]


def unwritable(path: Path, error: Exception) -> TraceError:
    """It can't be written."""
    return TraceError("trace-write", f"Cannot write the trace file {path}: {error}.")


def foreign(path: Path) -> TraceError:
    """It is something else."""
    return TraceError(
        "trace-foreign",
        f"{path} is not a perftrace trace file. Name another with -d, or record one: perftrace run",
    )


def damaged(path: Path, why: str) -> TraceError:
    """It is not as perftrace wrote it."""
    return TraceError(
        "trace-damaged",
        f"{path} is damaged ({why}). Move it away and record again: perftrace run",
    )
