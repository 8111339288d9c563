"""What a verdict rests on, in words: never more than "no difference in so many calls"."""

from collections.abc import Iterator

from perftrace.model import Coverage, Evidence

ENOUGH = 0.9  # of small mistakes noticed, of lines and branches run; less is weak evidence
FEW = 10  # calls: whatever they notice
LISTED = 4  # lines, and branches, that are named of those that were not reached; differences too


def text(evidence: Evidence) -> str:
    """All of it, in one line."""
    weak = "weak evidence: " if is_weak(evidence) else ""
    return weak + _calls(evidence) + "".join(f"; {part}" for part in _parts(evidence))


def is_weak(evidence: Evidence) -> bool:
    """Whether its calls are few, run too little, or would notice too little."""
    noticed, tried = evidence.mistakes or (0, 0)
    few = evidence.mistakes is not None and evidence.recorded + evidence.generated < FEW
    found = evidence.coverage
    pairs = [(noticed, tried), *((found.lines, found.branches) if found else ())]
    return few or any(some < ENOUGH * most for some, most in pairs)


def _calls(evidence: Evidence) -> str:
    calls = "call" if evidence.recorded == 1 else "calls"
    through = f" ({evidence.indirect} through callers)" if evidence.indirect else ""
    made = f" and {evidence.generated:,} generated ones" if evidence.generated else ""
    noticed, tried = evidence.mistakes or (0, 0)
    notice = f", which notice {noticed} of {tried} small mistakes" if tried else ""
    within = f", floats within {evidence.tolerance}" if evidence.tolerance else ""
    count = evidence.recorded
    return f"no difference in {count} recorded {calls}{through}{made}{within}{notice}"


def _parts(evidence: Evidence) -> Iterator[str]:
    if evidence.coverage is not None:
        yield from _coverage(evidence.coverage)
    elif evidence.not_covered:
        yield f"which lines they run could not be seen: {evidence.not_covered}"
    if evidence.tests:
        which = "the test" if evidence.tests == 1 else f"all {evidence.tests:,} tests"
        yield f"{which} of the project seen to reach it pass{'es' * (evidence.tests == 1)}"
    elif evidence.not_tested:
        yield f"tests of the project that reach it say nothing: {evidence.not_tested}"
    if evidence.outside:
        shown = _some(list(evidence.outside))
        yield f"outside the recorded types: differs for {shown}"
    if evidence.keeps_state:
        yield "keeps state between calls"


def _coverage(found: Coverage) -> Iterator[str]:
    """Such as "lines 14 of 15, branches 7 of 8; not reached: line 32"."""
    figures = f"lines {found.lines[0]} of {found.lines[1]}"
    if found.branches[1]:
        figures += f", branches {found.branches[0]} of {found.branches[1]}"
    if found.left_out:
        figures += f" (at least: {found.left_out:,} of the calls were not watched)"
    yield figures
    lines = set(found.unreached)
    # What leads from or to a line that did not run is said by that line.
    open_ways = [(here, there) for here, there in found.untaken if not {here, there} & lines]
    missed = [f"line {_some([str(line) for line in found.unreached])}"] if lines else []
    if len(lines) > 1:
        missed[0] = missed[0].replace("line ", "lines ", 1)
    if open_ways:
        missed.append(_some(list(dict.fromkeys(_way(*way) for way in open_ways))))
    if missed:
        yield f"not reached: {', '.join(missed)}"


def _way(here: int, there: int) -> str:
    if there in {0, here}:
        return f"a second way on from line {here}"
    return f"line {there} from line {here}"


def _some(texts: list[str]) -> str:
    more = len(texts) - LISTED
    return ", ".join(texts[:LISTED]) + (f" and {more} more" if more > 0 else "")
