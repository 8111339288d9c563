"""`perftrace doctor`: whether all that perftrace needs is here, and what to do if it is not."""

from pathlib import Path

import click

from perftrace import config
from perftrace.cli import calibration, output
from perftrace.cli.checks import CHECKS, Found, Place, ask
from perftrace.cli.duration import Duration
from perftrace.config import Settings
from perftrace.errors import PerftraceError
from perftrace.report import tables
from perftrace.report.tables import Column
from perftrace.tracer import launch

COLUMNS = (
    Column("", number=False),
    Column("check", number=False),
    Column("found", number=False),
)


@click.command("doctor")
@output.json_option
@click.option("-d", "--database", metavar="FILE", help="Trace file (default: the project's).")
@click.option("--calibrate", is_flag=True, help="Also try how far timings can be trusted here.")
@click.option("--duration", type=Duration(), default="60s", show_default=True, help="For that.")
def command(*, as_json: bool, database: str | None, calibrate: bool, duration: float) -> int:
    """Check what perftrace needs: Python, py-spy, clocks, files, settings, replay.

    Each check tries the thing itself. With --calibrate a program of perftrace's own is measured
    against itself, in the same way as optimize measures: how often this machine calls the same
    code faster, and the smallest speed-up it finds. Exit code 0: nothing failed, though there may
    be warnings; 1: something failed.
    """
    place = _place(database)
    found = {name: check(place) for name, check in CHECKS.items()}
    failed = any(one.state == "fail" for one in found.values())
    if not as_json:
        _show(found)
    made = None
    if calibrate:
        python = calibration.interpreter(place.python)
        made = calibration.run(python, place.settings, duration)
    if as_json:
        rows = [
            {"check": name, "state": one.state, "found": one.text, "next": one.advice}
            for name, one in found.items()
        ]
        document = made and calibration.document(made)
        output.emit_json("doctor", {"ok": not failed, "checks": rows, "calibration": document})
    elif made:
        for line in calibration.lines(made):
            tables.say(output.out(), line)
    return int(failed)


def _show(found: dict[str, Found]) -> None:
    console = output.out()
    tables.show(console, COLUMNS, [(one.state, name, one.text) for name, one in found.items()])
    advice = [(name, one) for name, one in found.items() if one.advice]
    if advice:
        tables.say(console, "")
    for name, one in advice:
        tables.say(console, f"{name}: {one.advice}")


def _place(database: str | None) -> Place:
    cwd = Path.cwd()
    root = config.find_root(cwd)
    try:
        settings = config.load(root)
    except PerftraceError:  # the check of the settings says so
        settings = Settings()
    try:
        python = launch.find_python(None, cwd)
    except PerftraceError:  # so does that of Python
        python = ""
    path = output.database_path(database, root, settings)
    return Place(cwd, root, settings, path, python, ask(python) if python else {})
