"""Replay tests of other people's packages, recorded while their own tests run: do they hold?

    python benchmarks/committed.py [NAME…] [--folder DIR] [--mutants N] [--write]

Each package (of `suites.py`, installed as `compatibility.py` does) is recorded under its own tests,
and replay tests are written. Then:

* they pass in a clean copy of the package's files, in random order and under xdist;
* a second `--write` changes no byte; `ruff check`, `ruff format` and `black` leave them alone;
* of the package's functions, weighted by their own time, so much is run by some test;
* mutants are put into functions that have tests, one at a time: of those that some recorded call
  reveals, so many make the committed tests fail, and so many the package's own tests.

Which mutants a function's tests are chosen by is no secret to them: the share is of mistakes of the
same kinds, up to 60 of which were tried when the tests were chosen.
"""

import argparse
import json
import platform
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from compatibility import ENTRY, Bench, _environment, _ok, set_up
from marked import put
from suites import ALSO, SUITES

from perftrace.model import Function
from perftrace.optimizer.mutants import mutants
from perftrace.replay import recorded, sample
from perftrace.replay.mistakes import weigh
from perftrace.replay.requests import NotReplayed
from perftrace.replay.session import Session
from perftrace.replay.subjects import NEVER
from perftrace.store import Store

PACKAGES = (
    *("sqlparse", "tomlkit", "packaging", "textdistance"),
    *("cssselect", "humanize", "tabulate", "jsonpatch"),
)
PAGE = Path(__file__).resolve().parents[1] / "docs" / "replay-tests.md"
TOOLS = ("pytest-randomly", "pytest-xdist", "black", "ruff")
CALLS = 200  # of a function, asked whether they reveal a mutant
EACH = 4  # mutants of a function
TIMEOUT_S = 900
MEMORY = 4 << 30  # bytes
NOT_COMMITTED = shutil.ignore_patterns(".perftrace", ".git", "__pycache__", ".pytest_cache")
HEAD = (
    "| package | cases of functions | in a clean copy | again | formatters | time covered"
    " | mutants revealed | caught by the cases | by its own tests |"
)


@dataclass(frozen=True)
class Mutant:
    """A mistake that some recorded call reveals."""

    file: Path
    module: str
    qualname: str
    text: str  # of the whole file


def main() -> int:
    """Try the packages named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--folder", type=Path, help="keep environments here, and use them again")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--mutants", type=int, default=30, help="of each package")
    parser.add_argument("--write", action="store_true", help="put it into docs/replay-tests.md")
    options = parser.parse_args()
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="perftrace-committed-"))).absolute()
    rows = []
    for name in options.names or PACKAGES:
        suite = next(one for one in (*SUITES, *ALSO) if one.name == name)
        bench = set_up(folder, suite, str(Path(options.python).absolute()))
        _ok([bench.python, "-m", "pip", "install", "-q", *TOOLS])
        rows.append(row(bench, options.mutants))
        print(rows[-1], flush=True)
    date = datetime.now(UTC).date().isoformat()
    head = f"Python {platform.python_version()}, {platform.machine()}, {date}:"
    rule = "| --- | --- | --- | --- | --- | --: | --: | --: | --: |"
    text = "\n".join([head, "", HEAD, rule, *rows])
    print(f"\n{text}")
    if options.write:
        put(PAGE, "python benchmarks/committed.py", text)
    return 0


def row(bench: Bench, count: int) -> str:
    """The package's row in the table."""
    project = bench.tests
    shutil.rmtree(project / ".perftrace", ignore_errors=True)
    replay = project / "tests" / "replay"
    shutil.rmtree(replay, ignore_errors=True)
    suite = bench.suite
    tests = [
        *("-p", "no:randomly", "-p", "no:cacheprovider", "-q", *suite.tests),
        *(f"--deselect={test}" for test, _ in suite.deselect),
    ]
    options = ["--python", bench.python, "--include", suite.package, "--overhead", "30%"]
    perftrace(bench, "run", *options, "--", bench.python, "-m", "pytest", *tests)
    written = perftrace(bench, "replay", "--write", "--json")
    if written.returncode:
        raise SystemExit(f"{suite.name}: {written.stderr[-2000:]}")
    rows = json.loads(written.stdout)["functions"]
    before = texts(replay)
    perftrace(bench, "replay", "--write", "--json")
    again = "the same" if texts(replay) == before else "**differs**"
    cases = sum(text.count("\ndef test_") for text in before.values())
    functions = sum(one["covered"] == "directly" for one in rows)
    found = list(revealed(project, {one["function"] for one in rows if one["tests"]}, count))
    caught = [fails(bench, mutant, [str(replay)]) for mutant in found]
    own = [fails(bench, mutant, tests) for mutant in found]
    return (
        f"| {suite.name} {suite.version} | {cases:,} of {functions:,} | {clean_copy(bench, replay)}"
        f" | {again} | {left_alone(bench, replay)} | {covered(bench, rows):.0%} | {len(found)}"
        f" | {share(caught)} | {share(own)} |"
    )


