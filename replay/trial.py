"""New replay tests have to pass before they are written: in fresh processes, together and alone.

They lie in a hidden folder among the replay tests meanwhile, so that the project's own settings of
pytest hold for them as they will.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perftrace.replay import runner
from perftrace.replay.author import Page
from perftrace.replay.files import Folder, write

# Runs tests in an order and under a hash seed, as `runner.try_pytest` does.
type Attempt = Callable[[Path, Path, list[str], str, int], runner.Result]

# Order and hash seed of each run: other seeds than when the tests were drafted and reviewed.
RUNS = (("forwards", 5), ("backwards", 6), ("alone", 4242))
# What goes through a set of two may well be in the same order nine times, so files of modules
# with calls that were not the same each time are run more often.
MORE = tuple(("forwards", seed) for seed in range(7, 15))


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of the pages' tests, each by its module and name."""

    failing: frozenset[tuple[str, str]] = frozenset()  # in at least one of the runs
    seconds: Mapping[tuple[str, str], float] = field(default_factory=dict)  # the least of the runs


def run(
    python: Path,
    folder: Folder,
    pages: Sequence[Page],
    roots: Mapping[str, Path],
    attempt: Attempt = runner.try_pytest,
) -> Tried:
    """Run the tests of the pages with new ones three times, or more often where some may vary.

    Raises:
        CannotError: there is no pytest, it does not get to run the tests, or conftest.py is not
            perftrace's.
    """
    fresh = [page for page in pages if page.added]
    if not fresh:
        return Tried()
    folder.write_conftest(roots)
    with tempfile.TemporaryDirectory(prefix=".trial-", dir=folder.path) as name:
        modules = {page.path.stem: page.module for page in fresh}
        paths = [Path(name) / page.path.name for page in fresh]
        for page, path in zip(fresh, paths, strict=True):
            write(path, page.text)
        words = list(map(str, paths))
        unsteady = [str(path) for page, path in zip(fresh, paths, strict=True) if page.unsteady]
        ran: list[tuple[tuple[str, str], runner.Ran]] = []
        for tests, runs in ((words, RUNS), (unsteady, MORE)):
            if not tests or any(one.state == "failed" for _, one in ran):
                break  # what takes the place of those that fail is tried from the beginning
            ran += [
                ((modules[one.file], one.name), one)
                for order, seed in runs
                for one in attempt(python, folder.root, tests, order, seed).tests
                if one.file in modules
            ]
    seconds: dict[tuple[str, str], float] = {}
    for key, one in ran:
        seconds[key] = min(one.seconds, seconds.get(key, one.seconds))
    return Tried(frozenset(key for key, one in ran if one.state == "failed"), seconds)
