"""Which code is the user's, and the reason for each that is not."""

import builtins
import sys

from .private import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType

# Programs patch `len` or `open`; neither side should notice the other.
globals()["__builtins__"] = dict(vars(builtins))

STANDARD = "standard library"
INSTALLED = "installed package"
GENERATED = "made at run time"
OUTSIDE = "outside the project"
EXCLUDED = "excluded by a pattern"
OURS = "perftrace's own"
AGAIN = "compiled again and again"
REASONS = (STANDARD, INSTALLED, GENERATED, OUTSIDE, EXCLUDED, OURS, AGAIN)  # their order: slots

NOT_FUNCTIONS = frozenset({"<module>", "<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"})
FUNCTION_FLAGS = 3  # CO_OPTIMIZED and CO_NEWLOCALS: not the body of a module or class
PACKAGE_FOLDERS = frozenset({"site-packages", "dist-packages", ".venv", "node_modules"})
LATE = ("children", "timing")  # modules of ours that are loaded where they are needed


class Scope:
    """The rule, with its answer per file remembered."""

    def __init__(
        self,
        sources: "Sequence[str]",
        includes: "Sequence[str]",
        excludes: "Sequence[str]",
        *,
        cwd: str,
        libraries: "Sequence[tuple[str, str]]" = (),
        own: "frozenset[str]" = frozenset(),
    ) -> None:
        """Folders of user code, then globs; `libraries` are (folder, reason) pairs."""
        self._sources = [_slash(folder) for folder in sources]
        self._includes = includes
        self._excludes = excludes
        self._cwd = cwd
        self._libraries = libraries
        self._own = own
        self._known: dict[str, str | None] = {}
        self._absolute: dict[str, str] = {}

    def reason(self, filename: str) -> str | None:
        """Why code of this `co_filename` is not the user's; None: it is."""
        try:
            return self._known[filename]
        except KeyError:
            reason = self._known[filename] = self._decide(filename)
            return reason

    def absolute(self, filename: str) -> str:
        """The file's absolute path: the script's own code may have a relative one.

        (`os.path` would call what the program may have patched.)
        """
        try:
            return self._absolute[filename]
        except KeyError:
            whole = filename if filename.startswith(os.sep) else self._cwd + os.sep + filename
            found = self._absolute[filename] = _normal(whole)
            return found

    def _decide(self, filename: str) -> str | None:
        if filename in self._own:
            return OURS
        if filename.startswith("<") or not filename:
            return STANDARD if filename.startswith("<frozen") else GENERATED
        file = self.absolute(filename)
        if any(matches(file, glob) for glob in self._excludes):
            return EXCLUDED
        if any(matches(file, glob) for glob in self._includes):
            return None
        return self._place(file)

    def _place(self, file: str) -> str | None:
        for folder, reason in self._libraries:
            if file.startswith(folder):
                return reason
        if not PACKAGE_FOLDERS.isdisjoint(file.split(os.sep)):
            return INSTALLED
        return None if any(file.startswith(folder) for folder in self._sources) else OUTSIDE


def _normal(file: str) -> str:
    """An absolute path without `.` and `..`."""
    parts: list[str] = []
    for part in file.split(os.sep):
        if part == ".." and parts:
            parts.pop()
        elif part not in ("", ".", ".."):
            parts.append(part)
    return os.sep + os.sep.join(parts)


def is_function(code: "CodeType") -> bool:
    """Whether the code is a function's body, not a module's, class's or comprehension's."""
    return code.co_flags & FUNCTION_FLAGS == FUNCTION_FLAGS and code.co_name not in NOT_FUNCTIONS


def own_libraries() -> list[tuple[str, str]]:
    """This interpreter's library folders and what is in them, innermost first."""
    standard = _slash(os.__file__.rpartition(os.sep)[0])
    environment = _slash(sys.prefix) + _slash("lib")
    inner = [(standard + _slash(name), INSTALLED) for name in ("site-packages", "dist-packages")]
    virtual = [(environment, INSTALLED)] if sys.prefix != sys.base_prefix else []
    return [*inner, (standard, STANDARD), *virtual]


def own_files() -> frozenset[str]:
    """The files of the recorder itself; it lives in the program under a private root name."""
    root = __name__.partition(".")[0]
    modules = [module for name, module in list(sys.modules.items()) if name.startswith(root)]
    files = [getattr(module, "__file__", None) or "" for module in modules]
    folder = __file__.removesuffix("scope.py")
    return frozenset(files + [f"{folder}{name}.py" for name in LATE])


def matches(text: str, glob: str) -> bool:
    """Whether the whole text matches; `*` stands for anything, `?` for one character.

    (`fnmatch` would import `re` into the program.)
    """
    if "?" in glob:
        return _matches_slowly(text, glob)
    first, *rest = glob.split("*")
    if not rest:
        return text == glob
    last = rest.pop()
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in rest:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def _matches_slowly(text: str, glob: str) -> bool:
    at = mark = 0
    star = -1
    position = 0
    while at < len(text):
        if position < len(glob) and glob[position] == "*":
            star, mark = position, at
            position += 1
        elif position < len(glob) and glob[position] in ("?", text[at]):
            position += 1
            at += 1
        elif star >= 0:
            mark += 1
            at, position = mark, star + 1
        else:
            return False
    return not glob[position:].strip("*")


def _slash(folder: str) -> str:
    return folder.rstrip(os.sep) + os.sep
