"""The command line: parse, call, print; commands are loaded when they are used."""

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from perftrace import __version__
from perftrace.cli import signals
from perftrace.errors import PerftraceError

# One row per command: name, module that exports `command`.
COMMANDS = {
    "run": "perftrace.cli.run",
    "sample": "perftrace.cli.sample",
    "top": "perftrace.cli.top",
    "show": "perftrace.cli.show",
    "calls": "perftrace.cli.calls",
    "replay": "perftrace.cli.replay",
    "optimize": "perftrace.cli.optimize",
    "apply": "perftrace.cli.apply",
    "verify": "perftrace.cli.verify",
    "compare": "perftrace.cli.compare",
    "bench": "perftrace.cli.bench",
    "ci": "perftrace.cli.ci",
    "doctor": "perftrace.cli.doctor",
    "merge": "perftrace.cli.merge",
    "rewrites": "perftrace.cli.rewrites",
    "generate": "perftrace.cli.generate",
    "mcp": "perftrace.cli.mcp",
}
CANNOT, OUR_BUG = 3, 4  # exit codes


class LazyGroup(click.Group):
    """Imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="perftrace")
def group() -> None:
    """Record what a Python program really does, and make its hot paths faster.

    \b
    perftrace run myapp.py          record
    perftrace top                   where the time goes
    perftrace replay --write        recorded behaviour as tests
    perftrace optimize --top 10     faster versions, verified and measured
    perftrace apply                 write them into your files
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; the console script's entry."""
    _occupy_standard_descriptors()
    try:
        with signals.terminate_as_interrupt():
            result = group.main(arguments, prog_name="perftrace", standalone_mode=False)
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001 - the outermost border
        return _explain(error)
    return result if isinstance(result, int) else 0


def _occupy_standard_descriptors() -> None:
    """Where a standard descriptor is closed, open it, for us alone: the program is to find it so.

    Otherwise SQLite does, and the program inherits it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one


def _explain(error: BaseException) -> int:
    """Say what ended the command; the exit code."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.ClickException():
            error.show()
            return error.exit_code
        case PerftraceError():
            click.echo(f"perftrace: {error}", err=True)
            return error.exit_code
        case KeyboardInterrupt() | click.Abort():
            code = signals.exit_code(error)
            word = "terminated" if code == signals.TERMINATED else "interrupted"
            click.echo(f"perftrace: {word}", err=True)
            return code
        case _:
            return _explain_surroundings(error)


def _explain_surroundings(error: BaseException) -> int:
    """What is not ours to mend, or our bug."""
    match error:
        case OSError(errno=errno.ENOSPC | errno.EIO | errno.EBADF):
            sys.stdout = None  # Python would try again at its end, and change the exit code
            what = f"output can't be written: {error.strerror}"
        case FileNotFoundError() if not _has_folder():
            what = "the current folder was removed; change to another one"
        case _:
            return _report_bug(error)
    with suppress(OSError):
        click.echo(f"perftrace: {what}", err=True)
    return CANNOT


def _has_folder() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - pathlib's asks the same
    except FileNotFoundError:
        return False
    return True


def _report_bug(error: BaseException) -> int:
    from perftrace.cli import bug  # noqa: PLC0415 - only needed when something broke

    name, path = type(error).__name__, bug.write_report(error)
    click.echo(f"perftrace: internal error ({name}: {error}). Report: {path}", err=True)
    return OUR_BUG
