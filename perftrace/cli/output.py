"""What every command shares: consoles, `--json` and `-d`."""

import io
import json
import os
import shlex
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from perftrace import config
from perftrace.report import tables

BEAT_S = 10.0  # between two lines of progress in a log
PATIENCE_S = 2.0  # before something that takes long is named
FILE, RUN = "perftrace.file", "perftrace.run"  # in a context's `meta`: options as given


def out() -> Console:
    """The console for people, on stdout; what its encoding can't say is written as escapes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return Console(highlight=False, soft_wrap=False)


def err() -> Console:
    """The console for people when stdout holds a document, and for notes."""
    return Console(highlight=False, stderr=True)


@contextmanager
def progress(text: str = "") -> Iterator[Callable[[str], None]]:
    """Say on stderr what is being done: what is yielded is told of each step.

    At a terminal it is one line that changes; elsewhere a line every ten seconds, where the step
    is another than in the last one, so that a log shows what takes so long.
    """
    console = err()
    if console.is_terminal:
        with console.status(tables.plain(text)) as status:
            yield lambda step: status.update(tables.plain(step))
        return
    steps = [text]
    end = threading.Event()

    def beat() -> None:
        said = ""
        while not end.wait(BEAT_S):
            if steps[-1] != said:
                said = steps[-1]
                tables.say(console, said)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield steps.append
    finally:
        end.set()
        thread.join()


@contextmanager
def patience(text: str) -> Iterator[None]:
    """Say on stderr what takes so long, after a while and only at a terminal."""
    console = err()
    if not console.is_terminal:
        yield
        return
    status = console.status(text)
    timer = threading.Timer(PATIENCE_S, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        status.stop()


def say_if_possible(lines: Iterable[str]) -> None:
    """Say on stderr what follows a program: its exit code stands, whatever becomes of that."""
    try:
        for line in lines:
            click.echo(line, err=True)
    except OSError:  # a full disk, a log that is gone
        sys.stderr = None  # Python would try again at its end, and change the exit code


def emit_json(command: str, document: dict[str, Any]) -> None:
    """Print one JSON document, with its schema's name, on stdout."""
    click.echo(json.dumps({"schema": f"perftrace/{command}/1", **document}, indent=2))


def project_root() -> Path:
    """The root of the project around the current folder."""
    return config.find_root(Path.cwd())


def again(*, run: bool = True) -> str:
    """The `-d FILE` and `--run N` of this command, for a command that is named as the next."""
    context = click.get_current_context(silent=True)
    given = context.meta if context else {}
    file = f" -d {shlex.quote(given[FILE])}" if FILE in given else ""
    return file + (f" --run {given[RUN]}" if run and RUN in given else "")


def _database(context: click.Context, _: click.Parameter, value: str | None) -> Path:
    root = project_root()
    if value:
        context.meta[FILE] = value
        return database_path(value, root, config.Settings())
    return database_path(None, root, config.load(root))


def database_path(given: str | None, root: Path, settings: config.Settings) -> Path:
    """The trace file: as given, of the environment, or the project's."""
    if given:
        return Path(given).absolute()
    return root / (os.environ.get("PERFTRACE_DATABASE") or settings.database)


def database_option[F: Callable[..., Any]](function: F) -> F:
    """`-d/--database FILE`: the trace file (an absolute Path)."""
    option = click.option(
        "-d",
        "--database",
        metavar="FILE",
        callback=_database,
        help="Trace file (default: .perftrace/trace.db of the project).",
    )
    return option(function)


def json_option[F: Callable[..., Any]](function: F) -> F:
    """`--json`: one document on stdout, people's text on stderr."""
    option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
    return option(function)


def deterministic_option[F: Callable[..., Any]](function: F) -> F:
    """`--deterministic`: count the whole program's instructions as well."""
    option = click.option(
        "--deterministic",
        is_flag=True,
        help="Count the whole program's instructions too (needs Valgrind; slow).",
    )
    return option(function)


def unsafe_option[F: Callable[..., Any]](function: F) -> F:
    """`--unsafe-no-sandbox`: run candidates where the kernel can't shut them in."""
    option = click.option(
        "--unsafe-no-sandbox",
        "unsafe",
        is_flag=True,
        help="Run candidates also where the kernel can't shut them in.",
    )
    return option(function)