def share(found: Sequence[bool]) -> str:
    """Such as "28 (93 %)"."""
    return f"{sum(found)} ({sum(found) / len(found):.0%})" if found else "none"


def texts(folder: Path) -> dict[str, str]:
    """The files of replay tests."""
    return {path.name: path.read_text() for path in sorted(folder.glob("*.py"))}


def clean_copy(bench: Bench, replay: Path) -> str:
    """They pass in a checkout where nothing was recorded, in random order and by two workers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / replay.relative_to(bench.tests)
        shutil.copytree(bench.tests, name, dirs_exist_ok=True, ignore=NOT_COMMITTED)
        environment = {**_environment(), "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
        results = []
        for options in (["-p", "randomly"], ["-p", "randomly", "-n", "2"]):
            done = subprocess.run(
                [str(bench.python), "-m", "pytest", "-q", *options, str(folder)],
                cwd=name,
                env=environment,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
            results.append(done.returncode == 0)
            if done.returncode:
                print(done.stdout[-3000:], file=sys.stderr)
    return "pass" if all(results) else "**FAIL**"


def left_alone(bench: Bench, replay: Path) -> str:
    """What formatters and linters would change."""
    tools = (["ruff", "check"], ["ruff", "format", "--check"], ["black", "--check", "-q"])
    said = [
        " ".join(tool)
        for tool in tools
        if subprocess.run(
            [str(bench.python), "-m", *tool, str(replay)], capture_output=True, check=False
        ).returncode
    ]
    return ", ".join(said) or "leave them"


def covered(bench: Bench, rows: Sequence[dict[str, object]]) -> float:
    """The share of the package's own time in functions that some test runs."""
    top = json.loads(perftrace(bench, "top", "-n", "100000", "--json").stdout)["functions"]
    tested = {one["function"] for one in rows if one["covered"] != "no"}
    never = {one["function"] for one in rows if one["reason"] in NEVER}
    inside = [one for one in top if one["function"] not in never]
    every = sum(one["self_percent"] for one in inside)
    known = sum(one["self_percent"] for one in inside if one["function"] in tested)
    return float(known / (every or 1))


def revealed(project: Path, tested: set[object], count: int) -> Iterator[Mutant]:
    """Mutants of functions with tests that a recorded call reveals, a few of each function."""
    dice = random.Random(1)
    with Store.open(project / ".perftrace" / "trace.db") as store:
        functions = [one for one in store.functions().values() if one.id >= 0]
        named = [one for one in functions if f"{one.module}:{one.qualname}" in tested]
        dice.shuffle(named)
        left = count
        for function in named:
            found = list(_of(store, function, dice))[: min(EACH, left)]
            yield from found
            left -= len(found)
            if not left:
                return


def _of(store: Store, function: Function, dice: random.Random) -> Iterator[Mutant]:
    run = store.last_run()
    calls = sample.choose(store, store.calls(function, run=run), CALLS)
    if not calls:
        return
    source = store.source_text(function)
    texts = dict.fromkeys(mutants(source, function.qualname, function.line, all_kinds=True))
    made = list(texts)
    dice.shuffle(made)
    requests = [recorded.request(store, call) for call in calls]
    whole = [one for one in requests if not isinstance(one, NotReplayed)]
    ready = {place: (one, 100_000) for place, one in enumerate(whole)}
    with Session(store.process(calls[0].process_id)) as session:
        for text in made[: EACH * 3]:
            target = recorded.target_in(source, function)
            weighed = weigh([session], target, [text], ready)
            if weighed is not None and any(weighed.noticed.values()):
                file = Path(function.file)
                yield Mutant(file, function.module, function.qualname, text)


def _bound() -> None:
    """A mistake may be one that fills the memory."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def fails(bench: Bench, mutant: Mutant, tests: Sequence[str]) -> bool:
    """Whether tests fail with the mutant in its file."""
    source = mutant.file.read_text()
    mutant.file.write_text(mutant.text)
    try:
        done = subprocess.run(
            [str(bench.python), "-B", "-m", "pytest", "-q", "-x", "-p", "no:randomly", *tests],
            cwd=bench.tests,
            env={**_environment(), "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
            preexec_fn=_bound,
        )
    except subprocess.TimeoutExpired:
        return True
    finally:
        mutant.file.write_text(source)
    return done.returncode != 0


def perftrace(bench: Bench, *words: object) -> subprocess.CompletedProcess[str]:
    """The command in the package's sources."""
    return subprocess.run(
        [sys.executable, "-c", ENTRY, *map(str, words)],
        cwd=bench.tests,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
