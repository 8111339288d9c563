"""Replace or leave out characters by a string's own methods."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import key, operand, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Rule,
    Target,
    Tier,
    method_call,
    only_argument,
    rewrite,
)
from perftrace.optimizer.facts import Facts


class JoinReplace(Rule):
    """Replace or leave out characters by `replace` and `translate`.

    Matches: `"".join([new if c == old else c for c in s])` with literals `old` of one character
    and `new`; `"".join([c for c in s if c != old])`; and
    `"".join([c for c in s if c not in others])` where `others` is a string. With `(…)` too.

    Sound when: `s` and `others` are exactly strings in all recorded calls. `c in others` is true
    for one character exactly if it is one of theirs.

    Faster because: the string is gone through in C.
    """

    name = "join-replace"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per call."""
        for call in target.find(cst.Call):
            found = method_call(call, "join")
            made = only_argument(found[1]) if found is not None else None
            if found is None or text(found[0]) not in {"''", '""'}:
                continue
            if not isinstance(made, cst.ListComp | cst.GeneratorExp):
                continue
            code = _by_method(target, made)
            if code is not None:
                function = rewrite(target.function, {call: cst.parse_expression(code)})
                why = f"The characters of `{text(made.for_in.iter)}` are gone through in C."
                yield Proposal(function, why + evidence(facts, made.for_in.iter))


def _by_method(target: Target, made: cst.ListComp | cst.GeneratorExp) -> str | None:
    clause = made.for_in
    iterated = clause.iter
    plain = isinstance(clause.target, cst.Name) and not clause.asynchronous
    if not plain or clause.inner_for_in is not None or len(clause.ifs) > 1:
        return None
    if not target.analysis.types.known(iterated, "str"):
        return None
    assert isinstance(clause.target, cst.Name)
    name, string = clause.target.value, operand(iterated)
    if not clause.ifs:
        return _replaced(made.elt, name, string)
    if text(made.elt) != name:
        return None
    return _left_out(target, clause.ifs[0].test, name, string)


def _replaced(element: cst.BaseExpression, name: str, string: str) -> str | None:
    """`new if c == old else c` as `replace`."""
    if not isinstance(element, cst.IfExp):
        return None
    for old in _literals(element.test):
        forms = {
            f"{name} == {text(old)}": (element.body, element.orelse),
            f"{text(old)} == {name}": (element.body, element.orelse),
            f"{name} != {text(old)}": (element.orelse, element.body),
        }
        for form, (new, kept) in forms.items():
            if key(element.test) == key(cst.parse_expression(form)) and text(kept) == name:
                given = isinstance(new, cst.SimpleString) and isinstance(new.evaluated_value, str)
                return f"{string}.replace({text(old)}, {text(new)})" if given else None
    return None


def _literals(test: cst.BaseExpression) -> list[cst.SimpleString]:
    """The one-character literals of a comparison."""
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return []
    sides = (test.left, test.comparisons[0].comparator)
    return [
        one
        for one in sides
        if isinstance(one, cst.SimpleString)
        and isinstance(one.evaluated_value, str)
        and len(one.evaluated_value) == 1
    ]


def _left_out(target: Target, test: cst.BaseExpression, name: str, string: str) -> str | None:
    """`c not in others` as `translate`, `c != old` as `replace`."""
    for old in _literals(test):
        if key(test) == key(cst.parse_expression(f"{name} != {text(old)}")):
            return f'{string}.replace({text(old)}, "")'
    match test:
        case cst.Comparison(
            left=cst.Name(value=left),
            comparisons=[cst.ComparisonTarget(operator=cst.NotIn(), comparator=others)],
        ) if left == name and target.analysis.types.known(others, "str"):
            steady = isinstance(others, cst.SimpleString | cst.Name) and text(others) != name
            offered = target.offers("dict", "map", "ord")
            return (
                f"{string}.translate(dict.fromkeys(map(ord, {text(others)})))"
                if steady and offered
                else None
            )
        case _:
            return None
