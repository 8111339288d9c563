"""What a call leaves behind: threads, child processes, open files, files in the private folder."""

import _thread
import gc
import hashlib
import os
import re
import stat
import sys
import time

GRACE_S = 0.25  # for threads that are about to end anyway
STEP_S = 0.005
LARGEST_FILE = 4 << 20  # bytes of one file that are read
MOST_FILES = 1000
# What the standard library's `tempfile` puts into names, and other random endings.
RANDOM_NAME = re.compile(r"tmp[a-z0-9_]{8}")
NUMBER = re.compile(r":\[\d+\]")

type Files = dict[str, tuple[int, int, int]]  # path within -> mode, size, time of its last change


class Left:
    """What is there, before and after a call."""

    def __init__(self, folder: str) -> None:
        self._folder = os.path.realpath(folder)
        self._threads = 0
        self._children = False
        self._open: frozenset[str] | None = None
        self._files: Files = {}
        self._modules = -1  # as many there were when that was looked at

    def begin(self) -> None:
        """A call is about to begin."""
        self._threads = _thread._count()
        self._children = _has_children()
        if len(sys.modules) != self._modules:  # else only calls have run since the last one ended
            self._open, self._files = _open_files(), self._listed()

    def changed(self) -> dict[str, object]:
        """What came, or (files) is other than it was."""
        found: dict[str, object] = {}
        threads = self._more_threads()
        if threads:
            found["threads left behind"] = threads
        if _has_children() and not self._children:
            found["child processes left behind"] = "some"
        now = _open_files()
        kinds = self._more_open(now)
        if kinds:
            found["open files left behind"] = kinds
            now = _open_files()
        files = self._listed()
        if files != self._files:
            found["files written"] = self._differing(files)
        self._open, self._files, self._modules = now, files, len(sys.modules)
        return found

    def _more_threads(self) -> int:
        """How many; some of them may be on their way out."""
        deadline = time.monotonic() + GRACE_S
        while _thread._count() > self._threads and time.monotonic() < deadline:
            time.sleep(STEP_S)
        return _thread._count() - self._threads

    def _more_open(self, now: frozenset[str] | None) -> list[str]:
        before = self._open
        if before is None or now is None or now <= before:
            return []
        gc.collect()  # one that only waits for that is not left behind
        now = _open_files() or frozenset()
        return sorted(self._kind_of(number) for number in now - before)

    def _kind_of(self, number: str) -> str:
        """What is open, such as "pipe" or a path."""
        try:
            target = os.readlink(f"{DESCRIPTORS}/{number}")
        except OSError:
            return "something"
        return self._told(NUMBER.sub("", target))

    def _told(self, path: str) -> str:
        """A path without what differs from worker to worker."""
        return RANDOM_NAME.sub("tmp*", path.replace(self._folder, "TMPDIR"))

    def _listed(self) -> Files:
        """The files in the private folder."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return {}
        return _below(self._folder) if names else {}

    def _differing(self, files: Files) -> list[list[str]]:
        """Each file that came, went or was written: its name, mode and what is in it."""
        found = []
        for path in files.keys() | self._files.keys():
            if path not in files:
                found.append([self._told(path), "removed", ""])
            elif files[path] != self._files.get(path):
                mode = stat.filemode(files[path][0])
                found.append([self._told(path), mode, _content(os.path.join(self._folder, path))])
        return sorted(found)


DESCRIPTORS = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"


def _open_files() -> frozenset[str] | None:
    """Numbers of open descriptors; None: this system does not tell."""
    try:
        looking = os.dup(1)  # the lowest that is free, which the listing itself will take
        os.close(looking)
        return frozenset(os.listdir(DESCRIPTORS)) - {str(looking)}
    except OSError:
        return None


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _below(folder: str) -> Files:
    found: Files = {}
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = os.path.join(place, name)
            try:
                about = os.lstat(path)
            except OSError:  # a thread of the program removes it
                continue
            size, changed = about.st_size, about.st_mtime_ns
            if stat.S_ISDIR(about.st_mode):  # what is in it has lines of its own
                size = changed = 0
            found[os.path.relpath(path, folder)] = about.st_mode, size, changed
            if len(found) >= MOST_FILES:
                return found
    return found


def _content(path: str) -> str:
    """A digest of what a file holds; of a link where it leads."""
    try:
        if os.path.islink(path):
            return os.readlink(path)
        if not os.path.isfile(path):
            return ""
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        return f"unreadable: {error.strerror}"
    digest = hashlib.blake2b(data, digest_size=8).hexdigest()
    return f"{size} bytes, {digest}"
