"""Build a list, set or dict by a comprehension instead of a loop."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import libcst as cst

from perftrace.optimizer.analysis.tree import commented, own, text
from perftrace.optimizer.engines.rules.loops import guarded, used_after
from perftrace.optimizer.engines.rules.rule import (
    Proposal,
    Replacement,
    Rule,
    Target,
    Tier,
    assigned,
    body_of,
    mentions,
    method_call,
    neighbour,
    only_argument,
    rewrite,
    simple,
    statement,
)
from perftrace.optimizer.facts import Facts

_FORBIDDEN = (cst.Yield, cst.Await, cst.NamedExpr)
_STARTS = {"[]": ("append", "[", "]"), "list()": ("append", "[", "]"), "set()": ("add", "{", "}")}


@dataclass(frozen=True)
class _Filling:
    """What a nest of loops and conditions puts into a container, and the clauses around it."""

    element: str
    clauses: str
    targets: tuple[str, ...]


class AppendComprehension(Rule):
    """Fill a new container by a comprehension.

    Matches: `out = []` directly before `for x in xs:` whose only statement, maybe under `if` or
    further `for`, is `out.append(f(x))`, or `if` and `else` with one each; likewise `set()` with
    `add` and `{}` with `out[k] = v`.

    Sound when: nothing in the loop reads `out` otherwise; the loop variables are not used after
    it and no inner function sees them; no other `else`, `yield`, `await` or `:=` is inside and no
    `try` around, so no half-filled container is seen. For a dict, key or value must be a plain
    name or constant, because a comprehension evaluates the key first.

    Faster because: a comprehension appends without looking up and calling a method.
    """

    name = "append-comprehension"
    tier = Tier.T0
    needs = ()

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per loop."""
        del facts
        for loop in target.find(cst.For):
            line = neighbour(target, loop, -1) if not guarded(target, loop) else None
            start = assigned(line)
            if start is None or line is None or commented(loop.body) or not _fits(target, loop):
                continue
            name, value = start
            code = _comprehension(target, loop, name, text(value))
            called = isinstance(value, cst.Call) and not target.analysis.types.builtin(value.func)
            if code is not None and not called and target.analysis.scope.plain(name):
                made = statement(f"{name} = {code}", line)
                changes: dict[cst.CSTNode, Replacement] = {line: cst.RemoveFromParent()}
                function = rewrite(target.function, {**changes, loop: _merged(made)})
                yield Proposal(function, f"The loop only fills `{name}`: use a comprehension.")


def _merged(made: cst.BaseStatement) -> Callable[[cst.CSTNode], cst.CSTNode]:
    """The new statement with the comments of both old ones."""

    def replace(updated: cst.CSTNode) -> cst.CSTNode:
        assert isinstance(updated, cst.For)
        comments = [line for line in updated.leading_lines if line.comment]
        mine = getattr(made, "leading_lines", ())
        return made.with_changes(leading_lines=[*mine, *comments])

    return replace


def _fits(target: Target, loop: cst.For) -> bool:
    """Whether the loop and those inside it can be clauses of a comprehension."""
    for node in own(loop):
        if isinstance(node, _FORBIDDEN) or (isinstance(node, cst.For) and node.orelse):
            return False
        if isinstance(node, cst.For) and node.asynchronous:
            return False
    return True


def _comprehension(target: Target, loop: cst.For, name: str, start: str) -> str | None:
    filling = _filling(loop, name, start)
    if filling is None or name in filling.targets:
        return None
    if any(used_after(target, one, loop) for one in filling.targets):
        return None
    opening, closing = ("{", "}") if start == "{}" else _STARTS[start][1:]
    return f"{opening}{filling.element} {filling.clauses}{closing}"


def _filling(node: cst.For | cst.If, name: str, start: str) -> _Filling | None:
    """Read a nest of `for` and `if` that ends in one statement that fills the container."""
    head = node.iter if isinstance(node, cst.For) else node.test
    body = body_of(node)
    if len(body) != 1 or mentions(head, name):
        return None
    if isinstance(node, cst.If) and node.orelse:
        element = _chosen(node, name, start)
        return _Filling(element, "", ()) if element is not None else None
    (inner,) = body
    if isinstance(inner, cst.For | cst.If):
        filling = _filling(inner, name, start)
    else:
        element = _element(inner, name, start)
        filling = _Filling(element, "", ()) if element is not None else None
    if filling is None:
        return None
    targets: tuple[str, ...] = ()
    clause = f"if {_bare(node.test)}" if isinstance(node, cst.If) else ""
    if isinstance(node, cst.For):
        names = [one for one in own(node.target) if isinstance(one, cst.Name)]
        if any(isinstance(one, cst.Attribute | cst.Subscript) for one in own(node.target)):
            return None
        targets = tuple(one.value for one in names)
        clause = f"for {text(node.target)} in {_bare(node.iter)}"
    clauses = f"{clause} {filling.clauses}".strip()
    return _Filling(filling.element, clauses, (*targets, *filling.targets))


def _chosen(node: cst.If, name: str, start: str) -> str | None:
    """What `if` and `else` that each fill the container put into it."""
    other = node.orelse
    if start not in _STARTS or not isinstance(other, cst.Else):
        return None
    if not isinstance(other.body, cst.IndentedBlock):
        return None
    arms: list[list[cst.CSTNode]] = [body_of(node), list(other.body.body)]
    if any(len(arm) != 1 for arm in arms):
        return None
    first, second = (_element(arm[0], name, start) for arm in arms)
    if first is None or second is None:
        return None
    return f"{_bare(cst.parse_expression(first))} if {_bare(node.test)} else {second}"


def _bare(node: cst.BaseExpression) -> str:
    """The expression as a clause's operand: a choice, lambda or bare tuple needs parentheses."""
    code = text(node)
    loose = isinstance(node, cst.IfExp | cst.Lambda | cst.Tuple)
    return f"({code})" if loose and not node.lpar else code


def _element(line: cst.CSTNode, name: str, start: str) -> str | None:
    """What one statement puts into the container, as the head of a comprehension."""
    small = simple(line)
    if start == "{}":
        return _pair(small, name)
    if start not in _STARTS or not isinstance(small, cst.Expr):
        return None
    found = method_call(small.value, _STARTS[start][0])
    value = only_argument(found[1]) if found is not None else None
    if found is None or value is None or text(found[0]) != name or mentions(value, name):
        return None
    return (
        f"({text(value)})"
        if isinstance(value, cst.GeneratorExp) and not value.lpar
        else text(value)
    )


def _pair(small: cst.CSTNode | None, name: str) -> str | None:
    if not isinstance(small, cst.Assign) or len(small.targets) != 1:
        return None
    target, value = small.targets[0].target, small.value
    if (
        not isinstance(target, cst.Subscript)
        or text(target.value) != name
        or len(target.slice) != 1
    ):
        return None
    index = target.slice[0].slice
    if not isinstance(index, cst.Index) or mentions(index, name) or mentions(value, name):
        return None
    plain = (cst.Name, cst.Integer, cst.SimpleString)
    if not isinstance(index.value, plain) and not isinstance(value, plain):
        return None
    key = (
        f"({text(index.value)})"
        if isinstance(index.value, cst.Tuple) and not index.value.lpar
        else text(index.value)
    )
    return (
        f"{key}: {text(value)}"
        if not isinstance(value, cst.Tuple) or value.lpar
        else f"{key}: ({text(value)})"
    )
