"""`perftrace replay`: recorded behaviour as committed tests: written, run, checked, updated."""

import functools
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path
from typing import Any

import click

from perftrace import config, locate
from perftrace.cli import chosen, output
from perftrace.cli.replay_project import Project
from perftrace.errors import CannotError, CheckFailed, UsageError
from perftrace.optimizer import main_guard
from perftrace.optimizer.mutants import mutants
from perftrace.optimizer.rank import rank, require_calls
from perftrace.replay import files, runner, unittests
from perftrace.replay.author import Author, Page, Plan, order
from perftrace.replay.emit import Parsed, Style, Test, render
from perftrace.replay.observe import Bench
from perftrace.replay.review import WIDER, Changed, Finding, Holds, Orphaned, Reviewer
from perftrace.replay.static import Sources
from perftrace.report import replay as report
from perftrace.report import tables
from perftrace.store import Store
from perftrace.tracer.ingest import recover


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A file of replay tests, and what is to be said of its tests."""

    path: Path
    parsed: Parsed
    findings: dict[str, Finding]
    sources: Sources

    def problems(self) -> Iterator[tuple[Test, Finding]]:
        """The tests that do not hold."""
        for test in self.parsed.suite.tests:
            finding = self.findings.get(test.name)
            if finding is not None and not isinstance(finding, Holds):
                yield test, finding


@click.command("replay")
@click.argument("func", nargs=-1)
@click.option("--write", "action", flag_value="write", help="Write tests of recorded calls.")
@click.option("--update", "action", flag_value="update", help="Show and accept what changed.")
@click.option("--prune", "action", flag_value="prune", help="Remove tests of functions now gone.")
@click.option("--check", "action", flag_value="check", help="Exit 1 if a test is out of date.")
@click.option("--list", "action", flag_value="list", help="List the tests.")
@click.option("--standalone", is_flag=True, help="With --write: tests that run without perftrace.")
@click.option(
    "--style",
    type=click.Choice([style.value for style in Style]),
    help="With --write: of new files.",
)
@click.option("--yes", is_flag=True, help="Update without asking.")
@chosen.run_option
@output.json_option
@output.database_option
def command(
    func: tuple[str, ...], *, action: str | None, as_json: bool, database: Path, **options: Any
) -> None:
    """Run the replay tests, or with an option write, update, prune, check or list them.

    FUNC is package.module:Qual.name or a module; without it all are meant.
    """
    root = output.project_root()
    settings = config.load(root)
    folder = files.Folder(root, root / settings.replay_dir)
    if action in WRITING and os.environ.get("CI", "") not in {"", "0", "false"}:
        raise CannotError(
            "replay-ci",
            "CI is set, so replay tests are only read here. Write them on your own machine and"
            " commit them; here, use perftrace replay --check",
        )
    standalone, style, run = options["standalone"], options["style"], options["wanted"]
    given = {"--standalone": standalone, "--style": style, "--run": run}
    if action != "write" and (option := next((name for name in given if given[name]), "")):
        raise UsageError("replay-standalone", f"{option} says how to write: add --write")
    if options["yes"] and action not in {"update", "prune"}:
        raise UsageError("replay-standalone", "--yes agrees to --update or --prune: add one")
    how = (options["yes"], func, standalone, Style(style) if style else None, run)
    ACTIONS[action](Project(folder, settings, database, as_json, *how))


def _run(project: Project) -> None:
    found = project.tests()
    chosen = [f"{path}::{test.name}" for path, _, tests in found for test in tests]
    where = chosen if project.wanted else [str(project.folder.path)]
    python, root = project.python(), project.folder.root
    if project.folder.style is Style.UNITTEST and not runner.has_pytest(python):
        folder, quiet = project.folder.path, project.as_json
        ran = unittests.run_unittest(python, root, folder, where, quiet=quiet)
    else:
        ran = runner.run_pytest(python, root, where, quiet=project.as_json)
    if project.as_json:
        rows = [{"test": one.name, "state": one.state, "message": one.message} for one in ran.tests]
        output.emit_json("replay", {"action": "run", "tests": rows})
    if ran.failed:
        raise CheckFailed(
            "replay-differs",
            f"{ran.failed} of {len(ran.tests)} replay tests fail. If the change of behaviour is"
            " intended: perftrace replay --update",
        )


def _write(project: Project) -> None:
    recover(project.database)
    with Store.open(project.database) as store:
        run = chosen.choose(store, project.run).run
        ranked = rank(store, run)
        require_calls(ranked)
        known = [row.function for row in ranked]
        wanted = [locate.find(text, known, output.again()) for text in project.wanted]
        names = locate.labels(known)
        if advice := main_guard.advice(run):
            tables.say(output.err(), advice)
        slow: list[str] = []

        def attempt(
            pages: Sequence[Page], roots: Mapping[str, Path]
        ) -> Collection[tuple[str, str]]:
            found = project.tried(pages, roots)
            slow.extend(report.slow(found.seconds))
            return found.failing

        with output.progress("Making the recorded calls again"):
            mistakes = functools.partial(mutants, all_kinds=True, alone=True)
            plan = Plan(project.settings, attempt, mistakes, project.new_style)
            author = Author(store, run, project.folder, plan)
            pages, coverage = author.plan(wanted or known)
        roots = author.roots(pages, known)
    written = [page for page in pages if page.text]
    if written:
        if project.standalone or project.folder.is_standalone:
            project.folder.write_helpers()
        project.folder.write_conftest(roots)
        if project.folder.mark_generated():
            project.say("Wrote .gitattributes: code review folds the tests away")
    for page in written:
        if page.text != page.before:
            files.write(page.path, page.text)
    summary = report.summary(written, coverage, names, project.folder)
    for line in [*summary, *slow, *project.left_out()]:
        project.say(line)
    if project.as_json:
        rows = report.coverage_document(coverage, names)
        shown = [{"file": project.folder.shown(page.path), "added": page.added} for page in written]
        document = {"action": "write", "files": shown, "functions": rows}
        output.emit_json("replay", document)


def _check(project: Project) -> None:
    reviewed = review(project)
    problems = [(one, *problem) for one in reviewed for problem in one.problems()]
    for one, test, finding in problems:
        place = f"{project.folder.shown(one.path)}::{test.name}"
        project.say(f"{place}: {report.reason(finding)}")
    lacking = project.lacking()
    for name in lacking:
        project.say(f"{name} is hot and has no test: perftrace replay --write {name}")
    _emit_findings(project, "check", reviewed, missing=lacking)
    total = sum(len(one.findings) for one in reviewed)
    if problems:
        states = report.states(finding for *_, finding in problems)
        raise CheckFailed(
            "replay-stale",
            f"{len(problems)} of {total} replay tests are out of date ({states}). See what would"
            " change: perftrace replay --update",
        )
    project.say(f"{total} replay tests hold")


def _update(project: Project) -> None:
    reviewed = review(project)
    changes = _changes(project, reviewed, (Changed, Orphaned))
    for one in reviewed:
        for test, finding in one.problems():
            if not isinstance(finding, Changed | Orphaned):
                project.say(f"{test.name} is left as it is: {report.reason(finding)}")
    _emit_findings(project, "update", reviewed)
    if not changes:
        project.say("Nothing to update")
    elif _agreed(project):
        _write_all(changes)
        project.say(f"Written: {', '.join(project.folder.shown(path) for path, _ in changes)}")


def _prune(project: Project) -> None:
    reviewed = review(project)
    changes = _changes(project, reviewed, (Orphaned,))
    _emit_findings(project, "prune", reviewed)
    if not changes:
        project.say("Nothing to prune: all functions with replay tests are there")
    elif _agreed(project):
        _write_all(changes)
        project.say(f"Written: {', '.join(project.folder.shown(path) for path, _ in changes)}")


def _changes(
    project: Project, reviewed: Sequence[Reviewed], kinds: tuple[type, ...]
) -> list[tuple[Path, str]]:
    """The files that change where such findings are acted upon; the change is shown."""
    found = []
    for one in reviewed:
        if not any(isinstance(finding, kinds) for finding in one.findings.values()):
            continue
        name, text = project.folder.shown(one.path), _renewed(one, kinds)
        found.append((one.path, text))
        old, new = _before(one).splitlines(), text.splitlines()
        for line in unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm=""):
            project.say(line)
    return found


def _write_all(changes: Sequence[tuple[Path, str]]) -> None:
    for path, text in changes:
        if text:
            files.write(path, text)
        else:
            path.unlink()


def _list(project: Project) -> None:
    rows = [
        {
            "function": f"{parsed.suite.module}:{test.qualname}",
            "test": test.name,
            "file": project.folder.shown(path),
            "call": report.call_text(test),
        }
        for path, parsed, tests in project.tests()
        for test in tests
    ]
    if project.as_json:
        output.emit_json("replay", {"action": "list", "tests": rows})
        return
    for row in rows:
        project.say(f"{row['function']}  {row['call']}  {row['file']}::{row['test']}")


WRITING = {"write", "update", "prune"}
ACTIONS: dict[str | None, Callable[[Project], None]] = {
    None: _run,
    "write": _write,
    "check": _check,
    "update": _update,
    "prune": _prune,
    "list": _list,
}


def review(project: Project) -> list[Reviewed]:
    """All tests that are asked for, held against the code as it is."""
    found = project.tests()
    bench = Bench(project.python(), project.folder.root, project.folder.roots())
    sources = Sources(bench.path())
    settings = project.settings
    reviewer = Reviewer(bench, sources, settings.max_value_bytes * WIDER, settings.tolerance)
    return [
        Reviewed(path, parsed, reviewer.review(parsed.suite, parsed.imports, tests), sources)
        for path, parsed, tests in found
    ]


def _before(one: Reviewed) -> str:
    return one.path.read_text(encoding="utf-8")


def _renewed(one: Reviewed, kinds: tuple[type, ...]) -> str:
    """The file with what the code does now, without tests of functions that are gone."""
    tests: list[Test] = []
    for test in one.parsed.suite.tests:
        finding = one.findings.get(test.name)
        if not isinstance(finding, kinds):
            tests.append(test)
        elif isinstance(finding, Changed):
            tests.append(finding.test)
    if not tests:
        return ""
    changed = {test.qualname for test, found in one.problems() if isinstance(found, Changed)}
    scores = {name: score for name, score in one.parsed.suite.scores.items() if name not in changed}
    suite = replace(one.parsed.suite, tests=tuple(tests), scores=scores)
    return render(suite, one.parsed.imports, order(one.sources, suite.module))


def _agreed(project: Project) -> bool:
    """Whether the user wants the changes.

    Raises:
        CheckFailed: nobody is there to ask.
    """
    if project.yes:
        return True
    if not sys.stdin.isatty():
        raise CheckFailed(
            "replay-not-updated", "Nothing was written. To accept these changes: add --yes"
        )
    return click.confirm("Write this?", err=True)


def _emit_findings(
    project: Project, action: str, reviewed: Sequence[Reviewed], **more: object
) -> None:
    if not project.as_json:
        return
    rows = [
        report.finding_document(one.parsed.suite, test, one.findings[test.name])
        for one in reviewed
        for test in one.parsed.suite.tests
        if test.name in one.findings
    ]
    output.emit_json("replay", {"action": action, "tests": rows, **more})
