"""Which modules are a library's: the standard library's, or those of an installed package."""

import os
import sys
import sysconfig
from types import ModuleType

PLACES = ("stdlib", "platstdlib", "purelib", "platlib")
FOLDERS = tuple(
    {os.path.realpath(path) + os.sep for path in map(sysconfig.get_path, PLACES) if path}
)
OURS = "_perftrace"


def loaded() -> "list[tuple[str, str]]":
    """The library modules that are loaded, by name and file, in the order of their import."""
    found = []
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        origin = getattr(spec, "origin", None)
        if getattr(spec, "name", None) == name and isinstance(origin, str) and _is_in(origin):
            found.append((name, origin))
    return found


def is_foreign(module: ModuleType) -> bool:
    """Whether a module is neither a library's nor ours: the program's own."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or module.__name__ in {"__main__", "__mp_main__"}:
        return False
    return not (_is_in(file) or module.__name__.startswith(OURS))


def holds(files: "dict[str, str]") -> bool:
    """Whether one of these files has been imported already."""
    found = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    loaded_files = {os.path.realpath(file) for file in found if isinstance(file, str)}
    return not loaded_files.isdisjoint(map(os.path.realpath, files))


def _is_in(file: str) -> bool:
    return file.endswith((".py", ".so")) and os.path.realpath(file).startswith(FOLDERS)
