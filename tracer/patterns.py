"""Patterns of `--include` that lead to nothing: what a user misspells records nothing more."""

import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from perftrace.tracer import spool

PACKAGES = (
    "lib*/python3*/*-packages",  # of an environment, or of the interpreter itself
    "lib/python3/dist-packages",  # Debian's
)


def leading_nowhere(patterns: Sequence[str], base: Path, python: str) -> list[str]:
    """The patterns that fit no file here, no package of the interpreter and none of Python's."""
    return [one for one in patterns if not _leads_somewhere(one, base, Path(python))]


def _leads_somewhere(pattern: str, base: Path, python: Path) -> bool:
    if pattern.startswith("*"):
        return True  # may lie anywhere
    package = spool.package_of(pattern)
    if package and (_is_python(package) or _is_installed(package, python)):
        return True
    whole = os.path.normpath(base / pattern)
    anchor = Path(whole).anchor
    return Path(whole).exists() or any(Path(anchor).glob(whole.removeprefix(anchor)))


def _is_python(package: str) -> bool:
    """Whether it is a file of the standard library: neither written in C nor frozen."""
    if not spool.is_standard(package):
        return False
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return False
    return spec is not None and str(spec.origin).endswith(".py")


def _is_installed(package: str, python: Path) -> bool:
    """Whether the interpreter has a package or a module of this name."""
    inner = package.replace(".", os.sep)
    return any((folder / end).exists() for folder in _folders(python) for end in _ends(inner))


def _ends(inner: str) -> tuple[str, str]:
    return inner, f"{inner}.py"


def _folders(python: Path) -> Iterator[Path]:
    """Where packages may be installed."""
    homes = {python.parent.parent, python.resolve().parent.parent, Path.home() / ".local"}
    for home in homes:
        for places in PACKAGES:
            yield from home.glob(places)
