"""Build a constant table once, when the module is loaded."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.contents import changes, leaks
from perftrace.optimizer.analysis.tree import commented, text
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, rewrite
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.patch import Addition

_FEWEST = 2
_LITERALS = (cst.SimpleString, cst.Integer, cst.Float)
_KINDS = {cst.Dict: "dict", cst.List: "list", cst.Set: "set"}
_NAMES = frozenset({"True", "False", "None"})


class ConstantTable(Rule):
    """Make a constant table once.

    Matches: a dict, list or set literal of constants in the function, used in place or assigned
    once to a local name.

    Sound when: the table is only looked at: read by subscript, `in`, iteration or a method
    that changes nothing; it is never passed on, returned, stored or changed, so nobody can
    tell one table from another. Its elements are constants, so they can't change either.

    Faster because: the table isn't built anew in each call.
    """

    name = "constant-table"
    tier = Tier.T0
    needs = ()

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per table."""
        del facts
        for node in target.find(cst.Dict, cst.List, cst.Set):
            if not _is_constant(node) or commented(node) or not _only_read(target, node):
                continue
            name = target.constant(_suffix(target, node))
            line = _line(target, node)
            remark = line.trailing_whitespace.comment if line else None
            changed: dict[cst.CSTNode, cst.CSTNode] = {node: cst.Name(name)}
            if line:
                changed[line.trailing_whitespace] = cst.TrailingWhitespace()
            function = rewrite(target.function, changed)
            code = f"{name} = {text(node)}" + (f"  {remark.value}" if remark else "")
            why = f"A {_KINDS[type(node)]} of constants is built anew in each call: build it once."
            yield Proposal(function, why, (Addition(code, name),))


def _suffix(target: Target, node: cst.CSTNode) -> str:
    """The table's own name where it has one."""
    parent = target.analysis.scope.parents[node]
    named = parent.targets[0].target if isinstance(parent, cst.Assign) else None
    found = named.value.strip("_").upper() if isinstance(named, cst.Name) else ""
    return found or "TABLE"


def _line(target: Target, node: cst.CSTNode) -> cst.SimpleStatementLine | None:
    """The line that does nothing but name the table: what is said of it goes with the table."""
    parents = target.analysis.scope.parents
    parent = parents[node]
    line = parents.get(parent)
    if not isinstance(parent, cst.Assign) or not isinstance(line, cst.SimpleStatementLine):
        return None
    return line if len(line.body) == 1 else None


def _is_constant(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.Dict):
        pairs = [one for one in node.elements if isinstance(one, cst.DictElement)]
        whole = len(pairs) == len(node.elements) >= _FEWEST
        return whole and all(_literal(one.key) and _literal(one.value) for one in pairs)
    if isinstance(node, cst.List | cst.Set):
        plain = all(isinstance(one, cst.Element) and _literal(one.value) for one in node.elements)
        return plain and len(node.elements) >= _FEWEST
    return False


def _literal(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Tuple):
        return all(isinstance(one, cst.Element) and _literal(one.value) for one in node.elements)
    if isinstance(node, cst.UnaryOperation):
        return isinstance(node.operator, cst.Minus) and isinstance(node.expression, _LITERALS)
    return isinstance(node, _LITERALS) or (isinstance(node, cst.Name) and node.value in _NAMES)


def _only_read(target: Target, node: cst.CSTNode) -> bool:
    scope = target.analysis.scope
    parent = scope.parents[node]
    if isinstance(parent, cst.ComparisonTarget):
        return False  # the compiler folds it into a constant
    if isinstance(parent, cst.For | cst.CompFor):
        return False  # likewise
    if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
        named = parent.targets[0].target
        if not isinstance(named, cst.Name) or not scope.local(named.value):
            return False
        loads = [*scope.loads.get(named.value, ()), *scope.inner.get(named.value, ())]
        once = len(scope.bindings[named.value]) == 1
        return once and bool(loads) and all(_looks(target, one) for one in loads)
    looking = isinstance(parent, cst.Subscript | cst.Attribute | cst.Arg)
    return looking and _looks(target, node)


def _looks(target: Target, node: cst.CSTNode) -> bool:
    scope, types = target.analysis.scope, target.analysis.types
    parent = scope.parents[node]
    above = scope.parents.get(parent)
    if isinstance(parent, cst.Arg) and isinstance(above, cst.Call):
        builtin = types.builtin(above.func) if isinstance(above.func, cst.Name) else "method"
        if builtin is None:
            return False
    if isinstance(parent, cst.Return | cst.Element):
        return False  # whoever gets it could change it
    return not leaks(scope, node) and not changes(scope, node)
