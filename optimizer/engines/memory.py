"""The engine of what is remembered: changes that were accepted before, for the same statements.

PIE (Shypula et al. 2024) retrieves pairs of slow and fast code that are like the code at hand. Here
such a pair is not an example for a model but a candidate itself, where the statements that it
changed stand in another function, whatever their variables are called there.
"""

import ast
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from perftrace.model import Candidate, Function, Verdict
from perftrace.optimizer import patch
from perftrace.optimizer.engines.further import further
from perftrace.optimizer.engines.pattern import Match, Pattern, matches, pattern_of, rewritten
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.patch import Addition
from perftrace.rewrites import Rewrite

LIMIT = 8  # candidates of a function


@dataclass(frozen=True, slots=True)
class _Known:
    rewrite: Rewrite
    pattern: Pattern


class MemoryEngine:
    """Proposes what made the same statements faster elsewhere."""

    name = "memory"
    asks = False
    patience = 60.0

    def __init__(self, rewrites: Sequence[Rewrite]) -> None:
        """The newest first."""
        self._known: list[_Known] = []
        seen: set[tuple[str, str]] = set()
        for rewrite in rewrites:
            pattern = pattern_of(rewrite.slow, rewrite.fast)
            if pattern is None:
                continue
            identity = (pattern.key, "".join(map(ast.dump, pattern.new)))
            if identity not in seen:
                seen.add(identity)
                self._known.append(_Known(rewrite, pattern))

    def preview(self, function: Function, source: str, facts: Facts) -> list[Candidate]:
        """All its candidates: they cost next to nothing.

        Raises:
            StaleError: the function is not where it was.
        """
        return list(self.propose(function, source, facts))

    def told(self, candidate: Candidate, verdict: Verdict, ratio: float | None) -> None:
        """What is accepted is kept when all is done."""

    def propose(self, function: Function, source: str, facts: Facts) -> Iterator[Candidate]:
        """Candidates for the function in this source text of its file.

        Raises:
            StaleError: the function is not where it was.
        """
        del facts
        place = patch.place_of(source, function.qualname, function.line)
        made = 0
        for known in self._known:
            for match in matches(known.pattern, place.node):
                text = _applied(source, place, known, match)
                if text is not None and made < LIMIT:
                    made += 1
                    yield _candidate(function, known.rewrite, source, text)

    def refine(self, candidate: Candidate, facts: Facts) -> Iterator[Candidate]:
        """Candidates that take one more step from another candidate."""
        return further(self.propose, candidate, facts)


def _candidate(function: Function, rewrite: Rewrite, original: str, source: str) -> Candidate:
    day = rewrite.created[:10]
    figures = f"{rewrite.ratio:.2f}x [{rewrite.low:.2f}, {rewrite.high:.2f}]"
    return Candidate(
        function=function,
        engine=MemoryEngine.name,
        steps=rewrite.steps or (MemoryEngine.name,),
        explanation=f"The same change made {rewrite.function} {figures} as fast on {day}.",
        original=original,
        source=source,
    )


def _applied(source: str, place: patch.Place, known: _Known, match: Match) -> str | None:
    """The file with the match rewritten; None where it stands in a way that can't be replaced."""
    lines = patch.lines_of(source)
    first, last = match.first.lineno - 1, match.last.end_lineno or match.last.lineno
    region = lines[first:last]
    indent = lines[first][: match.first.col_offset]
    end = lines[last - 1].encode()[match.last.end_col_offset or 0 :].strip()
    if not region or indent.strip() or end or any("#" in line for line in region):
        return None  # not on lines of its own, or with a comment that would be lost
    additions = _additions(source, known.rewrite)
    if additions is None:
        return None
    used = _identifiers(source)
    new = rewritten(known.pattern, match, lambda name: _free(name, used))
    newline = "\r\n" if region[0].endswith("\r\n") else "\n"
    text = textwrap.indent(new, indent).replace("\n", newline) + newline
    changed = "".join([*lines[:first], text, *lines[last:]])
    return _with_additions(source, place, changed, additions)


def _with_additions(
    source: str, place: patch.Place, changed: str, additions: tuple[Addition, ...]
) -> str | None:
    try:
        after = next(
            one
            for one in patch.places(changed)
            if (one.qualname, one.ordinal) == (place.qualname, place.ordinal)
        )
        function = patch.excerpt(changed, after).function
        return patch.replace(source, patch.excerpt(source, place), function, additions)
    except (SyntaxError, StopIteration, cst.ParserSyntaxError):
        return None


def _additions(source: str, rewrite: Rewrite) -> tuple[Addition, ...] | None:
    """What the module lacks of what the change added; None where a name is taken."""
    tree = patch.tree_of(source)
    there, used = {ast.unparse(one) for one in tree.body}, _identifiers(source)
    found = []
    for code in rewrite.added:
        if code in there:
            continue
        bound = list(_bound(ast.parse(code).body[0]))
        if len(bound) != 1 or bound[0] in used:
            return None
        found.append(Addition(code, bound[0]))
    return tuple(found)


def _bound(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (one.asname or one.name.partition(".")[0] for one in names)
        case ast.Assign(targets=[ast.Name(id=name)]):
            yield name
        case _:
            pass


def _identifiers(source: str) -> set[str]:
    tree = patch.tree_of(source)
    names = {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)}
    names |= {one.arg for one in ast.walk(tree) if isinstance(one, ast.arg)}
    imports = (one for one in ast.walk(tree) if isinstance(one, ast.Import | ast.ImportFrom))
    defined = (
        one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.ClassDef)
    )
    return {*names, *defined, *(name for one in imports for name in _bound(one))}


def _free(wanted: str, used: set[str]) -> str:
    names = (wanted if n == 1 else f"{wanted}_{n}" for n in range(1, 1000))
    name = next(one for one in names if one not in used)
    used.add(name)
    return name
