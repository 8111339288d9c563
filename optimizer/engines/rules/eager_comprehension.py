"""Give a built-in a list where it would drain a generator."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import own, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, rewrite
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.shapes import ATOMS

# What drains the generator, and what stands for `name(… for …)`.
_FORMS = {"list": "[{}]", "set": "{{{}}}", "tuple": "tuple([{}])", "sorted": "sorted([{}]{})"}
_FORMS |= {"sum": "sum([{}]{})", "min": "min([{}]{})", "max": "max([{}]{})"}
_INTERLEAVED = frozenset({"sum", "min", "max", "set"})  # they run code of the elements in between


class EagerComprehension(Rule):
    """Use a list comprehension where a generator is drained at once.

    Matches: `sum(f(x) for x in xs)`, `"".join(…)`, `list(…)`, `set(…)`, `tuple(…)`, `sorted(…)`,
    `min(…)` and `max(…)` of a generator expression.

    Sound when: nothing in it calls `next`, whose `StopIteration` would end a comprehension
    differently. `sum`, `min`, `max` and `set` work on each element before the next is made, so
    their elements must be numbers, strings or other atoms.

    Faster because: a list comprehension is inlined; a generator is resumed for each element.
    """

    name = "eager-comprehension"
    tier = Tier.T0
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per drained generator."""
        for call in target.find(cst.Call):
            new = _eager(target, call)
            if new is not None:
                function = rewrite(target.function, {call: cst.parse_expression(new)})
                generator = call.args[0].value
                why = "The generator is drained at once: a comprehension does it with less work."
                yield Proposal(function, why + evidence(facts, generator))


def _eager(target: Target, call: cst.Call) -> str | None:
    if not call.args or not isinstance(call.args[0].value, cst.GeneratorExp):
        return None
    generator = call.args[0].value
    if any(isinstance(one, cst.Await | cst.Yield | cst.NamedExpr) for one in own(generator)):
        return None
    if any(isinstance(one, cst.Name) and one.value == "next" for one in own(generator)):
        return None
    inner = text(generator.with_changes(lpar=[], rpar=[]))
    function = target.analysis.types.builtin(call.func)
    rest = "".join(f", {text(one).rstrip(', ')}" for one in call.args[1:])
    if function in _FORMS and (not rest or function in {"sorted", "sum", "min", "max"}):
        return (
            _FORMS[function].format(inner, rest) if _atomic(target, function, generator) else None
        )
    owner = call.func.value if isinstance(call.func, cst.Attribute) else None
    if owner is None or not isinstance(call.func, cst.Attribute) or rest:
        return None
    joins = call.func.attr.value == "join" and target.analysis.types.known(owner, "str", "bytes")
    return f"{text(call.func)}([{inner}])" if joins else None


def _atomic(target: Target, function: str, generator: cst.GeneratorExp) -> bool:
    if function not in _INTERLEAVED:
        return True
    shape = target.analysis.types.of(generator.elt)
    return shape is not None and (shape.within(ATOMS) or shape.hashable)
