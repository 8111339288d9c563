"""Analysis of one function: names, types, purity and effects. It prevents wrong edits."""

from functools import cached_property

import libcst as cst

from perftrace.optimizer.analysis.effects import Stability
from perftrace.optimizer.analysis.inference import Types
from perftrace.optimizer.analysis.purity import Purity
from perftrace.optimizer.analysis.safety import Safety
from perftrace.optimizer.analysis.scope import Scope
from perftrace.optimizer.analysis.surroundings import Surroundings
from perftrace.optimizer.analysis.tree import own
from perftrace.optimizer.facts import Facts


class Analysis:
    """What is known about one function; each part is worked out when first asked for."""

    def __init__(self, function: cst.FunctionDef, around: Surroundings, facts: Facts) -> None:
        self.function = function
        self.around = around
        self.facts = facts

    @cached_property
    def nodes(self) -> list[cst.CSTNode]:
        """Everything in its body in source order, inner functions left out."""
        return list(own(self.function.body))

    @cached_property
    def scope(self) -> Scope:
        """Its names."""
        return Scope(self.function)

    @cached_property
    def types(self) -> Types:
        """The exact types of its expressions."""
        return Types(self.scope, self.around, self.facts)

    @cached_property
    def purity(self) -> Purity:
        """Which expressions change nothing."""
        return Purity(self.scope, self.around, self.types)

    @cached_property
    def safety(self) -> Safety:
        """Which of those cannot raise."""
        return Safety(self.scope, self.types, self.purity)

    @cached_property
    def stability(self) -> Stability:
        """What may change while some code runs."""
        return Stability(self.scope, self.around, self.types)
