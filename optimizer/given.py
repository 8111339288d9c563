"""Reads a candidate that the user gives: a whole file with a change of one function, or a diff."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from perftrace.errors import StaleError, UsageError
from perftrace.model import Candidate, Function
from perftrace.optimizer import fence, patch, unified, write
from perftrace.store import Store


def read(store: Store, function: Function, path: Path) -> Candidate:
    """The candidate in a file: the whole source, or a diff against what was recorded.

    Raises:
        UsageError: it can't be read, or the diff does not fit.
    """
    try:
        text = write.read(path).text
    except StaleError as error:
        raise UsageError("no-candidate", f"{path} can't be read as Python or as a diff.") from error
    text = fence.unwrap(text, str(path))
    original = store.source_text(function)
    if unified.is_diff(text):
        text = _patched(text, original, function)
    else:
        _require_whole(text, original, function, path)
    _require_one(text, original, function, path)
    if text == original:
        raise UsageError(
            "candidate-same", f"{path} is {function.file} as it was recorded: nothing to verify."
        )
    return Candidate(function, "given", (path.name,), "", original, text)


def _patched(diff: str, original: str, function: Function) -> str:
    """The recorded text with the diff applied.

    Raises:
        UsageError: it does not fit.
    """
    try:
        return unified.apply(diff, original, function.file)
    except UsageError as error:
        if error.slug == "diff-lines" and _fits_disk(diff, function):
            text = f"The diff fits {function.file} as it is, but not as it was recorded."
            raise UsageError("diff-lines", f"{text} Record it again: perftrace run") from error
        raise


def _fits_disk(diff: str, function: Function) -> bool:
    try:
        unified.apply(diff, write.read(Path(function.file)).text, function.file)
    except (UsageError, StaleError):
        return False
    return True


def _require_one(text: str, original: str, function: Function, path: Path) -> None:
    """Make sure that no other function is changed."""
    try:
        old, new = _functions(original), _functions(text)
    except (SyntaxError, ValueError):  # what is wrong with it, verifying tells
        return
    own = function.qualname
    changed = [name for name, _ in sorted(old.keys() & new.keys()) if old[name, _] != new[name, _]]
    others = [one for one in dict.fromkeys(changed) if one != own]
    others = [one for one in others if not _within(one, own) and not _within(own, one)]
    others = [one for one in others if not any(_within(one, other) for other in others)]
    if others:
        what = ", ".join(others) + (f" and {own}" if own in changed else f", but not {own}")
        raise UsageError(
            "candidate-several",
            f"{path} changes {what}. One function at a time: give a change of {own} alone."
            " For all of a revision: perftrace compare",
        )


def _within(inner: str, outer: str) -> bool:
    return inner.startswith(f"{outer}.<locals>.")


def _functions(text: str) -> Mapping[tuple[str, int], str]:
    """The code of each function by its qualified name, and which of that name it is."""
    return {(one.qualname, one.ordinal): ast.dump(one.node) for one in patch.places(text)}


def _require_whole(text: str, original: str, function: Function, path: Path) -> None:
    """Make sure that the candidate is the function's file, and not a part of it or another."""
    try:
        given, recorded = set(_defined(ast.parse(text))), set(_defined(ast.parse(original)))
    except (SyntaxError, ValueError):  # what is wrong with it, verifying tells
        return
    way = f"Give the whole of {function.file} with the change, or a diff of it (diff -u)."
    if function.qualname in recorded and function.qualname not in given:
        raise UsageError("candidate-part", f"{path} does not define {function.qualname}. {way}")
    own = {function.qualname.partition(".")[0], function.qualname}
    if given <= own and not recorded <= own:
        raise UsageError("candidate-part", f"{path} is {function.qualname} alone. {way}")


def _defined(node: ast.AST, prefix: str = "") -> Iterator[str]:
    """The qualified names of the classes, functions and methods, not of what lies in functions."""
    for one in ast.iter_child_nodes(node):
        if isinstance(one, ast.ClassDef):
            yield prefix + one.name
            yield from _defined(one, f"{prefix}{one.name}.")
        elif isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + one.name
        elif isinstance(one, ast.stmt | ast.ExceptHandler):
            yield from _defined(one, prefix)
