"""A recorded test suite is asked about changes of the functions that it reaches."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perftrace import locate
from perftrace.model import Accepted, Candidate, Evidence, Measurement, Rejected
from perftrace.optimizer import decisions, pipeline
from perftrace.optimizer.search import Found
from perftrace.store import Store

PACKAGE = """
LIMIT = 3

def cents(price):
    return int(price * 100)

def total(prices):
    result = 0
    for price in prices:
        result += cents(price)
    return result

def unknown(n):
    return n
"""
# No recorded call gives `total` more than three prices.
TESTS = """
import till

def test_cents():
    assert till.cents(1.5) == 150

def test_total():
    assert till.total([1, 2]) == 300

def test_limit():
    before, till.LIMIT = till.LIMIT, 1
    try:
        assert till.total([1, 2, 3]) == 600
    finally:
        till.LIMIT = before
"""
SUM = "    return sum(cents(price) for price in prices)\n"
LIMITED = "    return sum(cents(price) for price in prices[:LIMIT])\n"
FAST = Measurement(2.0, 1.9, 2.1, 9, 2e-6, 1e-6, "cpu")


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("till")
    (folder / "pyproject.toml").write_text('[project]\nname = "till"\nversion = "1"\n')
    (folder / "till.py").write_text(PACKAGE)
    (folder / "test_till.py").write_text(TESTS)
    (folder / "app.py").write_text("import till\nprint(till.total([1, 2]), till.unknown(1))\n")
    code = "import sys; from perftrace.cli import main; sys.exit(main())"
    for words in (["-m", "pytest", "-q", "test_till.py"], ["app.py"]):
        subprocess.run(
            [
                *(sys.executable, "-c", code, "run", "--overhead", "50%"),
                *("--python", sys.executable, *words),
            ],
            cwd=folder,
            env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path_factory.getbasetemp() / "config")},
            capture_output=True,
            timeout=120,
            check=True,
        )
    return folder / ".perftrace" / "trace.db"


@pytest.fixture
def store(trace: Path) -> Iterator[Store]:
    with Store.open(trace) as opened:
        yield opened


def accepted(store: Store, name: str, body: str) -> Found:
    """As the search ends with it where no recorded or generated call tells it apart."""
    function = locate.find(name, list(store.functions().values()))
    before = PACKAGE[: PACKAGE.index("    result = 0")]
    after = PACKAGE[PACKAGE.index("\ndef unknown") :]
    candidate = Candidate(function, "test", ("by-hand",), "", PACKAGE, f"{before}{body}{after}")
    return Found(candidate, Accepted(Evidence(3, 3, 0), FAST), ())


def test_tests_that_reach_the_function_count_as_evidence(store: Store) -> None:
    told: list[str] = []
    found = pipeline.tested(store, accepted(store, "till:total", SUM), told.append)
    assert isinstance(found.verdict, Accepted)
    assert found.verdict.evidence.tests == 2
    assert "all 2 tests of the project seen to reach it pass" in decisions.reason(found.verdict)
    assert told == ["total: running 2 tests that reach it"]


def test_a_change_that_breaks_one_is_rejected_by_its_name(store: Store) -> None:
    found = pipeline.tested(store, accepted(store, "till:total", LIMITED), lambda _: None)
    assert isinstance(found.verdict, Rejected)
    assert found.verdict.reason.startswith(
        "the project's test test_till.py::test_limit fails with it: "
    )
    assert "100 == 600" in found.verdict.reason


def test_where_no_test_reaches_it_nothing_is_said(store: Store) -> None:
    before = accepted(store, "till:unknown", SUM)
    assert pipeline.tested(store, before, lambda _: None) == before
