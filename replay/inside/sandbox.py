"""Shuts the worker in before any code of the program is loaded: it can harm nothing outside.

Two layers of the kernel's: Landlock for files and TCP, seccomp for all else that leaves the
process. Neither needs privileges, and neither can be left again.
"""

import os
import sys

from . import landlock, seccomp

# Below a home folder, what must not be read: without network it could get out in a result alone,
# but it has no business there either.
SECRETS = (
    *(".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".pypirc", ".npmrc"),
    *(".git-credentials", ".password-store", ".pgpass", ".my.cnf", ".mozilla", ".thunderbird"),
    *(".bash_history", ".zsh_history", ".python_history", ".psql_history"),
    *(".config/gcloud", ".config/gh", ".config/git/credentials", ".config/google-chrome"),
    *(".config/chromium", ".config/op", ".local/share/keyrings", ".cargo/credentials.toml"),
)
DEVICES = ("null", "zero", "full", "random", "urandom")
TRACES = ".perftrace"


class Layers:
    """What holds; of each layer the reason why it does not, or empty."""

    def __init__(self, files: str, calls: str) -> None:
        self.files = files
        self.calls = calls


def enter(folder: str, hidden: "list[str]") -> Layers:
    """Shut this process in: it may write to the folder alone, and not read what is hidden."""
    if sys.platform != "linux":
        reason = f"{sys.platform} has no such thing: reduced isolation"
        return Layers(reason, reason)
    closed = {os.path.realpath(path) for path in hidden} - {os.path.realpath(folder)}
    closed |= {os.path.realpath(os.path.join(home, name)) for home in _homes() for name in SECRETS}
    closed |= {"/proc", "/dev"}  # other processes; discs, terminals and memory
    devices = [f"/dev/{name}" for name in DEVICES]
    system = [f"/proc/{name}" for name in _names("/proc") if not name.isdecimal()]
    mine = f"/proc/{os.getpid()}"
    files = landlock.restrict([folder, *devices], [mine, *system], sorted(closed))
    return Layers(files, seccomp.install())


def _homes() -> "list[str]":
    return list({os.path.expanduser("~"), os.environ.get("HOME", "/root"), "/root"})


def _names(folder: str) -> "list[str]":
    try:
        return os.listdir(folder)
    except OSError:
        return []
