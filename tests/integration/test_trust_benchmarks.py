"""A little of `benchmarks/honest.py` and `benchmarks/mutants.py`: does what they count hold."""

import importlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from corpus import honest

from perftrace.model import Candidate, Function, Kind
from perftrace.optimizer import gate, oracle, patch

ROOT = Path(__file__).parents[2]
CHANGES = [change for subject in honest.SUBJECTS for change in honest.changes(subject)]
FEW = ["shop: search", "streams: a set beside", "stock: a joined", "graphs: rows"]


def run(name: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code of a benchmark, and its document."""
    command = [sys.executable, str(ROOT / "benchmarks" / name), *options, "--json", "found.json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode in {0, 1}, done.stderr
    assert Path("found.json").exists(), done.stderr
    return done.returncode, json.loads(Path("found.json").read_text())


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.label)
def test_an_honest_change_fits_its_subject_and_the_gate(change: honest.Change) -> None:
    source = honest.subject(change.subject).SUBJECT
    new = honest.applied(source, change)
    (place,) = [one for one in patch.places(source) if one.qualname == change.function]
    function = Function(1, "m.py", change.function, place.first, "m", Kind.FUNCTION, ())
    candidate = Candidate(function, "given", (), "", source, new)
    assert new != source
    assert [finding for finding in gate.check(candidate) if finding.hard] == []


def test_the_honest_corpus_is_large_enough() -> None:
    assert len(CHANGES) >= 60
    assert len({change.subject for change in CHANGES}) >= 6
    assert len({change.label for change in CHANGES}) == len(CHANGES)


@pytest.mark.slow
def test_honest_changes_of_each_kind_are_offered_and_not_called_different() -> None:
    code, found = run("honest.py", "--only", *FEW)
    assert len(found) == len(FEW)
    assert {one["verdict"] for one in found} <= {"accepted", "inconclusive", "not faster"}
    assert code == int(any(one["verdict"] != "accepted" for one in found))


def test_a_wrong_change_in_the_corpus_is_called_different(benchmark: Any) -> None:
    module = benchmark("honest")
    wrong = honest.Change("shop", "wrong", "unique", "def unique(names):\n    return list(names)\n")
    outcomes = list(module.offered([wrong]))
    assert [one.verdict for one in outcomes] == [module.DIFFERENT]
    assert len(module.missed_goals(outcomes, whole=False)) == 2
    assert len(module.missed_goals(outcomes, whole=True)) == 3


def test_a_name_that_no_change_has_chooses_none(benchmark: Any) -> None:
    module = benchmark("honest")
    assert module.wanted(["no such change"]) == ([], [])
    assert {one.subject for one in module.wanted(["shop"])[0]} == {"shop"}


@pytest.mark.slow
def test_mutants_of_the_standard_library_are_offered_and_none_is_accepted() -> None:
    options = ["--only", "operator.countOf", "bisect.bisect_right", "--limit", "8"]
    code, found = run("mutants.py", *options, "--further", "100", "--jobs", "1")
    assert code == 0
    assert [one["offered"] for one in found] == [8, 8]
    for one in found:
        ends = ("gate", "different", "inconclusive", "same")
        assert sum(one[end] for end in ends) == one["offered"]
        assert one["different"] > 0
        assert one["accepted"] == 0


@dataclass(frozen=True)
class Planted:
    """A function of which one recorded call tells little."""

    function: str = "large"
    name: str = "planted.large"
    alias: str = "planted"

    def files(self) -> dict[str, str]:
        text = "def large(number):\n    return number > 30\n"
        return {
            "planted.py": text,
            "app.py": "import planted\n\nfor _ in range(9):\n    planted.large(30)\n",
        }


@pytest.mark.slow
def test_a_mutant_that_only_further_calls_notice_was_missed(
    benchmark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = benchmark("mutants")
    monkeypatch.setattr(oracle, "GENERATED", 0)
    result = module.examine(Planted(), 20, 400, 1)
    assert not result.problem
    missed = [one.change for one in result.missed]
    assert any("+ return number > 31" in change for change in missed), missed
    assert result.alike == result.same - len(missed)
    assert result.accepted == 0, result.missed
