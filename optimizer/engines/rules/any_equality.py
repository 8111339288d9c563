"""Replace a search for an equal element by a membership test."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import operand, own, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import outermost
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, before, rewrite
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.shapes import Shape

_OPERATORS: dict[str, type[cst.BaseCompOp]] = {"any": cst.Equal, "all": cst.NotEqual}
_TESTS = {"any": ("in", "not in"), "all": ("not in", "in")}  # as it stands, and after `not`
type Sides = tuple[cst.BaseExpression, cst.BaseExpression]  # what is wanted, the element's key


class AnyEquality(Rule):
    """Test membership instead of comparing with each element.

    Matches: `any(a == b for b in ys)`, `all(a != b for b in ys)`, also with `b["key"]`, `b[0]`
    or `b.attribute` for `b`.

    Sound when: the recorded values of both sides are of exact built-in, hashable types (not
    float: NaN is not equal to itself, yet a member), and both sides are pure. In a loop that
    leaves `ys` alone, a set of all keys is made in front of the loop; `ys` is then read to its
    end, so every element must have the key, as the recorded ones do.

    Faster because: a nested loop becomes one pass and a hash per test.
    """

    name = "any-equality"
    tier = Tier.T1
    needs = ("types", "elements")

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per `any` or `all`."""
        for call in target.find(cst.Call):
            name = target.analysis.types.builtin(call.func)
            if name not in _TESTS or len(call.args) != 1:
                continue
            generator = call.args[0].value
            if isinstance(generator, cst.GeneratorExp | cst.ListComp):
                sides = _sides(target, generator, _OPERATORS[name])
                if sides is not None:
                    yield from self._membership(target, call, generator.for_in, sides, facts)

    def _membership(
        self, target: Target, call: cst.Call, clause: cst.CompFor, sides: Sides, facts: Facts
    ) -> Iterator[Proposal]:
        wanted, element = sides
        listed = text(clause.iter)
        replaced, test = _tested(target, call)
        why = f"`{text(call)}` looks for an equal element: test membership."
        why += evidence(facts, clause.iter, wanted)
        whole = isinstance(element, cst.Name)
        region = outermost(target, call, clause.iter)
        if region is not None and target.offers("set"):
            name = target.local(f"known_{text(clause.target)}")
            keys = f"set({listed})" if whole else f"{{{text(element)} for {_loop(clause)}}}"
            found = _test(target, replaced, f"{operand(wanted)} {test} {name}")
            lines = before([f"{name} = {keys}"])
            yield Proposal(
                rewrite(target.function, {replaced: found, region.statement: lines}), why
            )
        elif whole:
            found = _test(target, replaced, f"{operand(wanted)} {test} {operand(clause.iter)}")
            yield Proposal(rewrite(target.function, {replaced: found}), why)


def _tested(target: Target, call: cst.Call) -> tuple[cst.BaseExpression, str]:
    """What the membership test replaces, and its operator: `not any(…)` becomes `not in`."""
    plain, negated = _TESTS[target.analysis.types.builtin(call.func) or "any"]
    parent = target.analysis.scope.parents[call]
    if isinstance(parent, cst.UnaryOperation) and isinstance(parent.operator, cst.Not):
        return parent, negated
    return call, plain


def _test(target: Target, replaced: cst.CSTNode, code: str) -> cst.BaseExpression:
    """The test, in parentheses unless it stands alone in its place."""
    alone = isinstance(target.analysis.scope.parents[replaced], cst.If | cst.While | cst.CompIf)
    return cst.parse_expression(code if alone else f"({code})")


def _loop(clause: cst.CompFor) -> str:
    return f"{text(clause.target)} in {text(clause.iter)}"


def _sides(
    target: Target, node: cst.GeneratorExp | cst.ListComp, operator: type[cst.BaseCompOp]
) -> Sides | None:
    clause, test = node.for_in, node.elt
    plain = not clause.ifs and clause.inner_for_in is None and clause.asynchronous is None
    if not plain or not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return None
    if not isinstance(clause.target, cst.Name) or not isinstance(
        test.comparisons[0].operator, operator
    ):
        return None
    if not target.analysis.types.known(clause.iter, "list", "tuple", "set", "frozenset"):
        return None
    if not target.analysis.purity.pure(clause.iter):
        return None
    name = clause.target.value
    for element, wanted in (
        (test.left, test.comparisons[0].comparator),
        (test.comparisons[0].comparator, test.left),
    ):
        fits = is_key(element, name) and not _mentions(wanted, name)
        if fits and all(_comparable(target, one) for one in (element, wanted)):
            return wanted, element
    return None


def _mentions(node: cst.CSTNode, name: str) -> bool:
    return any(isinstance(one, cst.Name) and one.value == name for one in own(node))


def is_key(node: cst.BaseExpression, name: str) -> bool:
    """Whether it is the named element itself, an attribute, or a constant place in it."""
    if isinstance(node, cst.Name):
        return node.value == name
    if isinstance(node, cst.Attribute):
        return isinstance(node.value, cst.Name) and node.value.value == name
    if not isinstance(node, cst.Subscript) or len(node.slice) != 1:
        return False
    index = node.slice[0].slice
    constant = isinstance(index, cst.Index) and isinstance(
        index.value, cst.Integer | cst.SimpleString
    )
    return constant and isinstance(node.value, cst.Name) and node.value.value == name


def _comparable(target: Target, node: cst.BaseExpression) -> bool:
    """Whether equality and hash agree on its values: no floats, so no NaN, at any level."""
    shape = target.analysis.types.of(node)
    pure = target.analysis.purity.pure(node) and target.analysis.purity.hashes(node)
    return pure and shape is not None and not has_floats(shape)


def has_floats(shape: Shape) -> bool:
    """Whether a value of this shape can be, or hold, a float."""
    parts = [part for part in (shape.items, shape.values, *(shape.parts or ())) if part]
    return bool(shape.types & {"float", "complex"}) or any(has_floats(part) for part in parts)
