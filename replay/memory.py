"""A process's memory as the kernel counts it, seen from outside: the process has no say in it.

The high-water mark of the resident set (proc_pid_status(5), `VmHWM`) holds all memory, also that
of C code, and costs the process nothing; `tracemalloc` would see less, slow the calls down, and be
the measured process's own word. Its weakness: what the allocator kept from before is used first and
does not count, so that differences of a few megabytes may stay unseen.
"""

import contextlib
from pathlib import Path

RESET_PEAK = "5"  # proc_pid_clear_refs(5): the mark starts again from what is in use now


def restart_peak(pid: int) -> int | None:
    """Let the high-water mark start again; what is in use now, in bytes; None: can't be told."""
    with contextlib.suppress(OSError):  # an older kernel: then the mark stays where it was
        Path(f"/proc/{pid}/clear_refs").write_text(RESET_PEAK, encoding="ascii")
    return _read(pid, "VmRSS")


def peak(pid: int) -> int | None:
    """The high-water mark, in bytes; None: it can't be told on this system."""
    return _read(pid, "VmHWM")


def _read(pid: int, name: str) -> int | None:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) << 10  # it is given in kB
    return None
