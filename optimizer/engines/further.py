"""One more step from a candidate, for engines that propose from any source text."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from perftrace.model import Candidate, Function
from perftrace.optimizer import patch
from perftrace.optimizer.facts import Facts

type Propose = Callable[[Function, str, Facts], Iterator[Candidate]]


def further(propose: Propose, candidate: Candidate, facts: Facts) -> Iterator[Candidate]:
    """What an engine proposes for a candidate's text, as changes of the original.

    Raises:
        StaleError: the function is not in the candidate's text.
    """
    function = candidate.function
    ordinal = patch.ordinal_of(candidate.original, function.qualname, function.line)
    line = patch.line_of(candidate.source, function.qualname, ordinal)
    for step in propose(replace(function, line=line), candidate.source, facts):
        yield replace(
            step,
            function=function,
            original=candidate.original,
            steps=(*candidate.steps, *step.steps),
            explanation=f"{candidate.explanation}\n{step.explanation}",
        )
