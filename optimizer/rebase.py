"""Puts an accepted change onto a file that was edited elsewhere since the change was measured.

Only what was verified is written: the function as it was accepted, to the character, into a file in
which neither the function nor what it depends on is another than the change was measured with.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from perftrace.errors import StaleError
from perftrace.model import Candidate
from perftrace.optimizer import patch, units


@dataclass(frozen=True, slots=True)
class Rebased:
    """The file's text with the change."""

    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """What has changed, so that the change no longer stands for what was measured."""

    reason: str


def is_made(change: Candidate, text: str) -> bool:
    """Whether the text holds the function as it was accepted, and all that was added for it."""
    try:
        tree = patch.tree_of(text)
        same = _function(change, text) == _function(change, change.source)
        return same and not _lacking(_added(change), tree)
    except (StaleError, SyntaxError, ValueError):
        return False


def rebase(
    change: Candidate, disk: str, text: str, known: Sequence[Candidate] = ()
) -> Rebased | Refused:
    """The text with the change, if what it was measured with is on disk still.

    Args:
        change: what was accepted.
        disk: the file as it is.
        text: the same with other changes that are to be written with this one.
        known: accepted changes; those of them that were written before are no obstacle.
    """
    try:
        found = _obstacle(change, disk, known)
    except (SyntaxError, ValueError) as error:
        return Refused(f"it is not valid Python any more ({error})")
    if found:
        return Refused(found)
    merged = patch.merge(change.original, [change.source, text])
    if isinstance(merged, patch.Conflict):
        return Refused(f"the change has no place in it any more ({merged.reason})")
    if not _holds(change, text, merged.text):
        return Refused("the change has no place in it any more")
    return Rebased(merged.text)


def _obstacle(change: Candidate, disk: str, known: Sequence[Candidate]) -> str:
    """What is another than when the change was measured; empty: nothing that matters."""
    name = change.function.qualname
    try:
        if _function(change, disk) != _function(change, change.original):
            return f"{name} itself was changed since it was measured"
    except StaleError:
        return f"{name} is no longer in it"
    before = units.units(patch.tree_of(measured_with(change, disk, known)))
    now = units.units(patch.tree_of(disk))
    place = _place(change, change.source)
    old = _place(change, change.original)
    own = frozenset(name.split("."))
    uses = units.uses_of(place.node, old.node, *_added(change)) | units.Uses(own, own)
    classes = units.classes_of(before)
    told = _first_difference(units.needed(before, uses, classes), units.needed(now, uses, classes))
    return told and f"{told} since {name} was measured, which may depend on it"


def _first_difference(before: Mapping[str, Sequence[str]], now: Mapping[str, Sequence[str]]) -> str:
    for title in dict.fromkeys([*before, *now]):
        if before.get(title) == now.get(title):
            continue
        word = "changed" if title in before and title in now else "added"
        return f"`{title}` was {'removed' if title not in now else word}"
    return ""


def measured_with(change: Candidate, disk: str, known: Sequence[Candidate]) -> str:
    """The file as the change was measured, with the accepted changes that were written since."""
    made = [
        one.source
        for one in known
        if one.function.file == change.function.file
        and one.original == change.original
        and is_made(one, disk)
    ]
    merged = patch.merge(change.original, made)
    return change.original if isinstance(merged, patch.Conflict) else merged.text


def _holds(change: Candidate, text: str, merged: str) -> bool:
    """Whether the merged text is the text with just the change."""
    tree = patch.tree_of(merged)
    added = _added(change)
    try:
        exact = _function(change, merged) == _function(change, change.source)
    except StaleError:
        return False
    rest = [ast.dump(one) for one in _without(change, merged)]
    extra = {ast.dump(one) for one in added}
    kept = [ast.dump(one) for one in _without(change, text)]
    only = [one for one in rest if one not in extra] == [one for one in kept if one not in extra]
    return exact and only and not _lacking(added, tree) and _in_order(change, merged)


def _in_order(change: Candidate, merged: str) -> bool:
    """Whether the added statements stand above the function and below what they need to be run."""
    tree, place = patch.tree_of(merged), _place(change, merged)
    wanted = {ast.dump(one) for one in _added(change)}
    names = {name for unit in units.units(tree) if not unit.owner for name in unit.binds}
    above: set[str] = set()
    for node in tree.body:
        own = {name for unit in units.units(ast.Module([node], [])) for name in unit.binds}
        if ast.dump(node) in wanted:
            used = units.uses_of(*_run_at_import(node)).names & names
            if place.first <= node.lineno or not used <= above | own:
                return False
        above |= own
    return True


def _run_at_import(node: ast.stmt) -> list[ast.AST]:
    """What is evaluated of a statement when the module is imported."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        defaults = [one for one in node.args.kw_defaults if one is not None]
        return [*node.decorator_list, *node.args.defaults, *defaults]
    return [node]


def _lacking(added: Sequence[ast.stmt], tree: ast.Module) -> bool:
    """Whether one of the added statements is not in the module."""
    there = {ast.dump(one) for one in tree.body}
    return any(ast.dump(one) not in there for one in added)


def _added(change: Candidate) -> list[ast.stmt]:
    """The statements of the module that the change adds around the function."""
    return patch.split(_without(change, change.original), _without(change, change.source))[1]


def _without(change: Candidate, text: str) -> list[ast.stmt]:
    """The module's statements without what is in the function."""
    return patch.without(text, _place(change, text))


def _function(change: Candidate, text: str) -> str:
    """The function as it stands in a text, its decorators too, to the character."""
    place = _place(change, text)
    lines = patch.lines_of(text.removeprefix("\ufeff"))[place.first - 1 : place.last]
    return "".join(lines).rstrip("\r\n")


def _place(change: Candidate, text: str) -> patch.Place:
    """Where the function stands in a text.

    Raises:
        StaleError: it is not there.
    """
    function = change.function
    ordinal = patch.ordinal_of(change.original, function.qualname, function.line)
    line = patch.line_of(text, function.qualname, ordinal)
    return patch.place_of(text, function.qualname, line)
