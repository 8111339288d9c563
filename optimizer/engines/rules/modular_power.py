"""Multiply many times modulo a number by `pow`."""

from collections.abc import Iterator, Sequence

import libcst as cst

from perftrace.optimizer.analysis.tree import commented, key, own, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import guarded, used_after
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    assigned,
    body_of,
    rewrite,
    statement,
)
from perftrace.optimizer.facts import Facts

_FORMS = ("{c} * {r} % {p}", "{r} * {c} % {p}", "({c} * {r}) % {p}", "({r} * {c}) % {p}")


class ModularPower(Rule):
    """Multiply by the same number again and again, modulo another, by `pow`.

    Matches: `for _ in range(n): r = c * r % p`.

    Sound when: `r`, `c`, `n` and `p` are exactly ints in all recorded calls, and `c` and `p` stay
    the same. Where `p` is not positive, the loop is kept: an error stays what it was.

    Faster because: `pow` needs about log2(n) steps for n.
    """

    name = "modular-power"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per loop."""
        for loop in target.find(cst.For):
            found = _power(target, loop)
            if found is not None:
                result, factor, count, modulus = map(text, found)
                code = (
                    f"if {count} > 0 and {modulus} > 0:\n"
                    f"    {result} = {result} * pow({factor}, {count}, {modulus}) % {modulus}\n"
                    "else:\n    pass\n"
                )
                chosen = statement(code, loop)
                assert isinstance(chosen, cst.If)
                assert isinstance(chosen.orelse, cst.Else)
                kept = loop.with_changes(leading_lines=())
                rest = chosen.orelse.with_changes(body=cst.IndentedBlock([kept]))
                function = rewrite(target.function, {loop: chosen.with_changes(orelse=rest)})
                why = f"`{text(body_of(loop)[0]).strip()}` in each round is a power."
                yield Proposal(function, why + evidence(facts, *found))


def _power(target: Target, loop: cst.For) -> Sequence[cst.BaseExpression] | None:
    """Result, factor, count and modulus of the loop."""
    types, body = target.analysis.types, body_of(loop)
    pair = assigned(body[0]) if len(body) == 1 and not loop.orelse else None
    call = loop.iter
    if pair is None or not isinstance(call, cst.Call) or types.builtin(call.func) != "range":
        return None
    if len(call.args) != 1 or not isinstance(loop.target, cst.Name) or loop.asynchronous:
        return None
    if commented(loop.body) or guarded(target, loop) or not target.offers("pow"):
        return None
    name, count = pair[0], call.args[0].value
    for factor, modulus in _parts(pair[1]):
        forms = (one.format(r=name, c=text(factor), p=text(modulus)) for one in _FORMS)
        if any(key(pair[1]) == key(cst.parse_expression(one)) for one in forms):
            parts = (cst.Name(name), factor, count, modulus)
            return parts if _fits(target, loop, parts) else None
    return None


def _parts(value: cst.BaseExpression) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """What the factor and the modulus may be: names and literals."""
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Modulo):
        for node in own(value.left):
            if isinstance(node, cst.Name | cst.Integer):
                yield node, value.right


def _fits(target: Target, loop: cst.For, parts: Sequence[cst.BaseExpression]) -> bool:
    assert isinstance(loop.target, cst.Name)
    result, factor, count, modulus = parts
    if not all(isinstance(one, cst.Name | cst.Integer) for one in parts):
        return False
    names = [text(one) for one in (factor, count, modulus)]
    if text(result) in names or loop.target.value in (text(result), *names):
        return False
    types, scope = target.analysis.types, target.analysis.scope
    shape = types.name(text(result))
    whole = all(types.known(one, "int") for one in (factor, count, modulus))
    kept = shape is not None and shape.within({"int"}) and scope.plain(text(result))
    return whole and kept and not used_after(target, loop.target.value, loop)
