"""What gets into a file of replay tests first: it may get full."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter

from perftrace.replay.emit import Test

LARGEST = 64 * 1024  # characters of a file; of one with many functions:
ROOM = 3 * 1024  # for each of them


def room(functions: Collection[str]) -> int:
    """How many characters the tests of a module with so many tested functions may have."""
    return max(LARGEST, ROOM * len(functions))


def most_telling(tests: Sequence[Test], gains: Mapping[str, int]) -> list[Test]:
    """The first of each function, small ones before, then those that notice more for their size.

    Args:
        tests: those of a function in the order in which they tell more.
        gains: by the test's name, how many mistakes it notices that those before it do not.
    """
    places: Counter[str] = Counter()
    keyed = []
    for test in tests:
        place = places[test.qualname]
        places[test.qualname] += 1
        gain = gains.get(test.name, 0) / len(test.text)
        keyed.append(((place > 0, -gain if place else len(test.text), place), test))
    return [test for _, test in sorted(keyed, key=itemgetter(0))]
