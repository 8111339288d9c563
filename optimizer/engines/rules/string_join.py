"""Collect the pieces of a string and join them once."""

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from perftrace.optimizer.analysis.tree import Loop, own, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.loops import guarded, loops_of
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Replacement,
    Rule,
    Target,
    Tier,
    assigned,
    block_of,
    mentions,
    rewrite,
    statement,
)
from perftrace.optimizer.facts import Facts


class StringJoin(Rule):
    """Join the pieces of a string at the end.

    Matches: `s = ""`, later in the same block a loop with `s += piece`, `s = s + piece` or
    `s = piece + s`, where the loop does nothing else with `s`.

    Sound when: every piece is exactly a `str` on the recorded types; nothing mentions `s`
    between the two statements, no `try` is around, and no inner function sees `s`.

    Faster because: repeated concatenation can copy the whole string each time; `join` copies
    each piece once.
    """

    name = "string-join"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per string and loop."""
        for loop in loops_of(target):
            if guarded(target, loop):
                continue
            for name, start in _started(target, loop):
                growth = _growth(target, loop, name)
                if (
                    growth is not None
                    and not (growth.front and _filled(start))
                    and target.offers("reversed")
                ):
                    function = _joined(target, loop, name, start, growth)
                    why = f"`{name}` grows piece by piece: collect the pieces and join them once."
                    yield Proposal(function, why + evidence(facts, *growth.pieces.values()))


def _filled(start: cst.CSTNode) -> bool:
    found = assigned(start)
    return found is not None and text(found[1]) not in {'""', "''"}


def _joined(
    target: Target, loop: Loop, name: str, start: cst.CSTNode, growth: "_Growth"
) -> cst.FunctionDef:
    parts = target.local(f"{name}_parts")
    found = assigned(start)
    first = text(found[1]) if found is not None and _filled(start) else ""
    ordered = f"reversed({parts})" if growth.front else parts
    replacements: dict[cst.CSTNode, Replacement] = {
        node: cst.Expr(cst.parse_expression(f"{parts}.append({text(piece)})"))
        for node, piece in growth.pieces.items()
    }
    replacements[start] = statement(f"{parts} = [{first}]", start)
    replacements[loop] = lambda updated: cst.FlattenSentinel(
        [updated, statement(f'{name} = "".join({ordered})')]
    )
    return rewrite(target.function, replacements)


def _started(target: Target, loop: Loop) -> Iterator[tuple[str, cst.CSTNode]]:
    """Names that a line before the loop sets to a string literal and nothing uses in between."""
    block = list(block_of(target, loop))
    for index in range(block.index(loop) - 1, -1, -1):
        found = assigned(block[index])
        if found is None or not isinstance(found[1], cst.SimpleString):
            continue
        name, value = found
        between = block[index + 1 : block.index(loop)]
        quiet = not any(mentions(node, name) for node in between)
        if (
            quiet
            and target.analysis.scope.plain(name)
            and target.analysis.types.known(value, "str")
        ):
            yield name, block[index]


@dataclass(frozen=True)
class _Growth:
    """The statements of a loop that put a piece at one end of a string."""

    pieces: dict[cst.CSTNode, cst.BaseExpression]  # statement -> piece
    front: bool


def _growth(target: Target, loop: Loop, name: str) -> _Growth | None:
    """How a loop that does nothing else with the name makes it grow."""
    pieces: dict[cst.CSTNode, cst.BaseExpression] = {}
    fronts: set[bool] = set()
    for node in own(loop.body):
        found = _piece(node, name)
        if found is not None:
            pieces[node], front = found
            fronts.add(front)
    mentioned = sum(isinstance(one, cst.Name) and one.value == name for one in own(loop))
    expected = sum(1 if isinstance(node, cst.AugAssign) else 2 for node in pieces)
    strings = all(target.analysis.types.known(piece, "str") for piece in pieces.values())
    if len(fronts) != 1 or mentioned != expected or not strings:
        return None
    return _Growth(pieces, fronts.pop())


def _piece(node: cst.CSTNode, name: str) -> tuple[cst.BaseExpression, bool] | None:
    """The piece that a statement adds, and whether in front."""
    match node:
        case cst.AugAssign(target=cst.Name(value=grown), operator=cst.AddAssign(), value=piece) if (
            grown == name
        ):
            return piece, False
        case cst.Assign(
            targets=[cst.AssignTarget(target=cst.Name(value=grown))],
            value=cst.BinaryOperation(left=left, operator=cst.Add(), right=right),
        ) if grown == name:
            if text(left) == name:
                return right, False
            return (left, True) if text(right) == name else None
        case _:
            return None
