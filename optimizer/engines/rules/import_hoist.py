"""Import once, when the module is loaded."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import commented, text
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, block_of, rewrite
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.patch import Addition

# Standard modules that load nothing heavy and change nothing when imported.
MODULES = frozenset(
    {"bisect", "collections", "functools", "heapq", "itertools", "math", "operator", "re", "string"}
)


class ImportHoist(Rule):
    """Move an import out of the function.

    Matches: `import math` or `from collections import Counter` inside the function, of a small
    pure part of the standard library.

    Sound when: the imported names are bound nowhere else in the function or the module and no
    inner scope rebinds them.

    Faster because: even for a loaded module the statement looks it up in each call.
    """

    name = "import-hoist"
    tier = Tier.T0
    needs = ()

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per import."""
        del facts
        for line in target.find(cst.SimpleStatementLine):
            if len(line.body) != 1 or not isinstance(line.body[0], cst.Import | cst.ImportFrom):
                continue
            node = line.body[0]
            names = _names(node)
            if (
                names
                and not commented(line)
                and len(block_of(target, line)) > 1
                and _free(target, names)
            ):
                code = " ".join(text(node).split())
                function = rewrite(target.function, {line: cst.RemoveFromParent()})
                additions = (Addition(code, names[0]),)
                yield Proposal(function, f"`{code}` runs in each call: import once.", additions)


def _names(node: cst.Import | cst.ImportFrom) -> list[str]:
    """The names it binds; none where it is not a plain import of a pure module."""
    if isinstance(node.names, cst.ImportStar):
        return []
    if isinstance(node, cst.ImportFrom):
        plain = not node.relative and isinstance(node.module, cst.Name)
        if not plain or text(node.module or node) not in MODULES:
            return []
    elif any(text(alias.name) not in MODULES for alias in node.names):
        return []
    return [alias.evaluated_alias or alias.evaluated_name for alias in node.names]


def _free(target: Target, names: list[str]) -> bool:
    around, scope = target.analysis.around, target.analysis.scope
    return all(
        len(scope.bindings[name]) == 1
        and name not in around.bound
        and name not in scope.outer
        and around.shadows(name)  # not the name of a built-in
        for name in names
    )
