"""`perftrace verify FUNC --candidate FILE`: check a change of yours against recorded calls."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from perftrace import config, locate
from perftrace.cli import output
from perftrace.errors import CannotError
from perftrace.model import Accepted, Inconclusive, Rejected
from perftrace.optimizer import decisions, evidence, given, pipeline, standing
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

    The candidate is the whole file with the change, or a unified diff of it; one Markdown fence
    may be around it. It is held against the file as it was recorded, one function at a time. Exit
    code 0: no difference was found; 1: it is rejected; 3: nothing can be said.
    """
    settings = config.load(output.project_root())
    recover(database)
    with Store.open(database) as store:
        run = store.last_run()
        functions = [hot.function for hot in rank(store, run)]
        function = locate.find(func, functions, output.again())
        if function.id < 0:
            raise CannotError(
                "no-calls",
                f"No call of {function.qualname} was recorded, so nothing can be said. Give the"
                " recorder more: perftrace run --overhead 10%",
            )
        changed = given.read(store, function, Path(candidate))
        wanted = settings.min_speedup if measure else None
        if warning := isolation.require(run, unsafe=unsafe):
            tables.say(output.err(), warning)
        with Workers(store) as workers:
            found = pipeline.check(workers, run, changed, wanted, settings.tolerance)
    label = locate.labels(functions)[function.id]
    word, code = ENDS[type(found)]
    disk = standing.of_file(function, changed.original, changed.source)
    if as_json:
        document = {"function": label, "verdict": word, **_document(found), "disk": disk}
        output.emit_json("verify", document)
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
        if disk:
            tables.say(console, f"  {disk}: the verdict is on the file as it was recorded.")
    return code


def _reason(found: Outcome) -> str:
    if isinstance(found, Passed):
        return evidence.text(found.evidence)
    return decisions.reason(found)


def _dropped(found: Outcome) -> tuple[tuple[str, int], ...]:
    return found.evidence.dropped if isinstance(found, Passed | Accepted) else ()


def _document(found: Outcome) -> dict[str, Any]:
    witness = found.witness if isinstance(found, Rejected) else None
    rests_on = found.evidence if isinstance(found, Passed | Accepted) else None
    measurement = None if isinstance(found, Passed) else report.measured(found)
    return {
        "reason": _reason(found),
        "witness": witness and asdict(witness),
        "evidence": rests_on and asdict(rests_on),
        "speedup": measurement and measurement.ratio,
        "low": measurement and measurement.low,
        "high": measurement and measurement.high,
        "measurement": measurement and asdict(measurement),
    }
