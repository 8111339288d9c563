"""`perftrace generate --task TASK --tests FILE`: from a description to a program."""

from pathlib import Path
from typing import Any

import click

from perftrace import config
from perftrace.cli import models, output
from perftrace.errors import CannotError, CheckFailed, PerftraceError
from perftrace.model import Run
from perftrace.optimizer.generation import generator, methods, task
from perftrace.optimizer.generation.generator import Generator, Plan, Result
from perftrace.optimizer.generation.task import Task
from perftrace.optimizer.generation.trial import Trials
from perftrace.optimizer.models.asking import Provider
from perftrace.optimizer.models.manual import Manual
from perftrace.optimizer.models.prompts import Prompts
from perftrace.replay import isolation, runner
from perftrace.report import generate as report
from perftrace.report import tables
from perftrace.target import require_writable

METHODS = "\n".join(f"{name}: {words}" for name, words in methods.SUMMARIES.items())
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("generate", epilog=f"\b\nMethods:\n{METHODS}")
@click.option(
    "--task", "name", required=True, metavar="TASK", help="A file, or HumanEval/N, MBPP/N."
)
@click.option("--tests", type=FILE, metavar="FILE", help="Assertions, or functions test_….")
@click.option("--function", default="", metavar="NAME", help="The function that they test.")
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    metavar="FOLDER",
    help="Where HumanEval and MBPP lie.",
)
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="For the program; else it is printed.",
)
@click.option(
    "--samples",
    type=click.IntRange(1, 20),
    default=Plan().samples,
    show_default=True,
    help="First programs.",
)
@click.option(
    "--rounds",
    type=click.IntRange(0, 10),
    default=Plan().rounds,
    show_default=True,
    help="How often a wrong program goes back.",
)
@click.option(
    "--correctness",
    type=click.Choice(list(methods.CORRECTNESS)),
    default=Plan().correctness,
    show_default=True,
    help="How it does.",
)
@click.option(
    "--method",
    type=click.Choice(list(methods.PERFORMANCE)),
    default=Plan().performance,
    show_default=True,
    help="How a right program is made faster.",
)
@models.asking_options
@output.unsafe_option
@output.json_option
def command(name: str, *, as_json: bool, target: Path | None, unsafe: bool, **wanted: Any) -> int:
    """Write a program for a TASK: right first, then fast.

    A language model proposes; the tests and the clock decide, in the sandbox. Exit code 0: a
    program passes all tests; 1: none does; 3: answers are waited for (--engine manual).
    """
    root = output.project_root()
    settings = config.load(root)
    if target is not None:
        require_writable(target)
    asked = task.load(name, wanted["tests"], wanted["data"], wanted["function"])
    database = output.database_path(None, root, settings)
    ledger, provider, _ = models.provider_of(wanted["engine"], settings, wanted, database)
    own = root / settings.prompts if settings.prompts else None
    prompts = Prompts(own, generator.FOLDER, generator.NAMES), Prompts(own)
    plan = Plan(wanted["samples"], wanted["rounds"], wanted["correctness"], wanted["method"])
    if wanted["show_prompt"]:
        for question in Generator(provider, prompts, plan).questions(asked)[:2]:
            tables.say_lines(output.out(), models.prompt_text(question))
        return 0
    console, python = output.err(), runner.project_python(root)
    if warning := isolation.require(Run.unrecorded(root, python), unsafe=unsafe):
        tables.say(console, warning)
    hidden = [one for one in (wanted["tests"], wanted["data"]) if one]
    made = Trials(asked, python, root, hidden)
    with output.progress("trying the tests") as say, made as trials:
        trials.require()
        if ledger is not None:
            what = f"Sent to {ledger.name} ({ledger.model}): the task, and the tests that fail."
            tables.say(console, what)
        result, interrupt = _run(Generator(provider, prompts, plan, say), asked, trials)
    for line in (*report.lines(result), *models.asked(provider, ledger)):
        tables.say(console, line)
    if as_json:
        engine = {"engine": wanted["engine"], **models.counted(provider, ledger)}
        output.emit_json("generate", {**report.document(result), "model": engine})
    _keep(result, target, as_json=as_json)
    if interrupt is not None:
        raise interrupt
    if result.chosen is None:
        raise _none(provider)
    return 0


def _run(maker: Generator, asked: Task, trials: Trials) -> tuple[Result, BaseException | None]:
    """What comes of it, and the interrupt that ended it early."""
    try:
        return maker.run(asked, trials), None
    except KeyboardInterrupt as error:
        return maker.so_far(asked), error


def _none(provider: Provider) -> PerftraceError:
    """Why there is no program."""
    if isinstance(provider, Manual) and provider.waiting:
        return CannotError("generate-waiting", "There is no program yet: answers are waited for.")
    return CheckFailed("generate-none", "No program passes the tests.")


def _keep(result: Result, target: Path | None, *, as_json: bool) -> None:
    """Write the program or print it, if there is one."""
    if result.chosen is None:
        return
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(result.chosen.program, encoding="utf-8")
    elif not as_json:
        click.echo(result.chosen.program, nl=False)
