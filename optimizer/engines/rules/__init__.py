"""The embedded engine: rewrites by rule, no model, no network."""

import ast
import itertools
from collections.abc import Iterator, Sequence

import libcst as cst

from perftrace.model import Candidate, Function, Verdict
from perftrace.optimizer import patch
from perftrace.optimizer.analysis.surroundings import around
from perftrace.optimizer.analysis.tree import text as code_of
from perftrace.optimizer.engines.further import further
from perftrace.optimizer.engines.rules.inner import spots
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Tier
from perftrace.optimizer.engines.rules.table import RULES
from perftrace.optimizer.facts import Facts

LIMIT = 40  # candidates per function
LOOK = (
    "That this is sound rests on the recorded calls, not on the code alone: look at it before you"
    " merge it."
)


def within(risk: Tier) -> tuple[Rule, ...]:
    """The rules of this tier and those below."""
    return tuple(rule for rule in RULES if rule.tier <= risk)


class RulesEngine:
    """Proposes one candidate per rule and site."""

    name = "rules"
    asks = False
    patience = 60.0

    def __init__(self, rules: Sequence[Rule] = RULES, limit: int = LIMIT) -> None:
        self._rules = rules
        self._limit = limit

    def preview(self, function: Function, source: str, facts: Facts) -> list[Candidate]:
        """All its candidates: they cost next to nothing.

        Raises:
            StaleError: the function is not where it was.
        """
        return list(self.propose(function, source, facts))

    def told(self, candidate: Candidate, verdict: Verdict, ratio: float | None) -> None:
        """Rules learn nothing from it."""

    def propose(self, function: Function, source: str, facts: Facts) -> Iterator[Candidate]:
        """Candidates for the function in this source text of its file.

        Raises:
            StaleError: the function is not where it was.
        """
        place = patch.place_of(source, function.qualname, function.line)
        cut = _excerpt(source, place)
        if cut is None:
            return
        names = around(patch.tree_of(source), place.enclosing)
        within = around(patch.tree_of(source), (*place.enclosing, place.node))
        places = list(spots(cut.function, names, within, facts))
        if places[0].target.analysis.scope.dynamic:
            return
        seen = {_meaning(cut.function, ())}
        for rule, spot in itertools.product(self._rules, places):
            for proposal in rule.propose(spot.target, spot.facts):
                changed = spot.put(proposal.function)
                meaning = _meaning(changed, proposal.additions)
                text = patch.replace(source, cut, changed, proposal.additions)
                if text is None or meaning in seen:
                    continue
                seen.add(meaning)
                yield _candidate(function, rule, proposal, source, text)
                if len(seen) > self._limit:
                    return

    def refine(self, candidate: Candidate, facts: Facts) -> Iterator[Candidate]:
        """Candidates that take one more step from another candidate."""
        return further(self.propose, candidate, facts)


def _excerpt(source: str, place: patch.Place) -> patch.Excerpt | None:
    """The function as a tree; None where this parser knows less syntax than the interpreter."""
    try:
        return patch.excerpt(source, place)
    except cst.ParserSyntaxError:
        return None


def _meaning(function: cst.FunctionDef, additions: Sequence[patch.Addition]) -> str:
    """The same for changes that differ in layout only."""
    return ast.dump(ast.parse(code_of(function))) + "".join(one.code for one in additions)


def _candidate(
    function: Function, rule: Rule, proposal: Proposal, original: str, source: str
) -> Candidate:
    return Candidate(
        function=function,
        engine=RulesEngine.name,
        steps=(rule.name,),
        explanation=proposal.why if rule.tier <= Tier.T1 else f"{proposal.why} {LOOK}",
        original=original,
        source=source,
    )
