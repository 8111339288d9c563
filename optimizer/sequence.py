"""What calls do one after the other in new workers, as a candidate makes them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from perftrace.model import Ending, Kind
from perftrace.optimizer.case import Case
from perftrace.optimizer.difference import differ, differences_in_state, returns_atom
from perftrace.optimizer.workers import SEEDS, Started, Version, Workers
from perftrace.replay.compare import Same
from perftrace.replay.requests import NotReplayed, Replayed

REPEATED = 8  # calls that are made once more after their result was changed in place
SEQUENCES = 3  # attempts to find calls that end the same one after the other


def in_sequence(
    cases: Sequence[Case], original: Version, workers: Workers, dropped: Counter[str]
) -> list[Case]:
    """The cases as they end when made one after the other in new workers, as a candidate's are.

    What a call changes in the program's globals depends on the calls before it, so the expected
    changes are those of this sequence. A call that ends otherwise in it is left out.
    """
    for _ in range(SEQUENCES):
        kept: list[Case] = []
        with workers.start(original, SEEDS[0]) as one, workers.start(original, SEEDS[1]) as two:
            for case in cases:
                found = _again(case, (one, two))
                if found is None:
                    dropped["it does not do the same each time it is made again"] += 1
                else:
                    kept.append(found)
            if len(kept) == len(cases):
                return _with_repeats(kept, (one, two))
        cases = kept
    return [replace(case, expected=replace(case.expected, state=None)) for case in cases]


def _again(case: Case, started: Sequence[Started]) -> Case | None:
    """The case with what it changes this time; None: it does not do the same."""
    process_id = case.call.process_id
    first, second = Started.make_all(
        started, process_id, case.request, reach=case.reach, state=True
    )
    if isinstance(first, NotReplayed) or isinstance(second, NotReplayed):
        return None
    aliases = started[0].aliases(process_id)
    known = replace(case.expected, state=None)  # that was in another sequence
    if not isinstance(differ(case.call, known, first, aliases), Same):
        return None
    if not isinstance(differ(case.call, known, second, aliases), Same):
        return None
    found = differences_in_state(case.call, first.state or {}, second.state or {}, aliases)
    return replace(case, expected=first, unsteady=frozenset(name for name, _ in found))


def _with_repeats(cases: Sequence[Case], started: Sequence[Started]) -> list[Case]:
    """The cases, a few of them with what they do after their first result was changed in place.

    After all else, since it may change what the program keeps. Only calls that then do the same
    once more say anything: another version of them must not hand out what it keeps.
    """
    chosen = repeated(cases)
    found: dict[int, Replayed] = {}
    for index in chosen:
        case = cases[index]
        process_id = case.call.process_id
        first, second = Started.make_all(started, process_id, case.request, repeat=True)
        if isinstance(first, NotReplayed) or isinstance(second, NotReplayed):
            continue
        aliases = started[0].aliases(case.call.process_id)
        known = replace(case.expected, state=None)
        if all(isinstance(differ(case.call, known, one, aliases), Same) for one in (first, second)):
            found[index] = first
    return [replace(case, again=found.get(index)) for index, case in enumerate(cases)]


def repeated(cases: Sequence[Case]) -> list[int]:
    """Which calls are made once more: the first few that return something of their own."""
    plain = [
        index
        for index, case in enumerate(cases)
        if case.reach is None
        and case.call.function.kind is Kind.FUNCTION
        and case.expected.ending is Ending.RETURNED
        and not returns_atom(case.expected)
    ]
    return plain[:REPEATED]
