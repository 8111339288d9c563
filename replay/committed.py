"""Which files a checkout of the project will have: a test must not read others."""

import shutil
import subprocess
from pathlib import Path

from perftrace.effects import LISTED, OPENED, READ
from perftrace.model import Call

LOOKED_AT = frozenset({READ, OPENED, LISTED})


class Checkout:
    """The repository that the project is, or is a folder of, if there is one and git is there."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._git = shutil.which("git")
        self._known: dict[str, bool] = {}
        if self._ignores(str(root)):
            self._git = None  # a folder in another project's, which does not have it

    def lacks(self, call: Call) -> str:
        """Why a call can't be made in a checkout: it read what git ignores. Empty: it can."""
        for effect in call.effects:
            if effect.kind in LOOKED_AT and effect.detail and self._ignores(effect.detail):
                shown = Path(effect.detail).relative_to(self._root).as_posix()
                return f"reads {shown}; git ignores that"
        return ""

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
