"""Look a key up once."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import same, text
from perftrace.optimizer.engines.rules.chains import in_place_of
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, rewrite
from perftrace.optimizer.facts import Facts

_READY = (cst.Integer, cst.Float, cst.SimpleString)


class DictGet(Rule):
    """Use `get` instead of a test and a second look.

    Matches: `d[k] if k in d else v` and `v if k not in d else d[k]`, where `v` is a literal or a
    local name.

    Sound when: `d` is exactly a dict, and `k` of an exact built-in, hashable type, so that asking
    for it runs no code of the program's.

    Faster because: the key is hashed and looked up once instead of twice.
    """

    name = "dict-get"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per expression."""
        for node in target.find(cst.IfExp):
            found = _parts(node)
            if found is None:
                continue
            owner, key, default = found
            analysis = target.analysis
            if not analysis.types.known(owner, "dict") or not analysis.purity.hashes(key):
                continue
            if not (isinstance(default, _READY) or _local(target, default)):
                continue
            given = "" if text(default) == "None" else f", {text(default)}"
            new = in_place_of(node, f"{text(owner)}.get({text(key)}{given})")
            function = rewrite(target.function, {node: new})
            why = f"`{text(key)}` is looked up once."
            yield Proposal(function, why + evidence(facts, owner))


def _parts(
    node: cst.IfExp,
) -> tuple[cst.Name, cst.BaseExpression, cst.BaseExpression] | None:
    """The dict, the key and what stands for it where it is missing."""
    match node.test:
        case cst.Comparison(
            left=key,
            comparisons=[
                cst.ComparisonTarget(operator=cst.In() | cst.NotIn() as how, comparator=owner)
            ],
        ):
            pass
        case _:
            return None
    there, default = node.body, node.orelse
    if isinstance(how, cst.NotIn):
        there, default = default, there
    match there:
        case cst.Subscript(
            value=value, slice=[cst.SubscriptElement(slice=cst.Index(value=index, star=None))]
        ) if isinstance(owner, cst.Name) and same(value, owner) and same(index, key):
            return owner, key, default
        case _:
            return None


def _local(target: Target, node: cst.BaseExpression) -> bool:
    """Whether it is None, a bool, or a local name that surely has a value: a parameter."""
    if not isinstance(node, cst.Name):
        return False
    if node.value in {"None", "True", "False"}:
        return True
    return target.analysis.types.of(node) is not None and target.analysis.purity.pure(node)
