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


def prepare(home: str, hidden: "list[str]") -> landlock.Prepared:
    """What the workers of a fork server have in common; their folders will lie in `home`."""
    found = landlock.Prepared([home, *_devices()], sorted(_closed(home, hidden) - {"/proc"}))
    found.read_too(_system())
    return found


def enter(folder: str, hidden: "list[str]", prepared: "landlock.Prepared | None" = None) -> Layers:
    """Shut this process in: it may write to the folder alone, and not read what is hidden."""
    if sys.platform != "linux":
        reason = f"{sys.platform} has no such thing: reduced isolation"
        return Layers(reason, reason)
    writable, mine = [folder, *_devices()], f"/proc/{os.getpid()}"
    if prepared is not None:
        files = prepared.enter(writable, [mine])
    else:
        files = landlock.restrict(writable, [mine, *_system()], sorted(_closed(folder, hidden)))
    return Layers(files, seccomp.install())


def _closed(folder: str, hidden: "list[str]") -> "set[str]":
    """What may not be read."""
    closed = {os.path.realpath(path) for path in hidden} - {os.path.realpath(folder)}
    closed |= {os.path.realpath(os.path.join(home, name)) for home in _homes() for name in SECRETS}
    return closed | {"/proc", "/dev"}  # other processes; discs, terminals and memory


def _devices() -> "list[str]":
    return [f"/dev/{name}" for name in DEVICES]


def _system() -> "list[str]":
    """What the kernel tells of the system, not of processes."""
    return [f"/proc/{name}" for name in _names("/proc") if not name.isdecimal()]


def _homes() -> "list[str]":
    return list({os.path.expanduser("~"), os.environ.get("HOME", "/root"), "/root"})


def _names(folder: str) -> "list[str]":
    try:
        return os.listdir(folder)
    except OSError:
        return []
