"""Take from the front of a queue in constant time."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.scope import How
from perftrace.optimizer.analysis.tree import text
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Replacement,
    Rule,
    Target,
    Tier,
    mentions,
    method_call,
    rewrite,
)
from perftrace.optimizer.engines.rules.standard import imported
from perftrace.optimizer.facts import Facts

_KEPT = frozenset({"append", "extend"})


class DequeQueue(Rule):
    """Use a deque as queue.

    Matches: a list made in the function from which `q.pop(0)` takes in a loop `while q`.

    Sound when: the list never leaves the function and is used for nothing but `append`,
    `extend`, `pop(0)`, `len(q)`, truth tests, `q[0]` and `q[-1]`; the loop tests it, so it is
    not empty when taken from.

    Faster because: `list.pop(0)` moves all other elements; `deque.popleft()` moves none.
    """

    name = "deque-queue"
    tier = Tier.T0
    needs = ()

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per queue."""
        del facts
        for name in list(target.analysis.scope.bindings):
            pops = _pops(target, name)
            if pops and _is_queue(target, name):
                yield self._with_deque(target, name, pops)

    def _with_deque(self, target: Target, name: str, pops: list[cst.Call]) -> Proposal:
        deque, additions = imported(target, "collections", "deque")
        replacements: dict[cst.CSTNode, Replacement] = {
            call: cst.parse_expression(f"{name}.popleft()") for call in pops
        }
        for binding in target.analysis.scope.bindings[name]:
            assert binding.value is not None
            made = (
                f"{deque}()" if text(binding.value) == "[]" else f"{deque}({text(binding.value)})"
            )
            replacements[binding.value] = cst.parse_expression(made)
        why = f"`{name}` is a queue: taking from the front of a list moves all its elements."
        return Proposal(rewrite(target.function, replacements), why, additions)


def _pops(target: Target, name: str) -> list[cst.Call]:
    scope = target.analysis.scope
    found = []
    for load in scope.loads.get(name, ()):
        call = scope.parents.get(scope.parents[load])
        popped = call is not None and method_call(call, "pop")
        if popped and text(popped[1].func) == f"{name}.pop" and _first(popped[1]):
            if not _in_its_loop(target, popped[1], name):
                return []
            found.append(popped[1])
    return found


def _first(call: cst.Call) -> bool:
    return len(call.args) == 1 and text(call.args[0].value) == "0" and not call.args[0].keyword


def _in_its_loop(target: Target, call: cst.Call, name: str) -> bool:
    return any(
        isinstance(one, cst.While) and mentions(one.test, name)
        for one in target.analysis.scope.above(call)
    )


def _is_queue(target: Target, name: str) -> bool:
    scope = target.analysis.scope
    made = all(
        one.how is How.ASSIGNED and isinstance(one.value, cst.List | cst.ListComp)
        for one in scope.bindings[name]
    )
    return made and scope.plain(name) and all(_fits(target, one) for one in scope.loads[name])


def _fits(target: Target, load: cst.Name) -> bool:
    """Whether a deque can stand for the list here."""
    scope = target.analysis.scope
    parent = scope.parents[load]
    above = scope.parents.get(parent)
    match parent:
        case cst.Attribute(attr=attribute) if isinstance(above, cst.Call) and above.func is parent:
            fits = attribute.value in _KEPT or (attribute.value == "pop" and _first(above))
        case cst.Arg() if isinstance(above, cst.Call):
            fits = target.analysis.types.builtin(above.func) in {"len", "bool"}
        case cst.Subscript(value=owner) if owner is load:
            index = parent.slice[0].slice
            fits = isinstance(index, cst.Index) and text(index.value) in {"0", "-1"}
        case cst.UnaryOperation(operator=cst.Not()):
            fits = True
        case cst.BooleanOperation():
            fits = isinstance(above, cst.While | cst.If)
        case _:
            fits = isinstance(parent, cst.While | cst.If)
    return fits
