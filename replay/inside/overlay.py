"""Serves source texts in the place of files when modules are imported; the files stay as they are.

A text can also stand for a file that is not on the disk, and a file can be hidden (None): so a
whole revision of a program can be imported in place of the one that is there.

Standard library only and no imports of its own package: it also runs in programs that are re-run
as a whole, by `runner.py` and by `inject/sitecustomize.py`.
"""

import importlib.machinery
import linecache
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import decode_source, spec_from_file_location
from types import CodeType, ModuleType


class OverlayLoader(importlib.machinery.SourceFileLoader):
    """Loads a module from a given text; no bytecode is read or written."""

    def __init__(self, fullname: str, path: str, text: str) -> None:
        super().__init__(fullname, path)
        self._text = text

    def get_source(self, fullname: str) -> str:
        """The text that stands in for the file."""
        return self._text

    def get_data(self, path: str | bytes) -> bytes:
        """The bytes of a file of the package."""
        return self._text.encode() if path == self.path else super().get_data(os.fsdecode(path))

    def get_code(self, fullname: str) -> CodeType:
        """The compiled text."""
        return compile(self._text, self.path, "exec", dont_inherit=True)


class Overlay:
    """Texts by real path (None: there is no such file); as a finder it wraps the other finders."""

    def __init__(self, files: Mapping[str, str | None]) -> None:
        self._texts: dict[str, str] = {}
        self._hidden: set[str] = set()
        for path, text in files.items():
            if text is None:
                self._hidden.add(os.path.realpath(path))
            else:
                self._texts[os.path.realpath(path)] = text
        absent = [path for path in self._texts if not os.path.exists(path)]
        self._absent = frozenset(absent)
        self._folders = frozenset(_new_folders(absent))

    def install(self) -> None:
        """Serve the texts from now on."""
        if self._texts or self._hidden:
            sys.meta_path.insert(0, self)

    def text(self, path: str | None) -> str | None:
        """The text that stands in for a file, if there is one."""
        return self._texts.get(os.path.realpath(path)) if path and self._texts else None

    def source(self, path: str) -> str:
        """The text of a file as the program sees it.

        Raises:
            OSError: it can't be read.
        """
        text = self.text(path)
        if text is not None:
            return text
        if os.path.realpath(path) in self._hidden:
            raise FileNotFoundError(f"{path} is not there in this revision")
        with open(path, "rb") as file:
            return decode_source(file.read())

    def loader(self, name: str, path: str) -> importlib.machinery.SourceFileLoader:
        """A loader for a file, overlaid or not."""
        text = self.text(path)
        if text is None:
            return importlib.machinery.SourceFileLoader(name, path)
        # An entry without a time is never checked against the file.
        linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
        return OverlayLoader(name, path, text)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """What the other finders find, with our loader where the file is overlaid.

        Raises:
            ModuleNotFoundError: what they find is hidden.
        """
        for spec in self._specs(name, path, target):
            if spec.has_location and spec.origin:
                if self.text(spec.origin) is not None:
                    spec.loader = self.loader(name, spec.origin)
                elif os.path.realpath(spec.origin) in self._hidden:
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            return spec
        return None

    def _specs(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> Iterator[importlib.machinery.ModuleSpec]:
        new = self._new(name, sys.path if path is None else path) if self._absent else None
        if new is not None:
            yield new
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: importlib.machinery.ModuleSpec | None = find(name, path, target)
            if spec is not None:
                yield spec

    def _new(self, name: str, path: Sequence[str]) -> importlib.machinery.ModuleSpec | None:
        """The module, if it comes from a file that is not on the disk."""
        last = name.rpartition(".")[2]
        for entry in path:
            stem = os.path.join(os.path.realpath(entry), last)
            package = os.path.join(stem, "__init__.py")
            if package in self._absent:
                return spec_from_file_location(name, package, submodule_search_locations=[stem])
            if f"{stem}.py" in self._absent:
                return spec_from_file_location(name, f"{stem}.py")
            if stem in self._folders:
                spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
                spec.submodule_search_locations = [stem]
                return spec
        return None


def _new_folders(files: Sequence[str]) -> Iterator[str]:
    """The folders of files that are not on the disk, where they are not there either."""
    for file in files:
        folder = os.path.dirname(file)
        while not os.path.isdir(folder):
            yield folder
            folder = os.path.dirname(folder)
