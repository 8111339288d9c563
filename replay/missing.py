"""Which hot functions could have replay tests and have none."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from perftrace.model import HotFunction
from perftrace.replay.emit import Suite

WORTH = 0.01  # of the program's time: of functions with less nothing is said


def missing(suites: Iterable[Suite], ranked: Sequence[HotFunction]) -> Iterator[HotFunction]:
    """The hot functions with calls to replay that no test calls, and no test is known to run.

    Args:
        suites: the tests that are there.
        ranked: the functions of a run.
    """
    known: set[str] = set()
    for suite in suites:
        known |= {f"{suite.module}:{test.qualname}" for test in suite.tests}
        known |= {name for name, _ in suite.exercises}
    for hot in ranked:
        function = hot.function
        if hot.hot.value < WORTH or not hot.replayable or function.nested:
            continue
        names = {f"{module}:{function.qualname}" for module in (function.module, _stem(hot))}
        if not names & known:
            yield hot


def _stem(hot: HotFunction) -> str:
    """The name by which tests import a script."""
    return Path(hot.function.file).stem
