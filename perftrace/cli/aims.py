"""Which functions `optimize` looks at, beside those that are named: of files, or changed ones."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from perftrace.errors import UsageError
from perftrace.model import HotFunction
from perftrace.optimizer import changes
from perftrace.optimizer.git import Repository
from perftrace.store import Store

ITSELF = ("changed", "added", "renamed", "moved")  # how a change begins that is the function's own


def options[F: Callable[..., Any]](function: F) -> F:
    """The options."""
    for option in (
        click.option("--all", "everything", is_flag=True, help="All functions, hottest first."),
        click.option("--diff", metavar="REF", help="Only functions changed since a git revision."),
        click.option(
            "--file", "files", multiple=True, metavar="FILE", help="Only the functions of a file."
        ),
    ):
        function = option(function)
    return function


def only(
    store: Store, ranked: Sequence[HotFunction], names: Sequence[str], wanted: Mapping[str, Any]
) -> frozenset[int] | None:
    """The ids of the functions that `--file` and `--diff` leave; None where neither is given.

    Raises:
        UsageError: options that don't go together, no function of a file, no such revision.
    """
    if names and (wanted["files"] or wanted["diff"] or wanted["everything"]):
        raise UsageError(
            "aim-option", "--file, --diff and --all choose functions, and so does FUNC: give one."
        )
    if not wanted["files"] and wanted["diff"] is None:
        return None
    left = {hot.function.id for hot in ranked}
    if wanted["files"]:
        left &= _of_files(ranked, wanted["files"])
    if wanted["diff"] is not None:
        left &= _changed(store, ranked, wanted["diff"])
    return frozenset(left)


def _of_files(ranked: Sequence[HotFunction], names: Sequence[str]) -> set[int]:
    found: set[int] = set()
    for name in names:
        path = os.path.realpath(name)
        ids = {one.function.id for one in ranked if os.path.realpath(one.function.file) == path}
        if not ids:
            raise UsageError(
                "file-unknown",
                f"Nothing of {name} is in this trace. List what is: perftrace top -n 0",
            )
        found |= ids
    return found


def _changed(store: Store, ranked: Sequence[HotFunction], revision: str) -> set[int]:
    """The functions whose own code is not what it was in the revision."""
    repository = Repository(Path.cwd())
    old, new = repository.place(revision), repository.place(".")
    functions = [hot.function for hot in ranked]
    files = changes.read(repository, old, new)
    listed = changes.find(store, functions, files, (old.name, new.name)).listed
    return {one.function.id for one in listed if one.what.startswith(ITSELF)}


def nothing(wanted: Mapping[str, Any]) -> str:
    """What to say where they leave no function."""
    where = f" of {', '.join(wanted['files'])}" if wanted["files"] else ""
    return f"No function{where} in this trace has changed since {wanted['diff']}."


def top(wanted: Mapping[str, Any], ranked: Sequence[HotFunction]) -> int:
    """How many of them, hottest first."""
    return len(ranked) if wanted["everything"] else int(wanted["top"])
