"""`perftrace verify FUNC --candidate FILE`: check a change of yours against recorded calls."""

import ast
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from perftrace import config, locate
from perftrace.cli import output
from perftrace.errors import CannotError, StaleError, UsageError
from perftrace.model import Accepted, Candidate, Function, Inconclusive, Rejected
from perftrace.optimizer import decisions, pipeline, unified, write
from perftrace.optimizer.rank import rank
from perftrace.optimizer.verify import Passed
from perftrace.optimizer.workers import Workers
from perftrace.replay import isolation
from perftrace.report import decisions as report
from perftrace.report import tables
from perftrace.store import Store
from perftrace.tracer.ingest import recover

type Outcome = Passed | Accepted | Rejected | Inconclusive

# Each outcome's word, and the exit code.
ENDS: dict[type[Outcome], tuple[str, int]] = {
    Passed: ("accepted", 0),
    Accepted: ("accepted", 0),
    Rejected: ("rejected", 1),
    Inconclusive: ("inconclusive", 3),
}


@click.command("verify")
@click.argument("func")
@click.option(
    "--candidate",
    required=True,
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The changed file, or a diff.",
)
@click.option("--measure", is_flag=True, help="It also has to be clearly faster.")
@output.unsafe_option
@output.json_option
@output.database_option
def command(
    func: str, candidate: str, *, measure: bool, unsafe: bool, as_json: bool, database: Path
) -> int:
    """Verify a change of FUNC against its recorded calls.

    The candidate is the whole file with the change, or a unified diff of it. Exit code 0: no
    difference was found; 1: it is rejected; 3: nothing can be said.
    """
    settings = config.load(output.project_root())
    recover(database)
    with Store.open(database) as store:
        run = store.last_run()
        functions = [hot.function for hot in rank(store, run)]
        function = locate.find(func, functions)
        if function.id < 0:
            raise CannotError(
                "no-calls",
                f"No call of {function.qualname} was recorded, so nothing can be said. Give the"
                " recorder more: perftrace run --overhead 10%",
            )
        changed = read(store, function, Path(candidate))
        wanted = settings.min_speedup if measure else None
        if warning := isolation.require(run, unsafe=unsafe):
            tables.say(output.err(), warning)
        found = pipeline.check(Workers(store), run, changed, wanted, settings.tolerance)
    label = locate.labels(functions)[function.id]
    word, code = ENDS[type(found)]
    if as_json:
        output.emit_json("verify", {"function": label, "verdict": word, **_document(found)})
    else:
        console = output.out()
        tables.say(console, f"{label}  {word}: {_reason(found)}")
        if isinstance(found, Rejected) and found.witness:
            tables.say(console, f"  {report.witness_text(found.witness)}")
        for text, count in _dropped(found):
            tables.say(console, f"  {count} recorded call{'s' * (count != 1)} left out: {text}")
        if isinstance(found, Passed | Accepted) and found.evidence.unused:
            count = found.evidence.unused
            why = "an operation fails, or they do not do the same each time"
            tables.say(console, f"  {count} generated call{'s' * (count != 1)} left out: {why}")
        if isinstance(found, Passed):
            tables.say(console, "  Its speed was not looked at. To measure it as well: --measure")
    return code


def read(store: Store, function: Function, path: Path) -> Candidate:
    """The candidate in a file: the whole source, or a diff against what was recorded.

    Raises:
        UsageError: it can't be read, or the diff does not fit.
    """
    try:
        text = write.read(path).text
    except StaleError as error:
        raise UsageError("no-candidate", f"{path} can't be read as Python or as a diff.") from error
    original = store.source_text(function)
    if unified.is_diff(text):
        text = unified.apply(text, original, function.file)
    else:
        _require_whole(text, original, function, path)
    if text == original:
        raise UsageError(
            "candidate-same", f"{path} is {function.file} as it was recorded: nothing to verify."
        )
    return Candidate(function, "given", (path.name,), "", original, text)


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


def _reason(found: Outcome) -> str:
    if isinstance(found, Passed):
        return decisions.evidence_text(found.evidence)
    return decisions.reason(found)


def _dropped(found: Outcome) -> tuple[tuple[str, int], ...]:
    return found.evidence.dropped if isinstance(found, Passed | Accepted) else ()


def _document(found: Outcome) -> dict[str, Any]:
    witness = found.witness if isinstance(found, Rejected) else None
    evidence = found.evidence if isinstance(found, Passed | Accepted) else None
    measurement = None if isinstance(found, Passed) else report.measured(found)
    return {
        "reason": _reason(found),
        "witness": witness and asdict(witness),
        "evidence": evidence and asdict(evidence),
        "speedup": measurement and measurement.ratio,
        "low": measurement and measurement.low,
        "high": measurement and measurement.high,
    }
