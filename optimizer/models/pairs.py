"""Accepted changes as examples: of those that are known, the ones most like the function at hand.

PIE (Shypula et al. 2024) found that pairs of slow and fast code, retrieved by likeness, help a
model more than any other prompt it tried. Here the pairs are the project's own: verified and
measured. A function is like another where the same kinds of syntax stand in each other and the same
attributes are used; what nearly all functions have counts little (tf-idf, cosine).
"""

import ast
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from perftrace.errors import StaleError
from perftrace.model import Accepted, Decision, Function
from perftrace.optimizer import patch

MOST = 2  # examples
LEAST_ALIKE = 0.2  # cosine, from which on an example is worth its room
LONGEST = 3000  # characters of one version
IN_ALL = (ast.expr_context, ast.arguments, ast.arg, ast.Name)
TELLING_NOTHING = (ast.Module, ast.FunctionDef, ast.arguments, ast.expr_context)


@dataclass(frozen=True, slots=True)
class Pair:
    """A function before and after an accepted change."""

    function: Function
    before: str
    after: str
    ratio: float  # old time over new


def pairs_of(decisions: Iterable[Decision]) -> list[Pair]:
    """The accepted changes among decisions, each once."""
    found: dict[tuple[str, str], Pair] = {}
    for decision in decisions:
        pair = _pair(decision)
        if pair is not None:
            found.setdefault((pair.before, pair.after), pair)
    return list(found.values())


def _pair(decision: Decision) -> Pair | None:
    candidate, verdict = decision.candidate, decision.verdict
    if candidate is None or not isinstance(verdict, Accepted):
        return None
    name, line = decision.function.qualname, decision.function.line
    try:
        ordinal = patch.ordinal_of(candidate.original, name, line)
        before = _text(candidate.original, name, line)
        after = _text(candidate.source, name, patch.line_of(candidate.source, name, ordinal))
    except (StaleError, LookupError, ValueError):  # of a file that was rewritten since
        return None
    if max(len(before), len(after)) > LONGEST:
        return None
    return Pair(decision.function, before, after, verdict.measurement.ratio)


def _text(source: str, qualname: str, line: int) -> str:
    place = patch.place_of(source, qualname, line)
    return "".join(patch.lines_of(source)[place.first - 1 : place.last])


def nearest(pairs: Sequence[Pair], function: Function, code: str, most: int = MOST) -> list[Pair]:
    """The pairs most like a function's code, the likest first; none of the function itself."""
    others = [one for one in pairs if one.function.qualname != function.qualname]
    counted = [_features(one.before) for one in others]
    own = _features(code)
    weights = _weights([*counted, own])
    likeness = [_cosine(own, one, weights) for one in counted]
    order = sorted(range(len(others)), key=lambda place: -likeness[place])
    return [others[place] for place in order if likeness[place] >= LEAST_ALIKE][:most]


def _features(code: str) -> Counter[str]:
    """Kinds of syntax with what stands directly in them, and the attributes that are used."""
    try:
        tree = ast.parse(_dedented(code))
    except (SyntaxError, ValueError):
        return Counter()
    return Counter(_named(tree))


def _named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, TELLING_NOTHING):
            continue
        children = (one for one in ast.iter_child_nodes(node) if not isinstance(one, IN_ALL))
        yield from (f"{type(node).__name__} {type(child).__name__}" for child in children)
        if isinstance(node, ast.Attribute):
            yield f".{node.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield f"{node.func.id}()"


def _dedented(code: str) -> str:
    """A method as a function: its text begins with its indentation."""
    indent = len(code) - len(code.lstrip(" \t"))
    return f"if 1:\n{code}" if indent and not code.startswith("\n") else code


def _weights(documents: Sequence[Counter[str]]) -> Mapping[str, float]:
    """How much each feature tells: the fewer have it, the more."""
    having = Counter(name for one in documents for name in one)
    return {name: math.log(1 + len(documents) / count) for name, count in having.items()}


def _cosine(one: Counter[str], other: Counter[str], weights: Mapping[str, float]) -> float:
    def length(of: Counter[str]) -> float:
        return math.sqrt(sum((count * weights[name]) ** 2 for name, count in of.items()))

    shared = sum(one[name] * other[name] * weights[name] ** 2 for name in one.keys() & other.keys())
    lengths = length(one) * length(other)
    return shared / lengths if lengths else 0.0
