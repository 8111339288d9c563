"""New replay tests have to pass before they are written: in fresh processes, in any order.

They lie in a hidden folder among the replay tests meanwhile, so that the project's own settings of
pytest hold for them as they will.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from perftrace.replay import runner
from perftrace.replay.author import Page
from perftrace.replay.files import Folder, write

# Order and hash seed of each run.
RUNS = (("", 0), ("backwards", 1), ("", 4242))


def failing(
    python: Path, folder: Folder, pages: Sequence[Page], roots: Mapping[str, Path]
) -> set[tuple[str, str]]:
    """The tests of pages with new ones that fail in one of three runs: module, name of the test.

    Raises:
        CannotError: there is no pytest, it does not get to run the tests, or conftest.py is not
            perftrace's.
    """
    fresh = [page for page in pages if page.added]
    if not fresh:
        return set()
    folder.write_conftest(roots)
    with tempfile.TemporaryDirectory(prefix=".trial-", dir=folder.path) as name:
        modules = {page.path.stem: page.module for page in fresh}
        paths = [Path(name) / page.path.name for page in fresh]
        for page, path in zip(fresh, paths, strict=True):
            write(path, page.text)
        found: set[tuple[str, str]] = set()
        for order, seed in RUNS:
            ran = runner.try_pytest(python, folder.root, list(map(str, paths)), order, seed)
            found |= {(modules[one.file], one.name) for one in ran.tests if one.state == "failed"}
        return found
