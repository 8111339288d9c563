"""Revisions of a project: the one place that calls git, and only to read.

Git is told not to take locks, so that even its index stays as it is.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import decode_source
from pathlib import Path

from perftrace.errors import UsageError

WORKTREE = ("WORKTREE", ".")  # names of the files as they are
SHALLOW = (
    " This is a shallow clone, which lacks other branches; with GitHub's actions/checkout:"
    " fetch-depth: 0."
)
QUIET = ("--no-optional-locks", "-c", "core.quotepath=off", "-c", "core.fsmonitor=false")


@dataclass(frozen=True, slots=True)
class Commit:
    """A revision that git knows."""

    name: str  # as the user wrote it
    id: str  # of the commit


@dataclass(frozen=True, slots=True)
class Worktree:
    """The files as they are on the disk."""

    name: str = WORKTREE[0]


type Place = Commit | Worktree


class Repository:
    """A git repository."""

    def __init__(self, folder: Path) -> None:
        """The repository around a folder.

        Raises:
            UsageError: there is none, or no git.
        """
        done = _git(folder, ["rev-parse", "--show-toplevel"])
        if done.returncode:
            raise UsageError(
                "no-repository",
                f"{folder} is in no git repository, so there are no revisions to compare. To check"
                " one changed file: perftrace verify FUNC --candidate FILE",
            )
        self.root = Path(os.fsdecode(done.stdout.rstrip(b"\n")))

    def place(self, name: str) -> Place:
        """What a revision's name stands for.

        Raises:
            UsageError: nothing.
        """
        if name in WORKTREE:
            return Worktree()
        if commit := self._commit(name):
            return commit
        raise UsageError(
            "revision-unknown",
            f"git knows no revision {name} in {self.root}. For the files as they are: .",
        )

    def _commit(self, name: str) -> Commit | None:
        end = ["--end-of-options", f"{name}^{{commit}}"]
        done = _git(self.root, ["rev-parse", "--verify", "--quiet", *end])
        return None if done.returncode else Commit(name, done.stdout.decode().strip())

    def fork_point(self, name: str) -> Commit:
        """The commit at which the files as they are left a branch; its tip where there is none.

        Raises:
            UsageError: git knows no such revision.
        """
        if name in WORKTREE:
            raise UsageError("revision-unknown", f"{name} is no revision to compare with.")
        tip = self._commit(name)
        if tip is None:
            shallow = SHALLOW if self._is_shallow() else ""
            raise UsageError(
                "revision-unknown", f"git knows no revision {name} in {self.root}.{shallow}"
            )
        done = _git(self.root, ["merge-base", tip.id, "HEAD"])
        return Commit(name, done.stdout.decode().strip() or tip.id)

    def _is_shallow(self) -> bool:
        return _git(self.root, ["rev-parse", "--is-shallow-repository"]).stdout.strip() == b"true"

    def changed(self, one: Place, other: Place) -> set[str]:
        """Files under git that differ between two places, by their path from the root.

        Raises:
            UsageError: git fails.
        """
        ids = [place.id for place in (one, other) if isinstance(place, Commit)]
        if not ids:
            return set()
        options = ["--name-only", "--no-renames", "--no-ext-diff", "-z"]
        with tempfile.TemporaryDirectory(prefix="perftrace-") as folder:
            copy = Path(folder) / "index"  # `git diff` notes in it which files it has looked at
            place = _git(self.root, ["rev-parse", "--git-path", "index"]).stdout.rstrip(b"\n")
            index = self.root / os.fsdecode(place)
            if not index.exists():
                return self._names(["diff", *options, *ids, "--"])
            shutil.copy2(index, copy)  # its time tells git which files it must read
            return self._names(["diff", *options, *ids, "--"], {"GIT_INDEX_FILE": str(copy)})

    def untracked(self) -> set[str]:
        """Files that are not under git, nor ignored, by their path from the root.

        Raises:
            UsageError: git fails.
        """
        return self._names(["ls-files", "--others", "--exclude-standard", "-z"])

    def text(self, place: Place, path: str) -> str | None:
        """A Python file's text there; None: there is no such file.

        Raises:
            ValueError: it can't be decoded as Python source.
        """
        if isinstance(place, Worktree):
            try:
                data = (self.root / path).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None
        else:
            done = _git(self.root, ["cat-file", "blob", f"{place.id}:{path}"])
            if done.returncode:
                return None
            data = done.stdout
        try:
            return decode_source(data)
        except SyntaxError as error:  # an encoding that Python does not know
            raise ValueError(str(error)) from error

    def _names(
        self, arguments: Sequence[str], variables: Mapping[str, str] | None = None
    ) -> set[str]:
        done = _git(self.root, arguments, variables)
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise UsageError("git-failed", f"git {arguments[0]} failed in {self.root}: {words}")
        return {os.fsdecode(name) for name in done.stdout.split(b"\0") if name}


def _git(
    folder: Path, arguments: Sequence[str], variables: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            ["git", *QUIET, "-C", str(folder), *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
            env={**os.environ, **(variables or {})},
        )
    except OSError as error:
        raise UsageError(
            "no-git", f"git can't be started ({error.strerror}); revisions are read with it."
        ) from error
