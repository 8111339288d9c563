"""What `perftrace replay` says: documents, and lines for people."""

import ast
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from perftrace.replay.author import Coverage, Covered, Page, Reached
from perftrace.replay.emit import Suite, Test
from perftrace.replay.files import Folder
from perftrace.replay.review import Changed, Finding, Holds, Orphaned
from perftrace.replay.subjects import NEVER

# A finding's name in documents.
CALL_WIDTH = 70  # of a call in a list
MOST_LISTED = 25  # functions of a kind
SLOW_S = 1.0  # a test that takes longer is told
STATES = {Holds: "holds", Changed: "changed", Orphaned: "orphaned"}


def call_text(test: Test) -> str:
    """The call that a test makes, as far as it fits; its name where it is no call."""
    tree = ast.parse(textwrap.dedent(test.text))
    wanted = test.qualname.rpartition(".")[2]
    values = {
        node.targets[0].id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    values.pop(wanted, None)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == wanted:
            return _shortened(ast.unparse(_Inlined(values).visit(node)))
    return test.name


class _Inlined(ast.NodeTransformer):
    """Puts the values of variables in their places, once."""

    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The variable's value."""
        return self._values.get(node.id, node)


def _shortened(text: str) -> str:
    return text if len(text) <= CALL_WIDTH else f"{text[: CALL_WIDTH - 1]}…"


def coverage_document(
    coverage: Iterable[Coverage], names: Mapping[int, str]
) -> list[dict[str, Any]]:
    """One row per function."""
    return [{"function": names[one.function.id], **_covered(one)} for one in coverage]


def _covered(one: Coverage) -> dict[str, Any]:
    if isinstance(one, Covered):
        return {"covered": "directly", "tests": one.tests, "reason": ""}
    if isinstance(one, Reached):
        return {"covered": "via", "via": one.via, "tests": 0, "reason": ""}
    return {"covered": "no", "tests": 0, "reason": one.reason}


def summary(
    pages: Iterable[Page], coverage: Sequence[Coverage], names: Mapping[int, str], folder: Folder
) -> Iterator[str]:
    """What was written, and what has a test and what has not."""
    for page in pages:
        done = f"{page.added} new" if page.added else "unchanged"
        yield f"{folder.shown(page.path)}: {done}"
        if page.failing:
            yield f"  no longer true: {', '.join(page.failing)}; see perftrace replay --update"
    direct = [one for one in coverage if isinstance(one, Covered)]
    reached = [one for one in coverage if isinstance(one, Reached)]
    yield f"{len(direct)} functions have tests, {len(reached)} more are run by them"
    yield from _some([f"  {names[one.function.id]} via {one.via}" for one in reached])
    gaps = [one for one in coverage if not isinstance(one, Covered | Reached)]
    missing = [one for one in gaps if one.reason not in NEVER]
    if missing:
        yield f"{len(missing)} have none:"
    yield from _some([f"  {names[gap.function.id]}: {gap.reason}" for gap in missing])
    never = Counter(gap.reason for gap in gaps if gap.reason in NEVER)
    for reason in sorted(never, key=NEVER.index):
        yield f"{never[reason]} without one: {reason}"


def _some(lines: Sequence[str]) -> Iterator[str]:
    """The first of them, which are the hottest, and how many more there are."""
    yield from lines[:MOST_LISTED]
    if len(lines) > MOST_LISTED:
        yield f"  and {len(lines) - MOST_LISTED} more: --json lists all"


def slow(seconds: Mapping[tuple[str, str], float]) -> Iterator[str]:
    """The new tests that take longer than a test should, by module and name."""
    for (module, name), spent in sorted(seconds.items(), key=lambda item: -item[1]):
        if spent >= SLOW_S:
            yield f"{module}: {name} takes {spent:.1f} s, as the recorded call did"


def finding_document(suite: Suite, test: Test, finding: Finding) -> dict[str, Any]:
    """One row per test."""
    return {
        "function": f"{suite.module}:{test.qualname}",
        "test": test.name,
        "state": STATES.get(type(finding), "unclear"),
        "reason": reason(finding),
    }


def reason(finding: Finding) -> str:
    """What is wrong with a test."""
    if isinstance(finding, Holds):
        return ""
    return "it does something else now" if isinstance(finding, Changed) else finding.reason


def states(findings: Iterable[Finding]) -> str:
    """`2 changed, 1 orphaned`."""
    counts = Counter(STATES.get(type(finding), "unclear") for finding in findings)
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
