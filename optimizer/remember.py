"""What the rewrite memory keeps of an accepted decision."""

import ast
import platform
import textwrap
from typing import Any

from perftrace.errors import StaleError
from perftrace.model import Accepted, Candidate, Decision
from perftrace.optimizer import gate, patch
from perftrace.optimizer.facts import Facts
from perftrace.rewrites import Rewrite


def rewrite_of(decision: Decision, facts: Facts, created: str) -> Rewrite | None:
    """The pair of an accepted decision; None for any other, and where a file was rewritten."""
    candidate, verdict = decision.candidate, decision.verdict
    if candidate is None or not isinstance(verdict, Accepted):
        return None
    try:
        slow, fast = _texts(candidate)
    except (StaleError, LookupError, ValueError):
        return None
    measured = verdict.measurement
    return Rewrite(
        function=f"{decision.function.module}:{decision.function.qualname}",
        engine=candidate.engine,
        steps=candidate.steps,
        slow=slow,
        fast=fast,
        ratio=measured.ratio,
        low=measured.low,
        high=measured.high,
        python=platform.python_version(),
        created=created,
        added=tuple(ast.unparse(one) for one in gate.added(candidate)),
        facts=shown(facts),
    )


def shown(facts: Facts) -> dict[str, Any]:
    """What the recorded calls showed, without a value of theirs."""
    return {
        "calls": facts.calls,
        "distinct": facts.distinct,
        "parameters": {
            name: {
                "types": sorted(known.types),
                "elements": sorted(known.elements),
                "length": known.lengths.median if known.lengths is not None else None,
            }
            for name, known in facts.parameters.items()
        },
    }


def _texts(candidate: Candidate) -> tuple[str, str]:
    """The function before and after, not indented."""
    name, line = candidate.function.qualname, candidate.function.line
    ordinal = patch.ordinal_of(candidate.original, name, line)
    after = patch.line_of(candidate.source, name, ordinal)
    return _text(candidate.original, name, line), _text(candidate.source, name, after)


def _text(source: str, qualname: str, line: int) -> str:
    place = patch.place_of(source, qualname, line)
    return textwrap.dedent("".join(patch.lines_of(source)[place.first - 1 : place.last]))
