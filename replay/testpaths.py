"""Whether a plain `pytest` in the project runs the replay tests, as far as its settings tell."""

import configparser
import glob
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Where pytest looks, in its order (docs.pytest.org, "Configuration"); the first that is one counts.
SECTIONS: Mapping[str, str] = {
    "pytest.ini": "pytest",
    ".pytest.ini": "pytest",
    "pyproject.toml": "",
    "tox.ini": "pytest",
    "setup.cfg": "tool:pytest",
}


def left_out(root: Path, folder: Path) -> str:
    """What to say where `testpaths` does not lead to the folder of the replay tests; else empty."""
    for name, section in SECTIONS.items():
        file = root / name
        if not file.is_file():
            continue
        paths = _of_toml(file) if name.endswith(".toml") else _of_ini(file, section)
        if paths is None:
            continue
        if not paths or any(_leads_to(root, path, folder) for path in paths):
            return ""
        shown = folder.relative_to(root).as_posix() if folder.is_relative_to(root) else str(folder)
        return (
            f"A plain `pytest` does not run them: {name} has testpaths = {' '.join(paths)}. Add"
            f" {shown} there, or run: perftrace replay"
        )
    return ""


def _of_toml(file: Path) -> list[str] | None:
    """The paths; None: pytest's settings are not here."""
    try:
        document: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        tool = document.get("tool", {}).get("pytest", {})
    except (OSError, ValueError, AttributeError):
        return None
    found = tool.get("ini_options", tool) if isinstance(tool, dict) else {}
    return _split(found.get("testpaths", ())) if found else None


def _of_ini(file: Path, section: str) -> list[str] | None:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return None
    if not parser.has_section(section):
        return [] if file.name.endswith("pytest.ini") else None
    return _split(parser.get(section, "testpaths", fallback=""))


def _split(value: object) -> list[str]:
    return value.split() if isinstance(value, str) else [str(one) for one in _many(value)]


def _many(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _leads_to(root: Path, pattern: str, folder: Path) -> bool:
    """Whether a path or a pattern of paths holds the folder, or lies in it."""
    # Path.glob refuses "." on 3.12.
    found = [pattern, *glob.glob(pattern, root_dir=root, recursive=True)]  # noqa: PTH207
    places = [(root / one).resolve() for one in found]
    inside = folder.resolve()
    return any(inside.is_relative_to(one) or one.is_relative_to(inside) for one in places)
