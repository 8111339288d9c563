"""The project whose replay tests are written, run and checked, and which of them are asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perftrace import config, locate
from perftrace.cli import output
from perftrace.cli.chosen import choose
from perftrace.errors import CannotError, TraceError, UsageError
from perftrace.optimizer.rank import rank
from perftrace.replay import files, runner, testpaths, trial, unittests
from perftrace.replay.author import Page
from perftrace.replay.emit import Parsed, Style, Suite, Test
from perftrace.replay.missing import missing
from perftrace.report import tables
from perftrace.store import Store


@dataclass(frozen=True, slots=True)
class Project:
    """What every action needs."""

    folder: files.Folder
    settings: config.Settings
    database: Path
    as_json: bool
    yes: bool
    wanted: tuple[str, ...]  # functions or modules; empty: all
    standalone: bool = False  # tests are written so that they run without perftrace
    style: Style | None = None  # of new files; None: that of those which are there
    run: int | None = None  # whose calls are written; None: the newest

    def say(self, text: str) -> None:
        """A line for people."""
        tables.say(output.err() if self.as_json else output.out(), text)

    def python(self) -> Path:
        """The program's interpreter: the recorded one, else that of the project."""
        try:
            with Store.open(self.database) as store:
                return choose(store, self.run).run.python
        except TraceError:
            return runner.project_python(self.folder.root)

    def tried(self, pages: Sequence[Page], roots: Mapping[str, Path]) -> trial.Tried:
        """What became of new tests; where they can't be run, that is said."""
        python = self.python()
        try:
            if self.new_style is Style.UNITTEST and not runner.has_pytest(python):
                return trial.run(python, self.folder, pages, roots, unittests.try_unittest)
            return trial.run(python, self.folder, pages, roots)
        except CannotError as error:
            if error.slug != "replay-no-pytest":
                raise
            self.say(f"Not run before they are written: {error}")
            return trial.Tried()

    def left_out(self) -> list[str]:
        """What to say where a plain `pytest` does not run the tests."""
        if self.folder.style is not Style.PYTEST or not self.folder.path.is_dir():
            return []
        return list(filter(None, [testpaths.left_out(self.folder.root, self.folder.path)]))

    @property
    def new_style(self) -> Style:
        """The style of new files."""
        return self.style or self.folder.style

    def is_wanted(self, suite: Suite, test: Test) -> bool:
        """Whether a test was asked for: by module, file, or either with a function."""
        places = {suite.module, suite.source, ""}
        names = {test.qualname, ""}
        asked = {f"{place}:{name}".strip(":") for place in places for name in names}
        return not self.wanted or any(wanted in asked for wanted in self.wanted)

    def tests(self) -> list[tuple[Path, Parsed, list[Test]]]:
        """The files of replay tests with those tests that are asked for.

        Raises:
            CannotError: there are none.
            UsageError: there are none of that name.
        """
        modules = {name.partition(":")[0] for name in self.wanted}
        suites = list(self.folder.suites(modules or None))
        if not suites:
            Store.open(self.database).close()  # without a trace, that is what has to be said
            place = self.folder.shown(self.folder.path)
            raise CannotError(
                "replay-none",
                f"There are no replay tests in {place}. Write them: perftrace replay --write",
            )
        found = [
            (path, parsed, [t for t in parsed.suite.tests if self.is_wanted(parsed.suite, t)])
            for path, parsed in suites
        ]
        if not any(tests for *_, tests in found):
            raise UsageError(
                "function-unknown",
                f"No replay test is of {', '.join(self.wanted)}. See perftrace replay --list",
            )
        return found

    def lacking(self) -> list[str]:
        """Hot functions of the last run, of those asked for, that could have tests and have none.

        Without a trace file nothing is known of any.
        """
        try:
            with Store.open(self.database) as store:
                ranked = rank(store, store.last_run())
        except TraceError:
            return []
        names = locate.labels([row.function for row in ranked])
        suites = [parsed.suite for _, parsed in self.folder.suites([])]
        found = [names[hot.function.id] for hot in missing(suites, ranked)]
        asked = tuple(f"{name}:" for name in self.wanted)
        return [name for name in found if not asked or f"{name}:".startswith(asked)]
