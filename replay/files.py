"""The folder of replay tests: its test files, conftest.py, and the line in .gitattributes."""

import ast
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from perftrace.errors import CannotError
from perftrace.replay import testing
from perftrace.replay.emit import UNTOUCHED, NotParsed, Parsed, Style, parse

CONFLICT = re.compile(r"^(<{7}|>{7})( |$)", re.MULTILINE)  # what git leaves of two sides
MARK = '"""Written by perftrace: registers the marker of replay tests and finds the code they test.'
CONFTEST = '''{mark}

ROOTS: the top-level modules that the tests import, and the folder each lies in, from here.
"""

{untouched}import sys
from importlib.util import {names}
from pathlib import Path

ROOTS = {{{roots}}}

for module, folder in ROOTS.items():
    if find_spec(module) is None:  # not installed
        sys.path.insert(0, str((Path(__file__).parent / folder).resolve()))
{helpers}

def pytest_configure(config):
    config.addinivalue_line("markers", "perftrace: replay tests written by perftrace")


def pytest_collect_file(file_path, parent):
    found = any(map(file_path.match, parent.config.getini("python_files")))
    if file_path.match("test_replay_*.py") and not (found or parent.session.isinitpath(file_path)):
        import pytest

        return pytest.Module.from_parent(parent, path=file_path)
'''

# What the tests import, in a file beside them: `--standalone`. Where perftrace is installed, that
# is taken. Another package of its name may be, without the helpers.
BESIDE = "perftrace_testing.py"
HELPERS = f"""
HELPERS = "perftrace.replay.testing"


def is_missing(module):
    try:
        return find_spec(module) is None
    except ImportError:
        return True


if is_missing(HELPERS):
    spec = spec_from_file_location(HELPERS, Path(__file__).with_name("{BESIDE}"))
    sys.modules[HELPERS] = helpers = module_from_spec(spec)
    spec.loader.exec_module(helpers)
"""
NAMES = ("find_spec", "find_spec, module_from_spec, spec_from_file_location")
COPIED = "# Written by perftrace, from perftrace/replay/testing.py: what the replay tests import.\n"


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of replay tests of a project."""

    root: Path  # of the project
    path: Path

    def suites(self, modules: Collection[str] | None = None) -> Iterator[tuple[Path, Parsed]]:
        """The files of replay tests, by name.

        Args:
            modules: files of others are passed over where they can't be read; None: of all.

        Raises:
            CannotError: one of them can't be read as such.
        """
        needed = {f"test_replay_{module.replace('.', '_')}" for module in modules or ()}
        for path in sorted(self.path.glob("test_replay_*.py")):
            try:
                parsed = self.read(path)
            except CannotError:
                if modules is None or path.stem in needed:
                    raise
                continue
            yield path, parsed

    def read(self, path: Path) -> Parsed:
        """One file.

        Raises:
            CannotError: it can't be read as replay tests.
        """
        text = ""
        try:
            text = path.read_text(encoding="utf-8")
            parsed: Parsed | NotParsed = parse(text)
        except (OSError, UnicodeDecodeError) as error:
            parsed = NotParsed(str(error))
        if isinstance(parsed, Parsed):
            return parsed
        if CONFLICT.search(text):
            raise CannotError(
                "replay-conflict",
                f"{self.shown(path)} has merge conflict markers. Take either side of each (git"
                f" checkout --ours {self.shown(path)}), then: perftrace replay --update",
            )
        raise CannotError(
            "replay-file",
            f"{self.shown(path)} can't be used: {parsed.reason}. Restore it from version"
            " control, or where you have the trace file delete it and write it anew: perftrace"
            " replay --write",
        )

    def shown(self, path: Path) -> str:
        """A path as people write it, from the project's root."""
        return (
            path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)
        )

    def roots(self) -> dict[str, Path]:
        """The top-level modules that conftest.py finds, and the folder each lies in."""
        path = self.path / "conftest.py"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return {name: (self.path / place).resolve() for name, place in _roots(text).items()}

    @property
    def style(self) -> Style:
        """The style of the tests that are there."""
        styles = {parsed.suite.style for _, parsed in self.suites([])}
        return Style.UNITTEST if styles == {Style.UNITTEST} else Style.PYTEST

    @property
    def is_standalone(self) -> bool:
        """Whether the tests' helpers lie beside them."""
        return (self.path / BESIDE).exists()

    def write_helpers(self) -> None:
        """Put what the tests import beside them, as it is in this perftrace."""
        source = Path(str(testing.__file__)).read_text(encoding="utf-8")
        path = self.path / BESIDE
        fresh = f"{COPIED}{UNTOUCHED}{source}"
        if not path.exists() or path.read_text(encoding="utf-8") != fresh:
            write(path, fresh)

    def write_conftest(self, roots: Mapping[str, Path]) -> None:
        """Make conftest.py find these top-level modules too; left alone if it does."""
        path = self.path / "conftest.py"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if text and not text.startswith(MARK):
            raise CannotError(
                "replay-conftest",
                f"{self.shown(path)} is not perftrace's. Move it, or choose another folder with"
                " replay-dir in [tool.perftrace] of pyproject.toml.",
            )
        places = {name: os.path.relpath(place, self.path) for name, place in roots.items()}
        known = _roots(text) | {name: Path(place).as_posix() for name, place in places.items()}
        listed = "".join(f'\n    "{name}": "{place}",' for name, place in sorted(known.items()))
        fresh = CONFTEST.format(
            mark=MARK,
            untouched=UNTOUCHED,
            names=NAMES[self.is_standalone],
            roots=f"{listed}\n" if listed else "",
            helpers=HELPERS if self.is_standalone else "",
        )
        if fresh != text:
            write(path, fresh)

    def mark_generated(self) -> bool:
        """Have code review fold the files away, in a git repository; whether that was news."""
        if not (self.root / ".git").exists():
            return False
        line = f"{self.shown(self.path)}/** linguist-generated=true"
        path = self.root / ".gitattributes"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if line in text.splitlines():
            return False
        between = "\n" if text and not text.endswith("\n") else ""
        write(path, f"{text}{between}{line}\n")
        return True


def write(path: Path, text: str) -> None:
    """Write a file at once or not at all.

    Raises:
        CannotError: it can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            *("w", -1, "utf-8"),
            newline="\n",
            dir=path.parent,
            prefix=f".{path.name}.",
            delete=False,
        ) as file:
            file.write(text)
    except OSError as error:
        raise _unwritten(path, error) from error
    try:
        fresh = Path(file.name)
        fresh.chmod(path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        fresh.replace(path)
    except OSError as error:
        Path(file.name).unlink(missing_ok=True)
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: OSError) -> CannotError:
    return CannotError("replay-write", f"{path} can't be written: {error.strerror or error}")


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _roots(conftest: str) -> dict[str, str]:
    for node in ast.parse(conftest).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="ROOTS")], value=value):
                roots = ast.literal_eval(value)
                return roots if isinstance(roots, dict) else {}
            case _:
                pass
    return {}
