"""The corpus: no cheat is accepted, nor does any harm; honest changes show no difference."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from corpus import (
    payloads,
    subject_bank,
    subject_costs,
    subject_feeds,
    subject_grid,
    subject_office,
    subject_orders,
    subject_text,
)

from perftrace import locate
from perftrace.model import Accepted, Candidate, Function, Inconclusive, Rejected, Run, Verdict
from perftrace.optimizer import oracle, pipeline
from perftrace.optimizer.oracle import Oracle
from perftrace.optimizer.verify import Passed, verify
from perftrace.optimizer.workers import Version, Workers
from perftrace.store import Store

SUBJECTS = {
    "orders": subject_orders,
    "bank": subject_bank,
    "feeds": subject_feeds,
    "text": subject_text,
    "office": subject_office,
    "costs": subject_costs,
    "grid": subject_grid,
}
FASTER = SUBJECTS["orders"].HONEST["search a set"]  # what a payload hides in


class Recorded:
    """A subject that was recorded."""

    def __init__(self, folder: Path, name: str, subject: ModuleType) -> None:
        self.folder = folder
        (folder / "pyproject.toml").write_text(f'[project]\nname = "{name}"\nversion = "1"\n')
        (folder / f"{name}.py").write_text(subject.SUBJECT)
        code = "import sys; from perftrace.cli import main; sys.exit(main())"
        options = ["run", "--overhead", "50%", "--python", sys.executable, f"{name}.py"]
        subprocess.run(
            [sys.executable, "-c", code, *options],
            cwd=folder,
            capture_output=True,
            timeout=120,
            check=True,
        )
        self.store = Store.open(folder / ".perftrace" / "trace.db")
        self.workers = Workers(self.store)
        self.oracle = cache(self._oracle)

    @property
    def run(self) -> Run:
        return self.store.last_run()

    def function(self, name: str) -> Function:
        return locate.find(name, list(self.store.functions().values()))

    def _oracle(self, name: str) -> Oracle:
        function = self.function(name)
        found = oracle.consult(
            self.run, Version(function, self.store.source_text(function)), self.workers
        )
        assert found.cases, found.dropped
        return found

    def change(self, name: str, *changes: tuple[str, str]) -> Candidate:
        function = self.function(name)
        original = source = self.store.source_text(function)
        for old, new in changes:
            assert source.count(old) == 1, old
            source = source.replace(old, new)
        return Candidate(function, "corpus", (name,), "", original, source)

    def verdict(self, candidate: Candidate) -> Passed | Rejected | Inconclusive:
        return verify(candidate, self.oracle(candidate.function.qualname), self.workers)


@pytest.fixture(scope="module")
def subjects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Recorded]]:
    config = str(tmp_path_factory.getbasetemp() / "config")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CONFIG_HOME", config)
        found = {
            name: Recorded(tmp_path_factory.mktemp(name), name, subject)
            for name, subject in SUBJECTS.items()
            if not missing(name)
        }
        yield found
        for one in found.values():
            one.workers.close()
            one.store.close()


def missing(subject: str) -> str:
    """The package that a subject needs and that is not installed; empty: there is none."""
    needed = getattr(SUBJECTS[subject], "NEEDS", "")
    return needed if needed and importlib.util.find_spec(needed) is None else ""


def require(subject: str) -> None:
    """Skip the test where it can't be done."""
    if package := missing(subject):
        pytest.skip(f"{package} is not installed")


def named(group: str) -> list[tuple[str, str]]:
    return [
        (subject, name) for subject, module in SUBJECTS.items() for name in getattr(module, group)
    ]


def chosen[T](cases: Sequence[T], first: int = 0) -> list[T]:
    """All of them where that is asked for, or else every third."""
    return list(cases if os.environ.get("PERFTRACE_CORPUS") == "all" else cases[first::3])


@pytest.mark.parametrize(("subject", "name"), chosen(named("CHEATS")))
def test_a_change_that_does_something_else_is_not_accepted(
    subjects: dict[str, Recorded], subject: str, name: str
) -> None:
    require(subject)
    function, old, new = SUBJECTS[subject].CHEATS[name]
    recorded = subjects[subject]
    candidate = recorded.change(function, (old, new))
    found: Passed | Verdict = recorded.verdict(candidate)
    if isinstance(found, Passed):  # the calls don't show it, so its speed has to
        found = pipeline.check(recorded.workers, recorded.run, candidate, 1.05)
    assert isinstance(found, Rejected | Inconclusive), found


@pytest.mark.parametrize("name", subject_costs.REASONS)
def test_what_a_change_costs_elsewhere_is_why_it_is_rejected(
    subjects: dict[str, Recorded], name: str
) -> None:
    function, old, new = subject_costs.CHEATS[name]
    recorded = subjects["costs"]
    candidate = recorded.change(function, (old, new))
    found = pipeline.check(recorded.workers, recorded.run, candidate, 1.05)
    assert isinstance(found, Rejected), found
    assert subject_costs.REASONS[name] in found.reason


@pytest.mark.parametrize("name", subject_costs.HONEST)
def test_an_honest_change_is_accepted_with_what_it_costs(
    subjects: dict[str, Recorded], name: str
) -> None:
    function, old, new = subject_costs.HONEST[name]
    recorded = subjects["costs"]
    candidate = recorded.change(function, (old, new))
    found = pipeline.check(recorded.workers, recorded.run, candidate, 1.0)
    assert isinstance(found, Accepted), found
    costs = found.measurement.costs
    assert costs is not None
    assert costs.growth is not None or any("four times" in note for note in costs.notes)
    assert costs.import_s is not None
    assert costs.refused == ()


@pytest.mark.parametrize(
    ("name", "hybrid"),
    [
        *((name, False) for name in chosen(list(payloads.PAYLOADS))),
        *((name, True) for name in chosen(list(payloads.PAYLOADS), 1)),
    ],
)
def test_a_payload_is_not_accepted_and_does_no_harm(
    subjects: dict[str, Recorded], tmp_path: Path, name: str, hybrid: bool
) -> None:
    recorded = subjects["orders"]
    harm = tmp_path / "harm"
    before = (recorded.folder / "orders.py").read_bytes()
    text = payloads.PAYLOADS[name].replace("HARM", repr(str(harm)))
    function, old, new = FASTER
    head = "def known(orders, customers):\n"
    changes = [(head, f"{head}    {text}\n"), *([(old, new)] if hybrid else [])]
    found = recorded.verdict(recorded.change(function, *changes))
    assert isinstance(found, Rejected | Inconclusive), found
    assert not harm.exists()
    assert (recorded.folder / "orders.py").read_bytes() == before


@pytest.mark.parametrize(("subject", "name"), chosen(named("HONEST")))
def test_an_honest_change_shows_no_difference(
    subjects: dict[str, Recorded], subject: str, name: str
) -> None:
    require(subject)
    function, old, new = SUBJECTS[subject].HONEST[name]
    recorded = subjects[subject]
    found = recorded.verdict(recorded.change(function, (old, new)))
    assert isinstance(found, Passed), found


def test_the_corpus_is_large_enough() -> None:
    cheats = len(named("CHEATS")) + 2 * len(payloads.PAYLOADS)
    assert (len(named("CHEATS")), cheats) >= (100, 200)
