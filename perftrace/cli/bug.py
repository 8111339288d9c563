"""The report file of an internal error."""

import platform
import sys
import tempfile
import traceback
from pathlib import Path

from perftrace import __version__


def write_report(error: BaseException) -> Path:
    """Write the traceback and versions to a new temporary file; its path."""
    lines = [
        f"perftrace {__version__}, Python {platform.python_version()}, {platform.platform()}\n",
        f"command line: {sys.argv!r}\n\n",
        *traceback.format_exception(error),
    ]
    with tempfile.NamedTemporaryFile(
        "w", prefix="perftrace-bug-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.writelines(lines)
    return Path(file.name)
