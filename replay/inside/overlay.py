"""Serves source texts in the place of files when modules are imported; the files stay as they are.

Standard library only and no imports of its own package: it also runs in programs that are re-run
as a whole, by `runner.py` and by `inject/sitecustomize.py`.
"""

import importlib.machinery
import linecache
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.util import decode_source
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
    """Texts by real path; as a finder it wraps what the other finders find."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._texts = {os.path.realpath(path): text for path, text in files.items()}

    def install(self) -> None:
        """Serve the texts from now on."""
        if self._texts:
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
        """What the other finders find, with our loader where the file is overlaid."""
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: importlib.machinery.ModuleSpec | None = find(name, path, target)
            if spec is not None:
                if spec.has_location and spec.origin and self.text(spec.origin) is not None:
                    spec.loader = self.loader(name, spec.origin)
                return spec
        return None
