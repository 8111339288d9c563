"""Which files a checkout of the project will have: a test must not read others."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from perftrace.effects import LISTED, MADE, OPENED, READ, WRITTEN
from perftrace.model import Call

LOOKED_AT = frozenset({READ, OPENED, LISTED})
TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - to be told, not to be used


def names_a_place(text: str, root: Path) -> bool:
    """Whether a test's text names the project's folder, or what is in a folder like the user's."""
    if len(root.parts) > 2 and str(root) in text:
        return True
    return any(
        Path(found).exists()
        for place in _own_places()
        for found in re.findall(rf"(?<![\w/.]){re.escape(place)}/[\w.+@-]+", text)
    )


def _own_places() -> list[str]:
    """Folders whose content this machine alone has: the user's, and temporary ones."""
    own = (str(Path.home()), tempfile.gettempdir(), *TEMPORARY)
    return sorted({*own, *map(os.path.realpath, own)} - {os.sep})


class Checkout:
    """The repository that the project is, or is a folder of, if there is one and git is there."""

    def __init__(self, root: Path, installed: Sequence[Path] = ()) -> None:
        """Of the project's folder; installed: folders that whoever runs the tests has too."""
        self._root = root
        self._everywhere = (root, *installed)
        self._git = shutil.which("git")
        self._known: dict[str, bool] = {}
        if self._ignores(str(root)):
            self._git = None  # a folder in another project's, which does not have it
        self._elsewhere = tuple(map(Path, _own_places()))

    def lacks(self, call: Call) -> str:
        """Why a call can't be made in a checkout: it read what is not there. Empty: it can."""
        made = {one.detail for one in call.effects if one.kind in (WRITTEN, MADE)}
        for effect in call.effects:
            if effect.kind not in LOOKED_AT or not effect.detail:
                continue
            if self._ignores(effect.detail):
                shown = Path(effect.detail).relative_to(self._root).as_posix()
                return f"reads {shown}; git ignores that"
            if effect.detail not in made and self._is_of_this_machine(Path(effect.detail)):
                return "reads a file that this machine alone has"
        return ""

    def _is_of_this_machine(self, path: Path) -> bool:
        """Whether it lies in the user's folder or a temporary one, and not in the project."""
        if any(path.is_relative_to(one) for one in self._everywhere):
            return False
        return any(path.is_relative_to(one) for one in self._elsewhere)

    def _ignores(self, path: str) -> bool:
        if self._git is None or not Path(path).is_relative_to(self._root):
            return False
        if path not in self._known:
            done = subprocess.run(
                [self._git, "check-ignore", "-q", "--", path],
                cwd=self._root,
                capture_output=True,
                check=False,
            )
            self._known[path] = done.returncode == 0
        return self._known[path]
