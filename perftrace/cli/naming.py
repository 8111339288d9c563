"""The function that FUNC of a command line means; where none does, what is known of it."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from perftrace import locate
from perftrace.cli import output
from perftrace.cli.chosen import Chosen
from perftrace.errors import CannotError, UsageError
from perftrace.model import Function
from perftrace.store import Store

MOST_FILES = 200  # of a folder
RUNS = """
SELECT DISTINCT run_id FROM call JOIN process ON process.id = process_id WHERE function_id = ?
"""
FILES = """
SELECT file FROM frame WHERE user = 1
UNION SELECT main_file FROM process WHERE main_file IS NOT NULL
"""


def function_of(text: str, functions: Sequence[Function], store: Store, chosen: Chosen) -> Function:
    """The one function that the text means.

    Raises:
        UsageError: none or several; the message names the likeliest.
        CannotError: it exists, but this run has nothing of it.
    """
    try:
        return locate.find(text, functions, again=output.again())
    except UsageError as error:
        if error.slug != "function-unknown":
            raise
        others = _other_runs(text, store, chosen)
        if others:
            raise CannotError("function-unseen", f"{text}: {others}") from error
        place = _defined(text, store)
        if not place:
            raise
        raise CannotError(
            "function-unseen",
            f"{text} is in {place}, but nothing was recorded or sampled of it in this run: it was"
            " not called, or the recorder's share of the CPU time was used up, which"
            " perftrace run --overhead 10% raises.",
        ) from error


def _other_runs(text: str, store: Store, chosen: Chosen) -> str:
    """Which other runs have calls of it, as advice."""
    try:
        found = locate.find(text, list(store.functions().values()))
    except UsageError:
        return ""
    known = {row["run_id"] for row in store.rows(RUNS, found.id)} - {chosen.run.id}
    numbers = [at for at, run in enumerate(store.runs(), start=1) if run.id in known]
    if not numbers:
        return ""
    return (
        f"{chosen.text} has nothing of it, run {numbers[-1]} has: add --run {numbers[-1]}"
        f"{output.again(run=False)}"
    )


def _defined(text: str, store: Store) -> str:
    """The file and line that define it; empty: no source known to the trace does."""
    place, name, _ = locate.split(text)
    for file, source in _sources(store):
        if place and not _leads_to(place, file):
            continue
        for qualname, line in _definitions(source):
            if qualname == name or (not place and qualname.endswith(f".{name}")):
                return f"{file}, line {line}"
    return ""


def _sources(store: Store) -> Iterator[tuple[str, str]]:
    """The files that the trace knows: as recorded, else as they are, and those beside them."""
    seen: set[str] = set()
    for row in store.rows("SELECT file, text FROM source ORDER BY id DESC"):
        seen.add(row["file"])
        yield row["file"], bytes(row["text"]).decode("utf-8", "replace")
    files = [Path(str(row["file"])) for row in store.rows(FILES)]
    folders = dict.fromkeys(file.parent for file in (*map(Path, seen), *files))
    beside = (file for folder in folders for file in sorted(folder.glob("*.py"))[:MOST_FILES])
    for file in dict.fromkeys((*files, *beside)):
        if str(file) not in seen and file.suffix == ".py" and file.is_file():
            try:
                yield str(file), file.read_text(encoding="utf-8")
            except (OSError, ValueError):
                continue


def _leads_to(place: str, file: str) -> bool:
    """Whether a path or a module's name may be this file's."""
    parts = PurePath(file).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    names = place.split(".")
    wanted = PurePath(place).with_suffix("").parts if place.endswith(".py") else tuple(names)
    return place == "__main__" or parts[-len(wanted) :] == wanted


def _definitions(source: str) -> Iterator[tuple[str, int]]:
    """The qualified names of all functions, with their lines."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    todo: list[tuple[str, ast.AST]] = [("", tree)]
    while todo:
        prefix, node = todo.pop()
        for child in ast.iter_child_nodes(node):
            inner = prefix
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{prefix}{child.name}", child.lineno
                inner = f"{prefix}{child.name}.<locals>."
            elif isinstance(child, ast.ClassDef):
                inner = f"{prefix}{child.name}."
            todo.append((inner, child))
