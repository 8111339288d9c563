"""Files to write, looked at before anything is done for them."""

import os
from pathlib import Path

from perftrace.errors import TraceError, UsageError
from perftrace.store import Store

REFUSED = {
    "trace-foreign": "is not a perftrace trace file, and is left as it is",
    "trace-damaged": "is a trace file that is damaged: move it away",
    "trace-newer": "was written by a newer perftrace: upgrade",
    "trace-read": "cannot be read",
}


def require(path: Path, option: str = "-o") -> None:
    """See that recordings can be added to this file; if there is none, that it can be made.

    Raises:
        UsageError: they can't; `option` is what names another file.
    """
    reason = _reason(path)
    if reason:
        raise UsageError("bad-output", f"{path} {reason}. Name another file with {option}.")


def require_writable(path: Path, option: str = "-o") -> None:
    """See that this file can be written, or made.

    Raises:
        UsageError: it can't; `option` is what names another file.
    """
    try:
        reason = _not_writable(path) if path.exists() else _no_place(path.absolute())
    except OSError as error:
        reason = f"cannot be reached ({error.strerror})"
    if reason:
        raise UsageError("bad-output", f"{path} {reason}. Name another file with {option}.")


def _not_writable(path: Path) -> str:
    if path.is_dir():
        return "is a folder"
    return "" if os.access(path, os.W_OK) else "cannot be written"


def _reason(path: Path) -> str:
    """Why nothing can be added; empty: it can."""
    try:
        if not path.exists():
            return _no_place(path)
        return _unfit(path) or _foreign(path)
    except OSError as error:
        return f"cannot be reached ({error.strerror})"


def _unfit(path: Path) -> str:
    """Why it can't be a trace file, whatever it holds."""
    if path.is_dir():
        return "is a folder, not a trace file"
    if not path.is_file():
        return "is not a file"
    if not path.stat().st_size:
        return "is empty, so it is not a perftrace trace file: delete it if nothing needs it"
    return "" if os.access(path, os.W_OK) else "cannot be written"


def _foreign(path: Path) -> str:
    """Why what it holds is nothing to add to."""
    try:
        with Store.open(path) as store:
            store.runs()
    except TraceError as error:
        return REFUSED.get(error.slug, "")  # of what may pass (it is in use) the end will tell
    return ""


def _no_place(path: Path) -> str:
    """Why no file can be made there."""
    folder = next(one for one in path.parents if one.exists())
    if not folder.is_dir():
        return f"cannot be made: {folder} is not a folder"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"cannot be made: nothing can be written in {folder}"
    return ""
